//! Why a stage stopped, in a form that crosses a process boundary.

use std::error::Error;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};

/// A stage's failure: a stable code, what happened, and the way out.
///
/// Any error that derives [`Diagnostic`] becomes one with `?`; its chain of causes is kept in the
/// message. It is not an error itself: it is what errors end as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code such as `ingest::truncated`.
    pub code: String,
    /// What happened, naming file, row or offset.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Failure {
    /// A failure with neither cause nor help.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), help: None }
    }

    /// The same with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<E: Diagnostic> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause: Option<&dyn Error> = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Transparent wrappers repeat their cause.
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self {
            code: error.code().map_or_else(|| "stage::failed".to_owned(), |c| c.to_string()),
            message,
            help: error.help().map(|help| help.to_string()),
        }
    }
}
