//! `scarce stages [KIND]`: documentation from the code itself.

pub(in crate::commands) mod markdown;

use comfy_table::{Table, presets};
use scarce_pipeline::Catalogue;
use scarce_stage::{Description, Port};
use serde_json::Value;

use crate::{args::Language, error::CliError, output::Output};

/// Lists the kinds, or documents one.
pub(crate) fn run(
    kind: Option<&str>,
    format: Language,
    catalogue: &Catalogue,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some(kind) = kind else {
        return list(catalogue, format, out);
    };
    let description = catalogue.get(kind).ok_or_else(|| {
        let known: Vec<&str> = catalogue.kinds().map(|known| known.kind.as_str()).collect();
        CliError::unknown("stage kind", kind, &known, "`scarce stages` lists them all")
    })?;
    if out.json() {
        return out.print_json(description);
    }
    match format {
        Language::Text => out.line(&document(description)),
        Language::Markdown => out.line(&markdown::page(description)),
    }
}

fn list(catalogue: &Catalogue, format: Language, out: &mut Output) -> Result<(), CliError> {
    let all: Vec<&Description> = catalogue.kinds().collect();
    if out.json() {
        return out.print_json(&all);
    }
    if format == Language::Markdown {
        return out.line(&markdown::index(&all));
    }
    let mut table = plain_table();
    for description in all {
        table.add_row([&description.kind, &description.summary]);
    }
    out.line(&trimmed(&table))
}

/// Rows without rules: readable as text, easy to cut.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// The table's text without blanks at line ends.
pub(crate) fn trimmed(table: &Table) -> String {
    table.trim_fmt()
}

fn document(description: &Description) -> String {
    let mut text = format!("{} - {}\n", description.kind, description.summary);
    if !description.doc.is_empty() {
        text += &format!("\n{}\n", description.doc.trim());
    }
    text += &ports("Inputs", &description.inputs);
    text += &ports("Outputs", &description.outputs);
    text += &parameters(&description.params);
    text.trim_end().to_owned()
}

fn ports(title: &str, ports: &[Port]) -> String {
    if ports.is_empty() {
        return String::new();
    }
    let mut table = plain_table();
    for port in ports {
        let mut kind = port.artifact.clone();
        if port.many {
            kind += ", any number";
        }
        if port.optional {
            kind += ", optional";
        }
        table.add_row([format!(" {}", port.name), kind, port.doc.clone()]);
    }
    format!("\n{title}\n{}\n", trimmed(&table))
}

fn parameters(schema: &Value) -> String {
    let mut table = plain_table();
    for Parameter { name, kind, default, doc } in parameters_of(schema, schema, "") {
        table.add_row([format!(" {name}"), kind, default, doc]);
    }
    if table.row_count() == 0 {
        return "\nParameters: none\n".to_owned();
    }
    format!("\nParameters\n{}\n", trimmed(&table))
}

/// What is to be said of a parameter.
struct Parameter {
    name: String,
    kind: String,
    default: String,
    doc: String,
}

/// One for every property; those of nested tables follow their parent as `parent.child`.
fn parameters_of(root: &Value, schema: &Value, prefix: &str) -> Vec<Parameter> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
    };
    let mut found = Vec::new();
    for (name, property) in properties {
        let full = format!("{prefix}{name}");
        let default = match property.get("default") {
            _ if required(name) => "required".to_owned(),
            None | Some(Value::Null) => "optional".to_owned(),
            Some(value) => format!("default {}", toml_text(value)),
        };
        let resolved = resolve(root, property);
        let doc = property["description"].as_str().or(resolved["description"].as_str());
        let doc = doc.unwrap_or_default().replace("\n\n", " ").replace('\n', " ");
        let choices = choice_docs(root, resolved);
        let nested = parameters_of(root, resolved, &format!("{full}."));
        let kind = type_text(root, property);
        found.push(Parameter { name: full, kind, default, doc: doc + &choices });
        found.extend(nested);
    }
    found
}

/// Follows `$ref`, and looks through `anyOf [X, null]` to `X`.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
        return root.pointer(pointer).map_or(schema, |target| resolve(root, target));
    }
    match schema["anyOf"].as_array() {
        Some(options) => {
            let real = options.iter().find(|option| option["type"] != "null");
            real.map_or(schema, |real| resolve(root, real))
        }
        None => schema,
    }
}

fn type_text(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(choices) = choices(schema) {
        return choices.join(" | ");
    }
    let name = |kind: &Value| match kind.as_str() {
        Some("array") => {
            let item = type_text(root, &schema["items"]);
            Some(format!("list of {item}s"))
        }
        Some("object") => Some("table".to_owned()),
        Some("null") | None => None,
        Some(other) => Some(other.to_owned()),
    };
    let mut text = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(name).collect::<Vec<_>>().join(" or "),
        kind => name(kind).unwrap_or_default(),
    };
    if schema["format"] == "path" {
        "path".clone_into(&mut text);
    }
    let bounds =
        [("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<")];
    for (key, sign) in bounds {
        let says_nothing = |bound: &Value| match key {
            "minimum" => *bound == 0,
            // What the type holds is no advice.
            "maximum" => *bound == u32::MAX,
            _ => false,
        };
        if let Some(bound) = schema.get(key).filter(|bound| !says_nothing(bound)) {
            text += &format!(" {sign} {}", toml_text(bound));
        }
    }
    text
}

/// The words of an enumeration, however schemars wrote it.
fn choices(schema: &Value) -> Option<Vec<String>> {
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().filter(|w| !w.is_null()).map(toml_text).collect());
    }
    let options = schema["oneOf"].as_array()?;
    options.iter().map(|option| option.get("const").map(toml_text)).collect()
}

fn choice_docs(root: &Value, schema: &Value) -> String {
    let options = resolve(root, schema)["oneOf"].as_array().cloned().unwrap_or_default();
    let docs: Vec<String> = options
        .iter()
        .filter_map(|option| {
            let doc = option["description"].as_str()?.replace('\n', " ");
            Some(format!("{}: {doc}", toml_text(option.get("const")?)))
        })
        .collect();
    if docs.is_empty() { String::new() } else { format!(" ({})", docs.join("; ")) }
}

/// A JSON value as one would write it in TOML.
fn toml_text(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key} = {}", toml_text(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
