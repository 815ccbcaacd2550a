//! `[stages.X.resources]`.

use std::time::Duration;

use serde_json::Value;

use crate::{
    Resources,
    fault::Fault,
    names,
    node::{Data, Entry, Node},
    problems::Problems,
};

const KEYS: [&str; 5] = ["threads", "memory", "memory_limit", "gpu", "time"];

/// Reads the table; what is wrong is reported and left out.
pub(crate) fn read(stage: &str, entry: &Entry, problems: &mut Problems) -> Resources {
    let mut resources = Resources::default();
    let Data::Table(table) = &entry.node.data else {
        problems.wrong_type("resources", "a table", &entry.node);
        return resources;
    };
    for (key, entry) in table {
        let node = &entry.node;
        match (key.as_str(), &node.data) {
            ("threads", Data::Scalar(value)) => resources.threads = threads(value, node, problems),
            ("memory", Data::Scalar(value)) => {
                resources.memory = memory("memory", value, node, problems);
            }
            ("memory_limit", Data::Scalar(value)) => {
                resources.memory_limit = memory("memory_limit", value, node, problems);
            }
            ("time", Data::Scalar(value)) => resources.time = time(value, node, problems),
            ("gpu", Data::Scalar(Value::Bool(wanted))) => resources.gpu = *wanted,
            ("gpu", _) => problems.wrong_type("gpu", "`true` or `false`", node),
            (known, _) if KEYS.contains(&known) => problems.wrong_type(known, "one value", node),
            (unknown, _) => {
                let place = format!("the resources of `{stage}`");
                let help = names::suggestion(unknown, &KEYS);
                let fault = Fault::UnknownKey { key: unknown.to_owned(), place, help };
                problems.add(fault, entry.key, "");
            }
        }
    }
    resources
}

fn threads(value: &Value, node: &Node, problems: &mut Problems) -> Option<usize> {
    let count = value.as_u64().filter(|count| (1..=65_536).contains(count));
    if count.is_none() {
        refuse("threads", "a whole number from 1", node, problems);
    }
    count.map(|count| count as usize)
}

fn memory(name: &str, value: &Value, node: &Node, problems: &mut Problems) -> Option<u64> {
    let bytes = match value {
        Value::String(text) => memory_size(text),
        value => value.as_u64(),
    };
    let bytes = bytes.filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        refuse(name, "`\"4 GiB\"`, `\"500 MB\"` or a number of bytes", node, problems);
    }
    bytes
}

fn time(value: &Value, node: &Node, problems: &mut Problems) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => seconds(text),
        value => value.as_u64(),
    };
    let seconds = seconds.filter(|seconds| *seconds > 0);
    if seconds.is_none() {
        refuse("time", "`\"90s\"`, `\"1h30m\"`, `\"2d\"` or a number of seconds", node, problems);
    }
    seconds.map(Duration::from_secs)
}

fn refuse(what: &str, forms: &str, node: &Node, problems: &mut Problems) {
    let message = format!("write {forms}");
    problems.add(Fault::InvalidValue { what: what.to_owned(), message, help: None }, node.span, "");
}

/// `4 GiB` as bytes; `K`, `M`, `G`, `T` alone are the binary units.
pub fn memory_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text.trim())?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "b" | "" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return None,
    };
    let bytes = number * factor as f64;
    (bytes < 1e18).then_some(bytes as u64)
}

/// `1h30m` as a length of time; nothing when it is none.
pub fn time_span(text: &str) -> Option<Duration> {
    seconds(text).map(Duration::from_secs)
}

/// `1h30m` as seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, tail) = split(rest)?;
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        total += number
            * match &tail[..end] {
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = tail[end..].trim_start();
    }
    (total < 1e9).then_some(total.ceil() as u64)
}

/// The number at the beginning and what follows it.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].parse().ok()?;
    Some((number, text[end..].trim_start()))
}
