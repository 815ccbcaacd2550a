//! Which runs of a kind share what they remember of single items.

use scarce_pipeline::Task;
use scarce_stage::Description;
use serde_json::{Map, Value, json};

/// What a task's memo depends on: kind, code, environment, and the parameters that the kind names or,
/// if it names none, all that are no paths. `None` for kinds without a memo. `ingredients` are those
/// of the task's key, in which the content stands for a path.
pub(crate) fn ingredients(
    description: &Description,
    task: &Task,
    ingredients: &Value,
) -> Option<Value> {
    if !description.memo {
        return None;
    }
    let is_path = |name: &str| {
        let top = |pointer: &str| pointer.split('/').nth(1).is_some_and(|first| first == name);
        task.paths.iter().any(|path| top(&path.pointer))
    };
    let counts = |name: &str| match &description.memo_params {
        Some(names) => names.iter().any(|named| named == name),
        None => !is_path(name),
    };
    let params = ingredients.get("params").and_then(Value::as_object).into_iter().flatten();
    let params: Map<String, Value> = params
        .filter(|(name, _)| counts(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Some(json!({
        "memo": 1,
        "kind": description.kind,
        "code": description.fingerprint,
        "environment": description.environment,
        "params": params,
    }))
}
