//! A suite that goes on attacking: kills, full disks, damaged files, neighbours, hostile words.
//!
//! A [`Family`] is a kind of attack and what scarce promises under it. Each of its cases is drawn from a
//! seed, the family's name and a number, so that whatever is lost can be looked at again:
//!
//! ```text
//! cargo xtask faults                                   # every family, as often as it asks for
//! cargo xtask faults --minutes 60 --seed 7             # for an hour, with other cases
//! cargo xtask faults --family kills --seed 7 --case 12 # one case again
//! cargo xtask faults --document                        # docs/reliability.md from the last campaigns
//! ```
//!
//! An attack drives the built binaries as the end-to-end tests do, through [`scarce_tests`], and panics
//! when a promise is broken; a [`campaign`] counts that as lost and goes on. What all attacks end with is
//! [`Subject::recovers`]: a run without faults ends well, every table is that of an undisturbed run byte
//! for byte, `verify` finds nothing, and `gc` takes nothing of it away.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`families`] | the attacks, one file each |
//! | [`case`], [`campaign`] | a case and its draws; many of them, counted |
//! | [`subject`], [`tables`], [`pipelines`] | what is attacked, and what it ought to hold |
//! | [`inject`], [`clock`] | system calls that fail or kill, another time of day |
//! | [`property`] | any sequence of edits, kills, damage and collections: cached equals uncached |
//! | [`results`] | what was counted, as JSON and as a table |
//!
//! `cargo test` runs a few cases of every family (`tests/short.rs`).

#![allow(
    clippy::missing_panics_doc,
    reason = "a panic is how an attack says that a promise is broken"
)]
#![allow(clippy::unwrap_used, reason = "the same")]

pub mod campaign;
pub mod case;
pub mod clock;
pub mod families;
pub mod inject;
pub mod pipelines;
pub mod property;
pub mod results;
pub mod subject;
pub mod tables;

pub use case::{Case, Outcome};
pub use families::{FAMILIES, Family};
pub use subject::Subject;
