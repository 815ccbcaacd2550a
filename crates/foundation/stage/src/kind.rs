//! A stage as its implementer sees it, and as a host holds it.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
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
        description.params = schema::<S::Params>();
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

/// The JSON Schema of some parameters, in which every number has the bounds of its type: `schemars`
/// only names the type, which to a validator says nothing.
fn schema<P: JsonSchema>() -> Value {
    let settings = SchemaSettings::default().with_transform(RecursiveTransform(bound));
    settings.into_generator().into_root_schema_for::<P>().to_value()
}

fn bound(schema: &mut Schema) {
    let (least, most): (Value, Value) = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => (u8::MIN.into(), u8::MAX.into()),
        Some("uint16") => (u16::MIN.into(), u16::MAX.into()),
        Some("uint32") => (u32::MIN.into(), u32::MAX.into()),
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        // A TOML file can hold 64 bits without a sign.
        Some("int64" | "int") => (i64::MIN.into(), i64::MAX.into()),
        Some("float") => (f32::MIN.into(), f32::MAX.into()),
        _ => return,
    };
    let bounds =
        [(["minimum", "exclusiveMinimum"], least), (["maximum", "exclusiveMaximum"], most)];
    for ([key, exclusive], value) in bounds {
        if schema.get(key).is_none() && schema.get(exclusive).is_none() {
            schema.insert(key.to_owned(), value);
        }
    }
}

fn run<S: Stage>(params: Map<String, Value>, context: &Context) -> Result<(), Failure> {
    let params = serde_json::from_value(Value::Object(params)).map_err(|error| {
        Failure::new("stage::params", format!("stage `{}`: {error}", context.stage()))
            .help("`scarce stages KIND` lists the parameters")
    })?;
    S::run(params, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Params {
        seed: u64,
        limit: Option<u32>,
        ids: Vec<u32>,
        shift: i32,
        big: i64,
        scale: f32,
        #[schemars(range(max = 7), extend("exclusiveMinimum" = 0))]
        few: u32,
    }

    #[test]
    fn numbers_have_the_bounds_of_their_type_unless_they_have_their_own() {
        let schema = schema::<Params>();
        let at = |pointer: &str| schema.pointer(&format!("/properties/{pointer}")).cloned();
        assert_eq!(at("limit/maximum"), Some(u32::MAX.into()));
        assert_eq!(at("ids/items/maximum"), Some(u32::MAX.into()));
        assert_eq!(at("shift/minimum"), Some(i32::MIN.into()));
        assert_eq!(at("big/maximum"), Some(i64::MAX.into()));
        assert_eq!(at("scale/maximum"), Some(f32::MAX.into()));
        assert_eq!(at("few/maximum"), Some(7.into()));
        assert_eq!(at("seed/maximum"), None, "no file can hold more");
    }
}
