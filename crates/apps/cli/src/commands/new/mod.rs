//! `scarce new`: the pipeline for one's own images, filled in for what there is.

mod encoder;
mod fill;
mod found;

use std::path::{Path, PathBuf};

use serde_json::json;

use self::{encoder::Encoder, fill::Task, found::Found};
use crate::{args::NewArgs, error::CliError, output::Output};

/// Looks at what there is, writes the pipeline, and says both; refuses to overwrite.
pub(crate) fn run(args: &NewArgs, data: &[PathBuf], out: &mut Output) -> Result<(), CliError> {
    is(&args.images, true)?;
    if let Some(labels) = &args.labels {
        is(labels, false)?;
    }
    if args.output.exists() {
        return Err(CliError::Exists { path: args.output.clone(), option: "--output" });
    }
    let folder = args.output.parent().unwrap_or(Path::new(""));
    let encoder = encoder::choose(args.encoder.as_deref(), folder, data)?;
    let found = Found::look(&args.images, args.labels.as_deref())?;
    let task = match (&args.labels, found.classes.len()) {
        (Some(_), _) => Task::Labelled,
        (None, 0) => Task::First,
        (None, _) => Task::Experiment,
    };
    let places = fill::Places {
        name: identifier(&args.output.file_stem().unwrap_or_default().to_string_lossy()),
        images: from(folder, &args.images)?,
        labels: args.labels.as_deref().map(|path| from(folder, path)).transpose()?,
    };
    let text = fill::pipeline(task, &encoder, &found, &places)?;
    fs_err::write(&args.output, text)?;
    if out.json() {
        let model = match &encoder {
            Encoder::Pretrained(model) => Some(model),
            Encoder::Own => None,
        };
        return out.print_json(&json!({
            "pipeline": args.output,
            "found": found.as_json(),
            "task": task.name(),
            "encoder": model,
        }));
    }
    out.line(&account(args, task, &encoder, &found))
}

/// Writes the pipeline for labelling pictures on the page; what is worth saying of it.
pub(crate) fn write_for_labelling(
    images: &Path,
    labels: &Path,
    output: &Path,
    encoder: Option<&str>,
    data: &[PathBuf],
) -> Result<Vec<String>, CliError> {
    is(images, true)?;
    let folder = output.parent().unwrap_or(Path::new(""));
    let chosen = encoder::choose(encoder, folder, data)?;
    let found = Found::look(images, None)?;
    let places = fill::Places {
        name: identifier(&output.file_stem().unwrap_or_default().to_string_lossy()),
        images: beside(folder, images)?,
        labels: Some(beside(folder, labels)?),
    };
    let text = fill::pipeline(Task::Labelling, &chosen, &found, &places)?;
    fs_err::write(output, text)?;
    let mut lines = vec![format!("found {}", found.pictures_line())];
    match &chosen {
        Encoder::Pretrained(model) => lines.push(format!("encoder: `{model}`, pretrained, frozen")),
        Encoder::Own if encoder.is_some() => {
            lines.push("encoder: trained on these pictures alone".to_owned());
        }
        Encoder::Own => lines.push(encoder::WITHOUT.to_owned()),
    }
    lines.push(format!("wrote {}", output.display()));
    Ok(lines)
}

/// The name of what lies in the pipeline's own folder, so that both can be moved; otherwise as
/// [`from`].
fn beside(folder: &Path, path: &Path) -> Result<String, CliError> {
    let here = std::path::absolute(folder.join("x"))?;
    let there = std::path::absolute(path)?;
    match there.file_name() {
        Some(name) if here.parent() == there.parent() => Ok(name.to_string_lossy().into_owned()),
        _ => from(folder, path),
    }
}

/// What was found, what was written, and what comes next.
fn account(args: &NewArgs, task: Task, encoder: &Encoder, found: &Found) -> String {
    let mut lines = vec![format!("found {}", found.pictures_line())];
    if let Some(labels) = found.labels_line() {
        lines.push(format!("found {labels}"));
    }
    for (name, reason) in found.unreadable.iter().take(5) {
        lines.push(format!("warning: `{name}` cannot be read: {reason}"));
    }
    if !found.unreadable.is_empty() {
        lines.push("the pipeline leaves out what cannot be read, with a warning".to_owned());
    }
    match encoder {
        Encoder::Pretrained(model) => lines.push(format!("encoder: `{model}`, pretrained, frozen")),
        Encoder::Own if args.encoder.is_some() => {
            lines.push("encoder: trained on these pictures alone".to_owned());
        }
        Encoder::Own => lines.push(encoder::WITHOUT.to_owned()),
    }
    let path = args.output.display();
    lines.push(format!("wrote {path}"));
    let quote = if args.output.to_string_lossy().contains(' ') { "'" } else { "" };
    let run = format!("scarce run {quote}{path}{quote}");
    lines.push(task.next_step(&run, args, found));
    lines.join("\n")
}

fn is(path: &Path, folder: bool) -> Result<(), CliError> {
    if fs_err::metadata(path)?.is_dir() == folder {
        return Ok(());
    }
    let expected = if folder { "a folder of pictures" } else { "a file of labels" };
    Err(CliError::NotThat { path: path.to_owned(), expected })
}

/// Paths in a pipeline are relative to its file. Relative if both lie below the current folder,
/// absolute otherwise.
fn from(folder: &Path, path: &Path) -> Result<String, CliError> {
    let here = folder.as_os_str().is_empty();
    let path: PathBuf =
        if here && path.is_relative() { path.to_owned() } else { std::path::absolute(path)? };
    Ok(path.to_string_lossy().into_owned())
}

/// Pipeline names become folder names.
fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() { "own-images".to_owned() } else { name.to_owned() }
}
