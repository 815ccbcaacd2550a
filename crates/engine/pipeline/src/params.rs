//! A stage's parameters: axes put in, defaults filled in, checked against the kind's schema.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::{
    Document, PathParam,
    axis::Axis,
    check::Check,
    expand::digits,
    fault::Fault,
    files::{Absence, Files},
    names,
    node::Node,
    problems::Problems,
    rounds::ROUND,
    schema::Schema,
    sketch::Draft,
};

/// After so many variants of a stage with something wrong the rest says nothing new.
const FAILING_VARIANTS: usize = 8;

/// A kind's schema, ready for use.
pub(crate) struct Compiled<'a> {
    schema: Schema<'a>,
    validator: Validator,
}

impl<'a> Compiled<'a> {
    /// Compiles a kind's schema once for all its stages.
    pub(crate) fn new(schema: &'a Value) -> Result<Self, String> {
        let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        Ok(Self { schema: Schema::new(schema), validator })
    }
}

/// The parameters of a stage for every combination of the axes that they name.
pub(crate) struct Variants {
    /// The axes by number, ascending.
    pub(crate) own: Vec<usize>,
    /// By combination; the last axis varies fastest.
    pub(crate) settled: Vec<Settled>,
}

/// Parameters of one combination.
#[derive(Clone)]
pub(crate) struct Settled {
    pub(crate) params: Arc<Map<String, Value>>,
    pub(crate) paths: Arc<Vec<PathParam>>,
}

/// The axis that a string stands for: `$seed`, but not `$$seed`.
pub(crate) fn axis_name(text: &str) -> Option<&str> {
    text.strip_prefix('$').filter(|name| !name.starts_with('$'))
}

/// The axes that a stage's parameters name, by number. `numbers` are the axes that it may name.
pub(crate) fn own_axes(
    stage: &Draft,
    numbers: &IndexMap<&str, usize>,
    rounds_elsewhere: bool,
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let mut own = BTreeSet::new();
    let mut known = true;
    for entry in stage.params.values() {
        entry.node.strings(&mut |text, span| {
            let Some(name) = axis_name(text) else { return };
            if let Some(&number) = numbers.get(name) {
                own.insert(number);
                return;
            }
            known = false;
            let names: Vec<&str> = numbers.keys().copied().collect();
            let help = if rounds_elsewhere && name == ROUND {
                "only the stages that a group of rounds lists may use its rounds".to_owned()
            } else {
                names::suggestion(name, &names)
                    .unwrap_or_else(|| "a text that begins with `$` stands for an axis".to_owned())
            };
            let help = format!("{help} (for the text itself write `${text}`)");
            problems.add(Fault::UnknownAxis { name: name.to_owned(), help: Some(help) }, span, "");
        });
    }
    known.then(|| own.into_iter().collect())
}

/// Settles every combination; what is wrong is reported.
pub(crate) fn settle(
    stage: &Draft,
    kind: &Compiled<'_>,
    axes: &[Axis],
    own: Vec<usize>,
    places: Places<'_>,
    problems: &mut Problems,
) -> Variants {
    let sizes: Vec<usize> = own.iter().map(|&axis| axes[axis].values.len()).collect();
    let combinations = combinations(&own, axes);
    let template = Template::new(stage, kind, places);
    let mut settled = Vec::with_capacity(combinations);
    let mut failing = 0;
    for combination in 0..combinations {
        let chosen: Vec<(&Axis, usize)> = own
            .iter()
            .zip(digits(combination, &sizes))
            .map(|(&axis, value)| (&axes[axis], value))
            .collect();
        let before = problems.count();
        settled.push(template.variant(&chosen, problems));
        failing += usize::from(problems.count() > before);
        if failing == FAILING_VARIANTS {
            break;
        }
    }
    Variants { own, settled }
}

/// How many combinations there are of axes, by number; at most [`usize::MAX`].
pub(crate) fn combinations(own: &[usize], axes: &[Axis]) -> usize {
    own.iter().fold(1, |n, &axis| n.saturating_mul(axes[axis].values.len()))
}

/// Where paths lead.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The file that names them.
    pub(crate) document: &'a Document,
    /// Where they are looked for, if they must be there.
    pub(crate) files: Option<&'a Files>,
}

/// Why a path cannot be used.
#[derive(Clone)]
pub(crate) enum BadPath {
    Empty,
    /// The TOML file lies in a folder whose name is not UTF-8.
    NotText,
    Absent(PathBuf, Absence),
}

/// What all variants of a stage have in common.
struct Template<'a> {
    stage: &'a Draft,
    kind: &'a Compiled<'a>,
    places: Places<'a>,
    /// The parameters without axes, settled.
    fixed: Settling,
    /// The parameters that name axes.
    varying: Vec<(&'a str, &'a Node)>,
}

/// Parameters on the way.
#[derive(Clone, Default)]
struct Settling {
    params: Map<String, Value>,
    paths: Vec<PathParam>,
    /// Pointers of paths that cannot be used, and why.
    bad_paths: Vec<(String, BadPath)>,
}

impl<'a> Template<'a> {
    fn new(stage: &'a Draft, kind: &'a Compiled<'a>, places: Places<'a>) -> Self {
        // Where the form of one key depends on another, nothing can be settled ahead.
        let flat = kind.schema.is_flat();
        let varies = |node: &Node| {
            let mut varies = !flat;
            node.strings(&mut |text, _| varies |= axis_name(text).is_some());
            varies
        };
        let mut template =
            Self { stage, kind, places, fixed: Settling::default(), varying: Vec::new() };
        let mut fixed = Map::new();
        for (key, entry) in &stage.params {
            if varies(&entry.node) {
                template.varying.push((key, &entry.node));
            } else {
                fixed.insert(key.clone(), entry.node.to_json(&|text| put_in(text, &[])));
            }
        }
        if flat {
            let mut settling = Settling::default();
            let mut value = Value::Object(fixed);
            kind.schema.settle(&mut value, &mut settling.on_path(places));
            settling.params = object(value);
            // Defaults of keys that are written after all.
            let varies =
                |pointer: &str| template.varying.iter().any(|(key, _)| is_in(pointer, key));
            settling.paths.retain(|path| !varies(&path.pointer));
            settling.bad_paths.retain(|(pointer, _)| !varies(pointer));
            template.fixed = settling;
        }
        template
    }

    /// The parameters with these values of the axes; what is wrong is reported.
    fn variant(&self, chosen: &[(&Axis, usize)], problems: &mut Problems) -> Settled {
        let mut settling = self.fixed.clone();
        for (key, node) in &self.varying {
            let mut value = node.to_json(&|text| put_in(text, chosen));
            if self.kind.schema.is_flat() {
                self.kind.schema.settle_key(key, &mut value, &mut settling.on_path(self.places));
            }
            settling.params.insert((*key).to_owned(), value);
        }
        let mut value = Value::Object(std::mem::take(&mut settling.params));
        if !self.kind.schema.is_flat() {
            self.kind.schema.settle(&mut value, &mut settling.on_path(self.places));
        }
        let check = Check { stage: self.stage, schema: self.kind.schema, axes: chosen };
        for (pointer, wrong) in &settling.bad_paths {
            check.report_path(pointer, wrong, problems);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            if let Some(entry) = self.stage.params.get(key)
                && self.kind.schema.is_ambiguous(key, value)
            {
                let message = format!("`{value}` may be the whole number or the fraction");
                let whole = value.as_f64().unwrap_or_default();
                let help = format!(
                    "write `{whole}` for the whole number; a fraction that means nearly the same is \
                     `{}`",
                    if whole > 0.0 { whole - 0.001 } else { whole + 0.001 }
                );
                let fault = Fault::InvalidValue { what: key.clone(), message, help: Some(help) };
                problems.add(fault, entry.node.span, "");
            }
        }
        if !self.kind.validator.is_valid(&value) {
            for error in self.kind.validator.iter_errors(&value) {
                check.report(&error, problems);
            }
        }
        Settled { params: Arc::new(object(value)), paths: Arc::new(settling.paths) }
    }
}

impl Settling {
    /// Makes each path absolute and notes it.
    fn on_path<'s>(
        &'s mut self,
        places: Places<'s>,
    ) -> impl FnMut(&str, &mut String, Option<&str>) + 's {
        move |pointer, text, below| {
            let path = places.document.locate(text, below);
            let absent = |files: &Files| files.absence(&path);
            let wrong = match path.to_str() {
                Some(_) if text.is_empty() => Some(BadPath::Empty),
                None => Some(BadPath::NotText),
                Some(absolute) => {
                    absolute.clone_into(text);
                    let absence = places.files.and_then(absent);
                    absence.map(|absence| BadPath::Absent(path.clone(), absence.of_named(below)))
                }
            };
            match wrong {
                Some(wrong) => self.bad_paths.push((pointer.to_owned(), wrong)),
                None => self.paths.push(PathParam { pointer: pointer.to_owned(), path }),
            }
        }
    }
}

/// Whether a pointer leads into a parameter.
fn is_in(pointer: &str, key: &str) -> bool {
    pointer[1..].split('/').next() == Some(key)
}

/// What a string of the TOML stands for.
fn put_in(text: &str, chosen: &[(&Axis, usize)]) -> Value {
    match axis_name(text) {
        Some(name) => chosen
            .iter()
            .find(|(axis, _)| axis.name == name)
            .map_or(Value::Null, |(axis, value)| axis.values[*value].clone()),
        None => text.strip_prefix('$').unwrap_or(text).into(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
