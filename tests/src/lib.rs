//! What the end-to-end tests share: the built binaries, run the way a person runs
//! them.
//!
//! The tests of this crate know scarce from outside only: its command line, its exit
//! codes, the files it leaves. `cargo xtask test` builds the binaries first. Under
//! plain `cargo test` build them yourself (`cargo build`); the tests take those of their
//! own profile, or the folder named by `SCARCE_BIN_DIR`.
//!
//! | file | what it holds scarce to |
//! | --- | --- |
//! | `quickstart`, `own_images` | the pipelines that people begin with |
//! | `experiments` | the published experiments, made smaller |
//! | `cache`, `views`, `rounds` | what runs again and why; what people browse; round after round |
//! | `reproducible`, `honest` | the same bytes anywhere; no truth for learners |
//! | `bad_input`, `bad_pipeline` | a word, the place, the way out; some as snapshots |
//! | `ranges` | every number of every kind, at its bounds and beyond |
//! | `faults`, `disks` | spoilt bytes, signals, two runs, no room, no permission |
//! | `hosts` | programs of others that provide kinds; who links libtorch |
//! | `commands`, `documentation` | each command, as text and as JSON; every parameter explained |
//! | `agreement` | scikit-learn's answers to small cases |
//! | `interop` | polars, pandas and DuckDB; `SCARCE_TEST_PYTHON` names an interpreter that has them |
//! | `label` | the labelling page, in a real browser |
//! | `architecture` | the arrows between crates |
//!
//! A [`Project`] is a folder of its own with a pipeline in it:
//!
//! ```no_run
//! use scarce_tests::{Project, SMALL};
//!
//! let project = Project::with(SMALL);
//! assert_eq!(project.run(&[]).ran(), ["images", "knn", "labels", "pixels", "report"]);
//! assert!(project.run(&[]).ran().is_empty());
//! ```
//!
//! [`files`] makes small files of the formats that enter, whole ones and lying ones.

mod answer;
mod binaries;
mod browser;
mod data;
pub mod files;
mod page;
pub mod photos;
mod process;
mod project;

pub use answer::{Answer, Run};
pub use binaries::{binaries, workspace_root};
pub use browser::Browser;
pub use data::data_with;
pub use page::{Labelling, request};
pub use process::{Child, descendants, eventually, is_alive, signal, skipped, wrapped};
pub use project::{Project, SMALL, fixture};
