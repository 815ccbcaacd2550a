//! What is attacked: a project of a small pipeline, of which it is known what it ought to hold.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use scarce_tests::{Answer, Child, Project, Run, eventually};

use crate::{
    Case,
    inject::{self, Calls},
    pipelines::{self, Text},
    tables::{Tables, assert_same, tables},
};

/// What an undisturbed run is like.
#[derive(Debug)]
pub struct Undisturbed {
    /// What it shows.
    pub tables: Tables,
    /// How long it took.
    pub took: Duration,
    /// How many system calls changed files, or read them.
    calls: [OnceLock<usize>; 2],
}

/// A project that is attacked.
#[derive(Debug)]
pub struct Subject {
    /// Its folder.
    pub project: Project,
    /// Its pipeline.
    pub text: &'static Text,
    /// Words of every run.
    pub words: Vec<String>,
}

impl Subject {
    /// A project of one of the pipelines.
    pub fn drawn(case: &mut Case) -> Self {
        let text = case.pick(&pipelines::ALL);
        let jobs = case.between(1, 4).to_string();
        Self::of(text, &["--jobs", &jobs, "--threads", "2"])
    }

    /// A project of a pipeline, run with these words.
    pub fn of(text: &'static Text, words: &[&str]) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Self { project: Project::with(text.toml), text, words }
    }

    /// The same project with more words; the folder stays with the first.
    fn all_words<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let words = self.words.iter().map(String::as_str);
        words.chain(more.iter().copied()).collect()
    }

    /// `scarce run`, started and not waited for.
    pub fn start(&self, more: &[&str]) -> Child {
        self.project.start(&self.all_words(more))
    }

    /// `scarce run` with its events.
    pub fn run(&self, more: &[&str]) -> Run {
        self.project.run(&self.all_words(more))
    }

    /// `scarce run`, not started yet.
    pub fn command(&self, more: &[&str]) -> std::process::Command {
        self.project
            .command(&[&["run", "--json", "pipeline.toml"], &self.all_words(more)[..]].concat())
    }

    /// The folder of the artifacts.
    pub fn artifacts(&self) -> PathBuf {
        self.project.path("artifacts")
    }

    /// What it shows now.
    pub fn tables(&self) -> Tables {
        tables(&self.artifacts(), self.text.name)
    }

    /// What a run with these words is like when nothing disturbs it, in a folder of its own.
    pub fn undisturbed(&self, more: &[&str]) -> Arc<Undisturbed> {
        static KNOWN: Mutex<Option<HashMap<String, Arc<Undisturbed>>>> = Mutex::new(None);
        let name = format!("{} {}", self.text.name, more.join(" "));
        let known = || KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = known().get_or_insert_default().get(&name) {
            return Arc::clone(found);
        }
        let fresh = Self::of(self.text, &["--jobs", "2", "--threads", "2"]);
        let begin = Instant::now();
        fresh.run(more).ended(0);
        let took = begin.elapsed();
        let found =
            Arc::new(Undisturbed { tables: fresh.tables(), took, calls: Default::default() });
        known().get_or_insert_default().insert(name, Arc::clone(&found));
        found
    }

    /// How many system calls of an undisturbed run could be disturbed.
    pub fn calls(&self, calls: Calls) -> usize {
        let undisturbed = self.undisturbed(&[]);
        *undisturbed.calls[calls as usize].get_or_init(|| {
            let fresh = Self::of(self.text, &["--jobs", "1", "--threads", "1"]);
            inject::count(&fresh, calls)
        })
    }

    /// A run ends well, and shows what an undisturbed one does.
    #[track_caller]
    pub fn is_right(&self, more: &[&str], when: &str) -> Run {
        let run = self.run(more).ended(0);
        assert_same(&self.tables(), &self.undisturbed(more).tables, when);
        run
    }

    /// Every byte of the store is right, and nothing half-written is in it.
    #[track_caller]
    pub fn is_whole(&self) {
        self.project.scarce(&["verify"]).ended(0).says(&[" 0 damaged"]);
        let left: Vec<PathBuf> = fs_err::read_dir(self.artifacts().join("store/.tmp"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "half-written entries stay: {left:?}");
    }

    /// A rerun finishes the job: its tables are those of an undisturbed run, `verify` finds nothing wrong
    /// with the store, and after `gc` all is there.
    #[track_caller]
    pub fn recovers(&self) {
        self.is_right(&[], "after the rerun");
        self.is_whole();
        self.collects(&["--grace", "0s"]).ended(0);
        let again = self.is_right(&[], "after `gc`");
        assert_eq!(again.ran(), [""; 0], "`gc` took away what the last run has made");
    }

    /// `scarce gc`, as soon as nobody uses the store.
    pub fn collects(&self, more: &[&str]) -> Answer {
        eventually("nobody uses the store", || {
            let answer = self.project.scarce(&[&["gc"], more].concat());
            (!answer.stderr.contains("store::busy")).then_some(answer)
        })
    }

    /// Kind and key of everything published, sorted.
    pub fn entries(&self) -> Vec<String> {
        let store = self.artifacts().join("store");
        let folders = walkdir::WalkDir::new(&store).min_depth(2).max_depth(2).sort_by_file_name();
        folders
            .into_iter()
            .flatten()
            .map(|entry| entry.path().strip_prefix(&store).unwrap().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect()
    }
}

/// Ends as documented: done, failed, refused, damaged or interrupted, and without a panic.
#[track_caller]
pub fn as_documented(answer: &Answer, codes: &[i32]) {
    let known = answer.code.is_some_and(|code| codes.contains(&code));
    assert!(known, "ended otherwise than with one of {codes:?}: {answer}");
    // The panic of a stage arrives in an event.
    let panicked = answer.stderr.contains("panicked at") || answer.stdout.contains("panicked at");
    assert!(!panicked, "{answer}");
}
