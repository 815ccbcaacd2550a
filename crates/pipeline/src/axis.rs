//! Axes: their values, and how a value is written in names of folders.

use std::fmt::Write;

use serde_json::Value;

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
