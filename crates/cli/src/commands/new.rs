//! `scarce new`: the pipeline for one's own images, filled in.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, value};

use crate::{args::NewArgs, error::CliError, output::Output};

/// The same file that a user may edit by hand.
const TEMPLATE: &str = include_str!("../../../../pipelines/own-images.toml");

/// Writes the pipeline; refuses to overwrite.
pub(crate) fn run(args: &NewArgs, out: &mut Output) -> Result<(), CliError> {
    for (path, folder) in [(&args.images, true), (&args.labels, false)] {
        if fs_err::metadata(path)?.is_dir() != folder {
            let expected = if folder { "a folder of images" } else { "a file of labels" };
            return Err(CliError::NotThat { path: path.clone(), expected });
        }
    }
    if args.output.exists() {
        return Err(CliError::Exists { path: args.output.clone(), option: "--output" });
    }
    let folder = args.output.parent().unwrap_or(Path::new(""));
    let mut document: DocumentMut = TEMPLATE.parse().map_err(std::io::Error::other)?;
    let name = args.output.file_stem().unwrap_or_default().to_string_lossy();
    replace(&mut document, &["pipeline", "name"], &identifier(&name));
    replace(&mut document, &["stages", "images", "path"], &from(folder, &args.images)?);
    replace(&mut document, &["stages", "given", "path"], &from(folder, &args.labels)?);
    fs_err::write(&args.output, document.to_string())?;
    let path = args.output.display();
    if out.json() {
        return out.print_json(&serde_json::json!({ "pipeline": args.output }));
    }
    let quote = if args.output.to_string_lossy().contains(' ') { "'" } else { "" };
    out.line(&format!("wrote {path}\nnext: scarce run {quote}{path}{quote}"))
}

/// Replaces a string and keeps the comment behind it.
fn replace(document: &mut DocumentMut, path: &[&str], text: &str) {
    let mut item = document.as_item_mut();
    for key in path {
        item = &mut item[key];
    }
    let decor = item.as_value().map(|old| old.decor().clone());
    *item = value(text);
    if let (Some(new), Some(decor)) = (item.as_value_mut(), decor) {
        *new.decor_mut() = decor;
    }
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
