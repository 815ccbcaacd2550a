//! What `scarce` said, and how it ended.

#![allow(clippy::return_self_not_must_use, reason = "assertions that may go on")]

use std::process::Output;

use serde_json::Value;

/// The end of a command.
#[derive(Debug)]
pub struct Answer {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Answer {
    /// This answer, if the command ended with that code.
    ///
    /// # Panics
    /// With everything that it said, if it did not, or if a panic is among that.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// This answer, if standard error holds each of the pieces.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn complains_of(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stderr.contains(piece), "`{piece}` is not in\n{self}");
        }
        self
    }

    /// This answer, if standard output holds each of the pieces.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn says(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stdout.contains(piece), "`{piece}` is not in\n{self}");
        }
        self
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// If it is something else.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Standard output as JSON, a value per line.
    ///
    /// # Panics
    /// If it is something else.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let value = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"))
        };
        self.stdout.lines().map(value).collect()
    }

    /// Standard error without what differs from one run to the next: times and keys.
    pub fn tidy_stderr(&self) -> String {
        self.stderr.lines().map(tidy).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        write!(f, "ended with {code}\n── stdout\n{}\n── stderr\n{}", self.stdout, self.stderr)
    }
}

/// A line's leading time becomes `TIME`, a hexadecimal word of 32 digits or more `KEY`.
fn tidy(line: &str) -> String {
    let trimmed = line.trim_start();
    let unit = |unit: &str| {
        let (number, rest) = trimmed.split_once(unit)?;
        number.parse::<f64>().ok()?;
        Some(format!("    TIME  {rest}"))
    };
    let line = unit(" ms  ").or_else(|| unit(" s  ")).unwrap_or_else(|| line.to_owned());
    let mut tidied = String::new();
    for word in line.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if digits.len() >= 32 {
            tidied += "KEY";
            tidied += &word[digits.len()..];
        } else {
            tidied += word;
        }
    }
    tidied.trim_end().to_owned()
}

/// A run with `--json`: its end and its events.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub answer: Answer,
    /// What it said, in order.
    pub events: Vec<Value>,
}

impl From<Answer> for Run {
    fn from(answer: Answer) -> Self {
        Self { events: answer.json_lines(), answer }
    }
}

impl Run {
    /// This run, if it ended with that code.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn ended(mut self, code: i32) -> Self {
        self.answer = self.answer.ended(code);
        self
    }

    /// The events of one name.
    pub fn all<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |found| found["event"] == event)
    }

    /// The tasks of all events of one name, sorted: `knn`, `codes [seed=1]`.
    pub fn tasks(&self, event: &str) -> Vec<String> {
        let label = |event: &Value| event["task"]["label"].as_str().map(str::to_owned);
        let mut labels: Vec<String> = self.all(event).filter_map(label).collect();
        labels.sort();
        labels
    }

    /// What was computed, sorted.
    pub fn ran(&self) -> Vec<String> {
        self.tasks("finished")
    }

    /// What was there already, sorted.
    pub fn cached(&self) -> Vec<String> {
        self.tasks("cached")
    }

    /// The failure of a task.
    ///
    /// # Panics
    /// If it did not fail.
    #[track_caller]
    pub fn failure(&self, task: &str) -> &Value {
        let failed = self.all("failed").find(|event| event["task"]["label"] == task);
        &failed.unwrap_or_else(|| panic!("`{task}` did not fail\n{}", self.answer))["failure"]
    }

    /// The key of a task that ran or was cached.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn key(&self, task: &str) -> String {
        let has_key = |event: &&Value| event["task"]["label"] == task && event["key"].is_string();
        let event = self.events.iter().find(has_key);
        let event = event.unwrap_or_else(|| panic!("`{task}` has no key\n{}", self.answer));
        event["key"].as_str().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn times_and_keys_differ_and_are_tidied() {
        assert_eq!(tidy("   12 ms  1 ran"), "    TIME  1 ran");
        assert_eq!(tidy("   1.2 s  1 ran"), "    TIME  1 ran");
        assert_eq!(tidy("all bad  deeds  "), "all bad  deeds");
        let key = "0123456789abcdef0123456789abcdef";
        assert_eq!(tidy(&format!(".failed/knn-{key}.jsonl")), ".failed/knn-KEY.jsonl");
    }
}
