//! Which stages of a pipeline play which part on the page.

use std::path::PathBuf;

use scarce_orchestrator::view;
use scarce_pipeline::{Catalogue, Pipeline, Stage, Task};

use crate::{Error, Result};

/// The parts, each a stage's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    /// The pictures.
    pub(crate) images: String,
    /// Where the labels enter.
    pub(crate) labels: String,
    /// What is believed of every picture, given labels.
    pub(crate) answers: String,
    /// What to label before there is a label.
    pub(crate) first: Option<String>,
    /// What to label next, given labels.
    pub(crate) next: Option<String>,
    /// Vectors by which pictures are alike.
    pub(crate) vectors: Option<String>,
    /// Groups of pictures.
    pub(crate) groups: Option<String>,
    /// Two coordinates.
    pub(crate) map: Option<String>,
}

impl Roles {
    /// Looks for them. Of several that would do, the first in the order of the graph; but answers come
    /// from labels that flow rather than from a classifier alone, where there are both.
    pub(crate) fn of(pipeline: &Pipeline, catalogue: &Catalogue) -> Result<Self> {
        let missing = |wanted: &'static str, help: &'static str| Error::NoStage {
            name: pipeline.name.clone(),
            wanted,
            help,
        };
        let kind = |wanted: &str| pipeline.stages.iter().find(|stage| stage.kind == wanted);
        let gives = |stage: &Stage, artifact: &str| {
            let outputs = catalogue.get(&stage.kind).map(|kind| kind.outputs.as_slice());
            outputs.unwrap_or_default().iter().any(|port| port.artifact == artifact)
        };
        let images = kind("ingest")
            .ok_or_else(|| missing("`ingest`", "give it one with the `path` of your pictures"))?;
        let labels = kind("labels")
            .ok_or_else(|| missing("`labels`", "add one: it reads what you label"))?;
        let learns = |stage: &Stage| is_above(pipeline, &labels.name, &stage.name);
        let all = || pipeline.stages.iter();
        let answers = all()
            .filter(|stage| gives(stage, "predictions") && learns(stage))
            .min_by_key(|stage| !stage.kind.starts_with("propagate"))
            .ok_or_else(|| {
                missing("`propagate-logistic`", "add one that learns from the labels")
            })?;
        let queries = |with: bool| all().find(|s| gives(s, "queries") && learns(s) == with);
        let next = queries(true);
        let first = queries(false);
        let vectors = next.or(first).into_iter().chain([answers]).find_map(|stage| {
            stage.inputs.iter().find(|link| link.artifact == "embeddings").map(|l| l.stage.clone())
        });
        let two = |stage: &&Stage| {
            let task = stage.tasks.first().map(|&task| &pipeline.graph[task]);
            let components = task.and_then(|task| task.params.get("components"));
            stage.kind == "tsne"
                || (stage.kind == "pca"
                    && components.and_then(serde_json::Value::as_u64) == Some(2))
        };
        let name = |stage: Option<&Stage>| stage.map(|stage| stage.name.clone());
        Ok(Self {
            images: images.name.clone(),
            labels: labels.name.clone(),
            answers: answers.name.clone(),
            first: name(first),
            next: name(next),
            vectors,
            groups: name(all().find(|stage| gives(stage, "clusters") && !learns(stage))),
            map: name(all().find(two)),
        })
    }

    /// The one variant of a stage.
    pub(crate) fn task<'p>(pipeline: &'p Pipeline, stage: &str) -> Option<&'p Task> {
        let tasks = &pipeline.stage(stage)?.tasks;
        tasks.first().map(|&task| &pipeline.graph[task])
    }

    /// Where a stage's table is seen after a run.
    pub(crate) fn table(
        root: &std::path::Path,
        pipeline: &Pipeline,
        stage: &str,
        port: &str,
    ) -> Option<PathBuf> {
        let folder = view(root, &pipeline.name, Self::task(pipeline, stage)?);
        let path = folder.join(format!("{port}.parquet"));
        path.is_file().then_some(path)
    }
}

/// Whether `stage` needs `above`, directly or not.
fn is_above(pipeline: &Pipeline, above: &str, stage: &str) -> bool {
    let Some(stage) = pipeline.stage(stage) else { return false };
    let mut links = stage.inputs.iter().filter(|link| !link.back);
    links.any(|link| link.stage == above || is_above(pipeline, above, &link.stage))
}
