//! A pipeline's TOML file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use miette::NamedSource;
use toml::de::DeTable;

use crate::{
    Error, Problem,
    error::Text,
    fault::Fault,
    node::{Converter, Data, Span, Table},
    problems::Problems,
};

/// A parser that lost its way reports noise after the first few errors.
const SYNTAX_ERRORS: usize = 5;

/// A TOML file that has been read but not yet checked against the kinds there are.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    text: Text,
    root: Table,
    hosts: Vec<PathBuf>,
}

impl Document {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// As [`Document::parse`], or when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs_err::read_to_string(path)
            .map_err(|error| Problem::bare(Fault::Io { message: error.to_string() }))?;
        Self::parse(path, text)
    }

    /// Parses a text; `path` is for messages, for finding what the text names, and need not exist.
    ///
    /// # Errors
    /// When it is not TOML, or `[pipeline] hosts` is not a list of strings.
    pub fn parse(path: &Path, text: String) -> Result<Self, Error> {
        let absolute = std::path::absolute(path)
            .map_err(|error| Problem::bare(Fault::Io { message: error.to_string() }))?;
        let source: Text = Arc::new(NamedSource::new(path.to_string_lossy(), text));
        let mut problems = Problems::new(source.clone());
        let root = parse(source.inner(), &mut problems);
        let folder = absolute.parent().unwrap_or(&absolute);
        let hosts = hosts(&root, folder, &mut problems);
        problems.finish()?;
        Ok(Self { path: absolute, text: source, root, hosts })
    }

    /// The file, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the file lies in, absolute: what the file names is relative to it.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Programs that provide more kinds: `[pipeline] hosts`. Those with a `/` are absolute here
    /// (they are relative to the TOML file); bare names are to be looked up on the `PATH`.
    pub fn hosts(&self) -> &[PathBuf] {
        &self.hosts
    }

    pub(crate) fn text(&self) -> Text {
        self.text.clone()
    }

    pub(crate) fn root(&self) -> &Table {
        &self.root
    }
}

fn parse(text: &str, problems: &mut Problems) -> Table {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors.into_iter().take(SYNTAX_ERRORS) {
        // At the end of the text there is nothing to underline.
        let range = error.span().unwrap_or(0..0);
        let (start, end) = (range.start.min(text.len()), range.end.min(text.len()));
        let fault = Fault::Syntax { message: error.message().to_owned() };
        problems.add(fault, Span { text: 0, start, end: end.max(start) }, "here");
    }
    if !problems.none() {
        return Table::new();
    }
    let mut faults = Vec::new();
    let root = Converter { text: 0, start: 0, faults: &mut faults }.table(root.get_ref());
    for (fault, span) in faults {
        problems.add(fault, span, "");
    }
    root
}

fn hosts(root: &Table, folder: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let Some(Data::Table(pipeline)) = root.get("pipeline").map(|entry| &entry.node.data) else {
        return Vec::new();
    };
    let Some(entry) = pipeline.get("hosts") else { return Vec::new() };
    let Data::List(items) = &entry.node.data else {
        problems.wrong_type("hosts", "a list of programs", &entry.node);
        return Vec::new();
    };
    let mut programs = Vec::new();
    for item in items {
        match item.as_str() {
            Some(name) if name.contains('/') => programs.push(join(folder, name)),
            Some(name) if !name.is_empty() => programs.push(name.into()),
            _ => problems.wrong_type("hosts", "a list of programs", item),
        }
    }
    programs
}

/// A path of the file, absolute and without `.` in it.
pub(crate) fn join(folder: &Path, path: &str) -> PathBuf {
    folder.join(path).components().collect()
}
