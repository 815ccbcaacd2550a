//! `scarce data`: which data sets there are, where, and whether they are whole.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use scarce_ingest::datasets::{self, Known, State, Survey};
use serde_json::{Value, json};

use super::stages::{plain_table, trimmed};
use crate::{args::DataCommand, error::CliError, output::Output};

/// Lists, fetches or verifies.
pub(crate) fn run(
    command: &DataCommand,
    folders: &[PathBuf],
    out: &mut Output,
) -> Result<(), CliError> {
    match command {
        DataCommand::List => print(&datasets::survey(folders), false, out),
        DataCommand::Fetch { dataset } => fetch(named(dataset)?, folders, out),
        DataCommand::Verify { dataset } => {
            let wanted = dataset.as_deref().map(named).transpose()?;
            let mut surveys = datasets::survey(folders);
            surveys.retain(|s| wanted.is_none_or(|wanted| wanted.dataset == s.known.dataset));
            print(&surveys, true, out)?;
            let wrong = surveys.iter().flat_map(|survey| &survey.files).find_map(|file| {
                let State::Wrong(message) = &file.state else { return None };
                Some(message.clone())
            });
            wrong.map_or(Ok(()), |message| Err(CliError::WrongData { message }))
        }
    }
}

fn named(name: &str) -> Result<&'static Known, CliError> {
    let all = datasets::known();
    all.iter().find(|known| known.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|known| known.name).collect();
        CliError::unknown("data set", name, &names, "`scarce data list` lists them")
    })
}

fn print(surveys: &[Survey], files: bool, out: &mut Output) -> Result<(), CliError> {
    if out.json() {
        return out.print_json(&surveys.iter().map(as_json).collect::<Vec<_>>());
    }
    let mut table = plain_table();
    for survey in surveys {
        let known = survey.known;
        table.add_row([known.name, known.title, &place(survey), known.licence]);
        for file in survey.files.iter().filter(|_| files) {
            let place = file.path.as_ref().map_or(String::new(), |path| path.display().to_string());
            table.add_row([&format!("  {}", file.name), state(&file.state), &place, ""]);
        }
    }
    out.line(&trimmed(&table))
}

fn place(survey: &Survey) -> String {
    if survey.files.is_empty() {
        return "built in".to_owned();
    }
    if !survey.is_complete() {
        let name = survey.known.name;
        return format!("not complete; `scarce data fetch {name}` downloads it");
    }
    let folder = survey.files[0].path.as_ref().and_then(|path| path.parent());
    folder.map_or(String::new(), |folder| folder.display().to_string())
}

fn state(state: &State) -> &str {
    match state {
        State::Missing => "missing",
        State::Good => "checksum right",
        State::Wrong(message) => message,
    }
}

fn as_json(survey: &Survey) -> Value {
    let file = |file: &datasets::FoundFile| {
        let name = match &file.state {
            State::Missing => "missing",
            State::Good => "good",
            State::Wrong(_) => "wrong",
        };
        json!({ "name": file.name, "path": file.path, "state": name })
    };
    json!({
        "name": survey.known.name,
        "title": survey.known.title,
        "licence": survey.known.licence,
        "complete": survey.is_complete(),
        "files": survey.files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn fetch(known: &'static Known, folders: &[PathBuf], out: &mut Output) -> Result<(), CliError> {
    if known.files.is_empty() {
        if out.json() {
            return out.print_json(&[(); 0]);
        }
        return out.line(&format!("{} is built in: nothing to fetch", known.name));
    }
    let Some(folder) = folders.first() else { return Err(CliError::NoDataFolder) };
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let paths = datasets::fetch(known.dataset, folder, &mut |progress| {
        bar.set_message(progress.file.to_owned());
        bar.set_length(progress.total.unwrap_or(progress.done));
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let paths = paths?;
    if out.json() {
        return out.print_json(&paths);
    }
    for path in paths {
        out.line(&path.display().to_string())?;
    }
    Ok(())
}
