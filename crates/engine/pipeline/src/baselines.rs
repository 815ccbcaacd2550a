//! `[pipeline] baselines = true`: what a notebook does with the same vectors and the same labels, beside
//! everything that a report shows.
//!
//! For each stage that a `report` is wired to and that learns from labels, the vectors behind it are
//! found, and two stages are added that learn from those vectors and those labels: `logistic-regression`
//! and `knn` with `k = 1`. They are wired to the report, which compares the stage with both, run by run. The
//! added stages are stages like any other: `plan`, `graph` and the cache know them.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    Resources,
    fault::Fault,
    node::{Data, Entry, Node, Span, Table},
    problems::Problems,
    sketch::{Draft, Sketch, Wired},
};

/// The kinds of the two baselines, and what the stages are called where the name is free.
const KINDS: [(&str, &str); 2] =
    [("logistic-regression", "logistic-regression"), ("knn", "nearest-neighbour")];
/// Ports of a report with what learners say.
const SAID: [&str; 2] = ["predictions", "propagated"];
/// How many stages may lie between what a report shows and the labels that were given.
const DEEPEST: usize = 4;

/// What a baseline learns from: two wires.
#[derive(Clone, PartialEq)]
struct Sources {
    features: String,
    labels: String,
}

/// Adds the baselines to the stages, if the file asks for them.
pub(crate) fn add(sketch: &mut Sketch, problems: &mut Problems) {
    let Some(span) = sketch.baselines else { return };
    let mut found = false;
    for report in 0..sketch.stages.len() {
        if sketch.stages[report].is("report") {
            found |= add_to(sketch, report, span);
        }
    }
    if !found {
        problems.add(Fault::NoBaselines, span, "");
    }
}

/// Adds those of one report; says whether there is anything to compare.
fn add_to(sketch: &mut Sketch, report: usize, span: Span) -> bool {
    let mut seen = HashSet::new();
    let wires = sketch.stages[report].inputs.iter().filter(|i| SAID.contains(&i.port.as_str()));
    let shown: Vec<String> = wires
        .flat_map(|wired| &wired.wires)
        .map(|(wire, _)| stage_of(wire).to_owned())
        .filter(|name| seen.insert(name.clone()))
        .collect();
    let mut pairs: Vec<(Sources, Vec<String>)> = Vec::new();
    for name in shown {
        let Some(stage) = sketch.stage(&name) else { continue };
        if is_baseline(stage) {
            continue;
        }
        let Some(sources) = sources(sketch, stage, 0) else { continue };
        match pairs.iter_mut().find(|(known, _)| *known == sources) {
            Some((_, stages)) => stages.push(name),
            None => pairs.push((sources, vec![name])),
        }
    }
    let mut compared = Table::new();
    for (sources, stages) in &pairs {
        let names = KINDS.map(|(kind, called)| {
            baseline(sketch, report, sources, (kind, called), &stages[0], span)
        });
        for stage in stages {
            compared.insert(stage.clone(), entry(list(&names, span), span));
        }
    }
    let params = &mut sketch.stages[report].params;
    // Whoever says what a stage is compared with knows better.
    if !params.contains_key("baseline") {
        let own = params
            .entry("baselines".to_owned())
            .or_insert_with(|| entry(Data::Table(Table::new()), span));
        if let Data::Table(own) = &mut own.node.data {
            for (stage, baselines) in compared {
                own.entry(stage).or_insert(baselines);
            }
        }
    }
    !pairs.is_empty()
}

/// The name of a baseline of this kind that the report is wired to; it is added unless it is there.
fn baseline(
    sketch: &mut Sketch,
    report: usize,
    sources: &Sources,
    (kind, called): (&str, &str),
    of: &str,
    span: Span,
) -> String {
    let there = sketch.stages.iter().find(|stage| {
        stage.is(kind)
            && is_baseline(stage)
            && wire(stage, "features") == Some(sources.features.as_str())
            && wire(stage, "labels") == Some(sources.labels.as_str())
    });
    let name = if let Some(stage) = there {
        stage.name.clone()
    } else {
        let name = free_name(sketch, called, of);
        sketch.stages.push(draft(&name, kind, sources, span));
        name
    };
    let inputs = &mut sketch.stages[report].inputs;
    let at = inputs.iter().position(|wired| wired.port == SAID[0]).unwrap_or_else(|| {
        inputs.push(Wired { port: SAID[0].to_owned(), span, wires: Vec::new() });
        inputs.len() - 1
    });
    let wires = &mut inputs[at].wires;
    if !wires.iter().any(|(wire, _)| stage_of(wire) == name) {
        wires.push((name.clone(), span));
    }
    name
}

fn draft(name: &str, kind: &str, sources: &Sources, span: Span) -> Draft {
    let wired = |port: &str, wire: &str| Wired {
        port: port.to_owned(),
        span,
        wires: vec![(wire.to_owned(), span)],
    };
    let one = || entry(Data::Scalar(Value::from(1)), span);
    let params = if kind == "knn" { Table::from([("k".to_owned(), one())]) } else { Table::new() };
    Draft {
        name: name.to_owned(),
        span,
        kind: Some((kind.to_owned(), span)),
        inputs: vec![wired("features", &sources.features), wired("labels", &sources.labels)],
        collect: Vec::new(),
        resources: Resources::default(),
        params,
    }
}

/// The vectors and the labels that a stage learnt from, wherever above it they come in.
fn sources(sketch: &Sketch, stage: &Draft, depth: usize) -> Option<Sources> {
    // Rounds lead back to themselves; and what lies deeper is another experiment.
    if depth > DEEPEST {
        return None;
    }
    let above = |port: &str| wire(stage, port).and_then(|wire| sketch.stage(stage_of(wire)));
    // Labels of another learner are not those that were given.
    if let Some(first) = above("labels").and_then(|stage| sources(sketch, stage, depth + 1)) {
        return Some(first);
    }
    let of_graph = || above("nodes").and_then(|graph| wire(graph, "features"));
    let features = wire(stage, "features").or_else(of_graph);
    match (features, wire(stage, "labels")) {
        (Some(features), Some(labels)) => {
            Some(Sources { features: features.to_owned(), labels: labels.to_owned() })
        }
        _ => sources(sketch, above("model")?, depth + 1),
    }
}

/// Whether a stage is as a baseline would be.
fn is_baseline(stage: &Draft) -> bool {
    match stage.params.iter().next() {
        None => stage.is("logistic-regression"),
        Some((key, entry)) => {
            let one = matches!(&entry.node.data, Data::Scalar(value) if *value == 1);
            stage.is("knn") && stage.params.len() == 1 && key == "k" && one
        }
    }
}

fn wire<'a>(stage: &'a Draft, port: &str) -> Option<&'a str> {
    let wired = stage.inputs.iter().find(|wired| wired.port == port)?;
    wired.wires.first().map(|(wire, _)| wire.as_str())
}

/// The stage of `stage.port`.
fn stage_of(wire: &str) -> &str {
    wire.split_once('.').map_or(wire, |(stage, _)| stage)
}

/// The name for a baseline, with that of a stage which it stands beside where it is taken.
fn free_name(sketch: &Sketch, called: &str, of: &str) -> String {
    let second = format!("{called}-{of}");
    let numbered = (2..).map(|number| format!("{second}-{number}"));
    let mut names = [called.to_owned(), second.clone()].into_iter().chain(numbered);
    names.find(|name| sketch.stage(name).is_none()).unwrap_or(second)
}

fn entry(data: Data, span: Span) -> Entry {
    Entry { key: span, node: Node { span, data } }
}

fn list(names: &[String], span: Span) -> Data {
    let text = |name: &String| Node { span, data: Data::Scalar(Value::from(name.as_str())) };
    Data::List(names.iter().map(text).collect())
}
