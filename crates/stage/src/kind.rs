//! A stage as its implementer sees it, and as a host holds it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Context, Description, Failure};

/// A kind of stage.
pub trait Stage: 'static {
    /// Its parameters: `#[serde(deny_unknown_fields)]`, a doc comment and (unless required) a default
    /// for every field. The field docs are what `scarce stages KIND` prints.
    type Params: DeserializeOwned + JsonSchema;

    /// Name, ports and documentation. Parameters and fingerprint are filled in by [`Kind::of`].
    fn describe() -> Description;

    /// Runs once: reads inputs, writes every output that is not optional.
    ///
    /// # Errors
    /// Whatever stops the stage, with a way out where there is one.
    fn run(params: Self::Params, context: &Context) -> Result<(), Failure>;
}

/// A stage with its type erased: what a host lists.
#[derive(Clone)]
pub struct Kind {
    description: Description,
    run: fn(Map<String, Value>, &Context) -> Result<(), Failure>,
}

impl Kind {
    /// Erases a stage's type. `fingerprint` is the digest of its crate's sources.
    pub fn of<S: Stage>(fingerprint: &str) -> Self {
        let mut description = S::describe();
        description.params = schemars::schema_for!(S::Params).to_value();
        fingerprint.clone_into(&mut description.fingerprint);
        Self { description, run: run::<S> }
    }

    /// What the kind says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Runs it.
    ///
    /// # Errors
    /// As [`Stage::run`], or when the parameters do not fit.
    pub fn run(&self, params: Map<String, Value>, context: &Context) -> Result<(), Failure> {
        (self.run)(params, context)
    }
}

fn run<S: Stage>(params: Map<String, Value>, context: &Context) -> Result<(), Failure> {
    let params = serde_json::from_value(Value::Object(params)).map_err(|error| {
        Failure::new("stage::params", format!("stage `{}`: {error}", context.stage()))
            .help("`scarce stages KIND` lists the parameters")
    })?;
    S::run(params, context)
}
