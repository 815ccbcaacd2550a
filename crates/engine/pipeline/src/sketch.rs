//! The file's own grammar: what is a stage, an axis, a wire. Knows no kinds yet.

use std::path::Path;

use serde_json::Value;

use crate::{
    Resources,
    axis::{self, Axis},
    fault::Fault,
    names,
    node::{Data, Entry, Node, Span, Table},
    problems::Problems,
    resources,
    rounds::{self, Rounds},
};

/// Keys of a stage that are not parameters.
pub(crate) const RESERVED: [&str; 4] = ["kind", "inputs", "collect", "resources"];

/// A pipeline as it is written.
pub(crate) struct Sketch {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Where the file asks for baselines.
    pub(crate) baselines: Option<Span>,
    /// Those of `[axes]`, then those that rounds make.
    pub(crate) axes: Vec<Axis>,
    pub(crate) rounds: Rounds,
    pub(crate) stages: Vec<Draft>,
}

impl Sketch {
    /// The stage of a name.
    pub(crate) fn stage(&self, name: &str) -> Option<&Draft> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

/// A stage as it is written.
pub(crate) struct Draft {
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    /// Absent only after a problem.
    pub(crate) kind: Option<(String, Span)>,
    pub(crate) inputs: Vec<Wired>,
    pub(crate) collect: Vec<(String, Span)>,
    pub(crate) resources: Resources,
    pub(crate) params: Table,
}

impl Draft {
    /// Whether it is of this kind.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|(name, _)| name == kind)
    }
}

/// What is wired to an input port, as it is written.
pub(crate) struct Wired {
    pub(crate) port: String,
    /// Where the port's name stands.
    pub(crate) span: Span,
    /// `stage` or `stage.port`, each with its place.
    pub(crate) wires: Vec<(String, Span)>,
}

/// Reads the whole file.
pub(crate) fn read(root: &Table, path: &Path, problems: &mut Problems) -> Sketch {
    let known = ["pipeline", "axes", "rounds", "stages"];
    for (key, entry) in root.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        let help = names::suggestion(key, &known);
        let fault = Fault::UnknownKey { key: key.clone(), place: "the pipeline".to_owned(), help };
        problems.add(fault, entry.key, "");
    }
    let Header { name, description, baselines } = header(root, path, problems);
    let mut axes = table(root, "axes", problems)
        .into_iter()
        .flatten()
        .map(|(name, entry)| axis::read(name, entry, problems))
        .collect::<Vec<_>>();
    let stages: Vec<Draft> = table(root, "stages", problems)
        .into_iter()
        .flatten()
        .filter_map(|(name, entry)| stage(name, entry, problems))
        .collect();
    let written = root.get("stages");
    if written.is_none_or(|entry| matches!(&entry.node.data, Data::Table(t) if t.is_empty())) {
        let start = Span { text: 0, start: 0, end: 0 };
        problems.add(Fault::NoStages, written.map_or(start, |entry| entry.key), "");
    }
    let rounds = rounds::read(table(root, "rounds", problems), &stages, &mut axes, problems);
    Sketch { name, description, baselines, axes, rounds, stages }
}

/// A table at the top of the file.
fn table<'a>(root: &'a Table, key: &str, problems: &mut Problems) -> Option<&'a Table> {
    let node = &root.get(key)?.node;
    if let Data::Table(table) = &node.data {
        return Some(table);
    }
    problems.wrong_type(key, "a table", node);
    None
}

/// What `[pipeline]` says.
struct Header {
    name: String,
    description: String,
    /// Where it asks for baselines.
    baselines: Option<Span>,
}

fn header(root: &Table, path: &Path, problems: &mut Problems) -> Header {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut name = (stem, Span { text: 0, start: 0, end: 0 });
    let mut description = String::new();
    let mut baselines = None;
    let known = ["name", "description", "hosts", "baselines"];
    for (key, entry) in table(root, "pipeline", problems).into_iter().flatten() {
        match (key.as_str(), entry.node.as_str()) {
            ("name", Some(text)) => name = (text.to_owned(), entry.node.span),
            ("description", Some(text)) => text.clone_into(&mut description),
            ("name" | "description", None) => problems.wrong_type(key, "a string", &entry.node),
            ("hosts", _) => {}
            ("baselines", _) => match &entry.node.data {
                Data::Scalar(Value::Bool(asked)) => baselines = asked.then_some(entry.key),
                _ => problems.wrong_type(key, "`true` or `false`", &entry.node),
            },
            _ => {
                let help = names::suggestion(key, &known);
                let place = "`[pipeline]`".to_owned();
                let fault = Fault::UnknownKey { key: key.clone(), place, help };
                problems.add(fault, entry.key, "");
            }
        }
    }
    if !names::is_valid(&name.0) {
        problems.add(Fault::BadName { what: "a pipeline", name: name.0.clone() }, name.1, "");
    }
    Header { name: name.0, description, baselines }
}

fn stage(name: &str, entry: &Entry, problems: &mut Problems) -> Option<Draft> {
    if !names::is_valid(name) {
        problems.add(Fault::BadName { what: "a stage", name: name.to_owned() }, entry.key, "");
    }
    let Data::Table(table) = &entry.node.data else {
        problems.wrong_type(name, "a table with a `kind`", &entry.node);
        return None;
    };
    let is_param = |key: &str| !RESERVED.contains(&key);
    let params = table.iter().filter(|(key, _)| is_param(key));
    Some(Draft {
        name: name.to_owned(),
        span: entry.key,
        kind: kind(name, entry.key, table, problems),
        inputs: table.get("inputs").map(|entry| inputs(entry, problems)).unwrap_or_default(),
        collect: table
            .get("collect")
            .map(|entry| texts("collect", "a list of axes", &entry.node, problems))
            .unwrap_or_default(),
        resources: table
            .get("resources")
            .map(|entry| resources::read(name, entry, problems))
            .unwrap_or_default(),
        params: params.map(|(key, entry)| (key.clone(), entry.clone())).collect(),
    })
}

fn kind(stage: &str, span: Span, table: &Table, problems: &mut Problems) -> Option<(String, Span)> {
    let Some(entry) = table.get("kind") else {
        let help = Some("`scarce stages` lists the kinds".to_owned());
        let (key, place) = ("kind".to_owned(), format!("the stage `{stage}`"));
        problems.add(Fault::MissingKey { key, place, help }, span, "");
        return None;
    };
    let Some(kind) = entry.node.as_str() else {
        problems.wrong_type("kind", "the name of a kind", &entry.node);
        return None;
    };
    Some((kind.to_owned(), entry.node.span))
}

fn inputs(entry: &Entry, problems: &mut Problems) -> Vec<Wired> {
    let Data::Table(table) = &entry.node.data else {
        let expected = "a table of ports, as in `{ images = \"images\" }`";
        problems.wrong_type("inputs", expected, &entry.node);
        return Vec::new();
    };
    let wired = |(port, entry): (&String, &Entry)| Wired {
        port: port.clone(),
        span: entry.key,
        wires: match entry.node.as_str() {
            Some(wire) => vec![(wire.to_owned(), entry.node.span)],
            None => texts(port, "a stage, or a list of stages", &entry.node, problems),
        },
    };
    table.iter().map(wired).collect()
}

/// A list of strings with their places.
pub(crate) fn texts(
    what: &str,
    expected: &str,
    node: &Node,
    problems: &mut Problems,
) -> Vec<(String, Span)> {
    let Data::List(items) = &node.data else {
        problems.wrong_type(what, expected, node);
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item.as_str() {
            Some(text) => texts.push((text.to_owned(), item.span)),
            None => problems.wrong_type(what, expected, item),
        }
    }
    texts
}
