//! Scoring labels that propagation stages added, and what they believe of every image.

use std::{collections::HashSet, rc::Rc};

use scarce_artifact::Distributions;
use scarce_scores::Confusion;
use scarce_stage::{Context, Failure, Input};

use crate::{
    Error, Result,
    confusions::{Columns, Confusions},
    examples::{Example, Seen},
    origin::{Methods, Origin},
    reference::{LabelTable, Reference},
    rows::{Row, Setting},
    score::{self, Scope},
};

/// What is gathered from all propagations.
#[derive(Debug, Default)]
pub(crate) struct Propagations {
    pub rows: Vec<Row>,
    pub examples: Vec<Example>,
    /// Stages in the order in which they were wired.
    pub stages: Vec<String>,
}

/// What one propagation says.
struct Said {
    origin: Rc<Origin>,
    method: usize,
    /// The images that it added a label to.
    seen: Vec<Seen>,
    /// The images whose label it was given.
    given: HashSet<u32>,
    labels: Option<u32>,
}

impl Propagations {
    /// Reads and scores the tables behind `propagated` and `distributions`. A stage that wrote both
    /// is scored by its labels and shown by its distributions.
    pub(crate) fn read(
        context: &Context,
        known: &mut Reference,
        methods: &mut Methods,
        confusions: &mut Confusions,
        pictures: usize,
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        let tables = known.read_labels(context, "propagated")?;
        for input in context.inputs::<Distributions>("distributions")? {
            let name = format!("{}.{}", input.stage, input.port);
            known.classes.agree(&name, &input.table.meta().classes)?;
            let said = of_distributions(input, &name, known, methods, &tables)?;
            found.mean_entropy(&said, known);
            found.portray(&said, known, pictures);
            if tables.iter().all(|table| table.origin != *said.origin) {
                found.score(&said, known, confusions)?;
            }
        }
        for table in tables {
            let said = of_labels(table, known, methods);
            found.portray(&said, known, pictures);
            found.score(&said, known, confusions)?;
        }
        Ok(found)
    }

    /// The example of a method's first run. Nobody looks for errors among the images whose label
    /// was given.
    fn portray(&mut self, said: &Said, known: &Reference, pictures: usize) {
        if self.examples.iter().any(|example| example.method == said.method) {
            return;
        }
        let classes = known.classes.names().len();
        let seen = said.seen.clone();
        self.examples.push(Example::new(said.method, &said.origin, seen, classes, pictures));
    }

    fn scopes<'a>(
        said: &'a Said,
        known: &'a Reference,
    ) -> impl Iterator<Item = (Scope, Vec<&'a Seen>)> + use<'a> {
        let ids: Vec<u32> = said.seen.iter().map(|seen| seen.id).collect();
        known.by_split(&said.origin, &ids).into_iter().map(|(split, places)| {
            let (setting, standing) = match split {
                "test" => known.test(&said.origin),
                _ => (Setting::Transductive, Rc::default()),
            };
            let scope = Scope {
                origin: Rc::clone(&said.origin),
                method: said.method,
                split,
                setting,
                labels: said.labels,
                standing,
            };
            (scope, places.into_iter().map(|at| &said.seen[at]).collect())
        })
    }

    fn mean_entropy(&mut self, said: &Said, known: &Reference) {
        for (scope, seen) in Self::scopes(said, known) {
            let sum: f64 = seen.iter().filter_map(|seen| seen.entropy).map(f64::from).sum();
            self.rows.push(scope.row("entropy", sum / seen.len() as f64, seen.len()));
        }
    }

    fn score(&mut self, said: &Said, known: &Reference, confusions: &mut Confusions) -> Result<()> {
        if !self.stages.contains(&said.origin.stage) {
            self.stages.push(said.origin.stage.clone());
        }
        let classes = known.classes.names().len();
        for (scope, seen) in Self::scopes(said, known) {
            // What was learnt from the labels is not judged by them.
            if scope.setting == Setting::TestLabelled {
                continue;
            }
            let (truth, added): (Vec<u32>, Vec<u32>) =
                seen.iter().filter_map(|seen| Some((seen.truth?, seen.predicted))).unzip();
            if !truth.is_empty() {
                let confusion = Confusion::new(&truth, &added, classes)?;
                let n = truth.len();
                self.rows.push(scope.row("propagated_accuracy", confusion.accuracy(), n));
                self.rows.push(scope.row("propagated_macro_f1", confusion.macro_f1(), n));
                if confusions.add(&scope, &confusion, Columns::Propagated) {
                    self.rows.extend(score::by_class(&scope, &confusion));
                }
            }
            if let Some(&total) = known.totals.get(scope.split) {
                let of_split = |id: &&u32| known.splits.get(id) == Some(&scope.split);
                let given = said.given.iter().filter(of_split).count();
                let due = total.saturating_sub(given).max(1);
                let share = (seen.len() as f64 / due as f64).min(1.0);
                self.rows.push(scope.row("propagated_coverage", share, due));
            }
        }
        Ok(())
    }
}

fn of_labels(table: LabelTable, known: &Reference, methods: &mut Methods) -> Said {
    let labels = Some(table.count());
    let origin = Rc::new(table.origin);
    let seen = table.propagated.into_iter().map(|(id, predicted, confidence)| Seen {
        id,
        predicted,
        truth: truth_of(known, id),
        confidence,
        entropy: None,
    });
    Said {
        method: methods.of(&origin),
        origin,
        seen: seen.collect(),
        given: table.given.into_keys().collect(),
        labels,
    }
}

/// Distributions of the images that were reached and whose label was not given.
fn of_distributions(
    input: Input<Distributions>,
    name: &str,
    known: &Reference,
    methods: &mut Methods,
    tables: &[LabelTable],
) -> Result<Said> {
    let origin = Origin { stage: input.stage, axes: input.axes };
    let of_same = tables.iter().find(|table| table.origin == origin);
    let (given, labels) = if let Some(table) = of_same {
        (table.given.keys().copied().collect(), Some(table.count()))
    } else {
        (known.labelled(&origin).unwrap_or_default(), known.label_count(&origin))
    };
    let classes = known.classes.names().len();
    let mut seen = Vec::new();
    for batch in input.table.batches(4 * scarce_artifact::BATCH_ROWS) {
        let batch = batch?;
        if batch.probabilities.width != classes {
            let found = batch.probabilities.width;
            return Err(Error::Width { table: name.to_owned(), found, expected: classes });
        }
        for (at, &id) in batch.id.iter().enumerate() {
            let Some(label) = batch.label[at].filter(|_| batch.reached[at]) else { continue };
            if given.contains(&id) {
                continue;
            }
            seen.push(Seen {
                id,
                predicted: known.classes.index(name, id, label)?,
                truth: truth_of(known, id),
                confidence: batch.probabilities.row(at).iter().copied().fold(0.0, f32::max),
                entropy: Some(batch.entropy[at]),
            });
        }
    }
    Ok(Said { method: methods.of(&origin), origin: Rc::new(origin), seen, given, labels })
}

fn truth_of(known: &Reference, id: u32) -> Option<u32> {
    known.truth.as_ref().and_then(|truth| truth.get(&id).copied())
}
