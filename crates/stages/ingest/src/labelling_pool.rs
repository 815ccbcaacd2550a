//! Which images may be labelled, and ways of choosing among them.

use std::collections::HashMap;

use scarce_artifact::{Split, Truth};
use scarce_numeric::random;

use crate::{Error, Result, id_list::IdList, image_index::ImageIndex};

/// The images that may be labelled, and what the truth says of them.
pub(crate) struct LabellingPool<'a> {
    pub(crate) classes: &'a [String],
    /// Sorted.
    ids: Vec<u32>,
    /// The true class of each.
    pub(crate) label: HashMap<u32, i32>,
    splits: HashMap<u32, Split>,
}

impl<'a> LabellingPool<'a> {
    /// All that have a true label and are not in the test split. Without an image index nobody knows of a
    /// test split.
    pub(crate) fn new(
        truth: Truth,
        classes: &'a [String],
        image_index: Option<&ImageIndex>,
    ) -> Result<Self> {
        let splits = match image_index {
            Some(image_index) => image_index.splits(),
            None => truth.id.iter().map(|&id| (id, Split::Pool)).collect(),
        };
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
    pub(crate) fn per_class(&self, n: u32, seed: u64) -> Result<Vec<u32>> {
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
    pub(crate) fn random(&self, n: usize, seed: u64) -> Result<Vec<u32>> {
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

    pub(crate) fn fraction(&self, fraction: f64, seed: u64) -> Result<Vec<u32>> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            let help = "give a number above 0 and up to 1";
            return Err(Error::request(format!("`fraction` is {fraction}"), help));
        }
        let n = (self.ids.len() as f64 * fraction).round() as usize;
        self.random(n.max(1), seed)
    }

    /// Exactly these.
    pub(crate) fn listed(&self, listed: IdList) -> Result<Vec<u32>> {
        self.check(&listed)?;
        self.not_empty(listed.ids)
    }

    /// Whether an image is known to be for testing.
    pub(crate) fn is_test(&self, id: u32) -> bool {
        self.splits.get(&id) == Some(&Split::Test)
    }

    /// Refuses a list that names what cannot be labelled.
    pub(crate) fn check(&self, listed: &IdList) -> Result<()> {
        let help = "list images that may be learnt from, each once";
        listed.check("labelled", help, |id| match self.splits.get(&id) {
            None => Some("there is no such image"),
            Some(Split::Test) => Some("it is in the `test` split"),
            Some(_) if !self.label.contains_key(&id) => Some("its true label is unknown"),
            Some(_) => None,
        })
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
