//! The splits that a parameter can name.

use scarce_artifact::Split;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the data.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum SplitName {
    /// Images that may be learnt from.
    Train,
    /// Images held out for scoring.
    Test,
    /// Images of data without an official split.
    Pool,
}

impl SplitName {
    /// All of them: what classifiers predict by default.
    pub fn all() -> Vec<Self> {
        vec![Self::Train, Self::Test, Self::Pool]
    }

    /// Those that are learnt from by default: all but the test split.
    pub fn learnt_from() -> Vec<Self> {
        vec![Self::Train, Self::Pool]
    }

    /// Whether this names `split`.
    pub fn is(self, split: Split) -> bool {
        matches!(
            (self, split),
            (Self::Train, Split::Train) | (Self::Test, Split::Test) | (Self::Pool, Split::Pool)
        )
    }

    /// Whether one of `names` names `split`.
    pub fn any(names: &[Self], split: Split) -> bool {
        names.iter().any(|name| name.is(split))
    }
}
