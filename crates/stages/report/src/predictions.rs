//! Scoring every table of predictions.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use indexmap::IndexMap;
use scarce_artifact::Predictions;
use scarce_scores::Confusion;
use scarce_stage::Input;

use crate::{
    Error, Result,
    confusions::{Columns, Confusions},
    examples::{Example, Seen},
    origin::{Methods, Origin},
    reference::{Reference, split_name},
    rows::{CROSS_VALIDATION, Row, Setting},
    score::{self, Scope},
    summary::{Estimate, Line, OVER_LABELS},
};

/// Fewer held-out labels than this estimate nothing: with four, even a perfect score leaves an
/// interval that spans half of all accuracies.
pub(crate) const FEWEST_LABELS: usize = 5;

/// Held-out labels of a method's folds, pooled.
#[derive(Debug, Clone, Default)]
struct Pool {
    ids: BTreeSet<u32>,
    truth: Vec<u32>,
    predicted: Vec<u32>,
}

/// What cross-validation estimates.
pub(crate) struct CrossValidated {
    /// Accuracy with an interval over the labels, macro F1 without one.
    pub lines: Vec<Line>,
    /// The methods with too few labels for that, and how many they have.
    pub too_few: Vec<(usize, usize)>,
}

/// Everything that predictions tell.
#[derive(Debug, Default)]
pub(crate) struct Scored {
    pub rows: Vec<Row>,
    /// Stages in the order in which they were wired.
    pub stages: Vec<String>,
    pub confusions: Confusions,
    pub examples: Vec<Example>,
    pools: IndexMap<usize, Pool>,
}

impl Scored {
    /// Scores one table.
    pub(crate) fn add(
        &mut self,
        input: Input<Predictions>,
        known: &mut Reference,
        methods: &mut Methods,
        pictures: usize,
    ) -> Result<()> {
        let name = format!("{}.{}", input.stage, input.port);
        known.classes.agree(&name, &input.table.meta().classes)?;
        let table = Checked::read(&input, &name, known)?;
        if !self.stages.contains(&input.stage) {
            self.stages.push(input.stage.clone());
        }
        let origin = Rc::new(Origin { stage: input.stage, axes: input.axes });
        let method = methods.of(&origin);
        let held_out = known.held_out(&origin.axes);
        if held_out.is_empty() && known.is_idle_fold(&origin.axes) {
            tracing::info!(
                "a fold of `{name}` holds no label back: there is nothing to judge it by"
            );
            Ok(())
        } else if held_out.is_empty() {
            self.add_final(&table, &origin, method, known, pictures)
        } else {
            self.add_fold(&table, &origin, method, &held_out, known.classes.names().len())
        }
    }

    /// A run that some labels were kept from: only those are scored.
    fn add_fold(
        &mut self,
        table: &Checked,
        origin: &Rc<Origin>,
        method: usize,
        held_out: &HashMap<u32, u32>,
        classes: usize,
    ) -> Result<()> {
        let pool = self.pools.entry(method).or_default();
        let (mut truth, mut predicted) = (Vec::new(), Vec::new());
        for seen in &table.seen {
            if let Some(&class) = held_out.get(&seen.id) {
                truth.push(class);
                predicted.push(seen.predicted);
                pool.ids.insert(seen.id);
            }
        }
        if truth.is_empty() {
            return Ok(());
        }
        let scope = Scope {
            origin: Rc::clone(origin),
            method,
            split: CROSS_VALIDATION,
            setting: Setting::CrossValidated,
            labels: None,
            standing: Rc::default(),
        };
        let confusion = Confusion::new(&truth, &predicted, classes)?;
        self.rows.push(scope.row("accuracy", confusion.accuracy(), truth.len()));
        pool.truth.extend(truth);
        pool.predicted.extend(predicted);
        Ok(())
    }

    /// A run that learnt from all labels it may.
    fn add_final(
        &mut self,
        table: &Checked,
        origin: &Rc<Origin>,
        method: usize,
        known: &Reference,
        pictures: usize,
    ) -> Result<()> {
        let labelled = known.labelled(origin);
        let mut shown: Vec<Seen> = Vec::new();
        for split in ["test", "train", "pool"] {
            let held_out = split == "test";
            let counts = |seen: &&Seen| {
                held_out || labelled.as_ref().is_none_or(|labelled| !labelled.contains(&seen.id))
            };
            let of_split = |at: &usize| table.splits[*at] == split;
            let seen: Vec<Seen> = (0..table.seen.len())
                .filter(of_split)
                .map(|at| &table.seen[at])
                .filter(counts)
                .copied()
                .collect();
            if seen.is_empty() {
                continue;
            }
            let (setting, standing) = match (held_out, labelled.is_some()) {
                (true, _) => known.test(origin),
                (false, true) => (Setting::Transductive, Rc::default()),
                (false, false) => (Setting::Training, Rc::default()),
            };
            let setting = if known.truth.is_some() { setting } else { Setting::Unscored };
            let labels = known.label_count(origin);
            let origin = Rc::clone(origin);
            let scope = Scope { origin, method, split, setting, labels, standing };
            self.describe(&scope, &seen, known, labelled.as_ref());
            // What was learnt from the labels is not judged by them.
            if setting != Setting::TestLabelled {
                self.score(&scope, &seen, known)?;
            }
            if shown.is_empty() {
                shown = seen;
            }
        }
        if !shown.is_empty() && self.examples.iter().all(|p| p.method != method) {
            let classes = known.classes.names().len();
            self.examples.push(Example::new(method, origin, shown, classes, pictures));
        }
        Ok(())
    }

    fn describe(
        &mut self,
        scope: &Scope,
        seen: &[Seen],
        known: &Reference,
        labelled: Option<&HashSet<u32>>,
    ) {
        let predicted: Vec<u32> = seen.iter().map(|seen| seen.predicted).collect();
        let confidence: Vec<f32> = seen.iter().map(|seen| seen.confidence).collect();
        let classes = known.classes.names().len();
        if let Some(&total) = known.totals.get(scope.split) {
            let of_split = |id: &&u32| known.splits.get(id) == Some(&scope.split);
            let left_out = match scope.split {
                "test" => 0,
                _ => labelled.map_or(0, |labelled| labelled.iter().filter(of_split).count()),
            };
            let due = total.saturating_sub(left_out).max(1);
            // Predictions of images that the table of images lacks cannot cover more than all.
            let coverage = (seen.len() as f64 / due as f64).min(1.0);
            self.rows.push(scope.row("coverage", coverage, due));
        }
        self.rows.extend(score::description(scope, &predicted, &confidence, classes));
    }

    fn score(&mut self, scope: &Scope, seen: &[Seen], known: &Reference) -> Result<()> {
        let (truth, predicted): (Vec<u32>, Vec<u32>) =
            seen.iter().filter_map(|seen| Some((seen.truth?, seen.predicted))).unzip();
        if truth.is_empty() {
            return Ok(());
        }
        let classes = known.classes.names().len();
        let (rows, confusion) = score::classification(scope, &truth, &predicted, classes)?;
        self.rows.extend(rows);
        self.confusions.add(scope, &confusion, Columns::Predicted);
        Ok(())
    }

    /// What cross-validation estimates.
    pub(crate) fn cross_validated(&self, classes: usize) -> Result<CrossValidated> {
        let (mut lines, mut too_few) = (Vec::new(), Vec::new());
        for (&method, pool) in &self.pools {
            let n = pool.ids.len();
            if n < FEWEST_LABELS {
                too_few.push((method, n));
                continue;
            }
            let confusion = Confusion::new(&pool.truth, &pool.predicted, classes)?;
            let accuracy = Estimate::of_share(confusion.accuracy(), n);
            let bare = Estimate { n, ..Estimate::of_runs(&[confusion.macro_f1()])? };
            for (metric, estimate) in [("accuracy", accuracy), ("macro_f1", bare)] {
                lines.push(Line {
                    method,
                    split: CROSS_VALIDATION,
                    setting: Setting::CrossValidated,
                    metric,
                    class: None,
                    estimate,
                    interval: if metric == "accuracy" { OVER_LABELS } else { "none" },
                    support: None,
                    labels: None,
                    baseline: None,
                    beside: None,
                    standing: Rc::default(),
                    shared: None,
                });
            }
        }
        Ok(CrossValidated { lines, too_few })
    }
}

/// A table of predictions whose labels and widths have been checked.
struct Checked {
    seen: Vec<Seen>,
    splits: Vec<&'static str>,
}

impl Checked {
    fn read(input: &Input<Predictions>, name: &str, known: &Reference) -> Result<Self> {
        let classes = known.classes.names().len();
        let mut seen = Vec::with_capacity(input.table.rows().min(1 << 20));
        let mut splits = Vec::with_capacity(seen.capacity());
        for batch in input.table.batches(4 * scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            if batch.probabilities.width != classes {
                let found = batch.probabilities.width;
                return Err(Error::Width { table: name.to_owned(), found, expected: classes });
            }
            for (at, probabilities) in batch.probabilities.iter_rows().enumerate() {
                let id = batch.id[at];
                seen.push(Seen {
                    id,
                    predicted: known.classes.index(name, id, batch.label[at])?,
                    truth: known.truth.as_ref().and_then(|truth| truth.get(&id).copied()),
                    confidence: probabilities.iter().copied().fold(0.0, f32::max),
                    entropy: None,
                });
                splits.push(split_name(batch.split[at]));
            }
        }
        Ok(Self { seen, splits })
    }
}
