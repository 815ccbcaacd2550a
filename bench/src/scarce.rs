//! The built `scarce`, run as people run it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

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

/// The program and what every call of it is given.
pub(crate) struct Scarce {
    program: PathBuf,
    threads: usize,
    data: Vec<PathBuf>,
}

impl Scarce {
    /// The one that was built with this program.
    pub(crate) fn beside_this(threads: usize, data: &[PathBuf]) -> Result<Self> {
        let this = std::env::current_exe().context("the path of this program")?;
        let program = this.with_file_name("scarce").with_extension(std::env::consts::EXE_EXTENSION);
        if !program.is_file() {
            bail!("`{}` is not there: `cargo xtask bench` builds it", program.display());
        }
        Ok(Self { program, threads, data: data.to_vec() })
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
}
