//! Where a table comes from, and which tables are runs of the same method.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values of axes, in the order of the TOML.
pub(crate) type Axes = Vec<(String, Value)>;

/// One run of one stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub stage: String,
    pub axes: Axes,
}

/// A stage with the axes that make it a method of its own: runs of a method differ in seeds only.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Method {
    pub stage: String,
    pub axes: Axes,
    /// What people call the stage.
    pub title: String,
}

impl Method {
    /// The name on one line: `codes · architecture = conv`.
    pub(crate) fn name(&self) -> String {
        self.without_axis(None)
    }

    /// The name of a line along an axis.
    pub(crate) fn without_axis(&self, axis: Option<&str>) -> String {
        let others = self.axes.iter().filter(|(name, _)| Some(name.as_str()) != axis);
        let axes = others.map(|(name, value)| format!(" · {name} = {}", text(value)));
        std::iter::once(self.title.clone()).chain(axes).collect()
    }
}

/// All methods met so far, in order of appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Methods {
    seed_axes: Vec<String>,
    names: BTreeMap<String, String>,
    list: Vec<Method>,
}

impl Methods {
    pub(crate) fn new(seed_axes: &[String], names: &BTreeMap<String, String>) -> Self {
        Self { seed_axes: seed_axes.to_vec(), names: names.clone(), list: Vec::new() }
    }

    /// The index of the method that a run belongs to.
    pub(crate) fn of(&mut self, origin: &Origin) -> usize {
        let repeats = |axis: &String| self.seed_axes.contains(axis);
        let axes = origin.axes.iter().filter(|(axis, _)| !repeats(axis)).cloned().collect();
        let title = self.names.get(&origin.stage).unwrap_or(&origin.stage).clone();
        let method = Method { stage: origin.stage.clone(), axes, title };
        self.list.iter().position(|known| *known == method).unwrap_or_else(|| {
            self.list.push(method);
            self.list.len() - 1
        })
    }

    pub(crate) fn list(&self) -> &[Method] {
        &self.list
    }
}

/// Whether two tables can belong to the same run: no axis that both have differs.
pub(crate) fn agree(left: &[(String, Value)], right: &[(String, Value)]) -> bool {
    left.iter().all(|(axis, value)| {
        right.iter().find(|(name, _)| name == axis).is_none_or(|(_, other)| other == value)
    })
}

/// An axis value as people write it: words without quotes.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn axes(pairs: &[(&str, Value)]) -> Axes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn runs_that_differ_in_seeds_are_one_method() {
        let mut methods = Methods::new(&["seed".to_owned()], &BTreeMap::new());
        let run = |seed: i32, k: i32| Origin {
            stage: "knn".to_owned(),
            axes: axes(&[("seed", json!(seed)), ("k", json!(k))]),
        };
        assert_eq!(methods.of(&run(0, 1)), 0);
        assert_eq!(methods.of(&run(1, 1)), 0);
        assert_eq!(methods.of(&run(0, 3)), 1);
        assert_eq!(methods.list()[1].name(), "knn · k = 3");
    }

    #[test]
    fn tables_agree_when_no_shared_axis_differs() {
        let labels = axes(&[("seed", json!(1))]);
        assert!(agree(&labels, &axes(&[("seed", json!(1)), ("k", json!(3))])));
        assert!(!agree(&labels, &axes(&[("seed", json!(2)), ("k", json!(3))])));
        assert!(agree(&labels, &axes(&[("k", json!(3))])));
        assert!(agree(&labels, &[]));
    }
}
