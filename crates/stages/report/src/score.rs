//! Scoring one table of predictions, clusters or propagated labels.

use std::{collections::HashMap, rc::Rc};

use scarce_scores::{
    Confusion, adjusted_rand_index, matched_accuracy, normalized_mutual_information,
};

use crate::{
    Result,
    origin::Origin,
    rows::{Row, Setting},
    standing::Standing,
};

/// More clusters than this are not matched one to one with classes: the matching is cubic, and
/// nobody names a thousand clusters after ten classes without repeating a name.
const MATCHED_CLUSTERS: usize = 256;

/// Whose scores these are and what they are over.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub origin: Rc<Origin>,
    pub method: usize,
    pub split: &'static str,
    pub setting: Setting,
    /// How many labels the run was given, where that is known.
    pub labels: Option<u32>,
    pub standing: Rc<Standing>,
}

impl Scope {
    pub(crate) fn row(&self, metric: &'static str, value: f64, support: usize) -> Row {
        Row {
            origin: Rc::clone(&self.origin),
            method: self.method,
            split: self.split,
            setting: self.setting,
            metric,
            class: None,
            predicted: None,
            value,
            support: u32::try_from(support).unwrap_or(u32::MAX),
            labels: self.labels,
            standing: Rc::clone(&self.standing),
        }
    }
}

/// Accuracy, macro F1, scores per class and the confusion matrix.
///
/// `truth`, `predicted`: `[n]` class indices below `classes`, n at least 1.
pub(crate) fn classification(
    scope: &Scope,
    truth: &[u32],
    predicted: &[u32],
    classes: usize,
) -> Result<(Vec<Row>, Confusion)> {
    let confusion = Confusion::new(truth, predicted, classes)?;
    let mut rows = vec![
        scope.row("accuracy", confusion.accuracy(), truth.len()),
        scope.row("macro_f1", confusion.macro_f1(), truth.len()),
    ];
    rows.extend(by_class(scope, &confusion));
    Ok((rows, confusion))
}

/// Precision, recall and F1 of every class, and the counts of the confusion matrix.
pub(crate) fn by_class(scope: &Scope, confusion: &Confusion) -> Vec<Row> {
    let classes = confusion.classes();
    let mut rows = Vec::new();
    for (class, scores) in confusion.per_class().iter().enumerate() {
        let named: u64 = (0..classes).map(|t| confusion.count(t, class)).sum();
        // A class that neither is there nor was predicted has no scores to speak of.
        if scores.support + named > 0 {
            let support = scores.support as usize;
            let of_class =
                |metric, value| Row { class: Some(class), ..scope.row(metric, value, support) };
            rows.push(of_class("precision", scores.precision));
            rows.push(of_class("recall", scores.recall));
            rows.push(of_class("f1", scores.f1));
        }
    }
    rows.extend(confusion_rows(scope, confusion));
    rows
}

/// The counts that are not zero.
fn confusion_rows(scope: &Scope, confusion: &Confusion) -> Vec<Row> {
    let classes = confusion.classes();
    let mut rows = Vec::new();
    for truth in 0..classes {
        let support: u64 = (0..classes).map(|p| confusion.count(truth, p)).sum();
        for predicted in 0..classes {
            let count = confusion.count(truth, predicted);
            if count > 0 {
                rows.push(Row {
                    class: Some(truth),
                    predicted: Some(predicted),
                    ..scope.row("confusion", count as f64, support as usize)
                });
            }
        }
    }
    rows
}

/// How a clustering compares with the classes, and each cluster's most frequent class.
#[derive(Debug, Clone)]
pub(crate) struct ClusterScores {
    pub rows: Vec<Row>,
    /// Images of each class in each cluster, by cluster.
    pub contents: Vec<(i32, Vec<u64>)>,
    /// True class by the class that the image's cluster is named after.
    pub confusion: Confusion,
}

/// Scores clusters. `truth`: `[n]` below `classes`; `clusters`: `[n]`; n at least 1.
pub(crate) fn clustering(
    scope: &Scope,
    truth: &[u32],
    clusters: &[i32],
    classes: usize,
) -> Result<ClusterScores> {
    let mut contents: HashMap<i32, Vec<u64>> = HashMap::new();
    for (&class, &cluster) in truth.iter().zip(clusters) {
        contents.entry(cluster).or_insert_with(|| vec![0; classes])[class as usize] += 1;
    }
    let mut contents: Vec<(i32, Vec<u64>)> = contents.into_iter().collect();
    contents.sort_unstable_by_key(|(cluster, _)| *cluster);

    let n = truth.len();
    let numbers: Vec<u32> =
        clusters.iter().map(|c| contents.partition_point(|(known, _)| known < c) as u32).collect();
    let names: Vec<u32> = contents.iter().map(|(_, of)| majority(of) as u32).collect();
    let named: Vec<u32> = numbers.iter().map(|&number| names[number as usize]).collect();
    let confusion = Confusion::new(truth, &named, classes)?;
    let mut rows = vec![scope.row("naming_accuracy", confusion.accuracy(), n)];
    if contents.len() <= MATCHED_CLUSTERS {
        rows.push(scope.row("hungarian_accuracy", matched_accuracy(truth, &numbers)?, n));
    }
    rows.push(scope.row("nmi", normalized_mutual_information(truth, &numbers)?, n));
    rows.push(scope.row("ari", adjusted_rand_index(truth, &numbers)?, n));
    rows.extend(by_class(scope, &confusion));
    Ok(ClusterScores { rows, contents, confusion })
}

/// The most frequent class of a cluster; of equally frequent ones the first.
pub(crate) fn majority(counts: &[u64]) -> usize {
    let most = counts.iter().max();
    counts.iter().position(|count| Some(count) == most).unwrap_or(0)
}

/// What can be said of predictions without any truth: mean confidence, and the share of each
/// class. `confidence`, `predicted`: `[n]`, n at least 1.
pub(crate) fn description(
    scope: &Scope,
    predicted: &[u32],
    confidence: &[f32],
    classes: usize,
) -> Vec<Row> {
    let n = predicted.len();
    let sum: f64 = confidence.iter().map(|&c| f64::from(c)).sum();
    let mut rows = vec![scope.row("confidence", sum / n as f64, n)];
    let mut counts = vec![0_u32; classes];
    for &class in predicted {
        counts[class as usize] += 1;
    }
    for (class, &count) in counts.iter().enumerate() {
        let share = f64::from(count) / n as f64;
        let row = scope.row("share", share, count as usize);
        rows.push(Row { class: Some(class), ..row });
    }
    rows
}
