//! Text that carries its own digest, so that a flipped bit in it is seen.
//!
//! JSON objects whose first field is the digest of all that follows: `{"digest":"…", …}`. Whoever reads
//! JSON reads them; whoever cares checks the digest first.

use scarce_artifact::digest_bytes;
use serde::{Serialize, de::DeserializeOwned};

const BEFORE: &[u8] = br#"{"digest":""#;
const AFTER: &[u8] = br#"","#;
/// Hexadecimal digits of a digest.
const DIGITS: usize = 64;

/// What a reader finds of the digest that a text should carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// It carries its digest.
    Whole,
    /// It carries another: it has changed since it was written.
    Broken,
    /// It carries none, as texts of older versions.
    Absent,
}

/// How the JSON is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// On one line.
    Line,
    /// A field a line, for people.
    Lines,
}

/// An object as JSON that carries its digest.
///
/// # Errors
/// When the value is no JSON object.
pub fn seal<T: Serialize>(value: &T, layout: Layout) -> std::io::Result<Vec<u8>> {
    let text = match layout {
        Layout::Line => serde_json::to_vec(value)?,
        Layout::Lines => serde_json::to_vec_pretty(value)?,
    };
    let Some(rest) = text.strip_prefix(b"{").filter(|rest| *rest != b"}") else {
        return Err(std::io::Error::other("what is to carry its digest has no fields"));
    };
    Ok([BEFORE, digest_bytes(rest).as_str().as_bytes(), AFTER, rest].concat())
}

/// Whether a text carries its digest.
pub fn check_seal(text: &[u8]) -> Seal {
    let Some(after) = text.strip_prefix(BEFORE) else { return Seal::Absent };
    let parts = after.split_at_checked(DIGITS);
    let parts = parts.and_then(|(digest, rest)| Some((digest, rest.strip_prefix(AFTER)?)));
    match parts {
        Some((digest, rest)) if digest == digest_bytes(rest).as_str().as_bytes() => Seal::Whole,
        _ => Seal::Broken,
    }
}

/// The value of a text that [`seal`] made, or that `older` says an older version may have written
/// without a digest.
///
/// # Errors
/// What is wrong with it, as the rest of a sentence.
pub fn unseal<T: DeserializeOwned>(
    text: &[u8],
    what: &str,
    older: impl Fn(&T) -> bool,
) -> Result<T, String> {
    let seal = check_seal(text);
    if seal == Seal::Broken {
        return Err("has changed since it was written".to_owned());
    }
    let value = serde_json::from_slice(text).map_err(|error| format!("is not {what}: {error}"))?;
    if seal == Seal::Absent && !older(&value) {
        return Err("does not carry its digest".to_owned());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn any_flipped_bit_is_seen_and_what_was_written_is_read_back() {
        for layout in [Layout::Line, Layout::Lines] {
            let value = json!({ "format": 2, "port": "embeddings", "of": [1, 2.5] });
            let text = seal(&value, layout).unwrap();
            let never = |_: &Value| false;
            let mut read: Value = unseal(&text, "a manifest", never).unwrap();
            assert!(read.as_object_mut().unwrap().remove("digest").is_some());
            assert_eq!(read, value);
            for place in 0..text.len() {
                for bit in 0..8 {
                    let mut spoilt = text.clone();
                    spoilt[place] ^= 1 << bit;
                    assert!(unseal(&spoilt, "a manifest", never).is_err(), "{place} {bit}");
                }
            }
            assert!(unseal(&text[..text.len() - 1], "a manifest", never).is_err());
        }
    }

    #[test]
    fn a_text_of_an_older_version_is_read_where_it_says_so() {
        let text = br#"{"format":1}"#;
        assert_eq!(check_seal(text), Seal::Absent);
        let older = |value: &Value| value["format"] == 1;
        assert!(unseal(text, "a record", older).is_ok());
        assert!(unseal(br#"{"format":2}"#, "a record", older).is_err());
    }
}
