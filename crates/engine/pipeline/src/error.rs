//! Problems with their places.

use std::{fmt, sync::Arc};

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use thiserror::Error;

use crate::{
    fault::Fault,
    source::{Source, cut},
};

/// Characters of a message or a help; a name in it may be as long as the file.
const MOST_WORDS: usize = 2000;
/// Characters of a label.
const MOST_LABEL: usize = 200;
/// Labels of a problem: of a circle of a thousand stages the beginning has to do.
const MOST_LABELS: usize = 12;

/// The text that a problem points into: the TOML file, or an argument of the command line.
pub(crate) type Text = Arc<Source>;

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub struct Problem {
    fault: Fault,
    source: Option<Text>,
    labels: Vec<LabeledSpan>,
}

/// Everything that is wrong with a pipeline: never empty.
#[derive(Debug, Clone, Error)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Problem {
    /// A problem without a place.
    pub(crate) fn bare(fault: Fault) -> Self {
        Self { fault, source: None, labels: Vec::new() }
    }

    /// A problem in a text; the first label is where it is.
    pub(crate) fn placed(fault: Fault, source: Text, labels: Vec<LabeledSpan>) -> Self {
        let shown = |label: LabeledSpan| {
            let (start, length) = (label.offset(), source.shown(label.offset(), label.len()));
            let words = label.label().map(|words| cut(words.to_owned(), MOST_LABEL));
            LabeledSpan::new(words, start, length)
        };
        let labels = labels.into_iter().take(MOST_LABELS).map(shown).collect();
        Self { fault, source: Some(source), labels }
    }

    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Whether it is only a warning.
    pub fn is_warning(&self) -> bool {
        self.fault.severity() == Some(Severity::Warning)
    }

    /// The file that it is about: a path, or `--set` or `--axis`.
    pub fn file(&self) -> Option<&str> {
        self.source.as_ref().map(|source| source.name())
    }

    /// Line and column, both counted from 1; columns count characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        let offset = self.labels.first()?.offset();
        let before = self.source.as_ref()?.text().get(..offset)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        Some((line, column))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(self.fault.to_string(), MOST_WORDS))
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.fault.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.fault.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(cut(self.fault.help()?.to_string(), MOST_WORDS)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<_>)
    }
}

/// `code`, `severity`, `message`, `file`, `line`, `column`, `help`; what is absent is `null`.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let position = self.position();
        let mut object = serializer.serialize_struct("Problem", 7)?;
        object.serialize_field("code", &self.code().map(|code| code.to_string()))?;
        object.serialize_field("severity", if self.is_warning() { "warning" } else { "error" })?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("file", &self.file())?;
        object.serialize_field("line", &position.map(|(line, _)| line))?;
        object.serialize_field("column", &position.map(|(_, column)| column))?;
        object.serialize_field("help", &self.help().map(|help| help.to_string()))?;
        object.end()
    }
}

impl Error {
    /// An error of these problems; `None` if there are none.
    pub(crate) fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems })
    }

    /// What is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The one problem, if it is only one: an error of one problem looks like that problem.
    fn single(&self) -> Option<&Problem> {
        match self.problems.as_slice() {
            [problem] => Some(problem),
            _ => None,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(problem) => problem.fmt(f),
            None => write!(f, "{} problems in the pipeline", self.problems.len()),
        }
    }
}

impl Diagnostic for Error {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self.single() {
            Some(problem) => problem.code(),
            None => Some(Box::new("pipeline::problems")),
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.single()?.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.single()?.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.single()?.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self.single() {
            Some(_) => None,
            None => Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic))),
        }
    }
}

/// A list of problems.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.problems.serialize(serializer)
    }
}
