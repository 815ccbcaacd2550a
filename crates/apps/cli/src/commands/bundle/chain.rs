//! From a trained model back to the pictures: what must be done to a new image before the model sees it.

use std::path::{Path, PathBuf};

use petgraph::graph::NodeIndex;
use scarce_artifact::{Images, Model, Reader};
use scarce_orchestrator::{Orchestrator, PlannedTask, Status, view};
use scarce_pipeline::{Pipeline, Task, axis_text};
use serde_json::{Map, Value, json};

use crate::error::CliError;

/// Kinds whose model classifies vectors.
const CLASSIFIERS: [&str; 4] = ["knn", "logistic-regression", "propagate-logistic", "dummy"];
/// Kinds whose model is a network that classifies images or vectors.
const NETWORKS: [&str; 2] = ["mlp", "cnn"];
/// What stands for the new images until they are known.
pub(in crate::commands) const IMAGES: &str = "IMAGES";
/// What becomes of new images is what became of the first ones: parameters of `ingest` that say how an
/// image is read, not which.
const READING: [&str; 9] = [
    "resize",
    "fit",
    "background",
    "range_16bit",
    "channels",
    "max_pixels",
    "max_unpacked",
    "image_column",
    "name_column",
];
/// The name of the stage that predicts.
pub(in crate::commands) const ANSWERS: &str = "predictions";

/// What a bundle is made of.
pub(super) struct Chain {
    /// The stage whose model answers, with its variant.
    pub(super) answer: String,
    /// The class names.
    pub(super) classes: Vec<String>,
    /// Files to copy: from where, and to where in the bundle.
    pub(super) files: Vec<(PathBuf, PathBuf)>,
    /// Stages by name, in order.
    stages: Vec<(String, Map<String, Value>)>,
}

impl Chain {
    /// Of a pipeline whose results are there. `stage` is `STAGE` or `STAGE/AXIS=VALUE…`; without it the
    /// pipeline must have one stage that can predict.
    pub(super) fn of(
        orchestrator: &Orchestrator<'_>,
        stage: Option<&str>,
        root: &Path,
    ) -> Result<Self, CliError> {
        let pipeline = orchestrator.pipeline();
        let answer = choose(pipeline, stage)?;
        let plan = orchestrator.plan()?;
        let walk = Walk { pipeline, root, plan: &plan.tasks };
        let mut chain = Self {
            answer: label(&pipeline.graph[answer]),
            classes: Vec::new(),
            files: Vec::new(),
            stages: Vec::new(),
        };
        walk.answer(answer, &mut chain)?;
        Ok(chain)
    }

    /// The pipeline that applies the models.
    pub(super) fn toml(&self) -> Result<String, CliError> {
        let mut text = format!(
            "# Applies what `{}` learnt to new images. Written by `scarce bundle`.\n\n[pipeline]\nname = \"predict\"\n",
            self.answer
        );
        for (name, table) in &self.stages {
            let fields: Map<String, Value> = table
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(k, v)| (k.clone(), without_null(v)))
                .collect();
            text += &format!("\n[stages.{name}]\n");
            for (key, value) in &fields {
                let value = toml::Value::try_from(value).map_err(std::io::Error::other)?;
                text += &format!("{key} = {value}\n");
            }
        }
        Ok(text)
    }

    fn add(&mut self, name: &str, kind: &str, inputs: Value, params: Map<String, Value>) {
        let mut table = Map::from_iter([("kind".to_owned(), json!(kind))]);
        if inputs.as_object().is_some_and(|inputs| !inputs.is_empty()) {
            table.insert("inputs".to_owned(), inputs);
        }
        table.extend(params);
        self.stages.push((name.to_owned(), table));
    }
}

/// `null` has no word in TOML: what is not set is left out.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_null(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The stage with its variant: `answers/fold=all`.
fn label(task: &Task) -> String {
    let axes = task.axes.iter().map(|(name, value)| format!("/{name}={}", axis_text(value)));
    format!("{}{}", task.stage, axes.collect::<String>())
}

/// The task whose model predicts.
fn choose(pipeline: &Pipeline, wanted: Option<&str>) -> Result<NodeIndex, CliError> {
    let can = |task: &Task| {
        CLASSIFIERS.contains(&task.kind.as_str()) || NETWORKS.contains(&task.kind.as_str())
    };
    let stage = wanted.map(|wanted| wanted.split('/').next().unwrap_or(wanted));
    let of_stage = |task: &Task| stage.is_none_or(|stage| task.stage == stage);
    let mut found: Vec<(NodeIndex, &Task)> =
        pipeline.tasks().filter(|(_, task)| of_stage(task) && can(task)).collect();
    if found.is_empty() {
        let named = pipeline.tasks().find(|(_, task)| stage.is_some() && of_stage(task));
        if let Some((_, task)) = named {
            return Err(CliError::NoModel { stage: task.stage.clone(), kind: task.kind.clone() });
        }
        let names: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
        let name = stage.unwrap_or("that learns a classifier");
        return Err(CliError::unknown("stage", name, &names, "`scarce graph` draws the pipeline"));
    }
    // The final run of a cross-validation learns from every label.
    let is_final =
        |task: &Task| task.axes.iter().all(|(name, value)| name != "fold" || value == "all");
    if found.iter().any(|(_, task)| is_final(task))
        && !wanted.is_some_and(|wanted| wanted.contains('/'))
    {
        found.retain(|(_, task)| is_final(task));
    }
    if let Some(wanted) = wanted.filter(|wanted| wanted.contains('/')) {
        found.retain(|(_, task)| label(task) == wanted);
    }
    if let [(index, _)] = found[..] {
        return Ok(index);
    }
    let names =
        found.iter().take(8).map(|(_, task)| format!("`{}/{}`", pipeline.name, label(task)));
    let names = names.collect::<Vec<_>>().join(", ");
    Err(CliError::WhichModel { pipeline: pipeline.name.clone(), names })
}

struct Walk<'a> {
    pipeline: &'a Pipeline,
    root: &'a Path,
    plan: &'a [PlannedTask],
}

impl Walk<'_> {
    /// Where a task's result lies, which must be that of the pipeline as it is now.
    fn view(&self, index: NodeIndex) -> Result<PathBuf, CliError> {
        let task = &self.pipeline.graph[index];
        let is_there = matches!(self.plan[index.index()].status, Status::Cached { .. });
        let folder = view(self.root, &self.pipeline.name, task);
        if is_there && folder.is_dir() {
            return Ok(folder);
        }
        Err(CliError::NotRun { stage: label(task), pipeline: self.pipeline.path.clone() })
    }

    fn input(&self, index: NodeIndex, port: &str) -> Option<NodeIndex> {
        let task = &self.pipeline.graph[index];
        let (_, sources) = task.inputs.iter().find(|(name, _)| name == port)?;
        sources.first().map(|source| source.task)
    }

    /// A model of a task goes into the bundle, and a stage that brings it; gives the stage's name.
    fn model(
        &self,
        index: NodeIndex,
        role: &str,
        chain: &mut Chain,
    ) -> Result<(String, Model), CliError> {
        let stem = self.view(index)?.join("model");
        let model = Model::read(&stem)?;
        let name = format!("{}-{role}", self.pipeline.graph[index].stage);
        if !chain.stages.iter().any(|(known, _)| *known == name) {
            let folder = Path::new("models").join(&name);
            for file in Model::files(&stem) {
                let to = folder.join(file.file_name().unwrap_or_default());
                chain.files.push((fs_err::canonicalize(file)?, to));
            }
            let params = json!({ "path": folder, "role": role });
            chain.add(&name, "ingest-model", json!({}), object(params));
        }
        Ok((name, model))
    }

    /// The stage that predicts, and all that it needs.
    fn answer(&self, index: NodeIndex, chain: &mut Chain) -> Result<(), CliError> {
        let task = &self.pipeline.graph[index];
        let is_network = NETWORKS.contains(&task.kind.as_str());
        let role = if is_network { "network" } else { "classifier" };
        let (port, above) = match (self.input(index, "features"), self.input(index, "images")) {
            (Some(above), _) => ("features", above),
            (None, Some(above)) => ("images", above),
            (None, None) => {
                return Err(CliError::NoModel {
                    stage: task.stage.clone(),
                    kind: task.kind.clone(),
                });
            }
        };
        let source = self.stage(above, port, chain)?;
        let (name, model) = self.model(index, role, chain)?;
        chain.classes = model.card.classes;
        let kind = if is_network { "neural-predict" } else { "predict" };
        chain.add(
            ANSWERS,
            kind,
            json!({ port: source, "model": format!("{name}.{role}") }),
            Map::new(),
        );
        Ok(())
    }

    /// The stage that makes of new images what this task made of the first ones; gives its name.
    fn stage(&self, index: NodeIndex, port: &str, chain: &mut Chain) -> Result<String, CliError> {
        let task = &self.pipeline.graph[index];
        let name = task.stage.clone();
        if chain.stages.iter().any(|(known, _)| *known == name) {
            return Ok(name);
        }
        let needed = |port: &str| {
            self.input(index, port).ok_or_else(|| CliError::NoModel {
                stage: task.stage.clone(),
                kind: task.kind.clone(),
            })
        };
        let all = || (*task.params).clone();
        match (task.kind.as_str(), port) {
            ("ingest", _) => {
                let mut params: Map<String, Value> = all();
                params.retain(|name, _| READING.contains(&name.as_str()));
                if params.get("resize").is_none_or(Value::is_null) {
                    // New images come in any size; the first ones had one.
                    let meta = Reader::<Images>::open(&self.view(index)?.join("images.parquet"))?
                        .meta()
                        .clone();
                    params.insert(
                        "resize".to_owned(),
                        json!({ "height": meta.shape.height, "width": meta.shape.width }),
                    );
                    let channels = if meta.shape.channels == 1 { "grey" } else { "rgb" };
                    params.insert("channels".to_owned(), json!(channels));
                }
                params.insert("path".to_owned(), json!(IMAGES));
                chain.add(&name, "ingest", json!({}), params);
            }
            ("pixels", _) => {
                let images = self.stage(needed("images")?, "images", chain)?;
                chain.add(&name, "pixels", json!({ "images": images }), all());
            }
            ("pretrained", _) => {
                let images = self.stage(needed("images")?, "images", chain)?;
                let mut params = all();
                let folder = Path::new("models").join(&name);
                for key in ["model", "preprocessor"] {
                    let Some(from) = params.get(key).and_then(Value::as_str).map(PathBuf::from)
                    else {
                        continue;
                    };
                    let to = folder.join(from.file_name().unwrap_or_default());
                    for (file, within) in below(&from)? {
                        chain.files.push((file, to.join(within)));
                    }
                    params.insert(key.to_owned(), json!(to));
                }
                if params.get("path").is_some_and(|path| !path.is_null()) {
                    params.insert("path".to_owned(), json!(IMAGES));
                }
                chain.add(&name, "pretrained", json!({ "images": images }), params);
            }
            ("encode", _) => {
                let images = self.stage(needed("images")?, "images", chain)?;
                let (model, _) = self.model(needed("model")?, "encoder", chain)?;
                let inputs = json!({ "images": images, "model": format!("{model}.encoder") });
                chain.add(&name, "encode", inputs, all());
            }
            ("neural-features", _) => {
                let port =
                    if self.input(index, "features").is_some() { "features" } else { "images" };
                let above = self.stage(needed(port)?, port, chain)?;
                let (model, _) = self.model(needed("model")?, "network", chain)?;
                let inputs = json!({ port: above, "model": format!("{model}.network") });
                chain.add(&name, "neural-features", inputs, all());
            }
            (kind @ ("pca" | "project"), _) => {
                let from = if kind == "pca" { index } else { needed("model")? };
                let port =
                    if self.input(index, "features").is_some() { "features" } else { "images" };
                let above = self.stage(needed(port)?, port, chain)?;
                let (model, _) = self.model(from, "projection", chain)?;
                let inputs = json!({ port: above, "model": format!("{model}.projection") });
                chain.add(&name, "project", inputs, Map::new());
            }
            (kind, _) => {
                return Err(CliError::NotForNewImages {
                    stage: task.stage.clone(),
                    kind: kind.to_owned(),
                });
            }
        }
        Ok(name)
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A file, or every file below a folder, with its path within; an empty one for a file alone.
fn below(path: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CliError> {
    if path.is_file() {
        return Ok(vec![(path.to_owned(), PathBuf::new())]);
    }
    let files = super::files(path)?;
    Ok(files
        .into_iter()
        .map(|file| {
            let within = file.strip_prefix(path).unwrap_or(&file).to_owned();
            (file, within)
        })
        .collect())
}
