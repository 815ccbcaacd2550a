//! One hundred labels on Fashion-MNIST, from the packed files to five accuracies: the published
//! experiment as `pipelines/fashion-hundred-labels.toml` runs it for one seed, beside the same steps
//! with scikit-learn.
//!
//! Ours also writes every table on the way and a report. Four of the accuracies rest on one draw of a
//! hundred images, which differ from one implementation to the next.

use std::path::Path;

use anyhow::{Context, Result, bail};
use scarce_ingest::datasets::Dataset;
use scarce_report::summary_table;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{contest::Turn, quality::Quality, session::Session};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "hundred-labels",
    title: "One hundred labels on Fashion-MNIST: five classifiers, from the packed files",
    cases: &[Case { name: "one-seed", title: "five accuracies, one seed", heavy: true }],
    run,
};

const PIPELINE: &str = "fashion-hundred-labels";

/// Stages of the pipeline that are scored, and what both sides call their accuracy.
const STAGES: [(&str, &str); 5] = [
    ("regression-all", "accuracy, all labels"),
    ("regression-random", "one-draw accuracy, random"),
    ("regression-representatives", "one-draw accuracy, representatives"),
    ("regression-clusters", "one-draw accuracy, clusters"),
    ("regression-nearest", "one-draw accuracy, nearest"),
];

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let Some(case) = choice.cases.first() else { return Ok(()) };
    let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    let pipeline = fs_err::canonicalize(pipelines.join(PIPELINE).with_extension("toml"))?;
    let folder = session.place.join("hundred-labels");
    fs_err::create_dir_all(&folder)?;
    let scarce = session.scarce()?;
    if let Some(why) = scarce.refuses(&folder, &pipeline)? {
        bail!("the pipeline cannot be run yet:\n{why}");
    }
    let files = session.data.files(Dataset::FashionMnist)?;
    let names = ["train_images", "train_labels", "test_images", "test_labels"];
    let data: serde_json::Map<_, _> =
        names.into_iter().zip(&files).map(|(name, path)| (name.to_owned(), json!(path))).collect();
    let peer =
        session.peer("numeric", "hundred_labels_sklearn.py", data.into(), json!({ "seed": 0 }))?;
    session.compare(choice, case, vec![peer], |_| {
        let artifacts = folder.join("artifacts");
        if artifacts.exists() {
            fs_err::remove_dir_all(&artifacts)?;
        }
        let ran = scarce.run(&folder, &pipeline, &["--axis", "seed=0..1"])?;
        let summary = artifacts.join("runs").join(PIPELINE).join("report/summary.parquet");
        Ok(Turn { seconds: ran.seconds, quality: accuracies(&summary)? })
    })
}

fn accuracies(summary: &Path) -> Result<Quality> {
    let rows = summary_table(summary)?;
    let accuracy = |(stage, name): &(&str, &str)| {
        let rows = rows.iter().filter(|row| row.stage == *stage);
        let figure = rows
            .filter(|row| row.setting.starts_with("test"))
            .find_map(|row| row.figure("accuracy"));
        let figure = figure.with_context(|| format!("the report has no accuracy of `{stage}`"))?;
        Ok(((*name).to_owned(), figure.estimate.mean))
    };
    STAGES.iter().map(accuracy).collect()
}
