//! Parquet files of any schema, which others wrote: never a panic, whatever the bytes.

use std::{ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{RecordBatch, RecordBatchReader},
    datatypes::SchemaRef,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
            RowSelection,
        },
    },
    file::metadata::{ParquetMetaData, RowGroupMetaData},
    schema::types::SchemaDescriptor,
};

use crate::{Error, Result, footer, guard::guarded, reader::parquet_error};

/// Arrow takes memory for so many rows at a time at most, however many a footer promises.
pub(crate) const BELIEVED_ROWS: usize = 1 << 16;

/// A Parquet file of any schema, not only of this crate's tables, whose footer agrees with the file.
///
/// ```
/// # use scarce_artifact::{Classes, Truth, Writer, open_parquet};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("truth.parquet");
/// # let truth = Truth { id: vec![0, 1], label: vec![1, 0] };
/// # Writer::write_all(&path, Classes::new(["cat", "dog"]), truth)?;
/// let file = open_parquet(&path)?;
/// assert_eq!(file.schema().field(1).name(), "label");
/// let rows: usize = file.build()?.map(|batch| batch.unwrap().num_rows()).sum();
/// assert_eq!(rows, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ParquetFile {
    source: Source,
    columns: ProjectionMask,
    selection: Option<RowSelection>,
    rows: usize,
}

/// Opens a Parquet file and compares its footer with the file.
///
/// # Errors
/// [`Error::Parquet`](crate::Error::Parquet) for a damaged file.
pub fn open_parquet(path: &Path) -> Result<ParquetFile> {
    let source = Source::open(path)?;
    Ok(ParquetFile { source, columns: ProjectionMask::all(), selection: None, rows: 1024 })
}

impl ParquetFile {
    /// What the footer says.
    pub fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.source.metadata()
    }

    /// The columns as Arrow has them.
    pub fn schema(&self) -> &SchemaRef {
        self.source.footer.schema()
    }

    /// The columns as Parquet has them.
    pub fn parquet_schema(&self) -> &SchemaDescriptor {
        self.source.footer.parquet_schema()
    }

    /// Reads only these columns.
    #[must_use]
    pub fn with_projection(mut self, columns: ProjectionMask) -> Self {
        self.columns = columns;
        self
    }

    /// Reads only these rows, counted over the whole file.
    #[must_use]
    pub fn with_row_selection(mut self, rows: RowSelection) -> Self {
        self.selection = Some(rows);
        self
    }

    /// Reads so many rows at a time.
    #[must_use]
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Compares the pages with the footer and streams the rows.
    ///
    /// # Errors
    /// [`Error::Parquet`](crate::Error::Parquet) for a damaged file.
    pub fn build(self) -> Result<RecordBatches> {
        let groups = 0..self.source.groups();
        let rows = self.rows.min(BELIEVED_ROWS);
        footer::survey(&self.source.path, self.metadata(), groups.clone(), &self.columns)?;
        self.source.read(groups, self.columns, self.selection, rows)
    }
}

/// The rows of a Parquet file, batch by batch; nothing follows an error.
pub struct RecordBatches {
    source: Source,
    inner: Option<ParquetRecordBatchReader>,
    schema: SchemaRef,
    /// Rows that the footer promises and that have not come.
    left: usize,
}

impl RecordBatches {
    /// The columns that are read.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for RecordBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut inner = self.inner.take()?;
        let path = &self.source.path;
        // A decoder that gave up is dropped with what it had.
        let (batch, inner) = match guarded(path, move || (inner.next(), inner)) {
            Ok(done) => done,
            Err(error) => return Some(Err(error)),
        };
        let rows = match &batch {
            None => 0,
            Some(Ok(batch)) => batch.num_rows(),
            Some(Err(error)) => return Some(Err(parquet_error(path, error))),
        };
        let Some(left) = self.left.checked_sub(rows).filter(|left| batch.is_some() || *left == 0)
        else {
            let message = "it holds another number of rows than its footer promises".to_owned();
            return Some(Err(Error::Parquet { path: path.clone(), message }));
        };
        (self.inner, self.left) = (Some(inner), left);
        batch?.ok().map(Ok)
    }
}

/// A Parquet file whose footer has been read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: std::path::PathBuf,
    pub(crate) footer: ArrowReaderMetadata,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), footer: footer::read(path)? })
    }

    pub(crate) fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.footer.metadata()
    }

    pub(crate) fn groups(&self) -> usize {
        self.metadata().num_row_groups()
    }

    pub(crate) fn rows(&self, groups: Range<usize>) -> usize {
        let rows = |group: &RowGroupMetaData| usize::try_from(group.num_rows()).unwrap_or(0);
        self.metadata().row_groups()[groups].iter().map(rows).sum()
    }

    /// A reader of some row groups and columns, `rows` rows at a time, once their pages agree with
    /// the footer.
    pub(crate) fn stream(
        &self,
        groups: Range<usize>,
        columns: ProjectionMask,
        rows: usize,
    ) -> Result<RecordBatches> {
        footer::survey(&self.path, self.metadata(), groups.clone(), &columns)?;
        self.stream_surveyed(groups, columns, rows)
    }

    /// As [`Source::stream`], of pages that have been compared with the footer.
    pub(crate) fn stream_surveyed(
        &self,
        groups: Range<usize>,
        columns: ProjectionMask,
        rows: usize,
    ) -> Result<RecordBatches> {
        self.read(groups, columns, None, rows)
    }

    fn read(
        &self,
        groups: Range<usize>,
        columns: ProjectionMask,
        selection: Option<RowSelection>,
        rows: usize,
    ) -> Result<RecordBatches> {
        let left =
            selection.as_ref().map_or_else(|| self.rows(groups.clone()), RowSelection::row_count);
        let (file, _) = fs_err::File::open(&self.path)?.into_parts();
        let inner = guarded(&self.path, || {
            let builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone())
                    .with_row_groups(groups.collect())
                    .with_projection(columns)
                    .with_batch_size(rows.clamp(1, BELIEVED_ROWS));
            match selection {
                Some(selection) => builder.with_row_selection(selection).build(),
                None => builder.build(),
            }
        })?;
        let inner = inner.map_err(|error| parquet_error(&self.path, &error))?;
        Ok(RecordBatches { source: self.clone(), schema: inner.schema(), inner: Some(inner), left })
    }
}
