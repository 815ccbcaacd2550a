//! What a model file asks for, read off its Protocol Buffers before anything runs it: operators
//! beyond those that ONNX Runtime brings, and data in other files.
//!
//! The fields are those of `onnx.proto3` (ONNX 1.x); unknown ones are passed over.

use std::collections::BTreeSet;

/// Graphs within graphs, as `If` and `Loop` have them, go no deeper.
const DEPTH: usize = 32;

/// What a model asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Families of operators (`domain`) that neither ONNX, ONNX Runtime nor the model itself define.
    pub(crate) custom: BTreeSet<String>,
    /// Files with tensors, as the model names them.
    pub(crate) external: BTreeSet<String>,
    /// Whether it chooses the scale of its whole numbers by looking at a batch (dynamic
    /// quantisation), so that what it says of an image depends on the images beside it.
    pub(crate) dynamic: bool,
}

/// Families of operators that every ONNX Runtime has.
const BUILT_IN: [&str; 7] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
];

/// Reads a model; an error says where it is no model.
pub(crate) fn needs(bytes: &[u8]) -> Result<Needs, String> {
    let mut found = Found::default();
    let mut graphs = 0;
    for field in Fields::of(bytes) {
        match field? {
            (7, Wire::Bytes(graph)) => {
                graphs += 1;
                found.graph(graph, DEPTH)?;
            }
            (25, Wire::Bytes(function)) => found.function(function)?,
            _ => {}
        }
    }
    if graphs == 0 {
        return Err("it has no graph".to_owned());
    }
    let known = |domain: &String| {
        BUILT_IN.contains(&domain.as_str()) || found.defined.contains(domain.as_str())
    };
    let custom = found.used.iter().filter(|domain| !known(domain)).cloned().collect();
    Ok(Needs { custom, external: found.external, dynamic: found.dynamic })
}

#[derive(Default)]
struct Found {
    used: BTreeSet<String>,
    defined: BTreeSet<String>,
    external: BTreeSet<String>,
    dynamic: bool,
}

impl Found {
    fn graph(&mut self, bytes: &[u8], depth: usize) -> Result<(), String> {
        let depth = depth.checked_sub(1).ok_or("its graphs are nested too deeply")?;
        for field in Fields::of(bytes) {
            match field? {
                (1, Wire::Bytes(node)) => self.node(node, depth)?,
                (5, Wire::Bytes(tensor)) => self.tensor(tensor)?,
                (15, Wire::Bytes(sparse)) => self.sparse(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, bytes: &[u8]) -> Result<(), String> {
        for field in Fields::of(bytes) {
            match field? {
                (7, Wire::Bytes(node)) => self.node(node, DEPTH)?,
                (10, Wire::Bytes(domain)) => {
                    self.defined.insert(text(domain));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &[u8], depth: usize) -> Result<(), String> {
        for field in Fields::of(bytes) {
            match field? {
                (4, Wire::Bytes(operator)) => {
                    self.dynamic |= operator.starts_with(b"DynamicQuantize");
                }
                (5, Wire::Bytes(attribute)) => self.attribute(attribute, depth)?,
                (7, Wire::Bytes(domain)) => {
                    self.used.insert(text(domain));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn attribute(&mut self, bytes: &[u8], depth: usize) -> Result<(), String> {
        for field in Fields::of(bytes) {
            match field? {
                (5 | 10, Wire::Bytes(tensor)) => self.tensor(tensor)?,
                (6 | 11, Wire::Bytes(graph)) => self.graph(graph, depth)?,
                (22 | 23, Wire::Bytes(sparse)) => self.sparse(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn sparse(&mut self, bytes: &[u8]) -> Result<(), String> {
        for field in Fields::of(bytes) {
            if let (1 | 2, Wire::Bytes(tensor)) = field? {
                self.tensor(tensor)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, bytes: &[u8]) -> Result<(), String> {
        for field in Fields::of(bytes) {
            let (13, Wire::Bytes(entry)) = field? else { continue };
            let (mut key, mut value) = (String::new(), String::new());
            for field in Fields::of(entry) {
                match field? {
                    (1, Wire::Bytes(bytes)) => key = text(bytes),
                    (2, Wire::Bytes(bytes)) => value = text(bytes),
                    _ => {}
                }
            }
            if key == "location" {
                self.external.insert(value);
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value of a field.
enum Wire<'a> {
    /// A number, which nobody here asks for.
    Number,
    /// Bytes, text, or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
    broken: bool,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, broken: false }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(count).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => self.varint().map(|_| Wire::Number)?,
            1 => self.take(8).map(|_| Wire::Number)?,
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Number)?,
            _ => return None,
        };
        (key >> 3 > 0).then_some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        self.broken = field.is_none();
        Some(field.ok_or_else(|| "it is cut short or no ONNX model".to_owned()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A field that holds bytes.
    pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        if number > 15 {
            out = vec![(number << 3 & 0x7f) | 0x80 | 2, number >> 4];
        }
        let mut length = bytes.len();
        while length > 0x7f {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
        out
    }

    /// A model of one node of this family, with a tensor in this file.
    pub(crate) fn model(domain: &str, file: &str) -> Vec<u8> {
        let entry = [field(1, b"location"), field(2, file.as_bytes())].concat();
        let tensor = [field(8, b"w"), field(13, &entry)].concat();
        let node = [field(4, b"Op"), field(7, domain.as_bytes())].concat();
        field(7, &[field(1, &node), field(5, &tensor)].concat())
    }

    #[test]
    fn operators_of_others_and_files_are_found_wherever_they_hide() {
        let found = needs(&model("org.evil", "../weights")).unwrap();
        assert_eq!(found.custom.into_iter().collect::<Vec<_>>(), ["org.evil"]);
        assert_eq!(found.external.into_iter().collect::<Vec<_>>(), ["../weights"]);
        // In a branch of an `If`.
        let inner = model("org.evil", "a");
        let inner = &inner[2..];
        let attribute = field(6, inner);
        let outer = field(7, &field(1, &field(5, &attribute)));
        assert!(needs(&outer).unwrap().custom.contains("org.evil"));
    }

    #[test]
    fn dynamic_quantisation_is_noticed() {
        let node = |operator: &[u8]| field(7, &field(1, &field(4, operator)));
        assert!(needs(&node(b"DynamicQuantizeLinear")).unwrap().dynamic);
        assert!(!needs(&node(b"QuantizeLinear")).unwrap().dynamic);
    }

    #[test]
    fn what_the_runtime_or_the_model_defines_is_no_custom_operator() {
        for domain in ["", "com.microsoft", "ai.onnx.ml"] {
            assert!(needs(&model(domain, "a")).unwrap().custom.is_empty());
        }
        let function = field(25, &field(10, b"own"));
        let with_function = [model("own", "a"), function].concat();
        assert!(needs(&with_function).unwrap().custom.is_empty());
    }

    #[test]
    fn what_is_no_model_is_refused_and_never_panics() {
        assert!(needs(b"").is_err());
        assert!(needs(b"PK\x03\x04 not a model at all").is_err());
        let whole = model("x", "y");
        for length in 1..whole.len() {
            let _ = needs(&whole[..length]);
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = needs(&damaged);
        }
        let mut nested = field(1, b"");
        for _ in 0..100 {
            nested = field(1, &field(5, &field(6, &nested)));
        }
        assert!(needs(&field(7, &nested)).unwrap_err().contains("nested"));
    }
}
