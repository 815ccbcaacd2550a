//! What runs and why; running it.
//!
//! An [`Orchestrator`] takes a checked [`scarce_pipeline::Pipeline`], the [`Hosts`] that provide its
//! kinds, a folder for the artifacts and [`Options`]. [`Orchestrator::plan`] says for every task
//! whether its result is there, or will be computed and why ([`Reason`]). [`Orchestrator::run`]
//! computes what is not there, each task as a process of its host, and reports as it goes
//! ([`RunEvent`]) and at the end ([`Summary`]).
//!
//! A task's key is the digest of everything that determines its bytes: kind, code, parameters, the
//! *content* of its inputs, the numeric environment. Hence a stage above that computes the same as
//! before reruns nothing below it, and neither renaming a stage nor moving the project does.
//!
//! What a run leaves behind, apart from the store:
//!
//! ```text
//! runs/<pipeline>/<stage>/[<axis>=<value>/…]   links to the outputs in the store, a folder per task
//! runs/<pipeline>/run.json                     the Record of the last run
//! runs/<pipeline>/history/<time>.json          those of earlier ones
//! runs/<pipeline>/history/<time>-<pid>.jsonl   the journal of a run that goes on, or was killed
//! ```
//!
//! ```no_run
//! use std::{path::Path, sync::atomic::AtomicBool};
//! use scarce_orchestrator::{BuiltIn, Hosts, Options, Orchestrator, Search};
//! use scarce_pipeline::{Document, Overrides, Pipeline};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let root = Path::new("artifacts");
//! let document = Document::read(Path::new("pipelines/quickstart.toml"))?;
//! let builtin = BuiltIn { program: std::env::current_exe()?, kinds: vec![] };
//! let hosts = Hosts::discover(&Search::usual(document.hosts(), builtin, root))?;
//! let pipeline = Pipeline::resolve(&document, &hosts.catalogue(), &Overrides::default())?;
//! let orchestrator = Orchestrator::new(root, &pipeline, &hosts, Options::default())?;
//! for task in orchestrator.plan()?.tasks {
//!     println!("{}: {:?}", task.task.label, task.status);
//! }
//! let interrupt = AtomicBool::new(false);
//! let summary = orchestrator.run(&interrupt, &|event| println!("{event:?}"))?;
//! assert!(summary.is_success());
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assess;
mod child;
mod classes;
mod error;
mod event;
mod finish;
mod hosts;
mod ingredients;
mod limit;
mod lineage;
mod lines;
mod log;
mod machine;
mod memo;
mod options;
mod orchestrator;
mod outputs;
mod plan;
mod ready;
mod reason;
mod record;
mod repair;
mod resources;
mod schedule;
mod summary;
mod verified;
mod views;
mod worker;

pub use error::{Error, Result};
pub use event::{RunEvent, TaskRef};
pub use hosts::{BuiltIn, Host, Hosts, Rank, Search, described};
pub use lines::next_line;
pub use options::Options;
pub use orchestrator::{Garbage, Orchestrator, collect_garbage};
pub use plan::{Plan, PlannedTask, Status};
pub use reason::{Reason, differences};
pub use record::{Outcome, Record, TaskRecord, TaskStatus};
pub use summary::{FailedTask, Summary};
pub use views::view;
