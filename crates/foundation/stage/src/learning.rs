//! Which images a kind learns from: what tells a score on held-out images from any other.
//!
//! A kind declares it as a function of its parameters ([`Learns`]); the orchestrator resolves the
//! declaration for every task above a stage that asks for its lineage ([`Learnt`]); and whoever
//! scores follows the wires ([`exposure`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Ancestor, SplitName};

/// What a stage knows of the images that it learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Knowledge {
    /// The images themselves, or what was made of them, without labels.
    Images,
    /// Their labels too.
    Labels,
}

/// Parts of the data, as a function of a kind's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Splits {
    /// Of whatever split.
    #[default]
    All,
    /// These, whatever the parameters.
    These(Vec<SplitName>),
    /// Those that a parameter names, one or a list; none where it is unset. A JSON pointer:
    /// `/splits`, `/early_stopping/validation_split`.
    Parameter(String),
}

impl Splits {
    /// Those that may be learnt from: all but the test split.
    pub fn learnable() -> Self {
        Self::These(SplitName::learnt_from())
    }

    fn resolve(&self, params: &Map<String, Value>) -> (Vec<SplitName>, String) {
        match self {
            Self::All => (SplitName::all(), "every image that it is given".to_owned()),
            Self::These(splits) => (splits.clone(), String::new()),
            Self::Parameter(pointer) => {
                let value = at(params, pointer);
                let because =
                    format!("{} = {value}", pointer.trim_start_matches('/').replace('/', "."));
                let list: Result<Vec<SplitName>, _> = match value {
                    Value::Null => return (Vec::new(), because),
                    Value::Array(_) => serde_json::from_value(value.clone()),
                    _ => serde_json::from_value(Value::Array(vec![value.clone()])),
                };
                // What cannot be read may mean anything.
                (list.unwrap_or_else(|_| SplitName::all()), because)
            }
        }
    }
}

/// The parameter that a JSON pointer names; null where there is none.
fn at<'a>(params: &'a Map<String, Value>, pointer: &str) -> &'a Value {
    let (mut fields, mut found) = (Some(params), &Value::Null);
    for name in pointer.trim_start_matches('/').split('/') {
        found = fields.and_then(|fields| fields.get(name)).unwrap_or(&Value::Null);
        fields = found.as_object();
    }
    found
}

/// That a kind learns from what enters one of its ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// The input.
    pub port: String,
    /// From the images of which splits.
    #[serde(default)]
    pub splits: Splits,
    /// What it knows of them.
    pub knows: Knowledge,
}

/// When the outcome depends on the parameter `seed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    /// Only where one of these parameters is set, and not 0; always where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_with: Vec<String>,
}

/// What a kind learns from, as its description declares it.
///
/// Nothing of it changes what a stage is given: it is what reports say of the stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learns {
    /// What it learns from; nothing where it only reads, filters or applies what was learnt above.
    pub from: Vec<Lesson>,
    /// The splits of the images that its outputs have rows of, of those that enter.
    pub keeps: Splits,
    /// The inputs whose images these are; where none is named, all inputs that are tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keeps_from: Vec<String>,
    /// Whether it brings what was learnt elsewhere, from nobody here knows which images.
    pub elsewhere: bool,
    /// Whether, and when, its outcome depends on the parameter `seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<Chance>,
}

impl Learns {
    /// It learns nothing: each image is read, or what was learnt above is applied to it, whatever
    /// the others are.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// It learns from images behind a port, without their labels.
    pub fn images(port: &str, splits: Splits) -> Self {
        Self::default().and(port, splits, Knowledge::Images)
    }

    /// It learns from images behind a port and from their labels.
    pub fn labels(port: &str, splits: Splits) -> Self {
        Self::default().and(port, splits, Knowledge::Labels)
    }

    /// And from more.
    #[must_use]
    pub fn and(mut self, port: &str, splits: Splits, knows: Knowledge) -> Self {
        self.from.push(Lesson { port: port.to_owned(), splits, knows });
        self
    }

    /// Its outputs have rows only of some splits.
    #[must_use]
    pub fn keeping(mut self, splits: Splits) -> Self {
        self.keeps = splits;
        self
    }

    /// Its outputs have a row for each image of these inputs.
    #[must_use]
    pub fn rows_of(mut self, ports: &[&str]) -> Self {
        self.keeps_from = ports.iter().map(|&port| port.to_owned()).collect();
        self
    }

    /// It brings what was learnt elsewhere.
    #[must_use]
    pub fn from_elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// Its outcome depends on `seed`.
    #[must_use]
    pub fn seeded(mut self) -> Self {
        self.chance = Some(Chance::default());
        self
    }

    /// Its outcome depends on `seed` where one of these parameters is set.
    #[must_use]
    pub fn seeded_with(mut self, params: &[&str]) -> Self {
        let only_with = params.iter().map(|&name| name.to_owned()).collect();
        self.chance = Some(Chance { only_with });
        self
    }

    /// The declaration for one task. `wired` gives the places of the tasks behind a port, `tables`
    /// are those behind all inputs that are tables.
    pub fn resolve(
        &self,
        params: &Map<String, Value>,
        wired: &dyn Fn(&str) -> Vec<usize>,
        tables: Vec<usize>,
    ) -> Learnt {
        let lesson = |lesson: &Lesson| {
            let (splits, because) = lesson.splits.resolve(params);
            LearntFrom { splits, knows: lesson.knows, reads: wired(&lesson.port), because }
        };
        let taught = |lesson: &LearntFrom| !lesson.splits.is_empty() && !lesson.reads.is_empty();
        let rows = if self.keeps_from.is_empty() {
            tables
        } else {
            self.keeps_from.iter().flat_map(|port| wired(port)).collect()
        };
        let is_set = |name: &String| match params.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(value) => value.as_f64() != Some(0.0),
        };
        let applies =
            |chance: &&Chance| chance.only_with.is_empty() || chance.only_with.iter().any(is_set);
        let seed = self.chance.as_ref().filter(applies).and_then(|_| params.get("seed"));
        Learnt {
            from: self.from.iter().map(lesson).filter(taught).collect(),
            keeps: self.keeps.resolve(params).0,
            rows,
            elsewhere: self.elsewhere,
            seed: seed.cloned(),
        }
    }
}

/// What a task learns from: its kind's [`Learns`] for its parameters and wires. Tasks are named by
/// their places in the list of ancestors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// What it learns from.
    pub from: Vec<LearntFrom>,
    /// The splits of the images that its outputs have rows of, of those that enter.
    pub keeps: Vec<SplitName>,
    /// The tasks whose images these are; a task without any brings images of its own.
    pub rows: Vec<usize>,
    /// As [`Learns::elsewhere`].
    pub elsewhere: bool,
    /// The seed, where the outcome depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Value>,
}

/// That a task learns from images of some others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearntFrom {
    /// The splits of the images.
    pub splits: Vec<SplitName>,
    /// What it knows of them.
    pub knows: Knowledge,
    /// The tasks that the images come from.
    pub reads: Vec<usize>,
    /// The parameter that says so, with its value; may be empty.
    #[serde(default)]
    pub because: String,
}

/// What a task, and all above it, learnt from the images of one split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The tasks that did, by their places, with what they know and the parameter that says so.
    pub seen: Vec<(usize, Knowledge, String)>,
    /// Tasks of kinds that do not say what they learn from.
    pub unknown: Vec<usize>,
    /// Tasks that bring what was learnt elsewhere.
    pub elsewhere: Vec<usize>,
}

/// The splits of the images that each task's outputs may have rows of.
pub fn rows(tasks: &[Ancestor]) -> Vec<BTreeSet<SplitName>> {
    let mut rows: Vec<BTreeSet<SplitName>> = Vec::with_capacity(tasks.len());
    for task in tasks {
        let (from, keeps) = match &task.learns {
            Some(learnt) => (&learnt.rows, learnt.keeps.clone()),
            None => (&task.reads, SplitName::all()),
        };
        let entering = entering(from, &rows);
        rows.push(entering.into_iter().filter(|split| keeps.contains(split)).collect());
    }
    rows
}

/// What enters from some tasks; from none, images of every split.
fn entering(from: &[usize], rows: &[BTreeSet<SplitName>]) -> BTreeSet<SplitName> {
    if from.is_empty() {
        return SplitName::all().into_iter().collect();
    }
    from.iter().filter_map(|&at| rows.get(at)).flatten().copied().collect()
}

/// What the tasks at some places learnt from the images of a split; `rows` are those of [`rows`].
pub fn exposure(
    tasks: &[Ancestor],
    rows: &[BTreeSet<SplitName>],
    of: &BTreeSet<usize>,
    split: SplitName,
) -> Exposure {
    let mut exposure = Exposure::default();
    for &at in of {
        let Some(task) = tasks.get(at) else { continue };
        let Some(learnt) = &task.learns else {
            exposure.unknown.push(at);
            continue;
        };
        if learnt.elsewhere {
            exposure.elsewhere.push(at);
        }
        for lesson in &learnt.from {
            let there = entering(&lesson.reads, rows).contains(&split);
            if there && lesson.splits.contains(&split) {
                exposure.seen.push((at, lesson.knows, lesson.because.clone()));
            }
        }
    }
    exposure
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(stage: &str, reads: &[usize], learns: Option<Learns>, params: &Value) -> Ancestor {
        let params = params.as_object().unwrap().clone();
        let wired = |_: &str| reads.to_vec();
        Ancestor {
            stage: stage.to_owned(),
            kind: stage.to_owned(),
            axes: Vec::new(),
            chosen: Vec::new(),
            folder: String::new(),
            files: Vec::new(),
            reads: reads.to_vec(),
            learns: learns.map(|learns| learns.resolve(&params, &wired, reads.to_vec())),
            params,
        }
    }

    fn on_parameter() -> Learns {
        Learns::images("x", Splits::Parameter("/splits".to_owned()))
    }

    fn exposed(tasks: &[Ancestor]) -> Vec<(usize, Knowledge)> {
        let all = (0..tasks.len()).collect();
        let exposure = exposure(tasks, &rows(tasks), &all, SplitName::Test);
        exposure.seen.into_iter().map(|(at, knows, _)| (at, knows)).collect()
    }

    #[test]
    fn a_parameter_says_which_splits_are_learnt_from() {
        let source = || task("images", &[], Some(Learns::nothing()), &json!({}));
        for (splits, seen) in [
            (json!(["train"]), vec![]),
            (json!(["train", "test"]), vec![(1, Knowledge::Images)]),
            (json!("test"), vec![(1, Knowledge::Images)]),
            (json!(null), vec![]),
            (json!(["all of them"]), vec![(1, Knowledge::Images)]),
        ] {
            let tasks =
                [source(), task("fit", &[0], Some(on_parameter()), &json!({ "splits": splits }))];
            assert_eq!(exposed(&tasks), seen, "{splits}");
        }
    }

    #[test]
    fn a_parameter_may_lie_deeper_and_is_named() {
        let deep = Splits::Parameter("/early_stopping/validation_split".to_owned());
        let stopping = json!({ "early_stopping": { "validation_split": "test" } });
        let (splits, because) = deep.resolve(stopping.as_object().unwrap());
        assert_eq!(splits, [SplitName::Test]);
        assert_eq!(because, "early_stopping.validation_split = \"test\"");
        for unset in [json!({}), json!({ "early_stopping": null })] {
            assert_eq!(deep.resolve(unset.as_object().unwrap()).0, []);
        }
    }

    #[test]
    fn images_that_were_left_out_above_are_not_learnt_from() {
        let keeps = |splits: Value| {
            let keeping = Learns::nothing().keeping(Splits::Parameter("/splits".to_owned()));
            task("filter", &[0], Some(keeping), &json!({ "splits": splits }))
        };
        let all = || task("fit", &[1], Some(Learns::images("x", Splits::All)), &json!({}));
        let source = || task("images", &[], Some(Learns::nothing()), &json!({}));
        assert_eq!(exposed(&[source(), keeps(json!(["train", "pool"])), all()]), []);
        let with_test = [source(), keeps(json!(["train", "test"])), all()];
        assert_eq!(exposed(&with_test), [(2, Knowledge::Images)]);
    }

    #[test]
    fn a_kind_that_says_nothing_is_not_trusted() {
        let tasks = [
            task("images", &[], Some(Learns::nothing()), &json!({})),
            task("theirs", &[0], None, &json!({})),
        ];
        let found = exposure(&tasks, &rows(&tasks), &BTreeSet::from([0, 1]), SplitName::Test);
        assert_eq!((found.seen.len(), found.unknown), (0, vec![1]));
    }

    #[test]
    fn a_seed_counts_where_it_is_used() {
        let budget = Learns::nothing().seeded_with(&["random"]);
        let seed = |params: Value| {
            budget.resolve(params.as_object().unwrap(), &|_| Vec::new(), Vec::new()).seed
        };
        assert_eq!(seed(json!({ "seed": 3, "random": 10 })), Some(json!(3)));
        assert_eq!(seed(json!({ "seed": 3, "random": null, "ids": [1] })), None);
    }

    #[test]
    fn a_declaration_in_json_may_be_short() {
        let read = |text: &str| serde_json::from_str::<Learns>(text).unwrap();
        assert_eq!(read("{}"), Learns::nothing());
        let text = r#"{ "from": [{ "port": "x", "splits": { "parameter": "/splits" }, "knows": "images" }] }"#;
        assert_eq!(read(text), on_parameter());
        let all = r#"{ "from": [{ "port": "x", "knows": "labels" }] }"#;
        assert_eq!(read(all), Learns::labels("x", Splits::All));
    }
}
