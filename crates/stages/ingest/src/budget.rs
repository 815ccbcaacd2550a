//! The kind `budget`: which labels of the truth a learner may see.

use std::path::PathBuf;

use scarce_artifact::{Clusters, Embeddings, Images, Labels, Queries, Truth};
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, id_list::IdList, image_index::ImageIndex, labelling_pool::LabellingPool, labels,
};

/// Parameters of `budget`: exactly one way of choosing, unless `clusters` or `queries` is wired,
/// which is one itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// So many images of every class, at random.
    #[schemars(range(min = 1))]
    pub per_class: Option<u32>,
    /// So many images at random, whatever their class.
    #[schemars(range(min = 1))]
    pub random: Option<u32>,
    /// This share of the images at random, from above 0 to 1, rounded, at least one.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub fraction: Option<f64>,
    /// Exactly the images with these ids.
    #[schemars(length(min = 1))]
    pub ids: Option<Vec<u32>>,
    /// Exactly the images in this file: one id a line, or a CSV file with a column `id` or `index`.
    #[schemars(extend("format" = "path"))]
    pub ids_path: Option<PathBuf>,
    /// With `ids`, `ids_path` or wired `queries`: only the first so many, in their order.
    #[schemars(range(min = 1))]
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
            .needs(Needs::light())
            .learns(
                Learns::images("clusters", Splits::All)
                    .keeping(Splits::learnable())
                    .seeded_with(&["per_class", "random", "fraction"]),
            )
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
        let image_index = ImageIndex::of(context)?;
        let eligible =
            LabellingPool::new(truth.read()?, &truth.meta().classes, Some(&image_index))?;
        let mut ids = match choice {
            Choice::PerClass(n) => eligible.per_class(n, params.seed)?,
            Choice::Random(n) => eligible.random(n as usize, params.seed)?,
            Choice::Fraction(fraction) => eligible.fraction(fraction, params.seed)?,
            Choice::Ids => {
                let ids = params.ids.as_deref().unwrap_or_default();
                eligible.listed(IdList::given(ids).first(params.first)?)?
            }
            Choice::IdsPath(path) => eligible.listed(IdList::read(&path)?.first(params.first)?)?,
            Choice::Clusters => {
                let rows = clusters.map(|table| table.read()).transpose()?.unwrap_or_default();
                let ids = rows.id.iter().zip(&rows.is_representative);
                let ids = ids.filter(|(_, chosen)| **chosen).map(|(&id, _)| id).collect();
                eligible.listed(IdList { ids, what: "the representatives".to_owned() })?
            }
            Choice::Queries => {
                let rows = queries.map(|table| table.read()).transpose()?.unwrap_or_default();
                eligible.listed(IdList::queried(rows).first(params.first)?)?
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

#[cfg(test)]
mod tests;
