//! Tests of the whole way from TOML to graph. Nested modules read as sentences.

mod a_pipeline;
mod axes;
mod baselines;
mod drawings;
mod kinds;
mod overrides;
mod parameters;
mod problems;
mod properties;
mod rounds;
mod the_editor_schema;
mod wires;

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::{Document, Error, Overrides, Pipeline};

fn resolve(text: &str) -> Result<Pipeline, Error> {
    resolve_with(text, &Overrides::default())
}

fn resolve_with(text: &str, overrides: &Overrides) -> Result<Pipeline, Error> {
    let document = Document::parse(Path::new("/house/trial.toml"), text.to_owned())?;
    Pipeline::resolve(&document, &kinds::catalogue(), overrides)
}

fn set(arguments: &[&str]) -> Overrides {
    Overrides { set: arguments.iter().map(|&text| text.to_owned()).collect(), axes: Vec::new() }
}

fn axis(arguments: &[&str]) -> Overrides {
    Overrides { axes: arguments.iter().map(|&text| text.to_owned()).collect(), set: Vec::new() }
}

fn labels(pipeline: &Pipeline) -> Vec<String> {
    pipeline.tasks().map(|(_, task)| task.label()).collect()
}

/// What each port of a task gets, as labels with ports.
fn feeds(pipeline: &Pipeline, label: &str) -> Vec<String> {
    let (_, task) = pipeline.tasks().find(|(_, task)| task.label() == label).unwrap();
    let sources = task.inputs.iter().flat_map(|(port, sources)| {
        sources.iter().map(move |source| {
            format!("{port} < {}.{}", pipeline.graph[source.task].label(), source.port)
        })
    });
    sources.collect()
}

fn codes(error: &Error) -> Vec<String> {
    let json = serde_json::to_value(error).unwrap();
    json.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap().to_owned()).collect()
}

fn render(diagnostic: &dyn miette::Diagnostic) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_links(false)
        .render_report(&mut text, diagnostic)
        .unwrap();
    text
}

/// The rendered problems of a pipeline that must not resolve.
fn problems(text: &str) -> String {
    render(&resolve(text).unwrap_err())
}

/// The published experiment with ten labels, over two axes.
const TEN_LABELS: &str = r#"
[pipeline]
name = "ten-labels"
description = "Ten labelled digits"

[axes]
seed = { from = 0, to = 3 }
architecture = ["linear", "conv"]

[stages.images]
kind = "ingest"
dataset = "mnist"

[stages.labels]
kind = "budget"
inputs = { images = "images.images", truth = "images.truth" }
per_class = 1
seed = "$seed"

[stages.encoder]
kind = "autoencoder"
inputs = { images = "images" }
architecture = "$architecture"
latent = 128
early_stopping = { patience = 5 }
seed = "$seed"

[stages.codes]
kind = "encode"
inputs = { images = "images", model = "encoder" }

[stages.knn]
kind = "knn"
k = 1
inputs = { features = "codes", labels = "labels" }

[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images" }
collect = ["seed"]
"#;
