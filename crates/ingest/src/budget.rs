//! The kind `budget`: which labels of the truth a learner may see.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use scarce_artifact::{Clusters, Embeddings, Images, Labels, Queries, Split, Truth};
use scarce_kernels::random;
use scarce_stage::{Context, Description, Failure, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, labels, roster::Roster};

/// Parameters of `budget`: exactly one way of choosing, unless `clusters` or `queries` is wired,
/// which is one itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// So many images of every class, at random.
    pub per_class: Option<u32>,
    /// So many images at random, whatever their class.
    pub random: Option<u32>,
    /// This share of the images at random, from above 0 to 1, rounded, at least one.
    pub fraction: Option<f64>,
    /// Exactly the images with these ids.
    pub ids: Option<Vec<u32>>,
    /// Exactly the images in this file: one id a line, or a CSV file with a column `id` or `index`.
    #[schemars(extend("format" = "path"))]
    pub ids_path: Option<PathBuf>,
    /// With `ids`, `ids_path` or wired `queries`: only the first so many, in their order.
    pub first: Option<u32>,
    /// Seed of what is random. The images that a small budget takes are among those that a larger
    /// one takes with the same seed.
    pub seed: u64,
}

/// The kind `budget`.
pub(crate) struct Budget;

impl Stage for Budget {
    type Params = Params;

    fn describe() -> Description {
        Description::new("budget", "Reveal the true labels of a few images")
            .doc(
                "Simulates an annotator with little time: of all true labels, a learner sees those \
                 that `per_class`, `random`, `fraction`, `ids` or `ids_path` chooses; or those of \
                 the clusters' representatives, when `clusters` is wired; or those that a strategy \
                 asks for, when `queries` is wired. Images in the `test` split are never chosen. \
                 For one seed, `per_class = 1` is contained in `per_class = 5`, and the images of \
                 one class do not depend on the others.",
            )
            .input(Port::table::<Truth>("truth", "Where the labels come from"))
            .input(Port::table::<Images>("images", "Says which images are for testing").optional())
            .input(
                Port::table::<Embeddings>("embeddings", "The same, where there are no images")
                    .optional(),
            )
            .input(Port::table::<Clusters>("clusters", "Label its representatives").optional())
            .input(Port::table::<Queries>("queries", "Label these, by rank").optional())
            .output(Port::table::<Labels>("labels", "The chosen labels, sorted by id"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let clusters = context.optional::<Clusters>("clusters")?;
        let queries = context.optional::<Queries>("queries")?;
        let choice = params.choice(clusters.is_some(), queries.is_some())?;
        let truth = context.input::<Truth>("truth")?;
        let eligible = Eligible::new(truth.read()?, &truth.meta().classes, &Roster::of(context)?)?;
        let mut ids = match choice {
            Choice::PerClass(n) => eligible.per_class(n, params.seed)?,
            Choice::Random(n) => eligible.random(n as usize, params.seed)?,
            Choice::Fraction(fraction) => eligible.fraction(fraction, params.seed)?,
            Choice::Ids => {
                let ids = params.ids.unwrap_or_default();
                eligible.listed(first(ids, params.first)?, "`ids`")?
            }
            Choice::IdsPath(path) => {
                let ids = labels::read_ids(&path)?.into_iter().map(|(_, id)| id).collect();
                eligible.listed(first(ids, params.first)?, &format!("`{}`", path.display()))?
            }
            Choice::Clusters => {
                let rows = clusters.map(|table| table.read()).transpose()?.unwrap_or_default();
                let ids = rows.id.iter().zip(&rows.is_representative);
                let ids = ids.filter(|(_, chosen)| **chosen).map(|(&id, _)| id).collect();
                eligible.listed(ids, "the representatives")?
            }
            Choice::Queries => {
                let rows = queries.map(|table| table.read()).transpose()?.unwrap_or_default();
                let mut ranked: Vec<(u32, u32)> = rows.rank.into_iter().zip(rows.id).collect();
                ranked.sort_unstable();
                let ids = ranked.into_iter().map(|(_, id)| id).collect();
                eligible.listed(first(ids, params.first)?, "the queries")?
            }
        };
        ids.sort_unstable();
        let labels = ids.into_iter().map(|id| (id, eligible.label[&id])).collect();
        context.write("labels", truth.meta().clone(), labels::given(labels))
    }
}

/// The one way of choosing.
enum Choice {
    PerClass(u32),
    Random(u32),
    Fraction(f64),
    Ids,
    IdsPath(PathBuf),
    Clusters,
    Queries,
}

impl Params {
    fn choice(&self, clusters: bool, queries: bool) -> Result<Choice> {
        let ways = [
            ("per_class", self.per_class.map(Choice::PerClass)),
            ("random", self.random.map(Choice::Random)),
            ("fraction", self.fraction.map(Choice::Fraction)),
            ("ids", self.ids.as_ref().map(|_| Choice::Ids)),
            ("ids_path", self.ids_path.clone().map(Choice::IdsPath)),
            ("clusters", clusters.then_some(Choice::Clusters)),
            ("queries", queries.then_some(Choice::Queries)),
        ];
        let mut chosen: Vec<(&str, Choice)> =
            ways.into_iter().filter_map(|(name, choice)| Some((name, choice?))).collect();
        let names: Vec<&str> = chosen.iter().map(|(name, _)| *name).collect();
        let help = "give exactly one of `per_class`, `random`, `fraction`, `ids`, `ids_path`, or \
                    wire `clusters` or `queries`";
        if names.len() > 1 {
            let message = format!("`{}` are set together", names.join("` and `"));
            return Err(Error::request(message, help));
        }
        let Some((name, choice)) = chosen.pop() else {
            return Err(Error::request("nothing says which images to label", help));
        };
        if self.first.is_some() && !matches!(name, "ids" | "ids_path" | "queries") {
            let help = "leave `first` out";
            return Err(Error::request(format!("`first` says nothing about `{name}`"), help));
        }
        Ok(choice)
    }
}

/// The first so many of a list.
fn first(mut ids: Vec<u32>, first: Option<u32>) -> Result<Vec<u32>> {
    let Some(first) = first else { return Ok(ids) };
    if first as usize > ids.len() {
        let message = format!("`first = {first}`, but the list holds {}", ids.len());
        return Err(Error::TooFew { message, help: format!("ask for at most {}", ids.len()) });
    }
    ids.truncate(first as usize);
    Ok(ids)
}

/// The images that may be labelled, and what the truth says of them.
struct Eligible<'a> {
    classes: &'a [String],
    /// Sorted.
    ids: Vec<u32>,
    label: HashMap<u32, i32>,
    splits: HashMap<u32, Split>,
}

impl<'a> Eligible<'a> {
    fn new(truth: Truth, classes: &'a [String], roster: &Roster) -> Result<Self> {
        let splits = roster.splits();
        let mut label = HashMap::with_capacity(truth.id.len());
        for (&id, &class) in truth.id.iter().zip(&truth.label) {
            if !splits.contains_key(&id) {
                let message = format!("the truth has a label for id {id}, which is no image");
                let help = "wire `truth` and `images` from the same stage";
                return Err(Error::request(message, help));
            }
            if usize::try_from(class).is_ok_and(|class| class < classes.len()) {
                label.insert(id, class);
            } else {
                let message = format!("the truth gives id {id} the class {class}");
                let help = format!("it names {} classes", classes.len());
                return Err(Error::request(message, help));
            }
        }
        let mut ids: Vec<u32> =
            label.keys().copied().filter(|id| splits[id] != Split::Test).collect();
        ids.sort_unstable();
        Ok(Self { classes, ids, label, splits })
    }

    /// `n` of each class; every class has its own stream.
    fn per_class(&self, n: u32, seed: u64) -> Result<Vec<u32>> {
        let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); self.classes.len()];
        for &id in &self.ids {
            by_class[self.label[&id] as usize].push(id);
        }
        let short = |ids: &&Vec<u32>| ids.len() < n as usize || ids.is_empty();
        if by_class.iter().any(|ids| short(&ids)) {
            let counts: Vec<String> = (self.classes.iter().zip(&by_class))
                .filter(|(_, ids)| short(ids))
                .map(|(class, ids)| match ids.len() {
                    0 => format!("the class `{class}` has no image"),
                    count => format!("the class `{class}` has {count}"),
                })
                .collect();
            return Err(Error::TooFew {
                message: format!("`per_class = {n}`, but {}", counts.join(", ")),
                help: "ask for fewer, or choose images with `random`; images of the `test` split \
                       do not count"
                    .to_owned(),
            });
        }
        let mut chosen = Vec::new();
        for (class, ids) in by_class.iter_mut().enumerate() {
            random::shuffle(ids, &mut random::stream(seed, "budget per class", class as u64));
            chosen.extend(ids.iter().take(n as usize));
        }
        self.not_empty(chosen)
    }

    /// `n` of all.
    fn random(&self, n: usize, seed: u64) -> Result<Vec<u32>> {
        if n > self.ids.len() {
            let there = self.ids.len();
            return Err(Error::TooFew {
                message: format!("{n} labels are asked for, but there are {there} images"),
                help: format!(
                    "ask for at most {there}; images of the `test` split and without a true label \
                     do not count"
                ),
            });
        }
        let mut ids = self.ids.clone();
        random::shuffle(&mut ids, &mut random::stream(seed, "budget", 0));
        ids.truncate(n);
        self.not_empty(ids)
    }

    fn fraction(&self, fraction: f64, seed: u64) -> Result<Vec<u32>> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            let help = "give a number above 0 and up to 1";
            return Err(Error::request(format!("`fraction` is {fraction}"), help));
        }
        let n = (self.ids.len() as f64 * fraction).round() as usize;
        self.random(n.max(1), seed)
    }

    /// Exactly these, which `what` lists.
    fn listed(&self, ids: Vec<u32>, what: &str) -> Result<Vec<u32>> {
        let mut seen = HashSet::with_capacity(ids.len());
        for &id in &ids {
            let problem = match self.splits.get(&id) {
                None => "there is no such image",
                Some(Split::Test) => "it is in the `test` split",
                Some(_) if !self.label.contains_key(&id) => "its true label is unknown",
                Some(_) if !seen.insert(id) => "it is listed twice",
                Some(_) => continue,
            };
            let message = format!("{what}: id {id} cannot be labelled: {problem}");
            return Err(Error::request(message, "list images that may be learnt from, each once"));
        }
        self.not_empty(ids)
    }

    fn not_empty(&self, ids: Vec<u32>) -> Result<Vec<u32>> {
        if ids.is_empty() {
            let message = "the budget holds no label".to_owned();
            let help = format!("ask for at least one of {} images", self.ids.len());
            return Err(Error::TooFew { message, help });
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
