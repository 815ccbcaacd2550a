//! What `scarce` says of its kinds of stages: to people, and to their editors.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Answer, Project};
use serde_json::Value;

#[track_caller]
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

#[track_caller]
fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

mod stages {
    use super::*;

    #[test]
    fn lists_and_documents_every_kind() {
        let project = Project::new();
        let all = project.scarce(&["stages", "--json"]).ended(0).json();
        let listed = project.scarce(&["stages"]).ended(0);
        assert!(list(&all).len() >= 15, "{all}");
        for kind in list(&all) {
            let name = text(kind, "/kind");
            let page = project.scarce(&["stages", name]).ended(0);
            assert!(listed.stdout.contains(name), "{name}");
            assert!(!text(kind, "/summary").is_empty(), "{name}");
            for ports in ["inputs", "outputs"] {
                for port in list(&kind[ports]) {
                    assert!(!text(port, "/doc").is_empty(), "{name}: {port}");
                }
            }
            every_parameter_is_documented(name, kind, &page);
        }
    }

    fn every_parameter_is_documented(kind: &str, description: &Value, page: &Answer) {
        let properties = description["params"]["properties"].as_object();
        for (name, schema) in properties.into_iter().flatten() {
            let line =
                page.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
            let line = line.unwrap_or_else(|| panic!("`{kind}` does not mention `{name}`\n{page}"));
            let words = line.split_whitespace().count();
            assert!(words > 4, "`{kind}` says little of `{name}`: {line}");
            assert!(schema["description"].is_string(), "{kind}.{name} has no description");
        }
    }

    #[test]
    fn suggests_the_nearest_kind() {
        Project::new().scarce(&["stages", "kmean"]).ended(2).complains_of(&["`kmeans`"]);
    }
}

mod schema {
    use super::*;

    #[test]
    fn is_json_and_holds_the_parameters_of_every_kind() {
        let json = Project::new().scarce(&["schema"]).ended(0).json();
        assert!(text(&json, "/$schema").contains("json-schema.org"));
        let all = json.to_string();
        for word in ["per_class", "n_init", "up_to_percentile", "\"autoencoder\"", "latent"] {
            assert!(all.contains(word), "{word}");
        }
    }
}
