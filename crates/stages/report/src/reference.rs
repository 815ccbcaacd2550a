//! What is known before the first prediction is looked at: classes, truth, splits, labels.

use std::collections::{BTreeMap, HashMap, HashSet};

use scarce_artifact::{Images, LabelSource, Labels, Reader, Split, Truth};
use scarce_stage::{Context, Failure};

use crate::{
    Error, Result,
    lineage::Lineage,
    origin::{Axes, Origin, agree},
};

/// The class names, once some table has said them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClassNames {
    names: Vec<String>,
    said_by: Option<String>,
}

impl ClassNames {
    /// Takes a table's class names, or refuses them when they are not what another table said.
    pub(crate) fn agree(&mut self, table: &str, names: &[String]) -> Result<()> {
        match &self.said_by {
            None => {
                self.names = names.to_vec();
                self.said_by = Some(table.to_owned());
                Ok(())
            }
            Some(_) if self.names == names => Ok(()),
            Some(first) => Err(Error::Classes {
                left: first.clone(),
                left_classes: listed(&self.names),
                right: table.to_owned(),
                right_classes: listed(names),
            }),
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A label as an index into the class names.
    pub(crate) fn index(&self, table: &str, id: u32, label: i32) -> Result<u32> {
        let classes = self.names.len();
        u32::try_from(label)
            .ok()
            .filter(|&index| (index as usize) < classes)
            .ok_or_else(|| Error::Label { table: table.to_owned(), id, label, classes })
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let first = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("`, `");
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { format!("`{first}`") } else { format!("`{first}` and {rest} more") }
}

/// A table of labels in memory.
#[derive(Debug, Clone)]
pub(crate) struct LabelTable {
    pub origin: Origin,
    /// Class of each image whose label was given, queried or asked of a person.
    pub given: HashMap<u32, u32>,
    /// Class of each image whose label was inferred, and how sure the propagation is of it.
    pub propagated: Vec<(u32, u32, f32)>,
}

impl LabelTable {
    /// How many labels were not inferred.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.given.len()).unwrap_or(u32::MAX)
    }
}

/// What all scores are taken against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    pub classes: ClassNames,
    /// True class by image; `None` when there is no truth.
    pub truth: Option<HashMap<u32, u32>>,
    /// Split by image; empty when no images are wired.
    pub splits: HashMap<u32, &'static str>,
    /// Images in each split; empty when no images are wired.
    pub totals: BTreeMap<&'static str, usize>,
    /// Name of the data set, where images are wired.
    pub dataset: Option<String>,
    pub labels: Vec<LabelTable>,
    pub held_out: Vec<LabelTable>,
    pub lineage: Lineage,
}

/// A split's name, which lives as long as the program.
pub(crate) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "test",
        Split::Pool => "pool",
    }
}

impl Reference {
    /// Reads truth, splits and labels.
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let mut known = Self { lineage: Lineage::new(context.lineage()), ..Self::default() };
        if let Some(truth) = context.optional::<Truth>("truth")? {
            known.read_truth(&truth)?;
        }
        if let Some(images) = context.optional::<Images>("images")? {
            known.read_splits(&images)?;
        }
        known.labels = known.read_labels(context, "labels")?;
        known.held_out = known.read_labels(context, "held_out")?;
        Ok(known)
    }

    fn read_truth(&mut self, reader: &Reader<Truth>) -> Result<()> {
        self.classes.agree("truth", &reader.meta().classes)?;
        let table = reader.read()?;
        let mut truth = HashMap::with_capacity(table.id.len());
        for (&id, &label) in table.id.iter().zip(&table.label) {
            truth.insert(id, self.classes.index("truth", id, label)?);
        }
        // A truth of nothing is none.
        self.truth = (!truth.is_empty()).then_some(truth);
        Ok(())
    }

    fn read_splits(&mut self, reader: &Reader<Images>) -> Result<()> {
        self.dataset = Some(reader.meta().dataset.clone());
        for batch in reader.batches(scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            for (&id, &split) in batch.id.iter().zip(&batch.split) {
                let split = split_name(split);
                self.splits.insert(id, split);
                *self.totals.entry(split).or_default() += 1;
            }
        }
        Ok(())
    }

    /// All tables of labels behind a port.
    pub(crate) fn read_labels(
        &mut self,
        context: &Context,
        port: &str,
    ) -> Result<Vec<LabelTable>, Failure> {
        let mut tables = Vec::new();
        for input in context.inputs::<Labels>(port)? {
            let name = format!("{}.{}", input.stage, input.port);
            self.classes.agree(&name, &input.table.meta().classes)?;
            let rows = input.table.read()?;
            let mut table = LabelTable {
                origin: Origin { stage: input.stage, axes: input.axes },
                given: HashMap::new(),
                propagated: Vec::new(),
            };
            for (at, &id) in rows.id.iter().enumerate() {
                let class = self.classes.index(&name, id, rows.label[at])?;
                if rows.source[at] == LabelSource::Propagated {
                    table.propagated.push((id, class, rows.confidence[at]));
                } else {
                    table.given.insert(id, class);
                }
            }
            tables.push(table);
        }
        Ok(tables)
    }

    /// The tables of labels above a run; where nobody said what is above it, or it is none of
    /// them, those whose axes agree with its own.
    fn labels_of(&self, run: &Origin) -> (Vec<&LabelTable>, bool) {
        let origins = self.labels.iter().map(|table| &table.origin);
        let above = self.lineage.seen(run, origins).filter(|above| !above.is_empty());
        if let Some(above) = above {
            return (above.iter().map(|&at| &self.labels[at]).collect(), true);
        }
        let agrees = |table: &&LabelTable| agree(&table.origin.axes, &run.axes);
        (self.labels.iter().filter(agrees).collect(), false)
    }

    /// Images whose label a run may have seen; `None` when nobody said.
    pub(crate) fn labelled(&self, run: &Origin) -> Option<HashSet<u32>> {
        let (tables, _) = self.labels_of(run);
        let ids = tables.iter().flat_map(|table| table.given.keys().copied());
        (!tables.is_empty()).then(|| ids.collect())
    }

    /// How many labels a run was given; `None` when nobody said, or several tables may be meant.
    pub(crate) fn label_count(&self, run: &Origin) -> Option<u32> {
        match self.labels_of(run) {
            (tables, false) if tables.len() != 1 => None,
            _ => u32::try_from(self.labelled(run)?.len()).ok(),
        }
    }

    /// Labels that were kept from a run to judge it by.
    pub(crate) fn held_out(&self, axes: &Axes) -> HashMap<u32, u32> {
        let fitting = self.held_out.iter().filter(|t| agree(&t.origin.axes, axes));
        fitting.flat_map(|table| table.given.iter().map(|(&id, &class)| (id, class))).collect()
    }

    /// Whether a run is a fold that happens to hold nothing back: neither a final run nor one that can
    /// be judged. Folds are numbered; the final run of the same axis is not (`all`).
    pub(crate) fn is_idle_fold(&self, axes: &Axes) -> bool {
        let fitting = self.held_out.iter().filter(|table| agree(&table.origin.axes, axes));
        fitting.flat_map(|table| table.origin.axes.iter().map(move |axis| (table, axis))).any(
            |(table, (axis, value))| {
                let others = self.held_out.iter().filter(|o| o.origin.stage == table.origin.stage);
                let mut values = others.flat_map(|other| &other.origin.axes);
                value.is_number() && values.any(|(name, other)| name == axis && other.is_string())
            },
        )
    }

    /// Positions in the `ids` of a run's table by split; `all` where nobody said the split.
    pub(crate) fn by_split(&self, run: &Origin, ids: &[u32]) -> BTreeMap<&'static str, Vec<usize>> {
        let unsaid = self.unsaid(run);
        let mut groups: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for (at, id) in ids.iter().enumerate() {
            groups.entry(self.splits.get(id).copied().unwrap_or(unsaid)).or_default().push(at);
        }
        groups
    }
}
