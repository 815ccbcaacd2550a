//! Why a task runs: what differs from the last time.

use std::{collections::BTreeMap, fmt};

use scarce_store::{Damage, canonical_json};
use serde::Serialize;
use serde_json::Value;

/// One reason for running a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// No recorded run has it.
    NeverRan,
    /// It was asked for.
    Forced,
    /// It failed in the last run.
    FailedBefore,
    /// It ran before with the same ingredients, but the result is gone.
    Removed,
    /// Its result cannot be used.
    Damaged {
        /// What is wrong.
        damage: Damage,
    },
    /// Another kind now.
    Kind {
        /// The kind before.
        from: String,
        /// The kind now.
        to: String,
    },
    /// The code of its kind changed.
    Code,
    /// A parameter changed.
    Param {
        /// Its name, `outer.inner` for a nested one.
        name: String,
        /// Before; absent if it is new.
        from: Option<Value>,
        /// Now; absent if it is gone.
        to: Option<Value>,
    },
    /// What a path among the parameters points to changed.
    Content {
        /// The parameter.
        name: String,
    },
    /// What comes in at a port changed.
    Input {
        /// The port.
        port: String,
    },
    /// A stage above changed, of which it tells, without changing what comes in.
    Lineage,
    /// A library or device changed.
    Environment {
        /// Its name.
        name: String,
        /// Before.
        from: Option<String>,
        /// Now.
        to: Option<String>,
    },
    /// The way keys are made changed.
    KeyFormat,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverRan => f.write_str("never ran"),
            Self::Forced => f.write_str("forced"),
            Self::FailedBefore => f.write_str("failed last time"),
            Self::Removed => f.write_str("its result is gone"),
            Self::Damaged { damage } => write!(f, "artifact damaged: {damage}"),
            Self::Kind { from, to } => write!(f, "kind {from} → {to}"),
            Self::Code => f.write_str("code changed"),
            Self::Param { name, from, to } => {
                let text = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "unset".to_owned(), canonical_json)
                };
                write!(f, "param {name} {} → {}", text(from), text(to))
            }
            Self::Content { name } => write!(f, "the data behind {name} changed"),
            Self::Input { port } => write!(f, "input {port} changed"),
            Self::Lineage => f.write_str("a stage above changed"),
            Self::Environment { name, from, to } => {
                let text = |value: &Option<String>| value.clone().unwrap_or("unset".to_owned());
                write!(f, "environment {name} {} → {}", text(from), text(to))
            }
            Self::KeyFormat => f.write_str("a new version makes keys in another way"),
        }
    }
}

/// What differs between the ingredients of the last run and those of this one, whose result is not
/// in the store.
pub(crate) fn compare(before: &Value, now: &Value) -> Vec<Reason> {
    let reasons = differences(before, now);
    if reasons.is_empty() { vec![Reason::Removed] } else { reasons }
}

/// What differs between the ingredients of two results.
pub fn differences(before: &Value, now: &Value) -> Vec<Reason> {
    let text = |value: &Value, field: &str| {
        value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (from, to) = (text(before, "kind"), text(now, "kind"));
    if from != to {
        return vec![Reason::Kind { from, to }];
    }
    if before.get("format") != now.get("format") {
        // What else differs may only be written in another way.
        return vec![Reason::KeyFormat];
    }
    let mut reasons = Vec::new();
    if text(before, "code") != text(now, "code") {
        reasons.push(Reason::Code);
    }
    for (name, from, to) in unequal(&leaves(before, "params"), &leaves(now, "params")) {
        reasons.push(match name.strip_suffix(".content") {
            Some(name) if from.is_some() && to.is_some() => {
                Reason::Content { name: name.to_owned() }
            }
            _ => Reason::Param { name, from, to },
        });
    }
    let inputs = unequal(&fields(before, "inputs"), &fields(now, "inputs"));
    reasons.extend(inputs.into_iter().map(|(port, ..)| Reason::Input { port }));
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    for (name, from, to) in unequal(&fields(before, "environment"), &fields(now, "environment")) {
        reasons.push(Reason::Environment { name, from: from.map(word), to: to.map(word) });
    }
    if reasons.is_empty() && before.get("lineage") != now.get("lineage") {
        reasons.push(Reason::Lineage);
    }
    reasons
}

type Difference = (String, Option<Value>, Option<Value>);

fn unequal(before: &BTreeMap<String, Value>, now: &BTreeMap<String, Value>) -> Vec<Difference> {
    let names: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let differ = |name: &&String| match (before.get(*name), now.get(*name)) {
        (Some(a), Some(b)) => canonical_json(a) != canonical_json(b),
        _ => true,
    };
    let take = |name: &String| (name.clone(), before.get(name).cloned(), now.get(name).cloned());
    names.into_iter().filter(differ).map(take).collect()
}

fn fields(ingredients: &Value, field: &str) -> BTreeMap<String, Value> {
    let object = ingredients.get(field).and_then(Value::as_object);
    object.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Nested objects flattened to `outer.inner`.
fn leaves(ingredients: &Value, field: &str) -> BTreeMap<String, Value> {
    fn walk(name: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (inner, value) in map {
                    walk(&format!("{name}.{inner}"), value, leaves);
                }
            }
            value => {
                leaves.insert(name.to_owned(), value.clone());
            }
        }
    }
    let mut leaves = BTreeMap::new();
    for (name, value) in fields(ingredients, field) {
        walk(&name, &value, &mut leaves);
    }
    leaves
}
