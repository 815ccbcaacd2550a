//! The journal: every decision of a person, one line of JSON each, appended and never changed.
//!
//! [`Journal`] is the file: lines are on the disk before anybody is told that they are kept, several
//! processes may append, a line that a crash cut short is taken off with a warning. [`Ledger`] is what
//! the lines amount to: who says what of which picture, with everything that was undone left out.

mod entry;
mod file;
mod ledger;

#[cfg(test)]
mod tests;

pub use entry::{Act, Entry, Guess, ImageRef, Mode, What};
pub use file::Journal;
pub(crate) use file::sync_folder;
pub use ledger::{Decision, Ledger, Opinion, Shown, WhoWins};
