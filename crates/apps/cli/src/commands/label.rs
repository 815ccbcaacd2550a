//! `scarce label`: the page on which pictures are labelled.

use std::path::{Path, PathBuf};

use scarce_label::{
    Page, Settings,
    journal::{Journal, WhoWins},
};
use scarce_pipeline::Document;
use serde_json::json;

use super::{new, report};
use crate::{
    args::{Global, LabelArgs},
    data_folders,
    error::CliError,
    hosts,
    output::Output,
};

/// Writes the pipeline if there is none, and serves the page until somebody interrupts.
pub(crate) fn run(args: &LabelArgs, global: &Global, out: &mut Output) -> Result<(), CliError> {
    let data = data_folders(global);
    let pipeline = pipeline(args)?;
    let labels = pipeline.with_extension("labels.csv");
    let own = pipeline.with_extension("labels.jsonl");
    let mut said = Vec::new();
    let journal = match (&args.journal, &args.folder) {
        (Some(journal), _) => journal.clone(),
        (None, Some(folder)) if args.pipeline.is_none() && !own.exists() => {
            match of_before(&own, folder) {
                Some(journal) => {
                    let name = journal.display();
                    tracing::warn!(
                        "`{name}` is about these pictures, as the folder was called before"
                    );
                    journal
                }
                None => own,
            }
        }
        _ => own,
    };
    if !pipeline.exists() {
        let Some(folder) = &args.folder else {
            return Err(CliError::NotThat { path: pipeline, expected: "there: name a folder too" });
        };
        said =
            new::write_for_labelling(folder, &labels, &pipeline, args.encoder.as_deref(), &data)?;
    } else if args.encoder.is_some() {
        // It says which network already.
        return Err(CliError::Exists { path: pipeline, option: "--pipeline" });
    }
    let document = Document::read(&pipeline)?;
    let hosts = hosts(document.hosts(), &global.artifacts)?;
    let settings = Settings {
        pipeline: pipeline.clone(),
        root: std::path::absolute(&global.artifacts)?,
        data,
        journal: journal.clone(),
        annotator: args.annotator.clone().unwrap_or_else(user),
        classes: args.classes.iter().map(|name| name.trim().to_owned()).collect(),
        import: args.labels.clone(),
        who_wins: WhoWins::parse(&args.who_wins),
    };
    let page = Page::open(settings, hosts, args.port)?;
    ctrlc::set_handler(page.stop()).map_err(std::io::Error::other)?;
    let address = page.address();
    if out.json() {
        let said = json!({ "address": address, "pipeline": pipeline, "journal": journal });
        out.print_json(&said)?;
    } else {
        said.push(format!("every decision is kept in {}", journal.display()));
        said.push(format!("label at {address}\nCtrl-C ends it; nothing is lost"));
        out.line(&said.join("\n"))?;
    }
    if !args.no_open
        && let Err(error) = report::open(address.as_ref())
    {
        tracing::warn!("{error}: open the address yourself");
    }
    Ok(page.serve()?)
}

/// The file that was named, or `FOLDER.toml` beside the folder.
fn pipeline(args: &LabelArgs) -> Result<PathBuf, CliError> {
    if let Some(pipeline) = &args.pipeline {
        return Ok(pipeline.clone());
    }
    let folder = args.folder.as_deref().unwrap_or(Path::new("."));
    if !fs_err::metadata(folder)?.is_dir() {
        let expected = "a folder of pictures";
        return Err(CliError::NotThat { path: folder.to_owned(), expected });
    }
    // `.` and `..` have a name too.
    let whole = fs_err::canonicalize(folder)?;
    let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = match folder.file_name() {
        Some(_) => folder.parent().map(Path::to_owned),
        None => whole.parent().map(Path::to_owned),
    };
    Ok(beside.unwrap_or_default().join(format!("{name}.toml")))
}

/// The journal beside this one of a folder that is gone, if it is about the pictures of `folder`.
fn of_before(own: &Path, folder: &Path) -> Option<PathBuf> {
    const ENDING: &str = ".labels.jsonl";
    let beside = own.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = fs_err::read_dir(beside).ok()?.flatten().map(|entry| entry.path());
    let mut journals = files.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let stem = name.and_then(|name| name.strip_suffix(ENDING));
        stem.is_some_and(|stem| !beside.join(stem).is_dir()) && Journal::is_about(path, folder)
    });
    journals.next()
}

/// Who is at the machine.
fn user() -> String {
    let named = ["USER", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "me".to_owned())
}
