//! One line of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of one thing that a person did: all its lines carry it, and undoing names it.
pub type Act = String;

/// A picture, so that it is found again after it was renamed, and not confused with another that took
/// its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// Its name below the folder, parts joined by `/`.
    pub file: String,
    /// BLAKE3 digest of its bytes, in hexadecimal digits.
    pub blake3: String,
}

/// Where on the page a decision was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One picture at a time.
    #[default]
    One,
    /// Many at once, in a grid.
    Many,
    /// Looking through guesses or labels that may be wrong.
    Correct,
    /// A selection on the map.
    Map,
    /// Read from a file of labels.
    Import,
}

/// What the page proposed when the person decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    /// The class.
    pub class: String,
    /// Its probability, as far as the model knows.
    pub probability: f32,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// The picture is of this class.
    Label {
        /// The picture.
        image: ImageRef,
        /// The class.
        class: String,
        /// Where it was decided.
        mode: Mode,
        /// The guess that was shown; none was if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guess: Option<Guess>,
        /// The picture belongs to the sample that nothing learns from.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        audit: bool,
    },
    /// The person cannot tell.
    Unsure {
        /// The picture.
        image: ImageRef,
        /// Where it was decided.
        mode: Mode,
    },
    /// The picture is of no use: spoilt, or not of the collection.
    Unusable {
        /// The picture.
        image: ImageRef,
        /// Where it was decided.
        mode: Mode,
    },
    /// Takes an earlier act back.
    Undo {
        /// The act.
        of: Act,
    },
    /// There is such a class, and this key means it.
    Class {
        /// Its name.
        class: String,
        /// Its key; one is found for it if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<char>,
    },
}

impl What {
    /// The picture that it is about.
    pub fn image(&self) -> Option<&ImageRef> {
        match self {
            Self::Label { image, .. }
            | Self::Unsure { image, .. }
            | Self::Unusable { image, .. } => Some(image),
            Self::Undo { .. } | Self::Class { .. } => None,
        }
    }
}

/// A line: what was decided, when and by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// Lines of one act belong together: fifty pictures labelled at once are undone at once.
    pub act: Act,
    /// The annotator.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
}
