//! The same for documents, in Markdown.

use scarce_stage::{Description, Port};

use super::{Parameter, parameters_of};

/// All kinds as a table, each with a link to its page.
pub(super) fn index(all: &[&Description]) -> String {
    let mut text = "| kind | what it does |\n| --- | --- |\n".to_owned();
    for Description { kind, summary, .. } in all {
        text += &format!("| [`{kind}`]({kind}.md) | {} |\n", cell(summary));
    }
    text.trim_end().to_owned()
}

/// The page of one kind.
pub(super) fn page(description: &Description) -> String {
    let mut text = format!("# `{}`\n\n{}.\n", description.kind, description.summary);
    if !description.doc.is_empty() {
        text += &format!("\n{}\n", description.doc.trim());
    }
    text += &ports("Inputs", &description.inputs);
    text += &ports("Outputs", &description.outputs);
    let parameters = parameters_of(&description.params, &description.params, "");
    if parameters.is_empty() {
        text += "\n## Parameters\n\nNone.\n";
    } else {
        text += "\n## Parameters\n\n| parameter | type | default | meaning |\n| --- | --- | --- | --- |\n";
        for Parameter { name, kind, default, doc } in parameters {
            let default = default.strip_prefix("default ").map_or(default.clone(), code);
            text +=
                &format!("| `{name}` | {} | {} | {} |\n", cell(&kind), cell(&default), cell(&doc));
        }
    }
    text.trim_end().to_owned()
}

fn ports(title: &str, ports: &[Port]) -> String {
    if ports.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## {title}\n\n| port | table or model | |\n| --- | --- | --- |\n");
    for port in ports {
        let mut kind = format!("`{}`", port.artifact);
        if port.many {
            kind += ", any number";
        }
        if port.optional {
            kind += ", optional";
        }
        text += &format!("| `{}` | {kind} | {} |\n", port.name, cell(&port.doc));
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Text that stays within its cell.
pub(in crate::commands) fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}
