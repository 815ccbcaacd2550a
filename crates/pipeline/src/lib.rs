//! TOML in, a checked and expanded graph of tasks out; every error points at the line.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod axis;
mod catalogue;
mod document;
mod draw;
mod editor;
mod error;
mod fault;
mod names;
mod overrides;
mod pipeline;
mod resolve;

pub use axis::axis_text;
pub use catalogue::Catalogue;
pub use document::Document;
pub use draw::{dot, mermaid};
pub use editor::json_schema;
pub use error::{Error, Problem};
pub use fault::Fault;
pub use overrides::Overrides;
pub use pipeline::{Link, PathParam, Pipeline, Resources, Source, Stage, Task, Wire};
