//! The contract of a stage: its kind, parameters, ports, context, progress and failures.
//!
//! A *stage kind* is a type that implements [`Stage`]: it describes itself ([`Description`]: ports
//! typed by table, parameters as a JSON Schema with defaults and documentation) and runs once in a
//! [`Context`] that hands it open tables and takes its outputs. It knows neither the pipeline, nor
//! the cache, nor any other stage.
//!
//! Kinds live in *hosts*: programs that answer two words. `HOST describe` prints a
//! [`HostDescription`]; `HOST exec JOB.json` runs one [`Job`] and prints an [`Event`] per line.
//! [`host::main`] is such a program in one call; the protocol is plain JSON and Parquet, so that a
//! host can be written in any language.
//!
//! ```
//! use scarce_artifact::{Classes, Labels, Truth, Writer};
//! use scarce_stage::{Context, Description, Failure, Kind, Port, Stage};
//!
//! /// Gives every image its true label: what a perfect annotator would say.
//! struct Reveal;
//!
//! /// Parameters of `reveal`; unknown keys are refused.
//! #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, default)]
//! struct Params {
//!     /// Reveal only the first so many.
//!     limit: usize,
//! }
//!
//! impl Default for Params {
//!     fn default() -> Self {
//!         Self { limit: 100 }
//!     }
//! }
//!
//! impl Stage for Reveal {
//!     type Params = Params;
//!
//!     fn describe() -> Description {
//!         Description::new("reveal", "Labels read off the truth")
//!             .input(Port::table::<Truth>("truth", "The full ground truth"))
//!             .output(Port::table::<Labels>("labels", "The first labels of it"))
//!     }
//!
//!     fn run(params: Params, context: &Context) -> Result<(), Failure> {
//!         let truth = context.input::<Truth>("truth")?;
//!         let rows = truth.read()?;
//!         let n = params.limit.min(rows.id.len());
//!         let labels = Labels {
//!             id: rows.id[..n].to_vec(),
//!             label: rows.label[..n].to_vec(),
//!             source: vec![scarce_artifact::LabelSource::Given; n],
//!             confidence: vec![1.0; n],
//!         };
//!         context.write("labels", truth.meta().clone(), labels)
//!     }
//! }
//!
//! let kind = Kind::of::<Reveal>("fingerprint of the sources");
//! assert_eq!(kind.description().kind, "reveal");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod context;
mod description;
mod failure;
pub mod host;
mod kind;
mod learning;
mod memo;
mod protocol;
mod splits;
mod words;

pub use context::{Context, Input};
pub use description::{
    Description, Format, HostDescription, Needs, OTHER_ENVIRONMENT, PROTOCOL, Port,
};
pub use failure::Failure;
pub use kind::{Kind, Stage};
pub use learning::{
    Chance, Exposure, Knowledge, Learns, Learnt, LearntFrom, Lesson, Splits, exposure, rows,
};
pub use memo::Memo;
pub use protocol::{Ancestor, Event, Job, JobInput, Level};
pub use splits::SplitName;
pub use words::counted;
