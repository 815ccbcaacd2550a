//! A stage's parameters: axes put in, defaults filled in, checked against the kind's schema.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::{
    PathParam,
    axis::Axis,
    check::Check,
    document::join,
    expand::{MOST_TASKS, digits},
    fault::Fault,
    names,
    problems::Problems,
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

/// The axes that a stage's parameters name, by number.
pub(crate) fn own_axes(
    stage: &Draft,
    numbers: &HashMap<&str, usize>,
    axes: &[Axis],
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
            let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
            let help = names::suggestion(name, &names)
                .unwrap_or_else(|| "a text that begins with `$` stands for an axis".to_owned());
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
    folder: &Path,
    problems: &mut Problems,
) -> Variants {
    let sizes: Vec<usize> = own.iter().map(|&axis| axes[axis].values.len()).collect();
    let combinations = sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    // Too many are refused later, with the arithmetic of the whole pipeline.
    let combinations = combinations.filter(|n| *n <= MOST_TASKS).unwrap_or(0);
    let mut settled = Vec::with_capacity(combinations);
    let mut failing = 0;
    for combination in 0..combinations {
        let chosen: Vec<(&Axis, usize)> = own
            .iter()
            .zip(digits(combination, &sizes))
            .map(|(&axis, value)| (&axes[axis], value))
            .collect();
        let before = problems.count();
        settled.push(one(stage, kind, &chosen, folder, problems));
        failing += usize::from(problems.count() > before);
        if failing == FAILING_VARIANTS {
            break;
        }
    }
    Variants { own, settled }
}

fn one(
    stage: &Draft,
    kind: &Compiled<'_>,
    chosen: &[(&Axis, usize)],
    folder: &Path,
    problems: &mut Problems,
) -> Settled {
    let put_in = |text: &str| match axis_name(text) {
        Some(name) => chosen
            .iter()
            .find(|(axis, _)| axis.name == name)
            .map_or(Value::Null, |(axis, value)| axis.values[*value].clone()),
        None => text.strip_prefix('$').unwrap_or(text).into(),
    };
    let params = stage.params.iter();
    let mut value: Value =
        params.map(|(key, entry)| (key.clone(), entry.node.to_json(&put_in))).collect();
    let mut paths = Vec::new();
    let mut bad_path = None;
    kind.schema.settle(&mut value, &mut |pointer, text| {
        let path = join(folder, text);
        match path.to_str() {
            Some(_) if text.is_empty() => bad_path = Some((pointer.to_owned(), "it is empty")),
            None => bad_path = Some((pointer.to_owned(), "the folder's name is not UTF-8")),
            Some(absolute) => {
                absolute.clone_into(text);
                paths.push(PathParam { pointer: pointer.to_owned(), path });
            }
        }
    });
    if let Some((pointer, message)) = bad_path {
        let key = pointer.split('/').nth(1).unwrap_or_default();
        let span = stage.params.get(key).map_or(stage.span, |entry| entry.node.span);
        let (what, message) = (pointer[1..].replace('/', "."), message.to_owned());
        problems.add(Fault::InvalidValue { what, message, help: None }, span, "a path");
    }
    if !kind.validator.is_valid(&value) {
        let check = Check { stage, schema: kind.schema, axes: chosen };
        for error in kind.validator.iter_errors(&value) {
            check.report(&error, problems);
        }
    }
    let params = match value {
        Value::Object(params) => params,
        _ => Map::new(),
    };
    Settled { params: Arc::new(params), paths: Arc::new(paths) }
}
