//! The tasks that the inputs come from: which labels a run may have seen, and every parameter.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use scarce_stage::{Ancestor, Exposure, SplitName, exposure, rows};
use serde_json::Value;

use crate::origin::{Origin, text};

/// All tasks above the report; none where the orchestrator does not say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lineage {
    tasks: Vec<Ancestor>,
    places: HashMap<String, usize>,
    /// The splits of the images that each task's tables may have rows of.
    rows: Vec<BTreeSet<SplitName>>,
}

/// What the variants of a stage have in common, and what not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StageFacts {
    pub stage: String,
    pub kind: String,
    pub variants: usize,
    /// Those that were chosen first, then those that are as the kind has them.
    pub params: Vec<Param>,
    /// `runs/quickstart/encoder/seed=*`.
    pub folder: String,
    pub files: Vec<String>,
}

/// A parameter with its values over the variants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Param {
    pub name: String,
    pub values: Vec<Value>,
    /// Whether it differs from the default anywhere.
    pub chosen: bool,
}

impl Lineage {
    pub(crate) fn new(tasks: &[Ancestor]) -> Self {
        let place = |(at, task): (usize, &Ancestor)| (name(&task.stage, &task.axes), at);
        let places = tasks.iter().enumerate().map(place).collect();
        Self { tasks: tasks.to_vec(), places, rows: rows(tasks) }
    }

    /// The task at a place.
    pub(crate) fn task(&self, place: usize) -> Option<&Ancestor> {
        self.tasks.get(place)
    }

    /// The places of a run and of all above it; `None` when the run is not known.
    pub(crate) fn behind(&self, run: &Origin) -> Option<BTreeSet<usize>> {
        let mut behind = BTreeSet::new();
        let mut waiting = vec![self.place(run)?];
        while let Some(next) = waiting.pop() {
            if behind.insert(next) {
                waiting.extend(self.tasks.get(next).iter().flat_map(|task| &task.reads));
            }
        }
        Some(behind)
    }

    /// What a run, and all above it, learnt from the images of a split.
    pub(crate) fn exposure(&self, run: &Origin, split: SplitName) -> Option<Exposure> {
        Some(exposure(&self.tasks, &self.rows, &self.behind(run)?, split))
    }

    /// The splits of the images that a run's tables may have rows of.
    pub(crate) fn rows(&self, run: &Origin) -> Option<&BTreeSet<SplitName>> {
        self.rows.get(self.place(run)?)
    }

    fn place(&self, origin: &Origin) -> Option<usize> {
        self.places.get(&name(&origin.stage, &origin.axes)).copied()
    }

    /// Which of some tables a run has seen, directly or through others, by their places; `None` when
    /// the run is not known.
    pub(crate) fn seen<'a>(
        &self,
        reader: &Origin,
        tables: impl Iterator<Item = &'a Origin>,
    ) -> Option<Vec<usize>> {
        let (own, behind) = (self.place(reader)?, self.behind(reader)?);
        let above = |at: &usize| *at != own && behind.contains(at);
        let seen = |origin: &Origin| self.place(origin).as_ref().is_some_and(above);
        Some(tables.enumerate().filter(|(_, origin)| seen(origin)).map(|(at, _)| at).collect())
    }

    /// The stages in order.
    pub(crate) fn stages(&self) -> Vec<StageFacts> {
        let mut stages: IndexMap<&str, Vec<&Ancestor>> = IndexMap::new();
        for task in &self.tasks {
            stages.entry(&task.stage).or_default().push(task);
        }
        stages.values().filter_map(|tasks| facts(tasks)).collect()
    }
}

/// One name for a stage and a variant.
fn name(stage: &str, axes: &[(String, Value)]) -> String {
    let values = axes.iter().map(|(axis, value)| format!("{axis}={value}"));
    std::iter::once(stage.to_owned()).chain(values).collect::<Vec<_>>().join("\n")
}

fn facts(tasks: &[&Ancestor]) -> Option<StageFacts> {
    let first = tasks.first()?;
    let mut params: IndexMap<&str, Param> = IndexMap::new();
    for task in tasks {
        for (name, value) in &task.params {
            let (values, chosen) = (Vec::new(), false);
            let param = Param { name: name.clone(), values, chosen };
            let param = params.entry(name).or_insert(param);
            param.chosen |= task.chosen.contains(name);
            if !param.values.contains(value) {
                param.values.push(value.clone());
            }
        }
    }
    // An unset parameter that nobody set says nothing.
    params.retain(|_, param| param.chosen || param.values.iter().any(|value| !value.is_null()));
    let mut params: Vec<Param> = params.into_values().collect();
    params.sort_by_key(|param| !param.chosen);
    Some(StageFacts {
        stage: first.stage.clone(),
        kind: first.kind.clone(),
        variants: tasks.len(),
        params,
        folder: folder(tasks),
        files: first.files.clone(),
    })
}

/// The folder of all variants, with a star for every level that differs.
fn folder(tasks: &[&Ancestor]) -> String {
    let levels = tasks.iter().map(|task| task.folder.split('/').collect::<Vec<_>>());
    let mut levels: Vec<Vec<&str>> = levels.collect();
    let Some(first) = levels.pop() else { return String::new() };
    let level = |(at, level): (usize, &&str)| {
        let same = levels.iter().all(|other| other.get(at) == Some(level));
        match level.split_once('=') {
            Some((axis, _)) if !same => format!("{axis}=*"),
            _ => (*level).to_owned(),
        }
    };
    first.iter().enumerate().map(level).collect::<Vec<_>>().join("/")
}

impl Param {
    /// As one would write it in the TOML: `latent = 16`; of several values `seed = 0 to 9`.
    pub(crate) fn text(&self) -> String {
        let numbers: Option<BTreeSet<i64>> = self.values.iter().map(Value::as_i64).collect();
        let run = numbers.filter(|n| n.len() > 3).and_then(|numbers| {
            let (first, last) = (*numbers.first()?, *numbers.last()?);
            (last - first + 1 == numbers.len() as i64).then(|| format!("{first} to {last}"))
        });
        let values = || self.values.iter().map(toml).collect::<Vec<_>>().join(" | ");
        format!("{} = {}", self.name, run.unwrap_or_else(values))
    }
}

/// A value as one would write it in the TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Null => "unset".to_owned(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{key} = {}", toml(value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::String(word) => format!("\"{word}\""),
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(stage: &str, seed: Option<i32>, reads: &[usize], params: Value) -> Ancestor {
        let axes: Vec<_> = seed.map(|seed| ("seed".to_owned(), json!(seed))).into_iter().collect();
        let level = seed.map(|seed| format!("/seed={seed}")).unwrap_or_default();
        let params = params.as_object().unwrap().clone();
        Ancestor {
            stage: stage.to_owned(),
            kind: "budget".to_owned(),
            axes,
            chosen: params.keys().filter(|name| *name != "split").cloned().collect(),
            params,
            folder: format!("runs/small/{stage}{level}"),
            files: vec!["labels.parquet".to_owned()],
            reads: reads.to_vec(),
            learns: None,
        }
    }

    fn origin(stage: &str, seed: Option<i32>) -> Origin {
        let axes = seed.map(|seed| ("seed".to_owned(), json!(seed))).into_iter().collect();
        Origin { stage: stage.to_owned(), axes }
    }

    #[test]
    fn a_run_has_seen_what_it_reads_and_what_that_read() {
        let none = json!({});
        let lineage = Lineage::new(&[
            task("ten", Some(0), &[], none.clone()),
            task("ten", Some(1), &[], none.clone()),
            task("fifty", None, &[], none.clone()),
            task("spread", Some(1), &[1], none.clone()),
            task("knn", Some(1), &[3], none),
        ]);
        let tables = [origin("ten", Some(0)), origin("ten", Some(1)), origin("fifty", None)];
        assert_eq!(lineage.seen(&origin("knn", Some(1)), tables.iter()), Some(vec![1]));
        assert_eq!(lineage.seen(&origin("knn", Some(7)), tables.iter()), None);
        assert_eq!(Lineage::default().seen(&origin("knn", Some(1)), tables.iter()), None);
    }

    #[test]
    fn stages_say_what_their_variants_share() {
        let tasks = (0..5).map(|seed| {
            let params = json!({ "per_class": 1, "seed": seed, "split": "train", "ids": null });
            task("ten", Some(seed), &[], params)
        });
        let mut tasks: Vec<Ancestor> = tasks.collect();
        for task in &mut tasks {
            task.chosen.retain(|name| name != "ids");
        }
        let facts = Lineage::new(&tasks).stages();
        assert_eq!((facts.len(), facts[0].variants), (1, 5));
        assert_eq!(facts[0].folder, "runs/small/ten/seed=*");
        let texts: Vec<String> = facts[0].params.iter().map(Param::text).collect();
        assert_eq!(texts, ["per_class = 1", "seed = 0 to 4", "split = \"train\""]);
        assert_eq!(facts[0].params.iter().filter(|param| param.chosen).count(), 2);
    }

    #[test]
    fn values_read_like_toml() {
        assert_eq!(toml(&json!({ "patience": 5 })), "{ patience = 5 }");
        assert_eq!(toml(&json!(["test", 0.5, null])), "[\"test\", 0.5, unset]");
    }
}
