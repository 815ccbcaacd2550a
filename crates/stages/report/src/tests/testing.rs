//! Small tables on disk, and the report of them.

use std::path::PathBuf;

use arrow::{
    array::{Array, cast::AsArray},
    datatypes::{Float64Type, UInt32Type},
};
use scarce_artifact::{
    Classes, LabelSource, Labels, Predictions, Split, Table, Truth, Vectors, Writer, open_parquet,
};
use scarce_stage::{Ancestor, Context, Failure, Job, JobInput, Learnt, SplitName};
use serde_json::{Value, json};

use crate::{Needed, SummaryRow, kinds, needed_table, summary_table};

/// Axis values of a table.
pub(super) type Axes<'a> = &'a [(&'a str, Value)];

/// Tables wired to a report.
pub(super) struct Bench {
    pub folder: tempfile::TempDir,
    job: Job,
    tables: usize,
}

/// What a report wrote.
pub(super) struct Outcome {
    pub html: String,
    pub summary: Vec<SummaryRow>,
    pub needed: Vec<Needed>,
    pub metrics: Vec<Number>,
    pub files: Vec<Vec<u8>>,
}

/// A row of the metrics table.
#[derive(Debug)]
pub(super) struct Number {
    pub stage: String,
    pub split: String,
    pub metric: String,
    pub class: Option<String>,
    pub predicted: Option<String>,
    pub value: f64,
    pub support: u32,
    pub setting: String,
    pub seen_by: Option<String>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outputs = ["metrics", "summary", "needed", "page"]
            .map(|port| (port.to_owned(), folder.path().join(port)))
            .into_iter()
            .collect();
        let job = Job {
            protocol: scarce_stage::PROTOCOL,
            kind: "report".to_owned(),
            stage: "report".to_owned(),
            params: serde_json::Map::new(),
            inputs: std::collections::BTreeMap::new(),
            outputs,
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        Self { folder, job, tables: 0 }
    }

    /// Wires a table to a port.
    pub(super) fn table<T: Table>(
        &mut self,
        port: &str,
        stage: &str,
        axes: Axes<'_>,
        meta: T::Meta,
        table: T,
    ) {
        self.tables += 1;
        let path: PathBuf = self.folder.path().join(format!("table-{}", self.tables));
        Writer::<T>::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let axes = axes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.job.inputs.entry(port.to_owned()).or_default().push(JobInput {
            stage: stage.to_owned(),
            port: port.to_owned(),
            axes,
            path,
        });
    }

    /// A task above, with its parameters, all of them chosen.
    pub(super) fn above(&mut self, stage: &str, axes: Axes<'_>, params: Value, reads: &[usize]) {
        let levels = axes.iter().map(|(name, value)| format!("/{name}={value}"));
        let Value::Object(params) = params else { panic!("params are an object") };
        self.job.lineage.push(Ancestor {
            stage: stage.to_owned(),
            kind: "budget".to_owned(),
            axes: axes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            chosen: params.keys().cloned().collect(),
            params,
            folder: format!("runs/small/{stage}{}", levels.collect::<String>()),
            files: vec!["labels.parquet".to_owned()],
            reads: reads.to_vec(),
            learns: Some(Learnt { keeps: SplitName::all(), ..Learnt::default() }),
        });
    }

    /// The same, with what it learns from. Gives its place among the tasks.
    pub(super) fn learns(
        &mut self,
        stage: &str,
        axes: Axes<'_>,
        reads: &[usize],
        learns: Option<Learnt>,
    ) -> usize {
        self.above(stage, axes, json!({}), reads);
        let last = self.job.lineage.last_mut().unwrap();
        last.learns = learns;
        self.job.lineage.len() - 1
    }

    /// Whatever nobody said where it comes from comes from a stage that learns nothing.
    fn know_all(&mut self) {
        let wired: Vec<JobInput> = self.job.inputs.values().flatten().cloned().collect();
        for JobInput { stage, axes, .. } in wired {
            if !self.job.lineage.iter().any(|task| (&task.stage, &task.axes) == (&stage, &axes)) {
                let axes: Vec<(&str, Value)> =
                    axes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                self.above(&stage, &axes, json!({}), &[]);
            }
        }
    }

    /// Runs the report as an orchestrator would that says nothing of what is above.
    pub(super) fn alone(&mut self) -> Outcome {
        self.run(json!({})).unwrap()
    }

    pub(super) fn truth(&mut self, classes: &[&str], labels: &[i32]) {
        let id = (0..labels.len() as u32).collect();
        let truth = Truth { id, label: labels.to_vec() };
        self.table("truth", "images", &[], Classes::new(classes.iter().copied()), truth);
    }

    /// Predictions of the images 0, 1, …; the confidence falls from image to image.
    pub(super) fn predictions(
        &mut self,
        stage: &str,
        axes: Axes<'_>,
        classes: &[&str],
        splits: &[Split],
        labels: &[i32],
    ) {
        let width = classes.len();
        let mut probabilities = Vec::new();
        for (at, &label) in labels.iter().enumerate() {
            let sure = 1.0 - 0.5 * at as f32 / labels.len() as f32;
            let rest = (1.0 - sure) / (width.max(2) - 1) as f32;
            probabilities.extend((0..width).map(|c| if c as i32 == label { sure } else { rest }));
        }
        let table = Predictions {
            id: (0..labels.len() as u32).collect(),
            split: (0..labels.len()).map(|at| splits[at % splits.len()]).collect(),
            label: labels.to_vec(),
            probabilities: Vectors::new(width, probabilities),
        };
        self.table("predictions", stage, axes, Classes::new(classes.iter().copied()), table);
    }

    pub(super) fn labels(
        &mut self,
        port: &str,
        stage: &str,
        axes: Axes<'_>,
        classes: &[&str],
        rows: &[(u32, i32, LabelSource)],
    ) {
        let table = Labels {
            id: rows.iter().map(|row| row.0).collect(),
            label: rows.iter().map(|row| row.1).collect(),
            source: rows.iter().map(|row| row.2).collect(),
            confidence: vec![1.0; rows.len()],
        };
        self.table(port, stage, axes, Classes::new(classes.iter().copied()), table);
    }

    /// Runs the report.
    pub(super) fn report(&mut self, params: Value) -> Result<Outcome, Failure> {
        let before = self.job.lineage.clone();
        self.know_all();
        let outcome = self.run(params);
        self.job.lineage = before;
        outcome
    }

    fn run(&mut self, params: Value) -> Result<Outcome, Failure> {
        let Value::Object(params) = params else { panic!("params are an object") };
        self.job.params = params.clone();
        let context = Context::new(self.job.clone(), std::io::sink());
        kinds()[0].run(params, &context)?;
        let file = |name: &str| fs_err::read(self.folder.path().join(name)).unwrap();
        let html = String::from_utf8(file("page.html")).unwrap();
        let outcome = Outcome {
            summary: summary_table(&self.folder.path().join("summary.parquet")).unwrap(),
            needed: needed_table(&self.folder.path().join("needed.parquet")).unwrap(),
            metrics: metrics(&self.folder.path().join("metrics.parquet")),
            files: ["page.html", "metrics.parquet", "summary.parquet", "needed.parquet"]
                .map(file)
                .to_vec(),
            html,
        };
        outcome.is_sound(self.folder.path().to_str().unwrap());
        Ok(outcome)
    }

    /// Runs the report without parameters.
    pub(super) fn plain(&mut self) -> Outcome {
        self.report(json!({})).unwrap()
    }
}

impl Outcome {
    /// What must hold of every page.
    fn is_sound(&self, folder: &str) {
        let text = self.text();
        for word in ["NaN", "inf ", "-0.0", "null"] {
            assert!(!text.contains(word), "`{word}` in {text}");
        }
        assert!(!self.html.contains("NaN"));
        assert!(!self.html.contains(folder), "an absolute path");
        assert!(!self.html.contains("<script"));
        assert!(!self.html.contains("http://") && !self.html.contains("https://"));
        for (open, close) in [("<table", "</table>"), ("<details", "</details>"), ("<tr", "</tr>")]
        {
            assert_eq!(self.html.matches(open).count(), self.html.matches(close).count());
        }
    }

    /// The page as text: a line per row, heading or paragraph; no style, no drawings.
    pub(super) fn text(&self) -> String {
        let body = self.html.split_once("<body>").unwrap().1;
        let body = without(&without(body, "<svg", "</svg>"), "<svg", "</svg>");
        let mut text = String::new();
        let mut rest = body.as_str();
        while let Some(start) = rest.find('<') {
            text.push_str(&rest[..start]);
            let end = start + rest[start..].find('>').unwrap();
            let tag = rest[start + 1..end].split([' ', '>']).next().unwrap();
            match tag {
                "/tr" | "/p" | "/h1" | "/h2" | "/h3" | "/summary" | "/figcaption" | "/div" => {
                    text.push('\n');
                }
                "/th" | "/td" => text.push_str(" | "),
                "span" | "br" | "li" => text.push(' '),
                _ => {}
            }
            rest = &rest[end + 1..];
        }
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let kept: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        kept.join("\n").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    pub(super) fn row(&self, method: &str, split: &str) -> &SummaryRow {
        self.summary.iter().find(|row| row.method() == method && row.split == split).unwrap()
    }
}

/// A text without anything from `open` to the next `close`.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

fn metrics(path: &std::path::Path) -> Vec<Number> {
    let mut rows = Vec::new();
    for batch in open_parquet(path).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let word = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            (!column.is_null(row)).then(|| column.value(row).to_owned())
        };
        let value = batch.column_by_name("value").unwrap().as_primitive::<Float64Type>();
        let support = batch.column_by_name("support").unwrap().as_primitive::<UInt32Type>();
        assert_eq!(value.null_count(), 0);
        rows.extend((0..batch.num_rows()).map(|row| Number {
            stage: word("stage", row).unwrap(),
            split: word("split", row).unwrap(),
            metric: word("metric", row).unwrap(),
            class: word("class", row),
            predicted: word("predicted", row),
            value: value.value(row),
            support: support.value(row),
            setting: word("setting", row).unwrap(),
            seen_by: word("seen_by", row),
        }));
    }
    rows
}
