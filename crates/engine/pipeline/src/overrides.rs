//! What the command line changes about a pipeline.

use std::sync::Arc;

use serde_json::Value;
use toml::de::DeValue;

use crate::{
    Catalogue,
    fault::Fault,
    names,
    node::{Converter, Data, Entry, Node, Span, Table},
    problems::Problems,
    rounds::ROUND,
    schema::{DEPTH, Schema, json_type},
    sketch::RESERVED,
    source::Source,
};

/// Changes from the command line, applied before anything is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `stages.encoder.latent=64`: a key of the TOML and its new value. The value is read as TOML;
    /// where the parameter is a string, quotes may be left out.
    pub set: Vec<String>,
    /// `seed=0..3` (the end is left out) or `architecture=linear,conv`: other values for an axis.
    /// `round=0..3` is the first three rounds of every group.
    pub axes: Vec<String>,
}

impl Overrides {
    /// Whether they change axes or rounds.
    pub(crate) fn narrow(&self) -> bool {
        let of_axes = |set: &String| set.starts_with("axes.") || set.starts_with("rounds.");
        !self.axes.is_empty() || self.set.iter().any(of_axes)
    }
}

/// Changes the tree. Problems point into the argument.
pub(crate) fn apply(
    root: &mut Table,
    catalogue: &Catalogue,
    overrides: &Overrides,
    problems: &mut Problems,
) {
    for argument in &overrides.set {
        Argument::new("--set", argument, problems).set(root, catalogue, problems);
    }
    for argument in &overrides.axes {
        Argument::new("--axis", argument, problems).axis(root, problems);
    }
}

/// One argument, cut at its `=`.
struct Argument<'a> {
    text: usize,
    key: &'a str,
    value: Option<&'a str>,
}

impl<'a> Argument<'a> {
    fn new(option: &str, argument: &'a str, problems: &mut Problems) -> Self {
        let text = problems.text(Arc::new(Source::new(option, argument.to_owned())));
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (argument, None),
        };
        Self { text, key, value }
    }

    fn span(&self, start: usize, length: usize) -> Span {
        Span { text: self.text, start, end: start + length }
    }

    /// The key; when there is no value, a problem.
    fn value(&self, form: &str, problems: &mut Problems) -> Option<&'a str> {
        if self.value.is_none() {
            let message = "there is no `=` in it".to_owned();
            let help = Some(format!("write it as `{form}`"));
            problems.add(Fault::Override { message, help }, self.span(0, self.key.len()), "");
        }
        self.value
    }

    fn set(&self, root: &mut Table, catalogue: &Catalogue, problems: &mut Problems) {
        let Some(value) = self.value("stages.STAGE.KEY=VALUE", problems) else { return };
        let path: Vec<&str> = self.key.split('.').map(str::trim).collect();
        let mut spans = Vec::with_capacity(path.len());
        let mut start = 0;
        for piece in self.key.split('.') {
            spans.push(self.span(start, piece.len()));
            start += piece.len() + 1;
        }
        if !self.may_set(root, &path, &spans, problems) {
            return;
        }
        let schemas = param_schemas(root, catalogue, &path);
        let (table, key) = match descend(root, &path, &spans) {
            Ok(place) => place,
            Err(depth) => {
                let message = format!("`{}` is not a table", path[..=depth].join("."));
                problems.add(Fault::Override { message, help: None }, spans[depth], "");
                return;
            }
        };
        let node = self.parse(value, self.key.len() + 1, &schemas);
        table.insert(key.to_owned(), Entry { key: spans[path.len() - 1], node });
    }

    /// Whether the path begins with something that is there.
    fn may_set(
        &self,
        root: &Table,
        path: &[&str],
        spans: &[Span],
        problems: &mut Problems,
    ) -> bool {
        if path.len() > DEPTH {
            let message = format!("the key has {} parts, more than {DEPTH}", path.len());
            let help = Some("no table lies so deep".to_owned());
            problems.add(Fault::Override { message, help }, self.span(0, self.key.len()), "");
            return false;
        }
        let tops = ["stages", "axes", "rounds", "pipeline"];
        let needs = if matches!(path[0], "stages" | "rounds") { 3 } else { 2 };
        if !tops.contains(&path[0]) || path.len() < needs || path.contains(&"") {
            let message = format!("`{}` is not a key that can be set", self.key);
            let form = "write `stages.STAGE.KEY=VALUE`, `axes.AXIS=[VALUES]`, \
                        `rounds.GROUP.count=N` or `pipeline.name=NAME`";
            let fault = Fault::Override { message, help: Some(form.to_owned()) };
            problems.add(fault, self.span(0, self.key.len()), "");
            return false;
        }
        let known = keys(root, path[0]);
        if path[0] == "pipeline" || known.contains(&path[1]) {
            return true;
        }
        let help = names::suggestion(path[1], &known);
        let name = path[1].to_owned();
        let fault = match path[0] {
            "stages" => Fault::UnknownStage { name, help },
            "rounds" => Fault::UnknownRounds { name, help },
            _ => Fault::UnknownAxis { name, help },
        };
        problems.add(fault, spans[1], "");
        false
    }

    /// A TOML value, or the bare text where that is what is wanted.
    fn parse(&self, value: &str, start: usize, schemas: &[(Schema<'_>, &Value)]) -> Node {
        let trimmed = value.trim();
        let start = start + (value.len() - value.trim_start().len());
        let bare = || Node {
            span: self.span(start, trimmed.len()),
            data: Data::Scalar(Value::String(trimmed.to_owned())),
        };
        let Some(node) = self.parse_toml(trimmed, start) else { return bare() };
        let Data::Scalar(scalar) = &node.data else { return node };
        let takes = |kind: &str| schemas.iter().any(|(schema, at)| schema.accepts(at, kind));
        let kind = json_type(scalar);
        if kind != "string" && !schemas.is_empty() && !takes(kind) && takes("string") {
            return bare();
        }
        node
    }

    fn parse_toml(&self, text: &str, start: usize) -> Option<Node> {
        let value = DeValue::parse(text).ok()?;
        let mut faults = Vec::new();
        let node = Converter { text: self.text, start, faults: &mut faults }.node(&value);
        faults.is_empty().then_some(node)
    }

    fn axis(&self, root: &mut Table, problems: &mut Problems) {
        let Some(value) = self.value("AXIS=A,B,C` or `AXIS=0..10", problems) else { return };
        let name = self.key.trim();
        let mut known = keys(root, "axes");
        if !keys(root, "rounds").is_empty() {
            if name == ROUND {
                self.rounds(root, value, problems);
                return;
            }
            known.push(ROUND);
        }
        if !known.contains(&name) {
            let help = names::suggestion(name, &known);
            let fault = Fault::UnknownAxis { name: name.to_owned(), help };
            problems.add(fault, self.span(0, self.key.len()), "");
            return;
        }
        let Some(entry) = root.get_mut("axes").and_then(|axes| match &mut axes.node.data {
            Data::Table(table) => table.get_mut(name),
            _ => None,
        }) else {
            return;
        };
        let span = self.span(self.key.len() + 1, value.len());
        match self.range(value, span) {
            Some(Ok(data)) => entry.node = Node { span, data },
            Some(Err(message)) => {
                let help = Some("write `0..10`, of which 10 is not a part, or `0,2,4`".to_owned());
                problems.add(Fault::Override { message, help }, span, "");
            }
            None => {
                let texts = is_textual(&entry.node);
                entry.node = Node { span, data: Data::List(self.items(value, texts)) };
            }
        }
    }

    /// `round=0..3`: so many rounds of every group, since none can be left out before another.
    fn rounds(&self, root: &mut Table, value: &str, problems: &mut Problems) {
        let span = self.span(self.key.len() + 1, value.len());
        let end = value.split_once("..").filter(|(from, _)| from.trim() == "0");
        let Some(count) = end.and_then(|(_, to)| to.trim().parse::<u64>().ok()) else {
            let message = "rounds are run from the first, with none left out".to_owned();
            let help = Some("write `0..3` for the first three".to_owned());
            problems.add(Fault::Override { message, help }, span, "");
            return;
        };
        let Some(Data::Table(groups)) = root.get_mut("rounds").map(|e| &mut e.node.data) else {
            return;
        };
        for group in groups.values_mut() {
            if let Data::Table(group) = &mut group.node.data {
                let node = Node { span, data: Data::Scalar(count.into()) };
                group.insert("count".to_owned(), Entry { key: span, node });
            }
        }
    }

    /// `FROM..TO` as a table; `None` when it does not begin like a range.
    fn range(&self, value: &str, span: Span) -> Option<Result<Data, String>> {
        let (from, to) = value.split_once("..")?;
        let number = |text: &str| match self.parse_toml(text.trim(), span.start)?.data {
            Data::Scalar(number @ Value::Number(_)) => Some(number),
            _ => None,
        };
        let from = number(from)?;
        let Some(to) = number(to) else {
            return Some(Err(format!("`{value}` is not a range")));
        };
        let entry = |number| Entry { key: span, node: Node { span, data: Data::Scalar(number) } };
        let range = [("from".to_owned(), entry(from)), ("to".to_owned(), entry(to))];
        Some(Ok(Data::Table(range.into_iter().collect())))
    }

    /// `A,B,C` as nodes; `texts` says that the axis holds strings.
    fn items(&self, value: &str, texts: bool) -> Vec<Node> {
        let mut start = self.key.len() + 1;
        let mut items = Vec::new();
        for piece in value.split(',') {
            let item = piece.trim();
            let at = start + (piece.len() - piece.trim_start().len());
            start += piece.len() + 1;
            if item.is_empty() {
                continue;
            }
            let bare = Data::Scalar(Value::String(item.to_owned()));
            let parsed = self.parse_toml(item, at).filter(|node| !texts || node.as_str().is_some());
            items.push(parsed.unwrap_or(Node { span: self.span(at, item.len()), data: bare }));
        }
        items
    }
}

/// Whether an axis holds strings, so that `--axis fold=1,2` means texts.
fn is_textual(axis: &Node) -> bool {
    match &axis.data {
        Data::List(items) => !items.is_empty() && items.iter().all(|item| item.as_str().is_some()),
        _ => false,
    }
}

fn keys<'a>(root: &'a Table, table: &str) -> Vec<&'a str> {
    match root.get(table).map(|entry| &entry.node.data) {
        Some(Data::Table(table)) => table.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The schemas at `stages.STAGE.KEY…`, when that is a parameter of a known kind.
fn param_schemas<'a>(
    root: &Table,
    catalogue: &'a Catalogue,
    path: &[&str],
) -> Vec<(Schema<'a>, &'a Value)> {
    if path[0] != "stages" || RESERVED.contains(&path[2]) {
        return Vec::new();
    }
    let find = || {
        let Data::Table(stages) = &root.get("stages")?.node.data else { return None };
        let Data::Table(stage) = &stages.get(path[1])?.node.data else { return None };
        catalogue.get(stage.get("kind")?.node.as_str()?)
    };
    let Some(kind) = find() else { return Vec::new() };
    let schema = Schema::new(&kind.params);
    schema.at(&path[2..]).into_iter().map(|at| (schema, at)).collect()
}

/// The table that holds the last key of a path; tables on the way are made. On failure, how far it
/// went.
fn descend<'r, 'p>(
    root: &'r mut Table,
    path: &[&'p str],
    spans: &[Span],
) -> Result<(&'r mut Table, &'p str), usize> {
    let mut table = root;
    let last = path.len() - 1;
    for (depth, key) in path[..last].iter().enumerate() {
        let empty = || Entry {
            key: spans[depth],
            node: Node { span: spans[depth], data: Data::Table(Table::new()) },
        };
        let entry = table.entry((*key).to_owned()).or_insert_with(empty);
        match &mut entry.node.data {
            Data::Table(inner) => table = inner,
            _ => return Err(depth),
        }
    }
    Ok((table, path[last]))
}
