//! Vectors that nothing can be made of: counted, and named by their rows.

use std::{fmt, path::Path};

use super::Params;
use crate::{Error, Result};

/// Rows that a message names; the others are counted.
const NAMED: usize = 10;

/// What is wrong with a vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Flaw {
    /// There is none.
    Missing,
    /// An element is missing.
    Null(usize),
    /// An element is NaN, infinite, or too large for 32 bits.
    NotFinite(usize, f32),
}

impl Flaw {
    /// Where the first number of a vector is that is not finite.
    pub(super) fn of(vector: &[f32]) -> Option<Self> {
        let at = vector.iter().position(|number| !number.is_finite())?;
        Some(Self::NotFinite(at, vector[at]))
    }

    fn place(self, row: usize) -> String {
        match self {
            Self::Missing => format!("row {row}"),
            Self::Null(at) | Self::NotFinite(at, _) => format!("row {row}, element {at}"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "the vector is missing"),
            Self::Null(_) => write!(f, "the number is missing"),
            Self::NotFinite(_, number) if number.is_nan() => write!(f, "not a finite number: NaN"),
            Self::NotFinite(..) => {
                write!(f, "not a finite number: an infinity, or one beyond 32 bits")
            }
        }
    }
}

/// Rows of a kind, the first of them by number.
#[derive(Default)]
struct Rows {
    count: usize,
    first: Vec<usize>,
}

impl Rows {
    fn note(&mut self, row: usize) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(row);
        }
    }

    /// `rows 3, 17, 40` or `row 3`, and how many more.
    fn list(&self) -> String {
        let rows: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        let more = self.count - self.first.len();
        let unit = if self.count == 1 { "row" } else { "rows" };
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{unit} {}{more}", rows.join(", "))
    }
}

/// What was found in the vectors of one file.
#[derive(Default)]
pub(super) struct Flaws {
    seen: usize,
    flawed: Rows,
    first: Option<(usize, Flaw)>,
    zero: Rows,
}

impl Flaws {
    /// Looks at a vector that has no flaw.
    pub(super) fn sound(&mut self, row: usize, vector: &[f32]) {
        self.seen += 1;
        if vector.iter().all(|&number| number == 0.0) {
            self.zero.note(row);
        }
    }

    /// Remembers one that has.
    pub(super) fn note(&mut self, row: usize, flaw: Flaw) {
        self.seen += 1;
        self.flawed.note(row);
        self.first.get_or_insert((row, flaw));
    }

    /// Refuses the file, or says what is left out of it.
    pub(super) fn tell(&self, path: &Path, params: &Params) -> Result<()> {
        let (file, seen) = (path.display(), self.seen);
        if self.zero.count > 0 {
            tracing::warn!(
                "{} of {seen} vectors of `{file}` are all zero ({}): they have no direction, and \
                 cosine distance 1 to everything",
                self.zero.count,
                self.zero.list()
            );
        }
        let Some((row, flaw)) = self.first else { return Ok(()) };
        let count = self.flawed.count;
        if params.skip_invalid {
            tracing::warn!(
                "left out {count} of {seen} vectors of `{file}` ({}): missing, or with numbers that \
                 are not finite",
                self.flawed.list()
            );
            return Ok(());
        }
        let message = match count {
            1 => flaw.to_string(),
            _ => format!("{flaw}; so it is with {count} of {seen} vectors, {}", self.flawed.list()),
        };
        let help = "find out why the model gives them, or leave such rows out with \
                    `skip_invalid = true`";
        Err(Error::value(path, flaw.place(row), message, help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_up_to_a_number_and_all_are_counted() {
        let mut rows = Rows::default();
        rows.note(3);
        assert_eq!(rows.list(), "row 3");
        (4..25).for_each(|row| rows.note(row));
        assert_eq!(rows.list(), "rows 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 12 more");
    }
}
