//! The content-addressed cache: what a stage wrote, kept under a key made of everything that went in.
//!
//! A [`Store`] lives under a root folder (`artifacts/` by default) in `store/`:
//!
//! ```text
//! CACHEDIR.TAG               says that all this can be made again
//! store/<kind>/<key>/        one [`Entry`]: outputs, manifest.json, log.jsonl; immutable
//! store/.tmp/                entries being written ([`Staging`])
//! store/.locks/              one kernel lock per key; vanishes with its process
//! store/.quarantine/         damaged entries, each with damage.json beside its files
//! store/.failed/             logs of stages that failed
//! store/.digests/            content digests of files outside, by path and stat
//! store/.memo/               what stages remember of single items; no results
//! ```
//!
//! A [`Key`] is the digest of canonical JSON of the ingredients, so the same ingredients find the
//! same entry on any machine. An entry is published whole or not at all: written in a [`Staging`]
//! folder, flushed, renamed. [`Store::find`] makes cheap checks, [`Store::verify`] digests every
//! byte; what fails either is [`Damage`], which [`Store::set_aside`] moves to the quarantine after a
//! second look. A manifest carries its own digest ([`seal`]).
//!
//! Three locks keep processes apart: a [`KeyLock`] so that only one computes a key or sets it aside, a
//! [`Session`] that every run holds (shared), and [`Store::collect`] that needs nobody to hold it.
//!
//! ```
//! use scarce_store::{Key, Lookup, Product, Store, Usage};
//!
//! # let root = tempfile::tempdir()?;
//! let store = Store::open(root.path())?;
//! let ingredients = serde_json::json!({ "kind": "pca", "dimensions": 64 });
//! let key = Key::of(&ingredients);
//! assert!(matches!(store.find("pca", &key)?, Lookup::Absent));
//!
//! let staging = store.stage(&key)?;
//! std::fs::write(staging.outputs().join("page.html"), "<p>done</p>")?;
//! let page = Product::new("page", "page", scarce_stage::Format::Page);
//! store.publish(staging, "pca", &key, ingredients, &[page], Usage::default())?;
//! assert!(matches!(store.find("pca", &key)?, Lookup::Hit(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clock;
mod collect;
mod damage;
mod error;
mod external;
mod files;
mod key;
mod lock;
mod manifest;
mod memo;
mod publish;
mod seal;
mod store;

#[cfg(test)]
mod tests;

pub use clock::now;
pub use collect::{Collected, Garbage, Keep};
pub use damage::{Damage, SetAside};
pub use error::{Error, Result};
pub use external::{Change, Snapshot};
pub use files::{Durability, list, lock_file, read_file, sweep, write_atomic};
pub use key::{Key, canonical_json};
pub use lock::{Exclusive, KeyLock, Session};
pub use manifest::{Manifest, Output, OutputFile, Usage};
pub use memo::ForgottenMemos;
pub use publish::{Product, Published, Staging};
pub use seal::{Layout, Seal, check_seal, seal, unseal};
pub use store::{Entry, Lookup, Store};
