//! The kind `labels`: labels of one's own, for a few images or all of them.

mod import;
mod json;
mod keys;
mod matching;
mod read;
mod text;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use scarce_artifact::{Classes, Embeddings, Images, LabelSource, Labels, Split};
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::import::{ReadLabel, ReadLabels, read_labels};
pub(crate) use self::text::{read_column, read_ids};
use self::{
    keys::Lookup,
    matching::compose,
    read::{Entry, LabelFile, Wanted},
};
use crate::{Error, Result, classes::nearest, image_index::ImageIndex};

/// Conflicts that a message lists.
const LISTED: usize = 20;

/// How the keys of a label file are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// Ids where there are only embeddings, or where the column is called `id`, holds nothing but
    /// whole numbers, and no image has such a number for a name; file names otherwise. Where both
    /// are possible and differ, the stage stops and shows both.
    #[default]
    Auto,
    /// The images' `source`: a file name or a path whose end identifies the image, with or without
    /// the extension, or the name under which Label Studio keeps an upload.
    Name,
    /// The images' or embeddings' `id`.
    Id,
}

/// Parameters of `labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// CSV (also separated by `;` or tabs), JSON lines, a JSON array of rows, or Parquet: one row per
    /// image, in any order. Rows with an empty label are left out. Also what Label Studio exports
    /// (CSV, JSON, JSON-MIN), COCO's JSON where every image has one category, and the JSON that
    /// `FiftyOne` writes for classification.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// The column that names the image; by default the first of `file`, `filename`, `file_name`,
    /// `path`, `image`, `source`, `id`, `image_id`.
    #[serde(default)]
    pub key_column: Option<String>,
    /// The column of classes; by default the first of `label`, `class`, `choice`, `category`.
    #[serde(default)]
    pub label_column: Option<String>,
    /// Take only the rows whose column `annotator` says this, where several people labelled.
    #[serde(default)]
    pub annotator: Option<String>,
    /// How images are named.
    #[serde(default)]
    pub match_by: MatchBy,
    /// The classes in label order; by default the sorted names that the file uses, by size if all
    /// are numbers.
    #[serde(default)]
    pub classes: Vec<String>,
}

/// The kind `labels`.
pub(crate) struct GivenLabels;

impl Stage for GivenLabels {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "labels",
            "Labels of your own, from CSV, JSON, Parquet, Label Studio or COCO",
        )
        .needs(Needs::light())
        .learns(Learns::nothing().keeping(Splits::learnable()))
        .doc(
            "Each row names an image (file name, end of its path, or id) and its class. The file \
                 may cover a few images only. Labels of pictures that `ingest` could not read are \
                 left out with a warning. Labels of images in the `test` split are left out \
                 with a warning: nothing may learn from those. Confidence is 1, source `given`.",
        )
        .input(Port::table::<Images>("images", "Where file names and ids are looked up").optional())
        .input(
            Port::table::<Embeddings>("embeddings", "Where ids are looked up without images")
                .optional(),
        )
        .output(Port::table::<Labels>("labels", "The labels, sorted by id"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let image_index = ImageIndex::of(context)?;
        let wanted =
            Wanted { key: params.key_column.as_deref(), class: params.label_column.as_deref() };
        let file = read::read(&params.path, wanted)?.of_annotator(&params)?;
        if file.entries.is_empty() {
            let help = "write one row per labelled image, such as `file,label` then `a.png,cat`";
            let (path, help) = (params.path, help.to_owned());
            return Err(Error::Empty { path, what: "label", help }.into());
        }
        let rows = Lookup::new(&image_index, &file, &params).rows()?;
        warn_of_left_out(&file, &rows);
        let (classes, by_row) = by_row(&file, &rows, &params)?;
        let labels = labels(&by_row, &image_index);
        if labels.id.is_empty() {
            let message = "every image that the file labels is in the `test` split";
            return Err(Error::request(message, "label images that may be learnt from").into());
        }
        context.write("labels", Classes { classes }, labels)
    }
}

/// How many labels a file has of each class, the most frequent first.
///
/// # Errors
/// As reading the file by the kind `labels` without other parameters.
pub fn label_counts(path: &Path) -> Result<Vec<(String, usize)>> {
    let file = read::read(path, Wanted { key: None, class: None })?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in file.entries {
        *counts.entry(entry.class).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(counts)
}

/// Labels of pictures that `ingest` could not read.
fn warn_of_left_out(file: &LabelFile, rows: &[Option<usize>]) {
    let missing = || file.entries.iter().zip(rows).filter(|(_, row)| row.is_none());
    let count = missing().count();
    if let Some((first, _)) = missing().next() {
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        tracing::warn!(
            "`{}`{more}: labelled, but the picture cannot be read and was left out",
            first.key
        );
    }
}

/// The class names, and the class of each labelled row of the image index.
fn by_row(
    file: &LabelFile,
    rows: &[Option<usize>],
    params: &Params,
) -> Result<(Vec<String>, BTreeMap<usize, i32>)> {
    let mut classes: Vec<String> = params.classes.iter().map(|class| compose(class)).collect();
    if classes.is_empty() {
        classes = Classes::in_order(file.entries.iter().map(|entry| entry.class.clone()));
        warn_of_capitals(&classes);
    }
    let index: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    if index.len() < classes.len() {
        return Err(Error::request("`classes` names a class twice", "name every class once"));
    }
    let mut found: BTreeMap<usize, (i32, &Entry)> = BTreeMap::new();
    let mut used = vec![false; classes.len()];
    let mut conflicts = Vec::new();
    for (entry, &row) in file.entries.iter().zip(rows) {
        let class = *index.get(entry.class.as_str()).ok_or_else(|| {
            let message = format!("`{}` is not one of `classes`", entry.class);
            wrong(file, entry, params, message, nearest(&entry.class, &classes))
        })?;
        used[class] = true;
        let label = class as i32;
        let Some(row) = row else { continue };
        let (before, first) = *found.entry(row).or_insert((label, entry));
        if before != label {
            conflicts.push((first, entry));
        }
    }
    refuse_conflicts(file, &conflicts, params)?;
    for (class, _) in classes.iter().zip(used).filter(|(_, used)| !used) {
        tracing::warn!("the class `{class}` has no label");
    }
    Ok((classes, found.into_iter().map(|(row, (label, _))| (row, label)).collect()))
}

/// Images that were given two classes, all of them.
fn refuse_conflicts(
    file: &LabelFile,
    conflicts: &[(&Entry, &Entry)],
    params: &Params,
) -> Result<()> {
    let Some((_, entry)) = conflicts.first() else { return Ok(()) };
    let by = |entry: &Entry| {
        entry.annotator.as_ref().map_or_else(String::new, |name| format!(" by `{name}`"))
    };
    let describe = |(first, entry): &(&Entry, &Entry)| {
        format!(
            "`{}` is `{}`{} in {} {} and `{}`{} in {} {}",
            entry.key,
            first.class,
            by(first),
            file.unit,
            first.line,
            entry.class,
            by(entry),
            file.unit,
            entry.line
        )
    };
    let mut listed: Vec<String> = conflicts.iter().take(LISTED).map(describe).collect();
    if conflicts.len() > LISTED {
        listed.push(format!("and {} more", conflicts.len() - LISTED));
    }
    let help = if entry.annotator.is_some() {
        "keep one of the two, or take the labels of one person by `annotator = \"…\"`"
    } else {
        "keep one of the two"
    };
    Err(wrong(file, entry, params, listed.join("\n  "), help))
}

fn warn_of_capitals(classes: &[String]) {
    let mut folded: BTreeMap<String, &String> = BTreeMap::new();
    for class in classes {
        if let Some(other) = folded.insert(class.to_lowercase(), class) {
            tracing::warn!("the classes `{other}` and `{class}` differ in capital letters only");
        }
    }
}

/// The table, without what is in the test split.
fn labels(by_row: &BTreeMap<usize, i32>, image_index: &ImageIndex) -> Labels {
    let mut rows: Vec<(u32, i32)> = by_row
        .iter()
        .filter(|(row, _)| image_index.split[**row] != Split::Test)
        .map(|(row, label)| (image_index.id[*row], *label))
        .collect();
    rows.sort_unstable();
    let left_out = by_row.len() - rows.len();
    if left_out > 0 {
        tracing::warn!("{left_out} labels of images in the `test` split are left out");
    }
    given(rows)
}

/// Labels that are certain.
pub(crate) fn given(rows: Vec<(u32, i32)>) -> Labels {
    let count = rows.len();
    let (id, label) = rows.into_iter().unzip();
    Labels { id, label, source: vec![LabelSource::Given; count], confidence: vec![1.0; count] }
}

fn wrong(
    file: &LabelFile,
    entry: &Entry,
    params: &Params,
    message: String,
    help: impl Into<String>,
) -> Error {
    Error::value(&params.path, format!("{} {}", file.unit, entry.line), message, help)
}
