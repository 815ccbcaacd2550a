//! The whole stage on small tables: what it writes, and what it refuses.

mod claims;
mod numbers;
mod pages;
mod refusals;
mod standing;
mod studies;
mod testing;
