//! `scarce data`: which data sets and pretrained networks there are, where, and whether they are whole.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use scarce_ingest::datasets::{self, Known, State, Survey};
use scarce_models::{KnownModel, State as ModelState, Survey as ModelSurvey};
use scarce_pretrained::runtime;
use scarce_wheels::onnxruntime;
use serde_json::{Value, json};

use super::stages::{plain_table, trimmed};
use crate::{args::DataCommand, error::CliError, output::Output};

/// The name of the library that runs networks.
const RUNTIME: &str = "onnxruntime";

/// What a name stands for.
enum Named {
    Dataset(&'static Known),
    Model(&'static KnownModel),
    Runtime,
}

/// Lists, fetches or verifies.
pub(crate) fn run(
    command: &DataCommand,
    folders: &[PathBuf],
    out: &mut Output,
) -> Result<(), CliError> {
    match command {
        DataCommand::List => Found::look(folders, None).print(false, out),
        DataCommand::Fetch { name } => match named(name)? {
            Named::Dataset(known) => fetch_dataset(known, folders, out),
            Named::Model(known) => fetch_model(known, folders, out),
            Named::Runtime => fetch_runtime(folders, out),
        },
        DataCommand::Verify { name } => {
            let wanted = name.as_deref().map(named).transpose()?;
            let found = Found::look(folders, wanted.as_ref());
            found.print(true, out)?;
            found.first_wrong().map_or(Ok(()), |message| Err(CliError::WrongData { message }))
        }
    }
}

fn named(name: &str) -> Result<Named, CliError> {
    let datasets = datasets::known();
    let models = scarce_models::known();
    if let Some(known) = datasets.iter().find(|known| known.name == name) {
        return Ok(Named::Dataset(known));
    }
    if let Some(known) = scarce_models::named(name) {
        return Ok(Named::Model(known));
    }
    if name == RUNTIME {
        return Ok(Named::Runtime);
    }
    let names = datasets.iter().map(|known| known.name);
    let names = names.chain(models.iter().map(|known| known.name)).chain([RUNTIME]);
    let names: Vec<&str> = names.collect();
    Err(CliError::unknown("data set or model", name, &names, "`scarce data list` lists them"))
}

/// What is there.
struct Found {
    datasets: Vec<Survey>,
    models: Vec<ModelSurvey>,
    /// Where ONNX Runtime is, or why it cannot be used; none where it is not asked for.
    runtime: Option<Result<PathBuf, String>>,
}

impl Found {
    fn look(folders: &[PathBuf], wanted: Option<&Named>) -> Self {
        let datasets = match wanted {
            Some(Named::Model(_) | Named::Runtime) => Vec::new(),
            Some(Named::Dataset(known)) => {
                let mut surveys = datasets::survey(folders);
                surveys.retain(|survey| survey.known.dataset == known.dataset);
                surveys
            }
            None => datasets::survey(folders),
        };
        let models = match wanted {
            Some(Named::Dataset(_) | Named::Runtime) => Vec::new(),
            Some(Named::Model(known)) => vec![scarce_models::survey_one(known, folders)],
            None => scarce_models::survey(folders),
        };
        let runtime = match wanted {
            Some(Named::Dataset(_) | Named::Model(_)) => None,
            Some(Named::Runtime) | None => {
                let found = runtime::find(folders).and_then(|library| {
                    runtime::check(&library)?;
                    Ok(library.path)
                });
                Some(found.map_err(|error| error.to_string()))
            }
        };
        Self { datasets, models, runtime }
    }

    fn print(&self, files: bool, out: &mut Output) -> Result<(), CliError> {
        if out.json() {
            return out.print_json(&self.as_json());
        }
        let mut table = plain_table();
        for survey in &self.datasets {
            let known = survey.known;
            table.add_row([known.name, known.title, &place(survey), known.licence]);
            for file in survey.files.iter().filter(|_| files) {
                let place = file.path.as_ref().map_or(String::new(), |p| p.display().to_string());
                table.add_row([&format!("  {}", file.name), state(&file.state), &place, ""]);
            }
        }
        for survey in &self.models {
            let known = survey.known;
            let title = format!("{}; {} numbers, {}", known.title, known.width, size(known.bytes));
            table.add_row([known.name, &title, &model_place(survey, files), known.licence]);
        }
        if let Some(runtime) = &self.runtime {
            let title =
                format!("ONNX Runtime {}, which runs pretrained networks", onnxruntime::VERSION);
            let place = match runtime {
                Ok(path) => path.display().to_string(),
                Err(_) if !files => {
                    "not there; `scarce data fetch onnxruntime` downloads it".to_owned()
                }
                Err(message) => message.clone(),
            };
            table.add_row([RUNTIME, &title, &place, "MIT (Microsoft)"]);
        }
        out.line(&trimmed(&table))
    }

    fn first_wrong(&self) -> Option<String> {
        let datasets = self.datasets.iter().flat_map(|survey| &survey.files);
        let mut datasets = datasets.filter_map(|file| match &file.state {
            State::Wrong(message) => Some(message.clone()),
            _ => None,
        });
        let mut models = self.models.iter().filter_map(|survey| match &survey.state {
            ModelState::Wrong(message) => Some(message.clone()),
            _ => None,
        });
        datasets.next().or_else(|| models.next())
    }

    fn as_json(&self) -> Vec<Value> {
        let datasets = self.datasets.iter().map(dataset_json);
        let models = self.models.iter().map(model_json);
        let runtime = self.runtime.iter().map(|found| {
            json!({
                "name": RUNTIME,
                "sort": "runtime",
                "title": format!("ONNX Runtime {}", onnxruntime::VERSION),
                "licence": "MIT (Microsoft)",
                "complete": found.is_ok(),
                "path": found.as_ref().ok(),
            })
        });
        datasets.chain(models).chain(runtime).collect()
    }
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

fn model_place(survey: &ModelSurvey, checked: bool) -> String {
    let known = survey.known;
    match (&survey.state, &survey.folder) {
        (ModelState::Good, Some(folder)) if checked => {
            format!("{}, checksum right", folder.display())
        }
        (ModelState::Good, Some(folder)) => folder.display().to_string(),
        (ModelState::Wrong(message), _) if checked => message.clone(),
        (ModelState::Wrong(_), Some(folder)) => {
            format!("another file in {}", folder.display())
        }
        _ if known.address.is_none() => "not there; it has no public address".to_owned(),
        _ => format!("not there; `scarce data fetch {}` downloads it", known.name),
    }
}

fn size(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn state(state: &State) -> &str {
    match state {
        State::Missing => "missing",
        State::Good => "checksum right",
        State::Wrong(message) => message,
    }
}

fn dataset_json(survey: &Survey) -> Value {
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
        "sort": "data set",
        "title": survey.known.title,
        "licence": survey.known.licence,
        "complete": survey.is_complete(),
        "files": survey.files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn model_json(survey: &ModelSurvey) -> Value {
    let known = survey.known;
    let state = match survey.state {
        ModelState::Missing => "missing",
        ModelState::Good => "good",
        ModelState::Wrong(_) => "wrong",
    };
    json!({
        "name": known.name,
        "sort": "model",
        "title": known.title,
        "licence": known.licence,
        "bytes": known.bytes,
        "sha256": known.sha256,
        "width": known.width,
        "address": known.address,
        "complete": survey.state == ModelState::Good,
        "state": state,
        "path": survey.folder,
    })
}

/// A bar that follows a download.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn follow(bar: &ProgressBar, progress: datasets::Progress<'_>) {
    bar.set_message(progress.file.to_owned());
    bar.set_length(progress.total.unwrap_or(progress.done));
    bar.set_position(progress.done);
}

fn fetch_dataset(
    known: &'static Known,
    folders: &[PathBuf],
    out: &mut Output,
) -> Result<(), CliError> {
    if known.files.is_empty() {
        if out.json() {
            return out.print_json(&[(); 0]);
        }
        return out.line(&format!("{} is built in: nothing to fetch", known.name));
    }
    let Some(folder) = folders.first() else { return Err(CliError::NoDataFolder) };
    let bar = bar();
    let paths = datasets::fetch(known.dataset, folder, &mut |progress| follow(&bar, progress));
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

fn fetch_model(
    known: &'static KnownModel,
    folders: &[PathBuf],
    out: &mut Output,
) -> Result<(), CliError> {
    // What any data folder has need not be fetched.
    let found = scarce_models::survey_one(known, folders);
    let place = if let (ModelState::Good, Some(place)) = (found.state, found.folder) {
        place
    } else {
        let Some(folder) = folders.first() else { return Err(CliError::NoDataFolder) };
        let bar = bar();
        let place = scarce_models::fetch(known, folder, &mut |progress| follow(&bar, progress));
        bar.finish_and_clear();
        place?
    };
    if out.json() {
        return out.print_json(&place);
    }
    out.line(&place.display().to_string())
}

fn fetch_runtime(folders: &[PathBuf], out: &mut Output) -> Result<(), CliError> {
    let Some(folder) = folders.first() else { return Err(CliError::NoDataFolder) };
    let say = |what: &str| tracing::info!("{what}");
    let path = onnxruntime::fetch(&onnxruntime::folder(folder), &say)?;
    if out.json() {
        return out.print_json(&path);
    }
    out.line(&path.display().to_string())
}
