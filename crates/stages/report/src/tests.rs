//! The whole stage on small tables: what it writes, and what it refuses.

mod bench;
mod claims;
mod numbers;
mod pages;
mod refusals;
mod standing;
mod studies;
