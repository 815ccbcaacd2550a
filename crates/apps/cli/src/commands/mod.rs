//! One module per command.

pub(crate) mod bundle;
pub(crate) mod check;
pub(crate) mod collection;
pub(crate) mod data;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod graph;
pub(crate) mod headlines;
pub(crate) mod label;
pub(crate) mod new;
pub(crate) mod pictures;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod stages;
pub(crate) mod store;
pub(crate) mod tables;
