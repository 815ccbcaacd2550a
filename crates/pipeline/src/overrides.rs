//! What the command line changes about a pipeline.

/// Changes from the command line, applied before anything is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `stages.encoder.latent=64`: a key of the TOML and its new value. The value is read as TOML;
    /// where the parameter is a string, quotes may be left out.
    pub set: Vec<String>,
    /// `seed=0..3` (the end is left out) or `architecture=linear,conv`: other values for an axis.
    pub axes: Vec<String>,
}
