//! `scarce tables [TABLE]`: what the columns of the tables mean and promise, from the code itself.

use arrow::datatypes::DataType;
use scarce_artifact::{About, AboutColumn, tables};
use serde_json::{Value, json};

use super::stages::{markdown::cell, plain_table, trimmed};
use crate::{args::Language, error::CliError, output::Output};

/// Lists the tables, or documents one.
pub(crate) fn run(table: Option<&str>, format: Language, out: &mut Output) -> Result<(), CliError> {
    let all = tables();
    let Some(name) = table else {
        return list(&all, format, out);
    };
    let about = all.iter().find(|about| about.name == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|about| about.name).collect();
        CliError::unknown("table", name, &known, "`scarce tables` lists them all")
    })?;
    if out.json() {
        return out.print_json(&as_json(about));
    }
    out.line(&match format {
        Language::Text => text(about),
        Language::Markdown => markdown(about),
    })
}

fn list(all: &[About], format: Language, out: &mut Output) -> Result<(), CliError> {
    if out.json() {
        return out.print_json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    if format == Language::Markdown {
        let pages: Vec<String> = all.iter().map(markdown).collect();
        return out.line(&pages.join("\n\n"));
    }
    let mut table = plain_table();
    for about in all {
        table.add_row([about.name, &about.doc]);
    }
    out.line(&trimmed(&table))
}

fn as_json(about: &About) -> Value {
    let column = |column: &AboutColumn| {
        json!({
            "name": column.name,
            "type": type_text(&column.kind),
            "nullable": column.nullable,
            "doc": column.doc,
            "promises": column.promises,
        })
    };
    json!({
        "table": about.name,
        "doc": about.doc,
        "promises": about.promises,
        "columns": about.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn text(about: &About) -> String {
    let mut table = plain_table();
    for column in &about.columns {
        table.add_row([format!(" {}", column.name), kind(column), meaning(column)]);
    }
    format!("{} - {}\n\nColumns\n{}", about.name, whole(about), trimmed(&table))
}

fn markdown(about: &About) -> String {
    let mut text = format!("### `{}`\n\n{}\n\n", about.name, whole(about));
    text += "| column | type | meaning |\n| --- | --- | --- |\n";
    for column in &about.columns {
        text += &format!("| `{}` | {} | {} |\n", column.name, kind(column), cell(&meaning(column)));
    }
    text.trim_end().to_owned()
}

/// What the table is, and what its rows promise together.
fn whole(about: &About) -> String {
    sentences(&about.doc, &about.promises)
}

fn meaning(column: &AboutColumn) -> String {
    sentences(&column.doc, &column.promises)
}

fn sentences(doc: &str, promises: &[&str]) -> String {
    let mut text = doc.trim().to_owned();
    for promise in promises {
        let mut letters = promise.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string());
        text +=
            &format!(" {}{}.", first.unwrap_or_default(), letters.as_str().trim_end_matches('.'));
    }
    text
}

fn kind(column: &AboutColumn) -> String {
    let mut text = type_text(&column.kind);
    if column.nullable {
        text += ", may be null";
    }
    text
}

/// The type in the words of Arrow, a vector's width left open.
fn type_text(kind: &DataType) -> String {
    match kind {
        DataType::FixedSizeList(item, _) => {
            format!("vector of {}", type_text(item.data_type()))
        }
        DataType::Dictionary(_, value) => format!("{}, as a dictionary", type_text(value)),
        DataType::Utf8 => "string".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
