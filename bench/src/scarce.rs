//! The built `scarce`, run as people run it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ran {
    /// From start to end of the process.
    pub(crate) seconds: f64,
    /// Stages computed.
    pub(crate) computed: usize,
    /// Stages found in the cache.
    pub(crate) cached: usize,
}

/// What a stage cost when it ran.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Used {
    /// From start to end of its process.
    pub(crate) wall_seconds: f64,
    /// The largest resident set of its process.
    pub(crate) peak_memory_bytes: f64,
}

/// Where the results of a pipeline that was run in `folder` are seen.
pub(crate) fn view(folder: &Path, pipeline: &str) -> PathBuf {
    folder.join("artifacts/runs").join(pipeline)
}

/// What the stages that ran in the last run of a pipeline in `folder` cost.
pub(crate) fn used(folder: &Path, pipeline: &str) -> Result<BTreeMap<String, Used>> {
    /// As much of a run's record as is wanted here.
    #[derive(Deserialize)]
    struct Record {
        tasks: Vec<Task>,
    }
    #[derive(Deserialize)]
    struct Task {
        stage: String,
        usage: Option<Used>,
    }
    let path = view(folder, pipeline).join("run.json");
    let record: Record = serde_json::from_slice(&fs_err::read(&path)?)
        .with_context(|| format!("`{}`", path.display()))?;
    let ran = |task: Task| task.usage.map(|usage| (task.stage, usage));
    Ok(record.tasks.into_iter().filter_map(ran).collect())
}

/// The program that was built with this one.
pub(crate) fn beside_this() -> Result<PathBuf> {
    let this = std::env::current_exe().context("the path of this program")?;
    let program = this.with_file_name("scarce").with_extension(std::env::consts::EXE_EXTENSION);
    if !program.is_file() {
        bail!("`{}` is not there: `cargo xtask bench` builds it", program.display());
    }
    Ok(program)
}

/// The program and what every call of it is given.
pub(crate) struct Scarce {
    program: PathBuf,
    threads: usize,
    data: Vec<PathBuf>,
}

impl Scarce {
    /// The one that was built with this program.
    pub(crate) fn beside_this(threads: usize, data: &[PathBuf]) -> Result<Self> {
        Ok(Self { program: beside_this()?, threads, data: data.to_vec() })
    }

    /// `scarce run PIPELINE MORE…` in `folder`, with its artifacts below.
    pub(crate) fn run(&self, folder: &Path, pipeline: &Path, more: &[&str]) -> Result<Ran> {
        let mut command = self.command(folder, "run", pipeline);
        command.args(["--threads", &self.threads.to_string()]).args(more);
        let begin = Instant::now();
        let output = command.output().with_context(|| format!("`{}`", self.program.display()))?;
        let seconds = begin.elapsed().as_secs_f64();
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("`scarce run {}` failed:\n{}", pipeline.display(), told.trim());
        }
        let (computed, cached) = counts(&told).with_context(|| {
            format!("`scarce run` said nothing of its stages:\n{}", told.trim())
        })?;
        Ok(Ran { seconds, computed, cached })
    }

    /// Why a pipeline cannot be run, if it cannot.
    pub(crate) fn refuses(&self, folder: &Path, pipeline: &Path) -> Result<Option<String>> {
        let output = self.command(folder, "check", pipeline).output();
        let output = output.with_context(|| format!("`{}`", self.program.display()))?;
        let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((!output.status.success()).then_some(told))
    }

    fn command(&self, folder: &Path, word: &str, pipeline: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder).arg(word).arg(pipeline).stdin(Stdio::null());
        command.arg("--artifacts").arg(folder.join("artifacts"));
        for data in &self.data {
            command.arg("--data").arg(data);
        }
        command.env("NO_COLOR", "1").env_remove("RUST_LOG");
        command
    }
}

/// Stages that ran and that were cached, from the last sentence: `12 ms  1 ran, 6 cached`.
fn counts(told: &str) -> Option<(usize, usize)> {
    let line = told.lines().rev().find(|line| line.contains(" ran, "))?;
    let number_before = |word: &str| {
        let before = line.split_once(word)?.0;
        before.rsplit([' ', ',']).next()?.parse().ok()
    };
    Some((number_before(" ran")?, number_before(" cached")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_last_sentence() {
        let told = "   12 ms  images\n  1.2 s  3 ran, 97 cached\n";
        assert_eq!(counts(told), Some((3, 97)));
        assert_eq!(counts("  4 ms  0 ran, 7 cached, 1 not reached"), Some((0, 7)));
        assert_eq!(counts("error: no such pipeline"), None);
    }

    #[test]
    fn what_stages_cost_is_in_the_record_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let view = view(folder.path(), "small");
        assert!(used(folder.path(), "small").is_err());
        fs_err::create_dir_all(&view).unwrap();
        let text = r#"{"format": 1, "tasks": [
            {"stage": "images", "status": "cached"},
            {"stage": "clusters", "status": "ran", "usage":
                {"wall_seconds": 1.5, "cpu_seconds": 2.5, "peak_memory_bytes": 4096}}]}"#;
        fs_err::write(view.join("run.json"), text).unwrap();
        let found = used(folder.path(), "small").unwrap();
        let expected = Used { wall_seconds: 1.5, peak_memory_bytes: 4096.0 };
        assert_eq!(found, BTreeMap::from([("clusters".to_owned(), expected)]));
    }
}
