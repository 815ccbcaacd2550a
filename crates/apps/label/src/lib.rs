//! The labelling page: `scarce label FOLDER`.
//!
//! A person looks at pictures in a browser and says what they are; a model learns from it meanwhile and
//! proposes. [`Page::open`] takes a pipeline and a journal, [`Page::serve`] serves the page on this
//! machine until it is stopped.
//!
//! | part | what it holds to |
//! | --- | --- |
//! | [`journal`] | every decision is a line on the disk before the page says so; nothing is ever changed |
//! | `engine` | runs the pipeline behind the page, again after every ten labels; nobody waits for it |
//! | `queue` | what comes next: what a stage asks for, and now and then one of a random sample that nothing learns from |
//! | `session` | ties them together |
//! | `server` | loopback, a token, the page's own requests only; pictures by number, never by path |
//! | [`figures`] | Wilson's interval, Cohen's kappa |
//!
//! Rust decides, the page shows: what lies in `assets/` holds no rule of what is asked, learnt or kept.
//!
//! Labels reach stages by a file, `file,label,annotator`, which follows from the journal; so whatever is
//! done here can be done again by `scarce run`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod engine;
mod error;
pub mod figures;
pub mod gallery;
pub mod journal;
pub mod labels;
mod lists;
pub mod outcome;
mod queue;
mod roles;
mod server;
mod session;
mod status;
mod tables;

pub use error::{Error, Result};
pub use server::Page;
pub use session::Settings;

/// A number that nobody can guess.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        // Without it the address could be guessed: better no page.
        Err(error) => unreachable!("the system gives no random numbers: {error}"),
    }
}
