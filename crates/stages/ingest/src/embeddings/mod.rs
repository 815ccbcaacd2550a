//! The kind `ingest-embeddings`: vectors made elsewhere.

mod flaws;
mod npy;
mod params;
mod vectors;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, path::Path};

use scarce_artifact::{
    BATCH_ROWS, Classes, Embeddings, EmbeddingsMeta, Split, Truth, Vectors, Writer,
};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};

pub use self::params::Params;
use self::{
    flaws::{Flaw, Flaws},
    npy::Npy,
    vectors::VectorColumn,
};
use crate::{
    Error, Result,
    classes::{Labelling, census, named_classes},
    columns::{self, Table, Words},
    labels, stream,
};

/// Longest vector that is believed.
const MAX_WIDTH: usize = 1 << 20;

/// The kind `ingest-embeddings`.
pub(crate) struct IngestEmbeddings;

impl Stage for IngestEmbeddings {
    type Params = Params;

    fn describe() -> Description {
        Description::new("ingest-embeddings", "Vectors made elsewhere, from Parquet or .npy")
            .doc(
                "Brings your own vectors (CLIP, DINO, anything) in as an embeddings table; \
                 everything that works on embeddings works on them. All vectors have one length \
                 and only finite numbers: rows that do not are counted and named, and stop the stage \
                 unless `skip_invalid` leaves them out; vectors that are all zero are told in a \
                 warning. `truth` is written when the source has labels.",
            )
            .learns(Learns::nothing().from_elsewhere())
            .output(Port::table::<Embeddings>("embeddings", "One vector per row of the source"))
            .output(
                Port::table::<Truth>("truth", "The true classes, where the source has them")
                    .optional(),
            )
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let parts = Part::all(&params)?;
        let splits: Vec<Split> = parts.iter().flat_map(|part| part.splits.clone()).collect();
        let chosen = params.sampling().choose(&splits)?;
        let labelling = labelling(&parts, &params)?;
        let mut sink = Sink::new(context, &params, labelling, chosen.iter().flatten().count());
        let mut first = 0;
        for part in &parts {
            part.read(&params, first, &chosen, &mut sink)?;
            first += part.splits.len();
        }
        sink.finish(&params.path)
    }
}

/// One file, looked at but for its vectors.
struct Part<'a> {
    path: &'a Path,
    kind: FileKind,
    splits: Vec<Split>,
    labels: Option<Words>,
    /// Class names in label order, where the file has them.
    classes: Vec<String>,
}

enum FileKind {
    Parquet,
    Npy(Npy),
}

impl<'a> Part<'a> {
    fn all(params: &'a Params) -> Result<Vec<Self>> {
        let split = if params.test_path.is_some() { Split::Train } else { Split::Pool };
        let mut parts = vec![Self::open(&params.path, params.truth.as_deref(), split, params)?];
        match (&params.test_path, &params.test_truth) {
            (Some(path), truth) => {
                parts.push(Self::open(path, truth.as_deref(), Split::Test, params)?);
            }
            (None, None) => {}
            (None, Some(_)) => {
                let help = "set `test_path` to the test rows";
                return Err(Error::request("`test_truth` is set without `test_path`", help));
            }
        }
        Ok(parts)
    }

    fn open(path: &'a Path, truth: Option<&Path>, split: Split, params: &Params) -> Result<Self> {
        let first = stream::first_bytes(path, 8)?;
        if first.starts_with(npy::MAGIC) {
            return Self::open_npy(path, truth, split, params);
        }
        if !first.starts_with(columns::MAGIC) {
            let found = "neither Parquet nor `.npy`".to_owned();
            return Err(Error::Format { path: path.to_owned(), found });
        }
        if truth.is_some() {
            let help = "name the column of the classes with `label_column`";
            return Err(Error::request("`truth` says nothing about a Parquet file", help));
        }
        let table = Table::open(path)?;
        let column = &params.embedding_column;
        let split_column = params.split_column.as_deref();
        if split_column.is_some() && split != Split::Pool {
            let help = "leave one of the two out";
            return Err(Error::request("`split_column` and `test_path` are both set", help));
        }
        let (mut splits, labels) =
            census(&table, path, split_column, params.label_column.as_deref(), column)?;
        if split_column.is_none() {
            splits.fill(split);
        }
        let classes = named_classes(&table, params.label_column.as_deref(), &[]).to_vec();
        Ok(Self { path, kind: FileKind::Parquet, splits, labels, classes })
    }

    fn open_npy(
        path: &'a Path,
        truth: Option<&Path>,
        split: Split,
        params: &Params,
    ) -> Result<Self> {
        let columns = [&params.id_column, &params.label_column, &params.split_column];
        if columns.iter().any(|column| column.is_some()) {
            let help = "leave `id_column`, `label_column` and `split_column` out";
            return Err(Error::request("a `.npy` file has no columns", help));
        }
        let npy = Npy::open(path)?;
        let (rows, _) = npy.matrix()?;
        let labels = truth.map(read_labels).transpose()?;
        if let (Some(labels), Some(truth)) = (&labels, truth)
            && labels.len() != rows
        {
            return Err(Error::Counts {
                images: path.to_owned(),
                image_count: rows,
                labels: truth.to_owned(),
                label_count: labels.len(),
            });
        }
        let (kind, splits) = (FileKind::Npy(npy), vec![split; rows]);
        Ok(Self { path, kind, splits, labels, classes: Vec::new() })
    }

    /// Hands the chosen rows to the sink. `first` is the number of this file's first row.
    fn read(
        &self,
        params: &Params,
        first: usize,
        chosen: &[Option<Split>],
        sink: &mut Sink<'_>,
    ) -> Result<(), Failure> {
        let mut flaws = Flaws::default();
        match &self.kind {
            FileKind::Npy(npy) => self.read_npy(npy, first, chosen, sink, &mut flaws)?,
            FileKind::Parquet => self.read_parquet(params, first, chosen, sink, &mut flaws)?,
        }
        Ok(flaws.tell(self.path, params)?)
    }

    fn read_npy(
        &self,
        npy: &Npy,
        first: usize,
        chosen: &[Option<Split>],
        sink: &mut Sink<'_>,
        flaws: &mut Flaws,
    ) -> Result<(), Failure> {
        let (rows, columns) = npy.matrix()?;
        let mut numbers = npy.numbers()?;
        let mut vector = Vec::with_capacity(columns);
        for row in 0..rows {
            vector.clear();
            while vector.len() < columns {
                let Some(number) = numbers.next_float()? else { break };
                vector.push(number);
            }
            let Some(split) = chosen[first + row] else { continue };
            match Flaw::of(&vector) {
                None => {
                    flaws.sound(row, &vector);
                    sink.push(self.path, first + row, None, split, &vector)?;
                }
                Some(flaw) => {
                    flaws.note(row, flaw);
                    sink.leave_out();
                }
            }
        }
        Ok(())
    }

    fn read_parquet(
        &self,
        params: &Params,
        first: usize,
        chosen: &[Option<Split>],
        sink: &mut Sink<'_>,
        flaws: &mut Flaws,
    ) -> Result<(), Failure> {
        let mut wanted = vec![params.embedding_column.as_str()];
        wanted.extend(params.id_column.as_deref());
        let table = Table::open(self.path)?;
        for batch in table.batches(&wanted, BATCH_ROWS)? {
            let batch = batch?;
            let ids = params.id_column.as_deref().map(|column| batch.ids(column)).transpose()?;
            let vectors = VectorColumn::new(&batch, &params.embedding_column)?;
            for row in 0..batch.rows() {
                let at = first + batch.first_row + row;
                let Some(split) = chosen.get(at).copied().flatten() else { continue };
                let id = ids.as_ref().map(|ids| ids[row]);
                let row_of_file = batch.first_row + row;
                match vectors.row(row, &mut sink.width)? {
                    Ok(vector) => {
                        flaws.sound(row_of_file, vector);
                        sink.push(self.path, at, id, split, vector)?;
                    }
                    Err(flaw) => {
                        flaws.note(row_of_file, flaw);
                        sink.leave_out();
                    }
                }
            }
        }
        Ok(())
    }
}

/// The labels of all parts together, so that they share their classes.
fn labelling(parts: &[Part<'_>], params: &Params) -> Result<Option<Labelling>> {
    if parts.iter().all(|part| part.labels.is_none()) {
        return Ok(None);
    }
    let numbers = |part: &Part<'_>| !matches!(part.labels, Some(Words::Text(_)));
    let labels = if parts.iter().all(numbers) {
        let all = parts.iter().flat_map(|part| match &part.labels {
            Some(Words::Numbers(numbers)) => numbers.clone(),
            _ => vec![None; part.splits.len()],
        });
        Words::Numbers(all.collect())
    } else {
        let all = parts.iter().flat_map(|part| match part.labels.clone() {
            Some(words) => words.into_text(),
            None => vec![None; part.splits.len()],
        });
        Words::Text(all.collect())
    };
    let of_files = parts.iter().map(|part| &part.classes).find(|classes| !classes.is_empty());
    let names = of_files.filter(|_| params.classes.is_empty()).unwrap_or(&params.classes);
    Labelling::of(&labels, names, &params.path).map(Some)
}

/// The labels of a `.npy` file's rows, from another `.npy` or a CSV file.
fn read_labels(path: &Path) -> Result<Words> {
    if stream::first_bytes(path, 8)?.starts_with(npy::MAGIC) {
        return Ok(Words::Numbers(Npy::open(path)?.integers()?.into_iter().map(Some).collect()));
    }
    let words = labels::read_column(path)?;
    let numbers: Option<Vec<Option<i64>>> = words
        .iter()
        .map(|word| word.as_ref().map(|word| word.parse().ok()).map_or(Some(None), |n| n.map(Some)))
        .collect();
    Ok(numbers.map_or(Words::Text(words), Words::Numbers))
}

/// Writes `embeddings` and, when there are labels, `truth`.
struct Sink<'a> {
    context: &'a Context,
    meta: EmbeddingsMeta,
    writer: Option<Writer<Embeddings>>,
    batch: Embeddings,
    values: Vec<f32>,
    /// Length of every vector, from the first on.
    width: Option<usize>,
    labelling: Option<Labelling>,
    truth: Truth,
    /// Ids that the source gave, to notice one that comes twice.
    given: HashSet<u32>,
    rows: u32,
    expected: usize,
}

impl<'a> Sink<'a> {
    fn new(
        context: &'a Context,
        params: &Params,
        labelling: Option<Labelling>,
        expected: usize,
    ) -> Self {
        Self {
            context,
            meta: EmbeddingsMeta { origin: params.origin.clone(), metric: params.metric },
            writer: None,
            batch: Embeddings::default(),
            values: Vec::new(),
            width: None,
            labelling,
            truth: Truth::default(),
            given: HashSet::new(),
            rows: 0,
            expected,
        }
    }

    /// Adds the source's row `at`, under the id that the source gives or the next one.
    fn push(
        &mut self,
        path: &Path,
        at: usize,
        id: Option<u32>,
        split: Split,
        vector: &[f32],
    ) -> Result<(), Failure> {
        let width = *self.width.get_or_insert(vector.len());
        if vector.len() != width {
            let message =
                format!("the vectors have {} numbers, those before {width}", vector.len());
            let help = "all vectors need one length";
            return Err(Error::value(path, format!("row {at}"), message, help).into());
        }
        if let Some(id) = id
            && !self.given.insert(id)
        {
            let help = "ids must be unique; leave `id_column` out to count rows";
            return Err(Error::value(
                path,
                format!("row {at}"),
                format!("the id {id} comes twice"),
                help,
            )
            .into());
        }
        let id = id.unwrap_or(self.rows);
        self.rows += 1;
        self.batch.id.push(id);
        self.batch.split.push(split);
        self.values.extend_from_slice(vector);
        if let Some(label) = self.labelling.as_ref().and_then(|found| found.labels[at]) {
            self.truth.id.push(id);
            self.truth.label.push(label);
        }
        if self.batch.id.len() >= BATCH_ROWS {
            self.flush()?;
        }
        self.context.progress(u64::from(self.rows), self.expected as u64, "rows", "");
        Ok(())
    }

    /// Passes over a row, whose number no other gets.
    fn leave_out(&mut self) {
        self.rows += 1;
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let Some(width) = self.width.filter(|_| !self.batch.id.is_empty()) else { return Ok(()) };
        let mut batch = std::mem::take(&mut self.batch);
        batch.embedding = Vectors::new(width, std::mem::take(&mut self.values));
        let writer = match &mut self.writer {
            Some(writer) => writer,
            slot => slot.insert(self.context.writer("embeddings", self.meta.clone())?),
        };
        writer.write(batch)?;
        Ok(())
    }

    fn finish(mut self, path: &Path) -> Result<(), Failure> {
        self.flush()?;
        let Some(writer) = self.writer else {
            let help = "check the file and `limit`".to_owned();
            return Err(Error::Empty { path: path.to_owned(), what: "vector", help }.into());
        };
        writer.finish()?;
        match self.labelling {
            Some(found) => {
                self.context.write("truth", Classes { classes: found.classes }, self.truth)
            }
            None => Ok(()),
        }
    }
}
