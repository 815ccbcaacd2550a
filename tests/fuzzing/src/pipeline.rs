//! Pipelines: parsed, checked, expanded, drawn.

use std::{path::Path, sync::OnceLock};

use scarce_orchestrator::described;
use scarce_pipeline::{Catalogue, Document, Error, Overrides, Pipeline, dot, mermaid};

/// What `scarce describe` prints, as it was when this target was written: kinds with all sorts of ports
/// and parameters.
const KINDS: &[u8] = include_bytes!("../fixtures/describe.json");

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::new(described(Path::new("scarce"), KINDS).unwrap()))
}

/// Bytes as a TOML file.
pub fn pipeline(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let document = match Document::parse(Path::new("/house/input.toml"), text.to_owned()) {
        Ok(document) => document,
        Err(error) => return assert_tells(&error),
    };
    let resolve = || Pipeline::resolve(&document, catalogue(), &Overrides::default());
    match (resolve(), resolve()) {
        (Ok(pipeline), Ok(again)) => {
            let labels = |pipeline: &Pipeline| -> Vec<String> {
                pipeline.tasks().map(|(_, task)| task.label()).collect()
            };
            assert_eq!(labels(&pipeline), labels(&again));
            assert!(!mermaid(&pipeline, false).is_empty() && !dot(&pipeline, true).is_empty());
        }
        (Err(error), Err(_)) => assert_tells(&error),
        _ => panic!("one document, two outcomes"),
    }
}

/// Every problem has words, and can be shown.
fn assert_tells(error: &Error) {
    assert!(!error.to_string().trim().is_empty());
    let json = serde_json::to_value(error).unwrap();
    for problem in json.as_array().unwrap() {
        assert!(problem["code"].as_str().is_some_and(|code| code.contains("::")), "{problem}");
        assert!(problem["message"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    let mut text = String::new();
    let shown = miette::NarratableReportHandler::new().render_report(&mut text, error);
    assert!(shown.is_ok() && !text.trim().is_empty(), "{shown:?}");
}
