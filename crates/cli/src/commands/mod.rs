//! One module per command.

pub mod check;
pub mod data;
pub mod graph;
pub mod new;
pub mod pictures;
pub mod plan;
pub mod run;
pub mod runs;
pub mod show;
pub mod stages;
pub mod store;
