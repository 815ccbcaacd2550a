//! Label files in JSON: lines or an array of rows, and what labelling tools export.

use std::{collections::HashMap, path::Path};

use serde_json::{Map, Value};

use super::read::{ANNOTATOR, Columns, KEYS, LabelFile, Wanted};
use crate::{Error, Result};

type Object = Map<String, Value>;

/// Largest file that is read: documents are parsed as a whole.
const MAX_BYTES: u64 = 1 << 30;
const ROW: &str = "every row is one object, such as {\"file\": \"a.png\", \"label\": \"cat\"}";

/// Reads a file whose form its first character and its keys tell.
pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let length = fs_err::metadata(path)?.len();
    if length > MAX_BYTES {
        let message = format!("it has {length} bytes, more than {MAX_BYTES}");
        return Err(Error::value(path, "the file", message, "save the labels as CSV or Parquet"));
    }
    let bytes = fs_err::read(path)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let document = |text: &[u8]| -> Result<Value> {
        serde_json::from_slice(text).map_err(|error| {
            let place = format!("line {}", error.line());
            Error::value(path, place, error.to_string(), "save the file again")
        })
    };
    match text.trim_ascii_start().first() {
        Some(b'[') => match document(text)? {
            Value::Array(rows) => array(path, rows, wanted),
            _ => Ok(LabelFile::empty("row")),
        },
        // One object may be a document of its own, or the first of many lines.
        Some(b'{') => match serde_json::from_slice(text) {
            Ok(Value::Object(object)) if object.contains_key("annotations") => coco(path, &object),
            Ok(Value::Object(object)) if matches!(object.get("labels"), Some(Value::Object(_))) => {
                fiftyone(path, &object)
            }
            _ => lines(path, text, wanted),
        },
        _ => lines(path, text, wanted),
    }
}

fn lines(path: &Path, text: &[u8], wanted: Wanted<'_>) -> Result<LabelFile> {
    let mut rows = Rows::new(path, wanted, "line");
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = std::str::from_utf8(line)
            .map_err(|error| rows.wrong(index + 1, error.to_string(), "save the file as UTF-8"))?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Object = serde_json::from_str(line)
            .map_err(|error| rows.wrong(index + 1, error.to_string(), ROW))?;
        rows.push(index + 1, &row)?;
    }
    Ok(rows.file)
}

fn array(path: &Path, rows: Vec<Value>, wanted: Wanted<'_>) -> Result<LabelFile> {
    let is_task = |row: &Value| row.get("data").is_some_and(Value::is_object);
    if !rows.is_empty() && rows.iter().all(is_task) {
        return label_studio(path, &rows, wanted);
    }
    let mut read = Rows::new(path, wanted, "row");
    for (index, row) in rows.iter().enumerate() {
        let Value::Object(row) = row else {
            return Err(read.wrong(index, "it is no object".to_owned(), ROW));
        };
        read.push(index, row)?;
    }
    Ok(read.file)
}

/// Flat objects, the first of which names the columns.
struct Rows<'a> {
    path: &'a Path,
    wanted: Wanted<'a>,
    names: Option<Named>,
    file: LabelFile,
}

struct Named {
    all: Vec<String>,
    key: String,
    class: String,
}

impl<'a> Rows<'a> {
    fn new(path: &'a Path, wanted: Wanted<'a>, unit: &'static str) -> Self {
        Self { path, wanted, names: None, file: LabelFile::empty(unit) }
    }

    fn wrong(&self, at: usize, message: String, help: &str) -> Error {
        Error::value(self.path, format!("{} {at}", self.file.unit), message, help)
    }

    fn push(&mut self, at: usize, row: &Object) -> Result<()> {
        if self.names.is_none() {
            let all: Vec<&str> = row.keys().map(String::as_str).collect();
            let columns = Columns::choose(self.path, &all, self.wanted)?;
            let [key, class] = [columns.key, columns.class].map(|at| all[at].to_owned());
            self.file.key_column.clone_from(&key);
            let all = row.keys().cloned().collect();
            self.names = Some(Named { all, key, class });
        }
        let Some(names) = &self.names else { return Ok(()) };
        for name in [&names.key, &names.class] {
            // Leaving out a value is one thing, calling it otherwise another.
            let other = || row.keys().find(|key| !names.all.contains(key));
            if let (None, Some(other)) = (row.get(name), other()) {
                let message = format!("it has no `{name}` as the rows before have, but `{other}`");
                return Err(self.wrong(at, message, "call it the same in every row"));
            }
        }
        let (key, class) = (self.cell(at, row, &names.key)?, self.cell(at, row, &names.class)?);
        let annotator = Some(self.cell(at, row, ANNOTATOR)?).filter(|name| !name.is_empty());
        self.file.push(self.path, at, key, class, annotator)
    }

    fn cell(&self, at: usize, row: &Object, name: &str) -> Result<String> {
        match row.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(value) => text(value).ok_or_else(|| {
                self.wrong(at, format!("`{name}` is {value}"), "one image has one word or number")
            }),
        }
    }
}

/// A word or number.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Label Studio's JSON: tasks with `data` and `annotations`, of which results of the type `choices`
/// are labels (<https://labelstud.io/guide/export>).
fn label_studio(path: &Path, tasks: &[Value], wanted: Wanted<'_>) -> Result<LabelFile> {
    let mut file = LabelFile::empty("task");
    for (index, task) in tasks.iter().enumerate() {
        let number = task.get("id").and_then(Value::as_u64).map_or(index, |id| id as usize);
        let wrong = |message: String, help: &str| {
            Error::value(path, format!("task {number}"), message, help)
        };
        let annotations = ["annotations", "completions"].iter().find_map(|name| task.get(name));
        for annotation in list(annotations) {
            if annotation.get("was_cancelled").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            let Some(class) = choice(annotation).map_err(|found| {
                wrong(format!("an image has one class, not {found}"), "keep one of them")
            })?
            else {
                continue;
            };
            let image = task.get("data").and_then(Value::as_object).and_then(|data| {
                let named = wanted.key.into_iter().chain(KEYS);
                named.filter_map(|name| data.get(name)).find_map(text).or_else(|| only(data))
            });
            let key = image.ok_or_else(|| {
                wrong(
                    "its `data` names no image".to_owned(),
                    "say which field does by `key_column`",
                )
            })?;
            file.push(path, number, key, class, annotator(annotation))?;
        }
    }
    Ok(file)
}

/// The only value that is text.
fn only(data: &Object) -> Option<String> {
    let mut texts = data.values().filter_map(Value::as_str);
    texts.next().filter(|_| texts.next().is_none()).map(str::to_owned)
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The chosen class of an annotation; an error lists several.
fn choice(annotation: &Value) -> Result<Option<String>, String> {
    let chosen: Vec<&str> = list(annotation.get("result"))
        .iter()
        .filter_map(|result| result.get("value")?.get("choices"))
        .flat_map(|choices| list(Some(choices)))
        .filter_map(Value::as_str)
        .collect();
    match chosen[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_owned())),
        _ => Err(format!("`{}`", chosen.join("`, `"))),
    }
}

/// Who annotated: an address or a number.
fn annotator(annotation: &Value) -> Option<String> {
    let by = annotation.get("completed_by")?;
    by.get("email").or_else(|| by.get("id")).or(Some(by)).and_then(text)
}

/// COCO: `images`, `annotations` and `categories`, which refer to one another by id.
fn coco(path: &Path, document: &Object) -> Result<LabelFile> {
    let wrong =
        |place: String, message: String, help: &str| Error::value(path, place, message, help);
    let named = |table: &str, name: &str| -> HashMap<String, String> {
        let pair = |row: &Value| Some((text(row.get("id")?)?, text(row.get(name)?)?));
        list(document.get(table)).iter().filter_map(pair).collect()
    };
    let (images, categories) = (named("images", "file_name"), named("categories", "name"));
    if images.is_empty() || categories.is_empty() {
        let message = "it has `annotations`, but no `images` with `file_name` or no `categories` \
                       with `name`";
        let help = "give COCO's JSON with all three, or rows of image and label";
        return Err(wrong("the document".to_owned(), message.to_owned(), help));
    }
    let mut file = LabelFile::empty("annotation");
    for (index, annotation) in list(document.get("annotations")).iter().enumerate() {
        let find = |field: &str, table: &HashMap<String, String>| {
            let id = annotation.get(field).and_then(text);
            id.as_ref().and_then(|id| table.get(id)).cloned().ok_or_else(|| {
                let id = id.unwrap_or_else(|| "nothing".to_owned());
                let message = format!("`{field}` is {id}, which the document does not describe");
                wrong(format!("annotation {index}"), message, "export the file again")
            })
        };
        let (key, class) = (find("image_id", &images)?, find("category_id", &categories)?);
        file.push(path, index, key, class, None)?;
    }
    Ok(file)
}

/// `FiftyOne`'s classification data set: `classes`, and `labels` by file name without its extension.
fn fiftyone(path: &Path, document: &Object) -> Result<LabelFile> {
    let classes = list(document.get("classes"));
    let mut file = LabelFile::empty("label");
    let labels = document.get("labels").and_then(Value::as_object);
    for (index, (key, value)) in labels.into_iter().flatten().enumerate() {
        let class = match value {
            Value::Null => continue,
            Value::Number(number) if !classes.is_empty() => {
                number.as_u64().and_then(|at| classes.get(usize::try_from(at).ok()?)).and_then(text)
            }
            value => text(value),
        };
        let class = class.ok_or_else(|| {
            let message = format!("the label of `{key}` is {value}");
            let help = format!("labels are words or numbers below {}", classes.len());
            Error::value(path, format!("label {index}"), message, help)
        })?;
        file.push(path, index, key.clone(), class, None)?;
    }
    Ok(file)
}
