//! `scarce predict RUN IMAGES…`: what a finished run learnt, applied to new images.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Float32Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::ArrowWriter;
use scarce_artifact::{Images, Predictions, Reader};
use scarce_orchestrator::{Orchestrator, Status};
use scarce_pictures::is_picture_name;
use scarce_store::{Entry, Lookup};
use serde_json::json;

use super::bundle::{PIPELINE, chain};
use crate::{
    args::{AnswerFormat, PredictArgs},
    error::CliError,
    output::Output,
};

/// Rows written at a time.
const ROWS: usize = 65_536;

/// Puts the images into the pipeline of a bundle that lies in `folder`; gives the file to run.
pub(crate) fn fill(folder: &Path, images: &[PathBuf]) -> Result<PathBuf, CliError> {
    let images = match images {
        [one] if !is_picture(one) => std::path::absolute(one)?,
        several => together(several, &folder.join("images"))?,
    };
    if !images.exists() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no `{}`", images.display()),
        )
        .into());
    }
    let path = folder.join(PIPELINE);
    let text = fs_err::read_to_string(&path)?;
    let name = toml::Value::from(images.display().to_string()).to_string();
    let placeholder = toml::Value::from(chain::IMAGES).to_string();
    fs_err::write(&path, text.replace(&placeholder, &name))?;
    Ok(path)
}

fn is_picture(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(is_picture_name)
}

/// Single pictures, gathered in a folder by links; of equal names the first keeps its own.
fn together(pictures: &[PathBuf], folder: &Path) -> Result<PathBuf, CliError> {
    fs_err::create_dir(folder)?;
    for (at, picture) in pictures.iter().enumerate() {
        if !is_picture(picture) {
            let message = format!(
                "`{}` is no picture; give one folder, one Parquet or IDX file, or pictures",
                picture.display()
            );
            return Err(CliError::Usage { message });
        }
        let from = fs_err::canonicalize(picture)?;
        let name = picture.file_name().unwrap_or_default();
        let to = folder.join(name);
        if to.symlink_metadata().is_ok() {
            let below = folder.join(at.to_string());
            fs_err::create_dir(&below)?;
            fs_err::os::unix::fs::symlink(from, below.join(name))?;
        } else {
            fs_err::os::unix::fs::symlink(from, to)?;
        }
    }
    Ok(folder.to_owned())
}

/// Writes what was predicted.
pub(crate) fn write(
    args: &PredictArgs,
    orchestrator: &Orchestrator<'_>,
    out: &mut Output,
) -> Result<(), CliError> {
    let answers = result(orchestrator, chain::ANSWERS)?;
    let images = orchestrator.pipeline().tasks().find(|(_, task)| task.kind == "ingest");
    let images = images.map(|(_, task)| task.stage.clone()).unwrap_or_default();
    let images = result(orchestrator, &images)?;
    let mut files: HashMap<u32, String> = HashMap::new();
    for batch in
        Reader::<Images>::open(&images.stem("images").with_extension("parquet"))?.batches(ROWS)
    {
        let batch = batch?;
        files.extend(batch.id.into_iter().zip(batch.source));
    }
    let reader =
        Reader::<Predictions>::open(&answers.stem("predictions").with_extension("parquet"))?;
    let classes = reader.meta().classes.clone();
    let format = format(args, out.json())?;
    let to: Box<dyn Write + Send> = match &args.output {
        Some(path) => Box::new(io::BufWriter::new(fs_err::File::create(path)?)),
        None => Box::new(io::BufWriter::new(io::stdout())),
    };
    let mut writer = Writer::new(format, to, &classes, args.probabilities)?;
    for batch in reader.batches(ROWS) {
        let batch = batch?;
        let rows: Vec<Row<'_>> = batch
            .id
            .iter()
            .zip(&batch.label)
            .zip(batch.probabilities.iter_rows())
            .map(|((id, &label), probabilities)| Row {
                file: files.get(id).cloned().unwrap_or_else(|| id.to_string()),
                label: usize::try_from(label).unwrap_or(0),
                probabilities,
            })
            .collect();
        writer.write(&rows)?;
    }
    writer.finish()
}

/// The entry of a stage of the pipeline that just ran.
fn result(orchestrator: &Orchestrator<'_>, stage: &str) -> Result<Entry, CliError> {
    let gone =
        || io::Error::new(io::ErrorKind::NotFound, format!("the result of `{stage}` is gone"));
    for planned in orchestrator.plan()?.tasks {
        if planned.task.stage != stage {
            continue;
        }
        let Status::Cached { key } = planned.status else { break };
        if let Lookup::Hit(entry) = orchestrator.store().find(&planned.kind, &key)? {
            return Ok(entry);
        }
    }
    Err(gone().into())
}

fn format(args: &PredictArgs, json: bool) -> Result<AnswerFormat, CliError> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let extension = args.output.as_deref().and_then(Path::extension).and_then(|e| e.to_str());
    match extension {
        None if json => Ok(AnswerFormat::Json),
        None | Some("csv") => Ok(AnswerFormat::Csv),
        Some("json" | "jsonl" | "ndjson") => Ok(AnswerFormat::Json),
        Some("parquet") => Ok(AnswerFormat::Parquet),
        Some(other) => {
            let message = format!(
                "`.{other}` is no format of predictions; give `--format csv`, `json` or `parquet`"
            );
            Err(CliError::Usage { message })
        }
    }
}

/// What is predicted of an image.
struct Row<'a> {
    file: String,
    label: usize,
    probabilities: &'a [f32],
}

/// Where predictions go.
enum Sink {
    Csv(Box<csv::Writer<Box<dyn Write + Send>>>),
    Json(Box<dyn Write + Send>),
    Parquet(Box<ArrowWriter<Box<dyn Write + Send>>>),
}

struct Writer<'a> {
    sink: Sink,
    classes: &'a [String],
    probabilities: bool,
}

impl<'a> Writer<'a> {
    fn new(
        format: AnswerFormat,
        to: Box<dyn Write + Send>,
        classes: &'a [String],
        probabilities: bool,
    ) -> Result<Self, CliError> {
        let sink = match format {
            AnswerFormat::Csv => {
                let mut writer = csv::Writer::from_writer(to);
                let mut header =
                    vec!["file".to_owned(), "label".to_owned(), "confidence".to_owned()];
                if probabilities {
                    header.extend(classes.iter().map(|class| format!("p_{class}")));
                }
                writer.write_record(header).map_err(io::Error::other)?;
                Sink::Csv(Box::new(writer))
            }
            AnswerFormat::Json => Sink::Json(to),
            AnswerFormat::Parquet => {
                let schema = Arc::new(schema(classes, probabilities));
                let writer = ArrowWriter::try_new(to, schema, None).map_err(io::Error::other)?;
                Sink::Parquet(Box::new(writer))
            }
        };
        Ok(Self { sink, classes, probabilities })
    }

    fn write(&mut self, rows: &[Row<'_>]) -> Result<(), CliError> {
        let classes = self.classes;
        let name = |row: &Row<'_>| {
            classes.get(row.label).cloned().unwrap_or_else(|| row.label.to_string())
        };
        let confidence = |row: &Row<'_>| row.probabilities.get(row.label).copied().unwrap_or(0.0);
        match &mut self.sink {
            Sink::Csv(writer) => {
                for row in rows {
                    let mut fields = vec![row.file.clone(), name(row), confidence(row).to_string()];
                    if self.probabilities {
                        fields.extend(row.probabilities.iter().map(ToString::to_string));
                    }
                    writer.write_record(fields).map_err(io::Error::other)?;
                }
            }
            Sink::Json(to) => {
                for row in rows {
                    let mut line = json!({ "file": row.file, "label": name(row), "confidence": confidence(row) });
                    if self.probabilities {
                        let pairs = classes.iter().zip(row.probabilities);
                        line["probabilities"] = pairs
                            .map(|(class, p)| (class.clone(), json!(p)))
                            .collect::<serde_json::Map<_, _>>()
                            .into();
                    }
                    writeln!(to, "{line}")?;
                }
            }
            Sink::Parquet(writer) => {
                let mut columns: Vec<ArrayRef> = vec![
                    Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.file))),
                    Arc::new(StringArray::from_iter_values(rows.iter().map(name))),
                    Arc::new(
                        rows.iter().map(|row| Some(confidence(row))).collect::<Float32Array>(),
                    ),
                ];
                if self.probabilities {
                    for class in 0..classes.len() {
                        let of = |row: &Row<'_>| row.probabilities.get(class).copied();
                        columns.push(Arc::new(rows.iter().map(of).collect::<Float32Array>()));
                    }
                }
                let schema = Arc::new(schema(classes, self.probabilities));
                let batch = RecordBatch::try_new(schema, columns).map_err(io::Error::other)?;
                writer.write(&batch).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), CliError> {
        match self.sink {
            Sink::Csv(mut writer) => writer.flush()?,
            Sink::Json(mut to) => to.flush()?,
            Sink::Parquet(writer) => {
                let mut to = writer.into_inner().map_err(io::Error::other)?;
                to.flush()?;
            }
        }
        Ok(())
    }
}

fn schema(classes: &[String], probabilities: bool) -> Schema {
    let mut fields = vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("label", DataType::Utf8, false),
        Field::new("confidence", DataType::Float32, false),
    ];
    if probabilities {
        fields.extend(
            classes.iter().map(|class| Field::new(format!("p_{class}"), DataType::Float32, true)),
        );
    }
    Schema::new(fields)
}
