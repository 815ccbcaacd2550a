//! Axes: their values, and how a value is written in names of folders.

use std::{collections::HashSet, fmt::Write};

use serde_json::{Number, Value};

use crate::{
    expand::MOST_TASKS,
    fault::Fault,
    names,
    node::{Data, Entry, Node, Span, Table},
    problems::Problems,
};

/// A dimension of the experiment: every combination of the axes' values is a variant.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    pub(crate) values: Vec<Value>,
    /// Where each value stands; a range's values all stand at the range.
    pub(crate) places: Vec<Span>,
}

/// Reads one entry of `[axes]`.
pub(crate) fn read(name: &str, entry: &Entry, problems: &mut Problems) -> Axis {
    if !names::is_valid(name) {
        problems.add(Fault::BadName { what: "an axis", name: name.to_owned() }, entry.key, "");
    }
    let before = problems.count();
    let (values, places) = match &entry.node.data {
        Data::List(items) => list(name, items, problems),
        Data::Table(range) => {
            let values = range_values(name, range, &entry.node, problems).unwrap_or_default();
            let places = vec![entry.node.span; values.len()];
            (values, places)
        }
        Data::Scalar(_) => {
            problems.wrong_type(name, "a list of values or `{ from = 0, to = 10 }`", &entry.node);
            (Vec::new(), Vec::new())
        }
    };
    refuse_doubles(name, &values, &places, problems);
    if values.is_empty() && problems.count() == before {
        let help = matches!(entry.node.data, Data::Table(_))
            .then(|| "`to` is not among the values: `{ from = 0, to = 3 }` is 0, 1, 2".to_owned());
        let fault = Fault::EmptyAxis { axis: name.to_owned(), help };
        problems.add(fault, entry.node.span, "nothing to vary over");
    }
    Axis { name: name.to_owned(), span: entry.key, values, places }
}

fn list(name: &str, items: &[Node], problems: &mut Problems) -> (Vec<Value>, Vec<Span>) {
    let mut values = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for item in items {
        match &item.data {
            Data::Scalar(value) => {
                values.push(value.clone());
                places.push(item.span);
            }
            _ => problems.wrong_type(name, "strings, numbers or truth values", item),
        }
    }
    (values, places)
}

/// Two values that share a folder cannot be told apart.
fn refuse_doubles(name: &str, values: &[Value], places: &[Span], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (value, place) in values.iter().zip(places) {
        let text = axis_text(value);
        if name.len() + 1 + text.len() > 255 {
            let message = "the value is too long for the name of a folder".to_owned();
            let fault = Fault::InvalidValue { what: name.to_owned(), message, help: None };
            problems.add(fault, *place, "");
        }
        if !seen.insert(text.clone()) {
            let fault = Fault::DuplicateValue { axis: name.to_owned(), value: text };
            problems.add(fault, *place, "again");
        }
    }
}

/// The values of `{ from, to, step }`; `to` is not among them.
fn range_values(
    axis: &str,
    range: &Table,
    node: &Node,
    problems: &mut Problems,
) -> Option<Vec<Value>> {
    let known = ["from", "to", "step"];
    for (key, entry) in range.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        let (key, place) = (key.clone(), format!("the axis `{axis}`"));
        let help = names::suggestion(&key, &known);
        problems.add(Fault::UnknownKey { key, place, help }, entry.key, "");
    }
    let mut number = |key: &str, default: Option<i64>| match range.get(key).map(|e| &e.node) {
        Some(Node { data: Data::Scalar(Value::Number(number)), .. }) => Some(number.clone()),
        Some(node) => {
            problems.wrong_type(&format!("{axis}.{key}"), "a number", node);
            None
        }
        None if default.is_some() => default.map(Number::from),
        None => {
            let (key, place) = (key.to_owned(), format!("the axis `{axis}`"));
            problems.add(Fault::MissingKey { key, place, help: None }, node.span, "");
            None
        }
    };
    let (from, to, step) = (number("from", None), number("to", None), number("step", Some(1)));
    let (from, to, step) = (from?, to?, step?);
    if step.as_f64() == Some(0.0) {
        let (what, message) = (format!("{axis}.step"), "a step of 0 never ends".to_owned());
        problems.add(Fault::InvalidValue { what, message, help: None }, node.span, "");
        return None;
    }
    let count = steps(&from, &to, &step)?;
    if count > MOST_TASKS as f64 {
        let arithmetic = format!("`{axis}` alone has {count}");
        let limit = MOST_TASKS.to_string();
        let fault = Fault::TooMany { what: "values", arithmetic, limit };
        problems.add(fault, node.span, "");
        return None;
    }
    Some((0..count as usize).map(|i| nth(&from, &step, i)).collect())
}

/// How many steps lie between two numbers; a hair's breadth of rounding does not make one more.
fn steps(from: &Number, to: &Number, step: &Number) -> Option<f64> {
    let whole = |number: &Number| number.as_i64().map(i128::from);
    if let (Some(from), Some(to), Some(step)) = (whole(from), whole(to), whole(step)) {
        let distance = (to - from) * step.signum();
        let step = step.abs();
        return Some(((distance + step - 1).div_euclid(step)).max(0) as f64);
    }
    let exact = (to.as_f64()? - from.as_f64()?) / step.as_f64()?;
    Some((exact - 1e-9).ceil().max(0.0))
}

fn nth(from: &Number, step: &Number, i: usize) -> Value {
    if let (Some(from), Some(step)) = (from.as_i64(), step.as_i64()) {
        let exact = i128::from(from) + i128::from(step) * i as i128;
        return i64::try_from(exact).map_or(Value::Null, Value::from);
    }
    let exact = from.as_f64().unwrap_or_default() + step.as_f64().unwrap_or_default() * i as f64;
    // 0.1 · 3 is 0.3 to whoever wrote the range and to whoever reads the folder's name.
    let rounded: f64 = format!("{exact:.12e}").parse().unwrap_or(exact);
    rounded.into()
}

/// The text of an axis value, fit for a folder name such as `seed=3`.
///
/// `/`, `\`, `=`, `%`, control characters and leading dots are percent-encoded, so that the name is
/// one folder, not hidden, and readable by tools that know Hive-style partitions.
///
/// ```
/// use serde_json::json;
/// assert_eq!(scarce_pipeline::axis_text(&json!(0.5)), "0.5");
/// assert_eq!(scarce_pipeline::axis_text(&json!("../a=b")), "%2E%2E%2Fa%3Db");
/// ```
pub fn axis_text(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let mut encoded = String::with_capacity(text.len());
    let mut leading = true;
    for character in text.chars() {
        leading &= character == '.';
        if leading || matches!(character, '/' | '\\' | '=' | '%') || character.is_control() {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(character);
        }
    }
    encoded
}
