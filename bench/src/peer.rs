//! A peer: a Python script of `bench/peers/` in a process that stays alive between its turns.
//!
//! Protocol: a [`Request`] as one line of JSON on its standard input, an [`Answer`] as one line on its
//! standard output. It reads the data when a request first names them, which no clock sees; it times
//! each turn itself, so that neither the start of Python nor the pipe counts. What it says on standard
//! error goes to `target/bench/logs/`.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use fs_err::File;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contest::{Contestant, Turn},
    quality::Quality,
};

/// What a peer is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Files by role, such as `{"x": "….npy"}`.
    pub(crate) data: Value,
    /// What to do with them.
    pub(crate) params: Value,
    /// Threads to use.
    pub(crate) threads: usize,
    /// The work is repeated until it has taken so many seconds.
    pub(crate) seconds: f64,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Done {
        /// Of each repetition.
        seconds: Vec<f64>,
        /// Of the last answer.
        quality: Quality,
        /// `faiss 1.15.1`.
        version: String,
    },
    Failed {
        error: String,
    },
}

/// A peer's process, started with its first turn.
pub(crate) struct Peer {
    python: PathBuf,
    script: PathBuf,
    log: PathBuf,
    request: Request,
    /// Seconds count per so many rounds of the work.
    per: f64,
    name: String,
    process: Option<Process>,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// A peer that runs `script` with the interpreter of its environment.
    pub(crate) fn new(python: PathBuf, script: PathBuf, log: PathBuf, request: Request) -> Self {
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { python, script, log, request, per: 1.0, name, process: None }
    }

    /// Seconds are to count per iteration, stage, … of which a turn has so many.
    #[must_use]
    pub(crate) fn per(mut self, per: usize) -> Self {
        self.per = per as f64;
        self
    }

    fn start(&self) -> Result<Process> {
        if let Some(folder) = self.log.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let (log, _) = File::create(&self.log)?.into_parts();
        let threads = self.request.threads.to_string();
        let mut command = Command::new(&self.python);
        command.arg("-u").arg(&self.script);
        for variable in [
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "POLARS_MAX_THREADS",
        ] {
            command.env(variable, &threads);
        }
        // Cargo's configuration sets it for our own sake; peers run as their makers meant.
        command.env_remove("OMP_WAIT_POLICY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("`{}`", self.python.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("`{}` has no pipes", self.script.display());
        };
        Ok(Process { child, input, output: BufReader::new(output) })
    }

    fn ask(&mut self) -> Result<Answer> {
        let process = match &mut self.process {
            Some(process) => process,
            None => self.process.insert(self.start()?),
        };
        let asked = writeln!(process.input, "{}", serde_json::to_string(&self.request)?)
            .and_then(|()| process.input.flush());
        let mut line = String::new();
        if asked.is_ok() {
            process.output.read_line(&mut line)?;
        }
        if line.is_empty() {
            bail!("the peer ended without an answer; its last words:\n{}", last_words(&self.log));
        }
        serde_json::from_str(&line).with_context(|| format!("the peer answered `{}`", line.trim()))
    }
}

impl Contestant for Peer {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn turn(&mut self, _: &[Turn]) -> Result<Turn> {
        match self.ask()? {
            Answer::Done { seconds, quality, version } => {
                self.name = version;
                let fastest = seconds.iter().copied().fold(f64::INFINITY, f64::min);
                if !(fastest > 0.0 && fastest.is_finite()) {
                    bail!("the peer says that it took {seconds:?} s");
                }
                Ok(Turn { seconds: fastest / self.per, quality })
            }
            Answer::Failed { error } => bail!("{error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It would end by itself when its input closes; nobody waits for what it still does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last_words(log: &Path) -> String {
    let text = fs_err::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A peer that is a shell script, which needs no Python.
    fn peer(folder: &Path, script: &str) -> Peer {
        let path = folder.join("peer.sh");
        fs_err::write(&path, script).unwrap();
        // `sh -u SCRIPT` stops at names that are not set, which these scripts do not use.
        let request = Request {
            data: json!({ "x": "x.npy" }),
            params: json!({ "k": 3 }),
            threads: 2,
            seconds: 1.0,
        };
        Peer::new("sh".into(), path, folder.join("logs/peer.log"), request)
    }

    #[test]
    fn a_request_is_one_line_and_so_is_the_answer() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"
            n=0
            while read -r line; do
                n=$((n + 1))
                printf '%s %s\n' "$OMP_NUM_THREADS" "$line" >&2
                printf '{"seconds": [9, %d], "quality": {"recall": 0.5}, "version": "sh 1"}\n' $n
            done"#;
        let mut peer = peer(folder.path(), script).per(2);
        assert_eq!(peer.name(), "peer");
        assert_eq!(peer.turn(&[]).unwrap().seconds, 0.5);
        let second = peer.turn(&[]).unwrap();
        // The same process answered: it remembers that it was asked before.
        assert_eq!((second.seconds, second.quality["recall"]), (1.0, 0.5));
        assert_eq!(peer.name(), "sh 1");
        let log = fs_err::read_to_string(folder.path().join("logs/peer.log")).unwrap();
        let (threads, line) = log.lines().next().unwrap().split_once(' ').unwrap();
        assert_eq!(threads, "2");
        assert_eq!(serde_json::from_str::<Request>(line).unwrap(), peer.request);
    }

    #[test]
    fn what_goes_wrong_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let failed = |script| peer(folder.path(), script).turn(&[]).unwrap_err().to_string();
        let told = failed(r#"read -r line; echo '{"error": "MemoryError: no room"}'"#);
        assert_eq!(told, "MemoryError: no room");
        let told = failed("echo 'Illegal instruction' >&2");
        assert!(told.contains("without an answer") && told.contains("Illegal"), "{told}");
        assert!(failed("read -r line; echo 'good morning'").contains("`good morning`"));
        let none = r#"read -r l; echo '{"seconds": [], "quality": {}, "version": "sh 1"}'"#;
        assert!(failed(none).contains("took [] s"));
        let missing = Peer { python: "/no/such/python".into(), ..peer(folder.path(), "") };
        assert!(format!("{:#}", { missing }.turn(&[]).unwrap_err()).contains("/no/such/python"));
    }
}
