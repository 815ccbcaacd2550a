//! The kind `labels`: labels of one's own, for a few images or all of them.

mod matching;
mod read;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use scarce_artifact::{Classes, Embeddings, Images, LabelSource, Labels, Split};
use scarce_stage::{Context, Description, Failure, Needs, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::read::{read_column, read_ids};
use self::{
    matching::{Match, Names},
    read::{Entry, LabelFile, Wanted},
};
use crate::{Error, Result, classes::nearest, roster::Roster};

/// How the keys of a label file are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// Ids where there are only embeddings, or where the column is called `id` and holds nothing
    /// but whole numbers; file names otherwise.
    #[default]
    Auto,
    /// The images' `source`: a file name or a path whose end identifies the image.
    Name,
    /// The images' or embeddings' `id`.
    Id,
}

/// Parameters of `labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// CSV (also separated by `;` or tabs), JSON lines (`.jsonl`, `.ndjson`, `.json`) or Parquet:
    /// one row per image, in any order. Rows with an empty label are left out.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// The column that names the image; by default the first of `file`, `filename`, `file_name`,
    /// `path`, `image`, `source`, `id`.
    #[serde(default)]
    pub key_column: Option<String>,
    /// The column of classes; by default `label` or `class`.
    #[serde(default)]
    pub label_column: Option<String>,
    /// How images are named.
    #[serde(default)]
    pub match_by: MatchBy,
    /// The classes in label order; by default the sorted names that the file uses.
    #[serde(default)]
    pub classes: Vec<String>,
}

/// The kind `labels`.
pub(crate) struct GivenLabels;

impl Stage for GivenLabels {
    type Params = Params;

    fn describe() -> Description {
        Description::new("labels", "Labels of your own, from CSV, JSON lines or Parquet")
            .needs(Needs::light())
            .doc(
                "Each row names an image (file name, end of its path, or id) and its class. The file \
                 may cover a few images only. Labels of images in the `test` split are left out \
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
        let roster = Roster::of(context)?;
        let wanted =
            Wanted { key: params.key_column.as_deref(), class: params.label_column.as_deref() };
        let file = read::read(&params.path, wanted)?;
        if file.entries.is_empty() {
            let help = "write one row per labelled image, such as `file,label` then `a.png,cat`";
            let (path, help) = (params.path, help.to_owned());
            return Err(Error::Empty { path, what: "label", help }.into());
        }
        let rows = rows(&file, &roster, &params)?;
        let (classes, by_row) = by_row(&file, &rows, &params)?;
        let labels = labels(&by_row, &roster);
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

/// The row of the roster that each entry means.
fn rows(file: &LabelFile, roster: &Roster, params: &Params) -> Result<Vec<usize>> {
    let numeric = || file.entries.iter().all(|entry| entry.key.parse::<u32>().is_ok());
    let sources = match (&roster.source, params.match_by) {
        (Some(_), MatchBy::Auto) if file.key_column.eq_ignore_ascii_case("id") && numeric() => None,
        (sources, MatchBy::Auto | MatchBy::Name) => sources.as_deref(),
        (_, MatchBy::Id) => None,
    };
    match sources {
        Some(sources) => {
            let names = Names::new(sources);
            let row = |entry| row_by_name(&names, sources, file, entry, params);
            file.entries.iter().map(row).collect()
        }
        None if params.match_by == MatchBy::Name => Err(Error::request(
            "`match_by = \"name\"`, but embeddings have no names",
            "wire `images`, or match by id",
        )),
        None => {
            let rows: HashMap<u32, usize> =
                roster.id.iter().enumerate().map(|(row, &id)| (id, row)).collect();
            let row = |entry: &Entry| {
                entry.key.parse().ok().and_then(|id| rows.get(&id)).copied().ok_or_else(|| {
                    let help = format!("ids are whole numbers; there are {}", roster.id.len());
                    wrong(file, entry, params, format!("there is no id `{}`", entry.key), help)
                })
            };
            file.entries.iter().map(row).collect()
        }
    }
}

fn row_by_name(
    names: &Names<'_>,
    sources: &[String],
    file: &LabelFile,
    entry: &Entry,
    params: &Params,
) -> Result<usize> {
    match names.find(&entry.key) {
        Match::One(row) => Ok(row),
        Match::Several(one, other) => {
            let message =
                format!("`{}` may be `{}` or `{}`", entry.key, sources[one], sources[other]);
            Err(wrong(file, entry, params, message, "write more of the path"))
        }
        Match::Nothing => {
            let message = format!("there is no image `{}`", entry.key);
            Err(wrong(file, entry, params, message, nearest(&entry.key, sources)))
        }
    }
}

/// The class names, and the class of each labelled row of the roster.
fn by_row(
    file: &LabelFile,
    rows: &[usize],
    params: &Params,
) -> Result<(Vec<String>, BTreeMap<usize, i32>)> {
    let mut classes = params.classes.clone();
    if classes.is_empty() {
        classes = file.entries.iter().map(|entry| entry.class.clone()).collect();
        classes.sort();
        classes.dedup();
    }
    let index: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    if index.len() < classes.len() {
        return Err(Error::request("`classes` names a class twice", "name every class once"));
    }
    let mut found: BTreeMap<usize, (i32, &Entry)> = BTreeMap::new();
    let mut used = vec![false; classes.len()];
    for (entry, &row) in file.entries.iter().zip(rows) {
        let class = *index.get(entry.class.as_str()).ok_or_else(|| {
            let message = format!("`{}` is not one of `classes`", entry.class);
            wrong(file, entry, params, message, nearest(&entry.class, &classes))
        })?;
        used[class] = true;
        let label = class as i32;
        match found.insert(row, (label, entry)) {
            Some((before, first)) if before != label => {
                let message = format!(
                    "`{}` is `{}` here and `{}` in {} {}",
                    entry.key, entry.class, first.class, file.unit, first.line
                );
                return Err(wrong(file, entry, params, message, "keep one of the two"));
            }
            _ => {}
        }
    }
    for (class, _) in classes.iter().zip(used).filter(|(_, used)| !used) {
        tracing::warn!("the class `{class}` has no label");
    }
    Ok((classes, found.into_iter().map(|(row, (label, _))| (row, label)).collect()))
}

/// The table, without what is in the test split.
fn labels(by_row: &BTreeMap<usize, i32>, roster: &Roster) -> Labels {
    let mut rows: Vec<(u32, i32)> = by_row
        .iter()
        .filter(|(row, _)| roster.split[**row] != Split::Test)
        .map(|(row, label)| (roster.id[*row], *label))
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
