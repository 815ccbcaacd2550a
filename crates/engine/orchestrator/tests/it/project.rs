//! A pipeline in a folder of its own.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use scarce_artifact::{Reader, Truth};
use scarce_orchestrator::{
    Hosts, Options, Orchestrator, Plan, Record, Result, RunEvent, Search, Summary,
};
use scarce_pipeline::{Document, Overrides, Pipeline};
use tempfile::TempDir;

pub(crate) struct Project {
    pub(crate) folder: TempDir,
    /// The text of the pipeline, without its header.
    pub(crate) toml: String,
    /// Programs beside the test host.
    pub(crate) hosts: Vec<PathBuf>,
    pub(crate) options: Options,
}

pub(crate) struct Ran {
    pub(crate) summary: Summary,
    pub(crate) events: Vec<RunEvent>,
}

pub(crate) fn test_host() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_test-host"))
}

impl Project {
    pub(crate) fn new(toml: &str) -> Self {
        let options = Options { jobs: 2, threads: 4, ..Options::default() };
        let folder = tempfile::tempdir().unwrap();
        Self { folder, toml: toml.to_owned(), hosts: vec![test_host()], options }
    }

    /// The same with another text.
    pub(crate) fn edit(&mut self, from: &str, to: &str) {
        assert!(self.toml.contains(from), "{from}");
        self.toml = self.toml.replace(from, to);
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn search(&self) -> Search {
        Search {
            named: self.hosts.clone(),
            builtin: None,
            siblings: None,
            path: None,
            cache: Some(self.root().join("store/.hosts")),
            timeout: Duration::from_secs(20),
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&Orchestrator<'_>) -> T) -> Result<T> {
        let hosts = Hosts::discover(&self.search())?;
        let text = format!("[pipeline]\nname = \"small\"\n{}", self.toml);
        let document = Document::parse(&self.path("small.toml"), text).unwrap();
        let pipeline =
            Pipeline::resolve(&document, &hosts.catalogue(), &Overrides::default()).unwrap();
        let orchestrator =
            Orchestrator::new(&self.root(), &pipeline, &hosts, self.options.clone())?;
        Ok(act(&orchestrator))
    }

    pub(crate) fn try_run(&self, interrupt: &AtomicBool) -> Result<Ran> {
        self.run_watched(interrupt, &|_| {})
    }

    /// Runs while `watch` sees every event, in the thread that it comes from.
    pub(crate) fn run_watched(
        &self,
        interrupt: &AtomicBool,
        watch: &(dyn Fn(&RunEvent) + Sync),
    ) -> Result<Ran> {
        let events = Mutex::new(Vec::new());
        let listen = |event| {
            watch(&event);
            events.lock().unwrap().push(event);
        };
        let summary = self.with(|orchestrator| orchestrator.run(interrupt, &listen))??;
        Ok(Ran { summary, events: events.into_inner().unwrap() })
    }

    pub(crate) fn run(&self) -> Ran {
        self.try_run(&AtomicBool::new(false)).unwrap()
    }

    pub(crate) fn plan(&self) -> Plan {
        self.with(|orchestrator| orchestrator.plan()).unwrap().unwrap()
    }

    /// Each task with what the plan says of it.
    pub(crate) fn planned(&self) -> Vec<String> {
        use scarce_orchestrator::Status;
        let plan = self.plan();
        let words = |status: &Status| match status {
            Status::Cached { .. } => "cached".to_owned(),
            Status::Run { reasons, .. } => {
                reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            Status::Depends { on } => {
                let on: Vec<_> = on.iter().map(|task| task.label.as_str()).collect();
                format!("depends on {}", on.join(", "))
            }
        };
        plan.tasks.iter().map(|t| format!("{}: {}", t.task.label, words(&t.status))).collect()
    }

    pub(crate) fn record(&self) -> Record {
        Record::last(&self.root(), "small").unwrap().unwrap()
    }

    /// The label in the view of a task.
    pub(crate) fn label(&self, view: &str) -> i32 {
        let path = self.root().join("runs/small").join(view).join("truth.parquet");
        Reader::<Truth>::open(&path).unwrap().read().unwrap().label[0]
    }

    /// The folder of the entry whose files a view shows.
    pub(crate) fn entry(&self, view: &str) -> PathBuf {
        let path = self.root().join("runs/small").join(view).join("truth.parquet");
        fs_err::canonicalize(path).unwrap().parent().unwrap().to_owned()
    }

    /// A program in the project's folder.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        script(self.folder.path(), name, text)
    }
}

pub(crate) fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

impl Ran {
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.summary.ran, self.summary.cached)
    }

    pub(crate) fn failure(&self) -> &scarce_stage::Failure {
        &self.summary.failures.first().expect("something failed").failure
    }

    pub(crate) fn count(&self, which: impl Fn(&RunEvent) -> bool) -> usize {
        self.events.iter().filter(|event| which(event)).count()
    }
}

/// Changes a file that nobody may write, as a failing disk does.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) {
    fs_err::remove_file(path).unwrap();
    fs_err::write(path, bytes).unwrap();
}
