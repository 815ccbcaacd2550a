//! The arrows between crates, as `ARCHITECTURE.md` draws them. Whoever draws a new one
//! does so here, in the open.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// A crate, and the crates of the workspace that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    // the ground floor
    ("scarce-artifact", &[]),
    ("scarce-kernels", &[]),
    ("scarce-stage", &["scarce-artifact"]),
    ("scarce-nn", &["scarce-artifact", "scarce-stage"]),
    // the kinds: none knows another
    ("scarce-ingest", KIND),
    ("scarce-embed", KIND),
    ("scarce-cluster", KIND),
    ("scarce-propagate", KIND),
    ("scarce-classify", KIND),
    ("scarce-report", KIND),
    ("scarce-autoencoder", &["scarce-stage", "scarce-artifact", "scarce-kernels", "scarce-nn"]),
    // what runs them, and never knows which they are
    ("scarce-store", &["scarce-artifact", "scarce-stage"]),
    ("scarce-pipeline", &["scarce-stage", "scarce-artifact"]),
    (
        "scarce-orchestrator",
        &["scarce-pipeline", "scarce-store", "scarce-stage", "scarce-artifact"],
    ),
    // the binaries
    (
        "scarce",
        &[
            "scarce-orchestrator",
            "scarce-pipeline",
            "scarce-store",
            "scarce-stage",
            "scarce-artifact",
            "scarce-ingest",
            "scarce-embed",
            "scarce-cluster",
            "scarce-propagate",
            "scarce-classify",
            "scarce-report",
        ],
    ),
    ("scarce-torch", &["scarce-stage", "scarce-autoencoder"]),
    // beside the house
    ("scarce-fingerprint", &[]),
    ("scarce-tests", &[]),
    ("xtask", &[]),
];

const KIND: &[&str] = &["scarce-stage", "scarce-artifact", "scarce-kernels"];

/// The only crates that may name libtorch's bindings.
const TORCH: &[&str] = &["scarce-nn", "scarce-autoencoder", "scarce-torch"];

fn metadata(no_dependencies: bool) -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(scarce_tests::workspace_root().join("Cargo.toml"));
    if no_dependencies {
        command.no_deps();
    } else {
        // what this machine has built with, and nothing fetched for others
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let offline = ["--offline", "--filter-platform", host.as_str()];
        command.other_options(offline.map(str::to_owned));
    }
    command.exec().unwrap()
}

#[test]
fn every_arrow_runs_down() {
    let metadata = metadata(true);
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let members: BTreeSet<&str> =
        metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let Some(may_use) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("`{}` has no line in the table of arrows", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let is_fingerprint =
                name == "scarce-fingerprint" && dependency.kind == DependencyKind::Build;
            if members.contains(name) && !is_fingerprint && !may_use.contains(&name) {
                wrong.push(format!("{} → {name} ({:?})", package.name, dependency.kind));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the design does not draw:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_no_crate_that_is_gone() {
    let metadata = metadata(true);
    for (name, uses) in ARROWS {
        for name in std::iter::once(name).chain(*uses) {
            let is_member = metadata.packages.iter().any(|package| package.name == *name);
            assert!(is_member, "`{name}` is in the table of arrows but not in the workspace");
        }
    }
}

#[test]
fn only_three_crates_name_libtorch() {
    for package in metadata(true).packages {
        for dependency in &package.dependencies {
            let is_torch = ["tch", "torch-sys"].contains(&dependency.name.as_str());
            assert!(
                !is_torch || TORCH.contains(&package.name.as_str()),
                "`{}` must not depend on `{}`",
                package.name,
                dependency.name
            );
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
    let metadata = metadata(false);
    let names: BTreeMap<&PackageId, &str> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let graph = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = graph.nodes.iter().find(|node| names[&node.id] == name).unwrap();
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![&start.id]);
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        for dependency in &nodes[id].deps {
            if dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
                waiting.push(&dependency.pkg);
            }
        }
    }
    reached.into_iter().map(|id| names[id].to_owned()).collect()
}
