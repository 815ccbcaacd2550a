//! What the end-to-end tests share: the built binaries, run the way a person runs
//! them.
//!
//! The tests of this crate know scarce from outside only: its command line, its exit
//! codes, the files it leaves. `cargo xtask test` builds the binaries first. Under
//! plain `cargo test` build them yourself (`cargo build`); the tests take those of their
//! own profile, or the folder named by `SCARCE_BIN_DIR`.
//!
//! ```no_run
//! let place = tempfile::tempdir().unwrap();
//! scarce_tests::scarce(place.path()).args(["stages"]).assert().success();
//! ```

mod binaries;

pub use binaries::{binaries, scarce, workspace_root};
