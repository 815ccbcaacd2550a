//! What an entry says of itself.

use std::collections::BTreeMap;

use scarce_artifact::{Digest, digest_bytes};
use scarce_stage::Format;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Key;

/// Raised when the manifest changes its meaning; a larger number counts as damage and is recomputed.
pub(crate) const MANIFEST_FORMAT: u32 = 2;
/// As 2, without the digest of the manifest itself. No key that this version asks for leads to one, but
/// records of earlier runs do.
pub(crate) const UNSEALED_FORMAT: u32 = 1;

/// `manifest.json`: how an entry came about and what is in it. It carries its own digest
/// ([`crate::seal`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file.
    pub format: u32,
    /// The stage kind that wrote the entry.
    pub kind: String,
    /// The entry's key.
    pub key: Key,
    /// What the key is the digest of.
    pub ingredients: Value,
    /// Outputs by port; `null` is an optional output that was not written.
    pub outputs: BTreeMap<String, Option<Output>>,
    /// What it cost.
    pub usage: Usage,
    /// When it was published.
    pub created: jiff::Timestamp,
    /// The program and version that published it.
    pub tool: String,
}

impl Manifest {
    /// Bytes of all outputs.
    pub fn bytes(&self) -> u64 {
        let files = self.outputs.values().flatten().flat_map(|output| &output.files);
        files.map(|file| file.bytes).sum()
    }
}

/// One output of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The table's or model's type.
    pub artifact: String,
    /// How it lies on the disk.
    pub format: Format,
    /// Digest of the content: of the file, or of the list of files when there are several. This is
    /// what enters the keys of stages below.
    pub digest: Digest,
    /// Rows, for a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The files.
    pub files: Vec<OutputFile>,
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// File name within the entry.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// Digest of the bytes.
    pub digest: Digest,
}

impl Output {
    /// The content digest of some files: names do not enter, since a port may be called otherwise.
    pub(crate) fn digest_of(files: &[OutputFile]) -> Digest {
        match files {
            [only] => only.digest.clone(),
            several => {
                let list: Vec<_> = several.iter().map(|file| file.digest.as_str()).collect();
                digest_bytes(list.join("\n").as_bytes())
            }
        }
    }
}

/// What a stage cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds from start to end of the process.
    pub wall_seconds: f64,
    /// Seconds of processor time, user and system, over all threads.
    pub cpu_seconds: f64,
    /// Largest resident set, bytes.
    pub peak_memory_bytes: u64,
}
