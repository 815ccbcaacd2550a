//! A folder with a pipeline, and `scarce` run in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Answer, Child, Run, binaries};

/// A few of the built-in digits, a few labels, nearest neighbours, a report: nothing that needs
/// libtorch, all of it quick.
pub const SMALL: &str = r#"
[pipeline]
name = "small"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 200
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 2

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.knn]
kind = "knn"
inputs = { features = "pixels", labels = "labels" }
k = 1

[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images" }
"#;

/// A file beside the tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A folder of its own, and `scarce` run in it.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    /// The pipeline's file, as it is given on the command line.
    pub file: PathBuf,
    settings: Vec<(String, String)>,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty folder.
    ///
    /// # Panics
    /// If none can be made.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a temporary folder");
        Self { folder, file: "pipeline.toml".into(), settings: Vec::new() }
    }

    /// A folder with a pipeline.
    pub fn with(pipeline: &str) -> Self {
        let project = Self::new();
        project.write("pipeline.toml", pipeline);
        project
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Sets a variable for every command from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file, and the folders above it.
    ///
    /// # Panics
    /// If it cannot.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let written = fs_err::create_dir_all(path.parent().unwrap_or(self.folder()))
            .and_then(|()| fs_err::write(&path, bytes));
        written.unwrap_or_else(|error| panic!("{error}"));
        path
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is not there.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Replaces words of the pipeline.
    ///
    /// # Panics
    /// If they are not there.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("pipeline.toml");
        let text = fs_err::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(text.contains(from), "`{from}` is not in\n{text}");
        fs_err::write(&path, text.replace(from, to)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// `scarce` with these words, not started yet: with nothing of the caller's settings, and with
    /// nobody's home.
    pub fn command(&self, words: &[&str]) -> Command {
        self.command_in(self.folder(), words)
    }

    /// The same in another folder.
    pub fn command_in(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("scarce"));
        command.args(words).current_dir(folder);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("SCARCE_") || name == "RUST_LOG" || name == "XDG_DATA_HOME" {
                command.env_remove(&*name);
            }
        }
        command.env("NO_COLOR", "1").env("HOME", self.folder());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `scarce` with these words.
    pub fn scarce(&self, words: &[&str]) -> Answer {
        Child::start(self.command(words)).finish()
    }

    /// `scarce WORD PIPELINE …`.
    pub fn ask(&self, word: &str, more: &[&str]) -> Answer {
        let file = self.file.to_string_lossy();
        self.scarce(&[&[word, &file], more].concat())
    }

    /// `scarce run` with events as JSON.
    #[track_caller]
    pub fn run(&self, more: &[&str]) -> Run {
        self.ask("run", &[&["--json"], more].concat()).into()
    }

    /// `scarce run`, started and not waited for.
    pub fn start(&self, more: &[&str]) -> Child {
        let file = self.file.to_string_lossy();
        Child::start(self.command(&[&["run", "--json", &file], more].concat()))
    }

    /// What `scarce plan` says of each stage: `knn: run because never ran`.
    #[track_caller]
    pub fn plan(&self, more: &[&str]) -> Vec<String> {
        let answer = self.ask("plan", more).ended(0);
        let lines = answer.stdout.lines().take_while(|line| !line.trim().is_empty());
        lines
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words[..] {
                    [word, task] => format!("{task}: {word}"),
                    [word, task, ..] => format!("{task}: {word} {}", words[2..].join(" ")),
                    _ => line.to_owned(),
                }
            })
            .collect()
    }

    /// The folder in the store to which the links of a view such as `small/knn` lead.
    ///
    /// # Panics
    /// If there is no such view.
    #[track_caller]
    pub fn entry(&self, view: &str) -> PathBuf {
        let view = self.path("artifacts/runs").join(view);
        let mut files = fs_err::read_dir(&view).unwrap_or_else(|error| panic!("{error}")).flatten();
        let link = files.find_map(|file| Some(view.join(fs_err::read_link(file.path()).ok()?)));
        let link = link.unwrap_or_else(|| panic!("`{}` shows nothing", view.display()));
        let entry = link.parent().map(fs_err::canonicalize);
        entry
            .unwrap_or_else(|| panic!("it leads nowhere"))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// All rows of a table: `small/knn/predictions.parquet`.
    ///
    /// # Panics
    /// If `scarce show` does not know it.
    #[track_caller]
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let path = self.path("artifacts/runs").join(table);
        let words = ["show", "--json", "-n", "1000000", &path.to_string_lossy()];
        let table = self.scarce(&words).ended(0).json();
        table["head"].as_array().cloned().unwrap_or_default()
    }

    /// The digests of every file of an entry, by name.
    ///
    /// # Panics
    /// If it has no manifest.
    #[track_caller]
    pub fn digests(&self, view: &str) -> Vec<(String, String)> {
        let manifest = self.entry(view).join("manifest.json");
        let text = fs_err::read(manifest).unwrap_or_else(|error| panic!("{error}"));
        let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
        let outputs = manifest["outputs"].as_object().into_iter().flatten();
        let files =
            outputs.flat_map(|(_, output)| output["files"].as_array().into_iter().flatten());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let digests: Vec<_> = files.map(|f| (word(&f["name"]), word(&f["digest"]))).collect();
        assert!(!digests.is_empty(), "{manifest}");
        digests
    }
}
