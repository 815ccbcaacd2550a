//! The arrows between crates, as `ARCHITECTURE.md` draws them. Whoever draws a new one
//! does so here, in the open.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// A crate, and the crates of the workspace that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    // foundation
    ("scarce-artifact", &[]),
    ("scarce-stage", &["scarce-artifact"]),
    ("scarce-fingerprint", &[]),
    // algorithms: none knows a table or a stage
    ("scarce-numeric", &["scarce-testing"]),
    ("scarce-scores", &["scarce-numeric", "scarce-testing"]),
    ("scarce-linear", &["scarce-numeric", "scarce-scores", "scarce-testing"]),
    ("scarce-clustering", &["scarce-numeric", "scarce-testing"]),
    ("scarce-neighbours", &["scarce-numeric", "scarce-clustering", "scarce-testing"]),
    ("scarce-graph-learning", LEARNERS),
    ("scarce-semi-supervised", LEARNERS),
    ("scarce-manifold", LEARNERS),
    (
        "scarce-selection",
        &["scarce-numeric", "scarce-neighbours", "scarce-clustering", "scarce-testing"],
    ),
    ("scarce-testing", &["scarce-numeric"]),
    // learning
    ("scarce-nn", &["scarce-artifact", "scarce-stage", "scarce-numeric"]),
    // sources: what comes from outside
    ("scarce-download", &[]),
    ("scarce-wheels", &[]),
    ("scarce-models", &["scarce-download", "scarce-wheels"]),
    ("scarce-pictures", &["scarce-artifact"]),
    // stages: none knows another
    ("scarce-stage-testing", &["scarce-stage", "scarce-artifact"]),
    ("scarce-ingest", INGEST),
    ("scarce-embed", KIND),
    ("scarce-cluster", KIND),
    ("scarce-propagate", KIND),
    ("scarce-graph", KIND),
    ("scarce-query", KIND),
    ("scarce-classify", KIND),
    ("scarce-report", KIND),
    ("scarce-pretrained", PRETRAINED),
    ("scarce-autoencoder", TORCH_KIND),
    ("scarce-neural", TORCH_KIND),
    // engine: runs the stages, and never knows which they are
    ("scarce-store", &["scarce-artifact", "scarce-stage"]),
    ("scarce-pipeline", &["scarce-stage", "scarce-artifact"]),
    (
        "scarce-orchestrator",
        &["scarce-pipeline", "scarce-store", "scarce-stage", "scarce-artifact"],
    ),
    // the labelling page: runs a pipeline, and knows no kind but where pictures and labels enter
    (
        "scarce-label",
        &[
            "scarce-orchestrator",
            "scarce-pipeline",
            "scarce-stage",
            "scarce-artifact",
            "scarce-ingest",
            "scarce-pictures",
        ],
    ),
    // apps: the binaries
    (
        "scarce",
        &[
            "scarce-label",
            "scarce-orchestrator",
            "scarce-pipeline",
            "scarce-store",
            "scarce-stage",
            "scarce-artifact",
            "scarce-ingest",
            "scarce-models",
            "scarce-pictures",
            "scarce-pretrained",
            "scarce-wheels",
            "scarce-scores",
            "scarce-embed",
            "scarce-cluster",
            "scarce-propagate",
            "scarce-graph",
            "scarce-query",
            "scarce-classify",
            "scarce-report",
        ],
    ),
    ("scarce-torch", &["scarce-stage", "scarce-autoencoder", "scarce-neural"]),
    // beside the house
    ("scarce-bench", BENCH),
    ("scarce-tests", &[]),
    ("scarce-faults", &["scarce-tests"]),
    (
        "scarce-fuzzing",
        &[
            "scarce-artifact",
            "scarce-ingest",
            "scarce-orchestrator",
            "scarce-pictures",
            "scarce-pipeline",
            "scarce-pretrained",
            "scarce-stage",
        ],
    ),
    ("xtask", &["scarce-wheels"]),
];

/// Algorithms on graphs, neighbours and linear models.
const LEARNERS: &[&str] =
    &["scarce-numeric", "scarce-linear", "scarce-neighbours", "scarce-scores", "scarce-testing"];

/// What every kind may use: the contract, and any algorithm.
const KIND: &[&str] = &[
    "scarce-stage",
    "scarce-artifact",
    "scarce-numeric",
    "scarce-scores",
    "scarce-linear",
    "scarce-clustering",
    "scarce-neighbours",
    "scarce-graph-learning",
    "scarce-semi-supervised",
    "scarce-manifold",
    "scarce-selection",
    "scarce-testing",
    "scarce-stage-testing",
];

const INGEST: &[&str] =
    &["scarce-stage", "scarce-artifact", "scarce-numeric", "scarce-download", "scarce-pictures"];

const PRETRAINED: &[&str] =
    &["scarce-stage", "scarce-artifact", "scarce-pictures", "scarce-wheels"];

const TORCH_KIND: &[&str] =
    &["scarce-stage", "scarce-artifact", "scarce-numeric", "scarce-nn", "scarce-stage-testing"];

const BENCH: &[&str] = &[
    "scarce-artifact",
    "scarce-ingest",
    "scarce-report",
    "scarce-numeric",
    "scarce-linear",
    "scarce-clustering",
    "scarce-neighbours",
    "scarce-graph-learning",
    "scarce-semi-supervised",
    "scarce-manifold",
];

/// The only crates that may name libtorch's bindings.
const TORCH: &[&str] = &["scarce-nn", "scarce-autoencoder", "scarce-neural", "scarce-torch"];

/// What `cargo metadata` says with these options.
fn metadata(options: &[&str]) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(options)
        .current_dir(scarce_tests::workspace_root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A crate of the workspace and the packages that its manifest names.
struct Member {
    name: String,
    /// Name and kind (`normal`, `dev`, `build`).
    dependencies: Vec<(String, String)>,
}

fn members() -> Vec<Member> {
    let metadata = metadata(&["--no-deps"]);
    let member = |package: &Value| {
        let dependency = |entry: &Value| {
            let kind = entry["kind"].as_str().unwrap_or("normal");
            (entry["name"].as_str().unwrap().to_owned(), kind.to_owned())
        };
        Member {
            name: package["name"].as_str().unwrap().to_owned(),
            dependencies: list(&package["dependencies"]).map(dependency).collect(),
        }
    };
    list(&metadata["packages"]).map(member).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

#[test]
fn every_arrow_runs_down() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut wrong = Vec::new();
    for member in &members {
        let Some(may_use) = allowed.get(member.name.as_str()) else {
            wrong.push(format!("`{}` has no line in the table of arrows", member.name));
            continue;
        };
        for (name, kind) in &member.dependencies {
            let is_fingerprint = name == "scarce-fingerprint" && kind == "build";
            if names.contains(name.as_str()) && !is_fingerprint && !may_use.contains(&name.as_str())
            {
                wrong.push(format!("{} → {name} ({kind})", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the design does not draw:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_no_crate_that_is_gone() {
    let members = members();
    for (name, uses) in ARROWS {
        for name in std::iter::once(name).chain(*uses) {
            let is_member = members.iter().any(|member| member.name == *name);
            assert!(is_member, "`{name}` is in the table of arrows but not in the workspace");
        }
    }
}

#[test]
fn only_four_crates_name_libtorch() {
    for member in members() {
        for (name, _) in &member.dependencies {
            let is_torch = ["tch", "torch-sys"].contains(&name.as_str());
            let may = TORCH.contains(&member.name.as_str());
            assert!(!is_torch || may, "`{}` must not depend on `{name}`", member.name);
        }
    }
}

#[test]
fn scarce_itself_reaches_no_libtorch() {
    let reached = beneath("scarce");
    assert!(reached.contains("scarce-orchestrator"), "the graph is not the real one");
    for name in ["tch", "torch-sys"] {
        assert!(!reached.contains(name), "`scarce` links `{name}`");
    }
    assert!(beneath("scarce-torch").contains("torch-sys"), "the search does not see libtorch");
}

/// Names of all packages that `name` links, directly or not.
fn beneath(name: &str) -> BTreeSet<String> {
    // what this machine has built with, and nothing fetched for others
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = metadata(&["--offline", "--filter-platform", &host]);
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .map(|package| (id(&package["id"]), id(&package["name"])))
        .collect();
    let nodes: BTreeMap<String, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|node| (id(&node["id"]), node)).collect();
    let start = nodes.keys().find(|node| names[*node] == name).unwrap();
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![start.clone()]);
    while let Some(node) = waiting.pop() {
        if !reached.insert(node.clone()) {
            continue;
        }
        for dependency in list(&nodes[&node]["deps"]) {
            // a kind of null is a normal dependency
            if list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()) {
                waiting.push(id(&dependency["pkg"]));
            }
        }
    }
    reached.into_iter().map(|node| names[&node].clone()).collect()
}
