//! The table of metrics: one row per run, split, metric and class.

use std::{path::Path, rc::Rc, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt32Array},
    datatypes::{DataType, Field, Schema},
};
use scarce_artifact::RawWriter;
use serde_json::Value;

use crate::{
    Result,
    origin::{Axes, Origin, text},
    standing::Standing,
};

/// Which images a score is over, and what the learner knew of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Setting {
    /// Images that nothing was learnt from.
    Test,
    /// Test images that a stage above learnt from, without their labels.
    TestSeen,
    /// Test images of which nobody says whether a stage above learnt from them.
    TestUnsure,
    /// Test images whose labels a stage above learnt from: there is nothing to score.
    TestLabelled,
    /// Images that were learnt from without their labels; labelled ones are left out.
    Transductive,
    /// Images that were learnt from; nobody said which of them were labelled.
    Training,
    /// Images that were learnt from without any label.
    WithoutLabels,
    /// Images of a table that says nothing of splits, test images perhaps among them.
    Unsplit,
    /// Given labels, each predicted by a run that did not see it.
    CrossValidated,
    /// A description of predictions that needs no truth.
    Unscored,
}

impl Setting {
    /// In the order that a page shows them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Test,
        Self::TestSeen,
        Self::TestUnsure,
        Self::TestLabelled,
        Self::Transductive,
        Self::Training,
        Self::WithoutLabels,
        Self::Unsplit,
        Self::CrossValidated,
        Self::Unscored,
    ];

    /// What a reader is told.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Test => "test (held out)",
            Self::TestSeen => "test (transductive: seen without labels)",
            Self::TestUnsure => "test (not known whether it was seen)",
            Self::TestLabelled => "test (its labels were learnt from: no score)",
            Self::Transductive => "transductive (images without a label)",
            Self::Training => "training images (labelled ones not told apart)",
            Self::WithoutLabels => "training images (no labels used)",
            Self::Unsplit => "all images (splits not told apart)",
            Self::CrossValidated => "cross-validated on given labels",
            Self::Unscored => "not scored (no truth)",
        }
    }

    /// Whether the images are those of the test split.
    pub(crate) fn is_test(self) -> bool {
        matches!(self, Self::Test | Self::TestSeen | Self::TestUnsure | Self::TestLabelled)
    }

    /// The setting behind [`Setting::words`].
    pub(crate) fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.words() == words)
    }
}

/// The split of rows that come from cross-validation.
pub(crate) const CROSS_VALIDATION: &str = "cross-validation";

/// One number.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub origin: Rc<Origin>,
    /// Index into the methods.
    pub method: usize,
    /// `test`, `train`, `pool`, `all` or `cross-validation`.
    pub split: &'static str,
    pub setting: Setting,
    pub metric: &'static str,
    /// Index into the class names.
    pub class: Option<usize>,
    /// The predicted class of a confusion count.
    pub predicted: Option<usize>,
    pub value: f64,
    /// How many images the value is over.
    pub support: u32,
    /// How many labels the run was given, where that is known.
    pub labels: Option<u32>,
    pub standing: Rc<Standing>,
}

/// Writes the table.
pub(crate) fn write(path: &Path, rows: &[Row], classes: &[String]) -> Result<()> {
    let mut columns = vec![
        words("stage", rows.iter().map(|row| Some(row.origin.stage.as_str()))),
        words("split", rows.iter().map(|row| Some(row.split))),
        words("setting", rows.iter().map(|row| Some(row.setting.words()))),
        words("metric", rows.iter().map(|row| Some(row.metric))),
        words("class", rows.iter().map(|row| class_name(classes, row.class))),
        words("predicted", rows.iter().map(|row| class_name(classes, row.predicted))),
        numbers("value", rows.iter().map(|row| Some(row.value))),
        counts("support", rows.iter().map(|row| Some(row.support))),
        counts("labels", rows.iter().map(|row| row.labels)),
        words("seen_by", rows.iter().map(|row| row.standing.seen_by.as_deref())),
        words("elsewhere", rows.iter().map(|row| row.standing.elsewhere.as_deref())),
    ];
    let axes: Vec<&Axes> = rows.iter().map(|row| &row.origin.axes).collect();
    columns.extend(axis_columns(&axes, &columns));
    write_columns(path, "metrics", columns)
}

/// Writes a table whose columns are known only at run time.
pub(crate) fn write_columns(path: &Path, name: &str, columns: Vec<Column>) -> Result<()> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let meta = serde_json::json!({});
    let mut writer = RawWriter::create(path, name, 1, Schema::new(fields), &meta)?;
    writer.write(arrays)?;
    writer.finish()?;
    Ok(())
}

/// A column with its name and type.
pub(crate) type Column = (Field, ArrayRef);

pub(crate) fn class_name(classes: &[String], class: Option<usize>) -> Option<&str> {
    class.and_then(|class| classes.get(class)).map(String::as_str)
}

pub(crate) fn words<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    (Field::new(name, DataType::Utf8, true), Arc::new(values.collect::<StringArray>()))
}

/// Numbers; one that is not finite becomes a gap rather than a NaN in a file.
pub(crate) fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let array: Float64Array = values.map(|v| v.filter(|v| v.is_finite())).collect();
    (Field::new(name, DataType::Float64, true), Arc::new(array))
}

pub(crate) fn counts(name: &str, values: impl Iterator<Item = Option<u32>>) -> Column {
    (Field::new(name, DataType::UInt32, true), Arc::new(values.collect::<UInt32Array>()))
}

/// A column for every axis that occurs, in order of appearance, with a gap where a stage does not
/// use it. An axis named like a column that is `taken` gets `axis_` before it.
pub(crate) fn axis_columns(rows: &[&Axes], taken: &[Column]) -> Vec<Column> {
    let mut names: Vec<&str> = Vec::new();
    let mut last: Option<&Axes> = None;
    for axes in rows {
        // Rows of one table lie together: look at each run once.
        if last.is_some_and(|last| std::ptr::eq(last, *axes)) {
            continue;
        }
        last = Some(axes);
        for (name, _) in *axes {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let column = |name: &str| {
        let value =
            |axes: &&Axes| axes.iter().find(|(axis, _)| axis == name).map(|(_, v)| v.clone());
        let values: Vec<Option<Value>> = rows.iter().map(value).collect();
        let clash = taken.iter().any(|(field, _)| field.name() == name);
        let name = if clash { format!("axis_{name}") } else { name.to_owned() };
        typed(&name, &values)
    };
    names.into_iter().map(column).collect()
}

/// Integers, numbers, booleans, or words when the values have no common type.
fn typed(name: &str, values: &[Option<Value>]) -> Column {
    let all = |test: fn(&Value) -> bool| values.iter().flatten().all(test);
    let array: ArrayRef = if all(Value::is_i64) {
        Arc::new(values.iter().map(|v| v.as_ref()?.as_i64()).collect::<Int64Array>())
    } else if all(Value::is_number) {
        Arc::new(values.iter().map(|v| v.as_ref()?.as_f64()).collect::<Float64Array>())
    } else if all(Value::is_boolean) {
        Arc::new(values.iter().map(|v| v.as_ref()?.as_bool()).collect::<BooleanArray>())
    } else {
        Arc::new(values.iter().map(|v| v.as_ref().map(text)).collect::<StringArray>())
    };
    (Field::new(name, array.data_type().clone(), true), array)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn axes_become_columns_of_their_own_type() {
        let one = vec![("seed".to_owned(), json!(1)), ("class".to_owned(), json!("a"))];
        let two = vec![("seed".to_owned(), json!(2)), ("fold".to_owned(), json!(0))];
        let three = vec![("fold".to_owned(), json!("all")), ("rate".to_owned(), json!(0.5))];
        let taken = [words("class", [None, None, None].into_iter())];
        let columns = axis_columns(&[&one, &two, &three], &taken);
        let found: Vec<(&str, &DataType, usize)> = columns
            .iter()
            .map(|(field, array)| (field.name().as_str(), field.data_type(), array.null_count()))
            .collect();
        assert_eq!(
            found,
            [
                ("seed", &DataType::Int64, 1),
                ("axis_class", &DataType::Utf8, 2),
                ("fold", &DataType::Utf8, 1),
                ("rate", &DataType::Float64, 2),
            ]
        );
    }

    #[test]
    fn settings_are_known_by_their_words() {
        for setting in Setting::ALL {
            assert_eq!(Setting::parse(setting.words()), Some(setting));
        }
    }
}
