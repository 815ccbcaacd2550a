//! Results go to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::error::CliError;

/// Standard output, as text or as JSON.
pub(crate) struct Output {
    json: bool,
    stdout: io::Stdout,
}

impl Output {
    /// Standard output; `json` for programs.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, stdout: io::stdout() }
    }

    /// Whether JSON was asked for.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person is looking.
    pub(crate) fn is_terminal(&self) -> bool {
        self.stdout.is_terminal()
    }

    /// One line or block of text.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), CliError> {
        quiet_pipe(writeln!(self.stdout.lock(), "{text}"))
    }

    /// One JSON document, indented for people.
    pub(crate) fn pretty_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// One JSON document on one line.
    pub(crate) fn print_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(&text)
    }
}

/// Whoever reads may stop early (`scarce show … | head`): that is no error.
fn quiet_pipe(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
