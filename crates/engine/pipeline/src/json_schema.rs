//! The JSON Schema of the whole TOML file, for editors.

use serde_json::{Map, Value, json};

use crate::Catalogue;
use scarce_stage::{Description, Port};

/// The JSON Schema (2020-12) of a pipeline's TOML file with these kinds: a stage is the schema of
/// its `kind`, and every parameter may also be an axis (`"$seed"`).
pub fn json_schema(catalogue: &Catalogue) -> Value {
    let mut definitions = common();
    let mut stages = Vec::new();
    for kind in catalogue.kinds() {
        let name = format!("kind:{}", kind.kind);
        stages.push(json!({ "$ref": format!("#/$defs/{name}") }));
        let schema = stage(kind, &mut definitions);
        definitions.insert(name, schema);
    }
    // A schema of no alternatives would allow nothing at all.
    let stage =
        if stages.is_empty() { json!({ "type": "object" }) } else { json!({ "oneOf": stages }) };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pipeline of scarce",
        "type": "object",
        "properties": {
            "pipeline": { "$ref": "#/$defs/pipeline" },
            "axes": {
                "description": "Dimensions of the experiment: every combination of values is a variant.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": { "$ref": "#/$defs/values" },
            },
            "rounds": {
                "description": "Groups of stages that run several times, each time on what the time before left.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": { "$ref": "#/$defs/rounds" },
            },
            "stages": {
                "description": "The stages by name.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": stage,
                "minProperties": 1,
            },
        },
        "required": ["stages"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// What all kinds share.
fn common() -> Map<String, Value> {
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    let Value::Object(common) = json!({
        "name": { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$", "maxLength": 100 },
        "axis": {
            "description": "An axis: `$` and its name.",
            "type": "string",
            "pattern": "^\\$[A-Za-z0-9][A-Za-z0-9_-]*$",
        },
        "wire": {
            "description": "A stage, or `stage.port`.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)?$",
        },
        "values": {
            "anyOf": [
                { "type": "array", "items": scalar, "minItems": 1, "uniqueItems": true },
                {
                    "type": "object",
                    "properties": {
                        "from": { "description": "The first value.", "type": "number" },
                        "to": { "description": "Where it ends; not a value itself.", "type": "number" },
                        "step": { "description": "From value to value.", "type": "number", "default": 1 },
                    },
                    "required": ["from", "to"],
                    "additionalProperties": false,
                },
            ],
        },
        "rounds": {
            "type": "object",
            "properties": {
                "count": { "description": "How many rounds.", "type": "integer", "minimum": 1 },
                "stages": {
                    "description": "The stages in the order in which a round runs them. They gain an axis `round`; where one is wired to itself or to a later one, that is what the round before left, and nothing in the first round.",
                    "type": "array",
                    "items": { "$ref": "#/$defs/name" },
                    "minItems": 1,
                    "uniqueItems": true,
                },
            },
            "required": ["count", "stages"],
            "additionalProperties": false,
        },
        "pipeline": {
            "type": "object",
            "properties": {
                "name": { "description": "Name of the folder of results; the file's name if absent.", "$ref": "#/$defs/name" },
                "description": { "description": "What the experiment is for.", "type": "string" },
                "hosts": {
                    "description": "Programs that provide more kinds of stage: paths relative to this file, or names to be found on the PATH.",
                    "type": "array",
                    "items": { "type": "string", "minLength": 1 },
                },
                "baselines": {
                    "description": "Puts logistic regression and the nearest labelled neighbour, on the same vectors and labels, beside what the reports show, with paired differences.",
                    "type": "boolean",
                    "default": false,
                },
            },
            "additionalProperties": false,
        },
        "resources": {
            "description": "What the stage needs of the machine. Nothing here changes results.",
            "type": "object",
            "properties": {
                "threads": { "description": "How many threads it gets.", "type": "integer", "minimum": 1 },
                "memory": { "description": "Peak memory: `\"4 GiB\"`, or bytes.", "type": ["string", "integer"] },
                "memory_limit": { "description": "More than this it does not get: `\"8 GiB\"`, or bytes.", "type": ["string", "integer"] },
                "gpu": { "description": "Wants a GPU to itself.", "type": "boolean", "default": false },
                "time": { "description": "Longer than this and it is stopped: `\"1h30m\"`, or seconds.", "type": ["string", "integer"] },
            },
            "additionalProperties": false,
        },
    }) else {
        return Map::new();
    };
    common
}

/// The schema of a stage table of one kind; the kind's own definitions move to the top.
fn stage(kind: &Description, definitions: &mut Map<String, Value>) -> Value {
    let mut params = kind.params.clone();
    let own = params.as_object_mut().and_then(|object| object.remove("$defs"));
    for (name, mut schema) in own.as_ref().and_then(Value::as_object).cloned().unwrap_or_default() {
        rewrite(&mut schema, &kind.kind);
        definitions.insert(format!("{}:{name}", kind.kind), schema);
    }
    rewrite(&mut params, &kind.kind);
    let Value::Object(mut stage) = params else { return json!({ "type": "object" }) };
    stage.remove("$schema");
    stage.insert("title".to_owned(), kind.kind.clone().into());
    stage.insert("description".to_owned(), kind.summary.clone().into());
    stage.insert("type".to_owned(), "object".into());
    let properties = stage.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties
            .insert("kind".to_owned(), json!({ "const": kind.kind, "description": kind.summary }));
        properties.insert("inputs".to_owned(), inputs(kind));
        properties.insert(
            "collect".to_owned(),
            json!({
                "description": "Axes to fold: each input gets all their variants.",
                "type": "array",
                "items": { "$ref": "#/$defs/name" },
            }),
        );
        properties.insert("resources".to_owned(), json!({ "$ref": "#/$defs/resources" }));
    }
    let required = stage.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.insert(0, "kind".into());
        if kind.inputs.iter().any(|port| !port.optional) {
            required.push("inputs".into());
        }
    }
    Value::Object(stage)
}

fn inputs(kind: &Description) -> Value {
    let port = |port: &Port| {
        let description = format!("{} ({})", port.doc, port.artifact);
        let wire = json!({ "$ref": "#/$defs/wire" });
        let schema = if port.many {
            let list = json!({ "type": "array", "items": wire, "minItems": 1 });
            json!({ "description": description, "anyOf": [wire, list] })
        } else {
            let list = json!({ "type": "array", "items": wire, "minItems": 1, "maxItems": 1 });
            json!({ "description": description, "anyOf": [wire, list] })
        };
        (port.name.clone(), schema)
    };
    let properties: Map<String, Value> = kind.inputs.iter().map(port).collect();
    let required: Vec<&str> =
        kind.inputs.iter().filter(|port| !port.optional).map(|port| port.name.as_str()).collect();
    json!({
        "description": "What is wired to each input: a stage, or `stage.port`.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Renames references into the kind's definitions, and lets every value be an axis.
fn rewrite(schema: &mut Value, kind: &str) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/{kind}:{name}");
            }
            for (key, inner) in object.iter_mut() {
                match (key.as_str(), inner) {
                    ("properties", Value::Object(properties)) => {
                        for property in properties.values_mut() {
                            rewrite(property, kind);
                            or_axis(property);
                        }
                    }
                    ("default" | "const" | "enum" | "examples", _) => {}
                    ("items" | "additionalProperties", inner @ Value::Object(_)) => {
                        rewrite(inner, kind);
                        or_axis(inner);
                    }
                    (_, inner) => rewrite(inner, kind),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, kind)),
        _ => {}
    }
}

/// Wraps a schema so that an axis fits as well; what editors show stays on the outside. Constants
/// tell forms apart and stay as they are.
fn or_axis(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    if object.contains_key("const") {
        return;
    }
    let mut outside = Map::new();
    for key in ["title", "description", "default"] {
        if let Some(value) = object.remove(key) {
            outside.insert(key.to_owned(), value);
        }
    }
    let inside = Value::Object(std::mem::take(object));
    outside.insert("anyOf".to_owned(), json!([inside, { "$ref": "#/$defs/axis" }]));
    *schema = Value::Object(outside);
}
