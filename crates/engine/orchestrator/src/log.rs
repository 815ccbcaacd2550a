//! A stage's log: `log.jsonl`, and the end of what it complained about.

use std::{
    collections::VecDeque,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use fs_err::File;
use scarce_stage::Level;
use serde_json::json;

/// Lines of standard error that a failure repeats.
const TAIL: usize = 20;
/// A log grows no longer than this.
const LONGEST: usize = 16 << 20;

/// The log of one run of a stage.
pub(crate) struct Log {
    file: File,
    begin: Instant,
    written: usize,
    tail: VecDeque<String>,
    panicked: bool,
}

impl Log {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { file, begin: Instant::now(), written: 0, tail: VecDeque::new(), panicked: false })
    }

    /// Adds a message. A log that cannot be written does not stop a stage.
    pub(crate) fn add(&mut self, level: Level, message: &str) {
        if self.written > LONGEST {
            return;
        }
        let seconds = (self.begin.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let mut line = json!({ "seconds": seconds, "level": level, "message": message });
        if self.written + message.len() > LONGEST {
            line = json!({ "seconds": seconds, "level": Level::Warn, "message": "the log ends here: it is too long" });
            self.written = LONGEST;
        }
        let text = format!("{line}\n");
        self.written += text.len();
        let _ = self.file.write_all(text.as_bytes());
    }

    /// Adds a line of standard error.
    pub(crate) fn complaint(&mut self, line: &str) {
        self.add(Level::Info, line);
        if line.contains("panicked at ") {
            // What went wrong stands here; the backtrace below would push it out.
            self.tail.clear();
            self.panicked = true;
        }
        if line.trim().is_empty() || self.panicked && self.tail.len() == TAIL {
            return;
        }
        self.tail.push_back(line.to_owned());
        if self.tail.len() > TAIL {
            self.tail.pop_front();
        }
    }

    /// The last lines of standard error.
    pub(crate) fn tail(&self) -> String {
        self.tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
