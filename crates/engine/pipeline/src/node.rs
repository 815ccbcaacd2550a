//! TOML values that remember where they stand.

use std::{borrow::Cow, ops::Range};

use indexmap::IndexMap;
use serde_json::{Number, Value};
use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use crate::fault::Fault;

/// A place in one of the texts that a pipeline is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// 0 is the TOML file; arguments of the command line follow.
    pub(crate) text: usize,
    /// Byte offset.
    pub(crate) start: usize,
    /// Byte offset of what follows.
    pub(crate) end: usize,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) data: Data,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    /// A string, a number or a truth value.
    Scalar(Value),
    List(Vec<Node>),
    Table(Table),
}

/// Keys in the order of the text.
pub(crate) type Table = IndexMap<String, Entry>;

/// A value of a table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where the key stands.
    pub(crate) key: Span,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// What a person calls it: `a string`, `a list`.
    pub(crate) fn called(&self) -> &'static str {
        match &self.data {
            Data::Scalar(value) => called(value),
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// As JSON, each string passed through `string`.
    pub(crate) fn to_json(&self, string: &impl Fn(&str) -> Value) -> Value {
        match &self.data {
            Data::Scalar(Value::String(text)) => string(text),
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(|item| item.to_json(string)).collect(),
            Data::Table(table) => Value::Object(
                table
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.node.to_json(string)))
                    .collect(),
            ),
        }
    }

    /// Visits every string in it, with its place.
    pub(crate) fn strings<'a>(&'a self, visit: &mut impl FnMut(&'a str, Span)) {
        match &self.data {
            Data::Scalar(Value::String(text)) => visit(text, self.span),
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| item.strings(visit)),
            Data::Table(table) => table.values().for_each(|entry| entry.node.strings(visit)),
        }
    }
}

/// What a person calls a JSON value.
pub(crate) fn called(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// Converts what the TOML parser gives, whose offsets begin at `start` of `text`.
pub(crate) struct Converter<'f> {
    pub(crate) text: usize,
    pub(crate) start: usize,
    /// Values that TOML has and JSON has not.
    pub(crate) faults: &'f mut Vec<(Fault, Span)>,
}

impl Converter<'_> {
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span { text: self.text, start: self.start + range.start, end: self.start + range.end }
    }

    pub(crate) fn table(&mut self, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let convert = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let entry = Entry { key: self.span(key.span()), node: self.node(value) };
            (key.get_ref().to_string(), entry)
        };
        entries.into_iter().map(convert).collect()
    }

    pub(crate) fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let data = match value.get_ref() {
            DeValue::String(text) => Data::Scalar(Value::String(text.to_string())),
            DeValue::Boolean(truth) => Data::Scalar(Value::Bool(*truth)),
            DeValue::Integer(integer) => Data::Scalar(self.integer(integer, span)),
            DeValue::Float(float) => {
                let number = float.as_str().parse().ok().and_then(Number::from_f64);
                Data::Scalar(number.map_or_else(
                    || self.unfit(float.as_str(), "it must be a finite number", span),
                    Value::Number,
                ))
            }
            DeValue::Datetime(date) => {
                let message = "dates are not a type here; put it in quotes";
                Data::Scalar(self.unfit(&date.to_string(), message, span))
            }
            DeValue::Array(items) => Data::List(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => Data::Table(self.table(table)),
        };
        Node { span, data }
    }

    fn integer(&mut self, integer: &DeInteger<'_>, span: Span) -> Value {
        let (text, radix) = (integer.as_str(), integer.radix());
        match (i64::from_str_radix(text, radix), u64::from_str_radix(text, radix)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => self.unfit(text, "the integer is too large", span),
        }
    }

    fn unfit(&mut self, text: &str, message: &str, span: Span) -> Value {
        let (what, message) = (text.to_owned(), message.to_owned());
        self.faults.push((Fault::InvalidValue { what, message, help: None }, span));
        Value::Null
    }
}
