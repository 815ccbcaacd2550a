//! A pipeline's TOML file.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::DeTable;

use crate::{
    Error, Problem,
    error::Text,
    fault::Fault,
    node::{Converter, Data, Span, Table},
    problems::Problems,
    source::Source,
};

/// A parser that lost its way reports noise after the first few errors.
const SYNTAX_ERRORS: usize = 5;
/// Bytes of a pipeline: some hundred thousand ids written out, and nothing that takes long to refuse.
const LARGEST: u64 = 4 << 20;

/// A TOML file that has been read but not yet checked against the kinds there are.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    text: Text,
    root: Table,
    hosts: Vec<PathBuf>,
    data: Vec<PathBuf>,
}

impl Document {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// As [`Document::parse`], or when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |message: String| Problem::bare(Fault::Io { message });
        let file = fs_err::File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut bytes = Vec::new();
        // Not by its size, which a device or a pipe does not have.
        let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| failed(error.to_string()))?;
        let path_text = path.display().to_string();
        if bytes.len() as u64 > LARGEST {
            let fault = Fault::TooLarge { path: path_text, limit: LARGEST >> 20 };
            return Err(Problem::bare(fault).into());
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| failed(not_text(&path_text, error.utf8_error())))?;
        Self::parse(path, text)
    }

    /// Parses a text; `path` is for messages, for finding what the text names, and need not exist.
    ///
    /// # Errors
    /// When it is not TOML, `[pipeline] hosts` is not a list of strings, or the path is not UTF-8.
    pub fn parse(path: &Path, text: String) -> Result<Self, Error> {
        let absolute = std::path::absolute(path)
            .map_err(|error| Problem::bare(Fault::Io { message: error.to_string() }))?;
        if absolute.to_str().is_none() {
            let path = absolute.to_string_lossy().into_owned();
            return Err(Problem::bare(Fault::NameNotText { path }).into());
        }
        let source: Text = Arc::new(Source::new(path.to_string_lossy(), text));
        let mut problems = Problems::new(source.clone());
        let root = parse(source.text(), &mut problems);
        let folder = absolute.parent().unwrap_or(&absolute);
        let hosts = hosts(&root, folder, &mut problems);
        problems.finish()?;
        Ok(Self { path: absolute, text: source, root, hosts, data: Vec::new() })
    }

    /// The same, with folders where things that go by a name are looked for, in order.
    #[must_use]
    pub fn with_data(mut self, folders: &[PathBuf]) -> Self {
        self.data = folders.to_vec();
        self
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

    /// What a path in the file means: relative to its folder. A mere name that nothing beside the file
    /// has is looked for `below` a folder of the data folders, where the parameter has such.
    pub(crate) fn locate(&self, path: &str, below: Option<&str>) -> PathBuf {
        let beside = join(self.folder(), path);
        let is_name = !path.contains(['/', '\\']) && !path.starts_with('.');
        let Some(below) = below.filter(|_| is_name && !beside.exists()) else { return beside };
        let places = self.data.iter().map(|data| data.join(below).join(path));
        let found = places.filter(|place| place.exists()).find_map(|p| std::path::absolute(p).ok());
        found.unwrap_or(beside)
    }

    pub(crate) fn text(&self) -> Text {
        self.text.clone()
    }

    pub(crate) fn root(&self) -> &Table {
        &self.root
    }
}

fn not_text(path: &str, error: std::str::Utf8Error) -> String {
    format!("`{path}` is not UTF-8 from byte {} on", error.valid_up_to())
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
