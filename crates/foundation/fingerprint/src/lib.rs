//! The code fingerprint: what stands for "the code that made this artifact" in a
//! stage's cache key.
//!
//! A cached result may be reused only if the code that would make it again is the
//! same. Nobody remembers to raise a version number, so the build does it: a stage
//! crate's build script calls [`emit`], and the crate reads the outcome with
//! `env!("SCARCE_FINGERPRINT")`.
//!
//! ```no_run
//! // build.rs
//! scarce_fingerprint::emit();
//! ```
//!
//! What goes in, for the crate and for every crate of the workspace beneath it (its
//! `[dependencies]`, followed down; never `[dev-dependencies]`):
//!
//! - the code of its sources and its build script: their tokens, without comments, documentation
//!   and whatever is there for tests alone (`#[cfg(test)]`, with the files of such modules);
//! - its manifest, without what is for development alone, and every byte of the data beside the
//!   sources; not its tests, benchmarks, examples or snapshots;
//! - what the workspace says of each external dependency (version, features);
//!
//! and, for every external package beneath them, its name, version and checksum in
//! `Cargo.lock`.
//!
//! What does not: paths, times, the order of anything, the compiler, the profile. Two
//! clones of the same commit agree wherever they lie. A comment or a test changes nothing, a changed
//! algorithm always does. A source that does not parse counts byte by byte.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod code;
mod error;
mod files;
mod lock;
mod manifest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use error::Error;
use lock::Lock;
use manifest::Workspace;

/// The fingerprint of a crate, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// blake3, 64 hexadecimal digits.
    pub hex: String,
    /// Files and folders which, when they change, may change the fingerprint.
    pub inputs: Vec<PathBuf>,
}

/// Sets `SCARCE_FINGERPRINT` for the crate whose build script calls this, and tells
/// Cargo when to ask again.
///
/// Anything that stands in the way becomes a build error with its reason.
#[expect(clippy::print_stdout, reason = "how a build script speaks to Cargo")]
pub fn emit() {
    let outcome = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or(Error::NotABuildScript)
        .and_then(|dir| fingerprint(Path::new(&dir)));
    match outcome {
        Ok(Fingerprint { hex, inputs }) => {
            println!("cargo::rustc-env=SCARCE_FINGERPRINT={hex}");
            for path in inputs {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
        Err(error) => println!("cargo::error=code fingerprint: {error}"),
    }
}

/// The fingerprint of the crate in `crate_dir`, a member of a workspace that has
/// a `Cargo.lock`.
pub fn fingerprint(crate_dir: &Path) -> Result<Fingerprint, Error> {
    let workspace = Workspace::around(crate_dir)?;
    let lock = Lock::read(&workspace.root.join("Cargo.lock"))?;
    let crates = workspace.crates_beneath(crate_dir)?;

    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut inputs = vec![workspace.root.join("Cargo.lock"), workspace.root.join("Cargo.toml")];
    for krate in &crates {
        for file in files::of_crate(&krate.dir)? {
            let name = format!("file {} {}", krate.name, file.name);
            parts.insert(name, blake3::hash(&file.content).to_hex().to_string());
        }
        inputs.extend(files::top_level(&krate.dir)?);
        for (dependency, specification) in &krate.external {
            parts.insert(format!("wants {} {dependency}", krate.name), specification.clone());
        }
        for package in lock.beneath(&krate.name, krate.external.keys())? {
            parts.insert(format!("package {}", package.id), package.checksum);
        }
    }
    inputs.sort();

    let mut hasher = blake3::Hasher::new();
    for (name, value) in &parts {
        // lengths first, so that no two lists of parts run together alike
        for text in [name, value] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    Ok(Fingerprint { hex: hasher.finalize().to_hex().to_string(), inputs })
}

#[cfg(test)]
mod tests;
