//! TOML in, a checked and expanded graph of tasks out; every error points at the line.
//!
//! A [`Document`] is a TOML file that parses; it already names the extra hosts whose kinds it uses.
//! With a [`Catalogue`] of all kinds and the [`Overrides`] of the command line,
//! [`Pipeline::resolve`] makes of it a [`Pipeline`]: a graph whose nodes are [`Task`]s (a stage with
//! one combination of the axes that concern it) and whose edges are [`Wire`]s.
//!
//! * **Axes.** A stage varies over the axes that its own parameters name (`seed = "$seed"`) and those
//!   of everything wired to it; so what does not depend on an axis is one task. Two inputs that vary
//!   over the same axis are joined on its value. `collect = ["seed"]` folds an axis: each port then
//!   takes all variants over it.
//! * **Rounds.** A group such as `[rounds.active]`, with `count = 5` and `stages = ["labels", "spread",
//!   "query"]`, runs its stages in that order, so many times. They gain an axis `round` with the
//!   values 0, 1, …; whoever reads them varies over it as over any axis, and may collect it. Within
//!   the group a wire from an earlier stage is of the same round; one from a later stage, or from the
//!   stage itself, is *what the round before left*, and is not there in the first round. All rounds
//!   are unrolled: each is a task like any other. Two groups of one count that meet are joined on the
//!   round; of different counts they can only be collected together.
//! * **Wires.** `stage` or `stage.port`. Ports are typed; of a stage alone, the one output of the
//!   right type is taken.
//! * **Baselines.** `[pipeline] baselines = true` adds logistic regression and the nearest labelled
//!   neighbour, on the same vectors and labels, to whatever a report shows, and compares with both.
//! * **Parameters.** Axes put in, defaults of the kind's JSON Schema filled in, each distinct
//!   combination validated. `"$$text"` stands for the text `$text`. [`Pipeline::resolve_to_run`] also
//!   looks for the files and folders that they name.
//! * **Problems.** An [`Error`] holds every [`Problem`] of the file, each with its place; it is a
//!   [`miette::Diagnostic`] for people and [`serde::Serialize`] for programs.
//!
//! [`dot`] and [`mermaid`] draw the graph; [`json_schema`] serves editors.
//!
//! ```
//! use std::path::Path;
//! use scarce_pipeline::{Catalogue, Document, Overrides, Pipeline};
//! use scarce_stage::{Description, Format, Port};
//!
//! let mut guess = Description::new("guess", "A random class for every image")
//!     .input(Port::new("images", "images", Format::Table, "What to guess"))
//!     .output(Port::new("predictions", "predictions", Format::Table, "The guesses"));
//! guess.params = serde_json::json!({
//!     "type": "object",
//!     "properties": { "seed": { "type": "integer", "default": 0 } },
//!     "additionalProperties": false,
//! });
//! let ingest = Description::new("ingest", "Images of a data set")
//!     .output(Port::new("images", "images", Format::Table, "The images"));
//! let catalogue = Catalogue::new([guess, ingest]);
//!
//! let document = Document::parse(Path::new("chance.toml"), r#"
//!     [axes]
//!     seed = { from = 0, to = 3 }
//!
//!     [stages.images]
//!     kind = "ingest"
//!
//!     [stages.chance]
//!     kind = "guess"
//!     inputs = { images = "images" }
//!     seed = "$seed"
//! "#.to_owned())?;
//! let pipeline = Pipeline::resolve(&document, &catalogue, &Overrides::default())?;
//! let labels: Vec<String> = pipeline.tasks().map(|(_, task)| task.label()).collect();
//! assert_eq!(labels, ["images", "chance [seed=0]", "chance [seed=1]", "chance [seed=2]"]);
//!
//! let overrides = Overrides { axes: vec!["sed=0..2".to_owned()], ..Overrides::default() };
//! let error = Pipeline::resolve(&document, &catalogue, &overrides).unwrap_err();
//! assert_eq!(error.to_string(), "there is no axis `sed`");
//! # Ok::<(), scarce_pipeline::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod axis;
mod baselines;
mod catalogue;
mod check;
mod document;
mod draw;
mod error;
mod expand;
mod fault;
mod files;
mod json_schema;
mod names;
mod node;
mod order;
mod overrides;
mod params;
mod pipeline;
mod problems;
mod resolve;
mod resources;
mod rounds;
mod schema;
mod sketch;
mod source;
mod sweep;
#[cfg(test)]
mod tests;
mod wires;

pub use axis::axis_text;
pub use catalogue::Catalogue;
pub use document::Document;
pub use draw::{dot, mermaid};
pub use error::{Error, Problem};
pub use fault::Fault;
pub use json_schema::json_schema;
pub use names::did_you_mean;
pub use overrides::Overrides;
pub use pipeline::{Link, PathParam, Pipeline, Resources, Source, Stage, Task, Wire, task_folder};
pub use resources::{memory_size, time_span};
