//! Walks along a JSON Schema beside a value: which types it takes, which defaults it has, which
//! strings are paths. Whether a value is valid is not decided here.

use serde_json::{Map, Value};

/// A schema that refers to itself more often than this while standing still is broken.
const HOPS: usize = 32;
/// Deeper values are left as they are.
pub(crate) const DEPTH: usize = 64;

/// A schema document.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a> {
    root: &'a Value,
}

impl<'a> Schema<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root }
    }

    /// The schema that a `$ref` of this document leads to.
    fn target(self, reference: &str) -> Option<&'a Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    /// Whether a value of a JSON type may stand here, going by types alone.
    pub(crate) fn accepts(self, schema: &'a Value, kind: &str) -> bool {
        self.accepts_within(schema, kind, HOPS)
    }

    fn accepts_within(self, schema: &'a Value, kind: &str, hops: usize) -> bool {
        let (Some(object), Some(hops)) = (schema.as_object(), hops.checked_sub(1)) else {
            return schema != &Value::Bool(false);
        };
        let is = |name: &Value| name == kind || (kind == "integer" && name == "number");
        let typed = match object.get("type") {
            Some(Value::Array(types)) => types.iter().any(is),
            Some(name) => is(name),
            None => true,
        };
        let listed = match (object.get("enum"), object.get("const")) {
            (Some(Value::Array(options)), _) => options.iter().any(|v| json_type(v) == kind),
            (_, Some(value)) => json_type(value) == kind,
            _ => true,
        };
        let mut branches = ["anyOf", "oneOf"].into_iter().filter_map(|key| members(object, key));
        typed
            && listed
            && object
                .get("$ref")
                .and_then(|reference| self.target(reference.as_str()?))
                .is_none_or(|target| self.accepts_within(target, kind, hops))
            && branches.all(|of| of.iter().any(|branch| self.accepts_within(branch, kind, hops)))
            && members(object, "allOf")
                .is_none_or(|all| all.iter().all(|part| self.accepts_within(part, kind, hops)))
    }

    /// All schemas that apply to a value here: this one, what it refers to, the branch that fits.
    pub(crate) fn parts(self, schema: &'a Value, value: Option<&Value>) -> Vec<&'a Value> {
        let mut parts = Vec::new();
        self.gather(schema, value, HOPS, &mut parts);
        parts
    }

    fn gather(
        self,
        schema: &'a Value,
        value: Option<&Value>,
        hops: usize,
        parts: &mut Vec<&'a Value>,
    ) {
        let (Some(object), Some(hops)) = (schema.as_object(), hops.checked_sub(1)) else { return };
        parts.push(schema);
        if let Some(target) = object.get("$ref").and_then(|r| self.target(r.as_str()?)) {
            self.gather(target, value, hops, parts);
        }
        for part in members(object, "allOf").into_iter().flatten() {
            self.gather(part, value, hops, parts);
        }
        for branches in ["anyOf", "oneOf"].into_iter().filter_map(|key| members(object, key)) {
            match value {
                Some(value) => {
                    if let Some(branch) = self.branch(branches, value) {
                        self.gather(branch, Some(value), hops, parts);
                    }
                }
                None => branches.iter().for_each(|b| self.gather(b, None, hops, parts)),
            }
        }
    }

    /// The one branch that a value can be meant for, going by type, tag and required keys.
    fn branch(self, branches: &'a [Value], value: &Value) -> Option<&'a Value> {
        let mut fitting: Vec<&Value> = branches
            .iter()
            .filter(|branch| self.accepts(branch, json_type(value)) && self.tagged(branch, value))
            .collect();
        if fitting.is_empty() && is_whole_float(value) {
            // JSON has one type of numbers: `1.0` may stand where only integers may.
            fitting = branches.iter().filter(|branch| self.accepts(branch, "integer")).collect();
        }
        if fitting.len() > 1 {
            fitting.retain(|branch| self.complete(branch, value));
        }
        match fitting.as_slice() {
            [branch] => Some(branch),
            _ => None,
        }
    }

    /// Whether a value is a whole number with a fraction, such as `1.0`, where integers mean one thing
    /// and fractions another (`components = 2` or `components = 0.95`): nobody knows what it means.
    pub(crate) fn is_ambiguous(self, key: &str, value: &Value) -> bool {
        let number = |branch: &'a Value| self.accepts(branch, "number");
        let only_integers = |branch: &'a Value| self.accepts(branch, "integer") && !number(branch);
        let alternatives = |part: &'a Value| {
            let branches = ["anyOf", "oneOf"].into_iter().filter_map(|name| part[name].as_array());
            branches.into_iter().any(|of| of.iter().any(number) && of.iter().any(only_integers))
        };
        let named = Self::property(&self.parts(self.root, None), key);
        is_whole_float(value)
            && named.into_iter().flat_map(|schema| self.parts(schema, None)).any(alternatives)
    }

    /// Whether every constant that a branch demands of an object's keys is there.
    fn tagged(self, branch: &'a Value, value: &Value) -> bool {
        let Value::Object(value) = value else { return true };
        self.parts_of_object(branch).iter().filter_map(|part| part["properties"].as_object()).all(
            |properties| {
                properties.iter().all(|(key, property)| {
                    constant(property).is_none_or(|wanted| value.get(key) == Some(wanted))
                })
            },
        )
    }

    /// Whether every key that a branch requires is there.
    fn complete(self, branch: &'a Value, value: &Value) -> bool {
        self.parts_of_object(branch).iter().filter_map(|part| part["required"].as_array()).all(
            |required| required.iter().all(|key| value.get(key.as_str().unwrap_or("")).is_some()),
        )
    }

    /// A branch itself and what it refers to, without choosing further.
    fn parts_of_object(self, branch: &'a Value) -> Vec<&'a Value> {
        let target = branch["$ref"].as_str().and_then(|reference| self.target(reference));
        std::iter::once(branch).chain(target).collect()
    }

    /// The schemas of one key among the parts of an object's schema.
    pub(crate) fn property(parts: &[&'a Value], key: &str) -> Vec<&'a Value> {
        let named: Vec<&Value> =
            parts.iter().filter_map(|part| part["properties"].get(key)).collect();
        if !named.is_empty() {
            return named;
        }
        parts
            .iter()
            .filter_map(|p| p.get("additionalProperties"))
            .filter(|s| s.is_object())
            .collect()
    }

    /// The keys that an object at a path may have, as far as they are named.
    pub(crate) fn keys_at(self, path: &[&str]) -> Vec<&'a str> {
        let parts = self.at(path).into_iter().flat_map(|schema| self.parts(schema, None));
        let keys = parts.filter_map(|part| part["properties"].as_object());
        let mut keys: Vec<&str> = keys.flat_map(|named| named.keys().map(String::as_str)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The schemas that lie at a path of keys and positions, whatever the values around it.
    pub(crate) fn at(self, path: &[&str]) -> Vec<&'a Value> {
        let mut here = vec![self.root];
        for key in path {
            let parts: Vec<&Value> = here.iter().flat_map(|s| self.parts(s, None)).collect();
            here = match key.parse() {
                Ok(i) => parts.iter().filter_map(|part| item_schema(part, i)).collect(),
                Err(_) => Self::property(&parts, key),
            };
        }
        here
    }

    /// Whether the keys of an object are independent of each other, so that one can be settled alone.
    pub(crate) fn is_flat(self) -> bool {
        ["$ref", "anyOf", "oneOf", "allOf"].iter().all(|key| self.root.get(key).is_none())
    }

    /// As [`Schema::settle`], for the value of one key of a flat schema.
    pub(crate) fn settle_key(
        self,
        key: &str,
        value: &mut Value,
        path: &mut impl FnMut(&str, &mut String, Option<&str>),
    ) {
        for schema in Self::property(&[self.root], key) {
            self.settle_at(schema, value, &mut format!("/{key}"), DEPTH, path);
        }
    }

    /// Fills in defaults, writes whole numbers the way their type wants them (`64.0` as `64` for an
    /// integer, `1` as `1.0` for a number), and visits every string that is a path: its pointer, the
    /// string, and the folder below which a name is looked for, if there is one (`below`).
    pub(crate) fn settle(
        self,
        value: &mut Value,
        path: &mut impl FnMut(&str, &mut String, Option<&str>),
    ) {
        self.settle_at(self.root, value, &mut String::new(), DEPTH, path);
    }

    fn settle_at(
        self,
        schema: &'a Value,
        value: &mut Value,
        pointer: &mut String,
        depth: usize,
        path: &mut impl FnMut(&str, &mut String, Option<&str>),
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if matches!(value, Value::Null | Value::Bool(_)) {
            return;
        }
        let parts = self.parts(schema, Some(value));
        match value {
            Value::Object(object) => {
                fill(&parts, object);
                for (key, value) in object {
                    let length = pointer.len();
                    pointer.push('/');
                    if key.contains(['~', '/']) {
                        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    } else {
                        pointer.push_str(key);
                    }
                    for schema in Self::property(&parts, key) {
                        self.settle_at(schema, value, pointer, depth, path);
                    }
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    let length = pointer.len();
                    pointer.extend(["/", &i.to_string()]);
                    for schema in parts.iter().filter_map(|part| item_schema(part, i)) {
                        self.settle_at(schema, item, pointer, depth, path);
                    }
                    pointer.truncate(length);
                }
            }
            Value::Number(_) => settle_number(&parts, value),
            Value::String(text) => {
                if let Some(part) = parts.iter().find(|part| part["format"] == "path") {
                    path(pointer, text, part["below"].as_str());
                }
            }
            _ => {}
        }
    }
}

fn item_schema(part: &Value, i: usize) -> Option<&Value> {
    part["prefixItems"].get(i).or_else(|| part.get("items")).filter(|schema| schema.is_object())
}

fn fill(parts: &[&Value], object: &mut Map<String, Value>) {
    for properties in parts.iter().filter_map(|part| part["properties"].as_object()) {
        for (key, schema) in properties {
            if let Some(default) = schema.get("default")
                && !object.contains_key(key)
            {
                object.insert(key.clone(), default.clone());
            }
        }
    }
}

fn is_whole_float(value: &Value) -> bool {
    matches!(value, Value::Number(number) if number.is_f64())
        && value.as_f64().is_some_and(|x| x.fract() == 0.0)
}

fn settle_number(parts: &[&Value], value: &mut Value) {
    let says = |kind: &str| {
        parts.iter().filter_map(|part| part.get("type")).any(|named| match named {
            Value::Array(types) => types.iter().any(|name| name == kind),
            name => name == kind,
        })
    };
    let (integer, number) = (says("integer"), says("number"));
    if integer && !number && value.is_f64() {
        let whole = value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 9e15);
        if let Some(whole) = whole {
            *value = (whole as i64).into();
        }
    } else if number && !integer && !value.is_f64() {
        *value = value.as_f64().map_or(Value::Null, Value::from);
    }
}

fn members<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Vec<Value>> {
    object.get(key).and_then(Value::as_array)
}

/// The only value that a schema allows, if it allows only one.
fn constant(schema: &Value) -> Option<&Value> {
    schema.get("const").or_else(|| match schema["enum"].as_array()?.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// The name of a value's type in JSON Schema.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
