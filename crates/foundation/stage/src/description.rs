//! What a kind says of itself.

use std::collections::BTreeMap;

use scarce_artifact::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Learns;

/// Version of the host protocol; a host that speaks another is refused.
pub const PROTOCOL: u32 = 1;

/// Code of the failure of a host that finds itself in another environment than the key of the result
/// says ([`crate::Job::environment`]). What was remembered of the host is then forgotten.
pub const OTHER_ENVIRONMENT: &str = "stage::environment";

/// How an output lies on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One Parquet file: `PORT.parquet`.
    #[default]
    Table,
    /// A model: `PORT.safetensors` and `PORT.json`.
    Model,
    /// A page to look at: `PORT.html`.
    Page,
}

impl Format {
    /// The file names of the output `port`.
    pub fn files(self, port: &str) -> Vec<String> {
        match self {
            Self::Table => vec![format!("{port}.parquet")],
            Self::Model => vec![format!("{port}.safetensors"), format!("{port}.json")],
            Self::Page => vec![format!("{port}.html")],
        }
    }
}

/// An input or output of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name in the TOML and in file names.
    pub name: String,
    /// What flows through it: a table's name (`images`) or a model's (`encoder`, `classifier`).
    /// A wire joins two ports of the same type.
    #[serde(rename = "type")]
    pub artifact: String,
    /// How it lies on the disk.
    #[serde(default)]
    pub format: Format,
    /// One sentence.
    pub doc: String,
    /// An optional input may stay unwired; an optional output may not be written.
    #[serde(default)]
    pub optional: bool,
    /// Inputs only: takes any number of artifacts.
    #[serde(default)]
    pub many: bool,
}

impl Port {
    /// A port of a table.
    pub fn table<T: Table>(name: &str, doc: &str) -> Self {
        Self::new(name, T::NAME, Format::Table, doc)
    }

    /// A port of a model of the named type.
    pub fn model(name: &str, artifact: &str, doc: &str) -> Self {
        Self::new(name, artifact, Format::Model, doc)
    }

    /// A port of any type.
    pub fn new(name: &str, artifact: &str, format: Format, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            artifact: artifact.to_owned(),
            format,
            doc: doc.to_owned(),
            optional: false,
            many: false,
        }
    }

    /// The same, optional.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same, for any number of artifacts.
    #[must_use]
    pub fn many(mut self) -> Self {
        self.many = true;
        self
    }
}

/// What a kind asks of the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// It can use a GPU.
    pub gpu: bool,
    /// Its bytes depend on the number of threads, so that number is planned rather than shared out
    /// at run time.
    pub fixed_threads: bool,
    /// It takes a moment and one thread, whatever the data: threads are shared out as if it were not
    /// there.
    pub light: bool,
}

impl Needs {
    /// Of a kind that takes a moment and one thread.
    pub fn light() -> Self {
        Self { light: true, ..Self::default() }
    }
}

/// A kind's ports, parameters, documentation and identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The name that `kind = "…"` uses.
    pub kind: String,
    /// One line.
    pub summary: String,
    /// Longer documentation, Markdown: the method, its source, shapes and units.
    #[serde(default)]
    pub doc: String,
    /// Inputs in order.
    #[serde(default)]
    pub inputs: Vec<Port>,
    /// Outputs in order.
    #[serde(default)]
    pub outputs: Vec<Port>,
    /// JSON Schema of the parameters: an object without additional properties, each property with a
    /// description and, unless it is required, a default. A string property with
    /// `"format": "path"` names a file or folder whose content (not its name) counts; with `"below":
    /// "models"` beside it a mere name is looked for below `models/` in the data folders too.
    #[serde(default = "no_params")]
    pub params: Value,
    /// Digest of the code that runs; another fingerprint makes results stale.
    #[serde(default)]
    pub fingerprint: String,
    /// What else changes the bytes: library versions, the default device. It is part of every key,
    /// and a running stage compares it with what it finds ([`crate::Job::environment`]).
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What it asks of the machine.
    #[serde(default)]
    pub needs: Needs,
    /// Whether its jobs say what their inputs come from ([`crate::Job::lineage`]). That is for
    /// stages that tell people about it; it makes their results depend on it.
    #[serde(default)]
    pub lineage: bool,
    /// Whether its jobs get a folder in which they may leave, item by item, what later runs can use
    /// ([`crate::Memo`]). The bytes of the results must be the same with an empty one.
    #[serde(default)]
    pub memo: bool,
    /// The parameters that what it leaves there depends on, beside kind, code and environment: runs
    /// that agree on these share a folder. Of a path the content counts. When absent, all
    /// parameters but those that are paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo_params: Option<Vec<String>>,
    /// Whether all its inputs that name classes must name the same, in the same order. A run that
    /// breaks this ends as soon as two of them are there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_classes: bool,
    /// Which images it learns from. Where a kind does not say, nothing below it counts as scored on
    /// held-out images. It changes no result, only what reports say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learns: Option<Learns>,
}

fn no_params() -> Value {
    serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

impl Description {
    /// A kind with neither ports nor parameters yet.
    pub fn new(kind: &str, summary: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            summary: summary.to_owned(),
            doc: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            params: no_params(),
            fingerprint: String::new(),
            environment: BTreeMap::new(),
            needs: Needs::default(),
            lineage: false,
            memo: false,
            memo_params: None,
            same_classes: false,
            learns: None,
        }
    }

    /// Adds the long documentation.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        doc.clone_into(&mut self.doc);
        self
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, port: Port) -> Self {
        self.inputs.push(port);
        self
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, port: Port) -> Self {
        self.outputs.push(port);
        self
    }

    /// Says what it asks of the machine.
    #[must_use]
    pub fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Says that its inputs must name the same classes.
    #[must_use]
    pub fn with_same_classes(mut self) -> Self {
        self.same_classes = true;
        self
    }

    /// Says which images it learns from.
    #[must_use]
    pub fn learns(mut self, learns: Learns) -> Self {
        self.learns = Some(learns);
        self
    }

    /// Asks for [`crate::Job::lineage`].
    #[must_use]
    pub fn with_lineage(mut self) -> Self {
        self.lineage = true;
        self
    }

    /// Asks for [`crate::Job::memo`], shared by runs that agree on all parameters but paths.
    #[must_use]
    pub fn with_memo(mut self) -> Self {
        self.memo = true;
        self
    }

    /// Asks for [`crate::Job::memo`], shared by runs that agree on these parameters.
    #[must_use]
    pub fn with_memo_of(mut self, params: &[&str]) -> Self {
        self.memo = true;
        self.memo_params = Some(params.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Adds something that changes the bytes.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }
}

/// What `HOST describe` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostDescription {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The host's kinds.
    pub kinds: Vec<Description>,
}
