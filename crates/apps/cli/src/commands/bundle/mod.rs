//! `scarce bundle RUN`: what a finished run learnt, in one folder or file that works elsewhere.
//!
//! A bundle is a pipeline that applies saved models to new images, without any refitting, and the models
//! beside it. Every file is listed with its digest.

pub(super) mod chain;
mod pack;

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use scarce_artifact::{Digest, digest_file};
use scarce_orchestrator::Orchestrator;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{args::BundleArgs, error::CliError, output::Output};
use chain::Chain;
pub(crate) use pack::unpack;

/// Raised when a bundle changes its meaning.
const FORMAT: u32 = 1;
/// What is listed in a bundle.
const LIST: &str = "bundle.json";
/// The pipeline of a bundle; `IMAGES` in it is put in when it runs.
pub(super) const PIPELINE: &str = "predict.toml";

/// `bundle.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of this file.
    format: u32,
    /// The program and version that made it.
    tool: String,
    /// The pipeline that it is of.
    pub(super) pipeline: String,
    /// The stage whose model answers.
    pub(super) stage: String,
    /// The class names.
    pub(super) classes: Vec<String>,
    /// Every other file with its digest.
    files: Vec<(String, Digest)>,
}

/// Writes the bundle.
pub(crate) fn run(
    args: &BundleArgs,
    orchestrator: &Orchestrator<'_>,
    stage: Option<&str>,
    root: &Path,
    out: &mut Output,
) -> Result<(), CliError> {
    if args.output.symlink_metadata().is_ok() {
        return Err(CliError::Exists { path: args.output.clone(), option: "--output" });
    }
    let to = std::path::absolute(&args.output)?;
    let beside = to.parent().unwrap_or(&to);
    let folder = tempfile::Builder::new().prefix(".bundle-").tempdir_in(beside)?;
    let manifest = make(orchestrator, stage, root, folder.path())?;
    let whole = tempfile::Builder::new()
        .prefix(".bundle-")
        // as any file that one writes; less what the umask takes away
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(beside)?;
    pack::pack(folder.path(), whole.as_file())?;
    whole.as_file().sync_all()?;
    let bytes = whole.as_file().metadata()?.len();
    whole.persist_noclobber(&to).map_err(|error| CliError::from(error.error))?;
    if out.json() {
        return out.print_json(&json!({ "bundle": args.output, "bytes": bytes, "stage": manifest.stage, "classes": manifest.classes }));
    }
    out.line(&format!(
        "{}: `{}` of {}, {} classes, {}\nscarce predict {} IMAGES",
        args.output.display(),
        manifest.stage,
        manifest.pipeline,
        manifest.classes.len(),
        indicatif::HumanBytes(bytes),
        args.output.display(),
    ))
}

/// Puts pipeline, models and list into an empty folder.
pub(crate) fn make(
    orchestrator: &Orchestrator<'_>,
    stage: Option<&str>,
    root: &Path,
    folder: &Path,
) -> Result<Manifest, CliError> {
    let chain = Chain::of(orchestrator, stage, root)?;
    fs_err::write(folder.join(PIPELINE), chain.toml()?)?;
    for (from, to) in &chain.files {
        let to = folder.join(to);
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::copy(from, to)?;
    }
    let mut files = vec![(PIPELINE.to_owned(), digest_file(&folder.join(PIPELINE))?)];
    for (_, to) in &chain.files {
        files.push((to.display().to_string(), digest_file(&folder.join(to))?));
    }
    let manifest = Manifest {
        format: FORMAT,
        tool: concat!("scarce ", env!("CARGO_PKG_VERSION")).to_owned(),
        pipeline: orchestrator.pipeline().name.clone(),
        stage: chain.answer.clone(),
        classes: chain.classes.clone(),
        files,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(std::io::Error::from)?;
    fs_err::write(folder.join(LIST), text)?;
    Ok(manifest)
}

/// Reads the list of an unpacked bundle and compares every file with it.
pub(crate) fn check(folder: &Path, bundle: &Path) -> Result<Manifest, CliError> {
    let wrong = |message: String| CliError::Bundle { path: bundle.to_owned(), message };
    let text = fs_err::read(folder.join(LIST)).map_err(|_| wrong(format!("it has no `{LIST}`")))?;
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| wrong(format!("`{LIST}` is damaged: {error}")))?;
    if value["format"] != FORMAT {
        return Err(wrong(format!(
            "it has format {}, this version reads {FORMAT}",
            value["format"]
        )));
    }
    let manifest: Manifest = serde_json::from_value(value)
        .map_err(|error| wrong(format!("`{LIST}` is damaged: {error}")))?;
    for (name, digest) in &manifest.files {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(wrong(format!("`{name}` is missing")));
        }
        if digest_file(&path)? != *digest {
            return Err(wrong(format!("`{name}` is damaged")));
        }
    }
    Ok(manifest)
}

/// Where the files of a bundle's folder are: in order, so that the bytes of a bundle depend on what is in
/// it alone.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
