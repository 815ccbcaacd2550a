//! Keys: everything that determines a result, digested.

use std::{fmt, fmt::Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Hexadecimal digits of a key: 128 bits, so that a clash is out of the question and a path short.
const DIGITS: usize = 32;

/// The name of an entry: 32 hexadecimal digits of the BLAKE3 digest of its ingredients.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// The key of some ingredients.
    pub fn of(ingredients: &Value) -> Self {
        let digest = blake3::hash(canonical_json(ingredients).as_bytes());
        Self(digest.to_hex()[..DIGITS].to_owned())
    }

    /// A key written as text, or nothing when the text is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (hex && text.len() == DIGITS).then(|| Self(text.to_owned()))
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a key"))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// JSON with one spelling per value: keys sorted, no spaces. Integers and floats stay apart (`1` is not
/// `1.0`): where a parameter takes only one of them, `scarce-pipeline` has made every value that; where
/// it takes both, they may mean different things.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_value(item, text);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (i, (name, field)) in fields.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                // `Value`'s own form of a string is JSON with the escapes that it needs.
                let _ = write!(text, "{}:", Value::String(name.clone()));
                write_value(field, text);
            }
            text.push('}');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}
