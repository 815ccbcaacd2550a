//! Reading tables: checked on opening, streamed batch by batch.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parquet::file::metadata::KeyValue;

use crate::{
    BATCH_ROWS, Batches, Error, Facts, Result, Table, parquet::Source, promises::Promises,
};

/// A table on disk, opened but not yet read. Whoever reads it to the end has its promises checked, the
/// first time.
pub struct Reader<T: Table> {
    source: Source,
    meta: T::Meta,
    rows: usize,
    /// Whether the rows were seen to keep what the table promises.
    checked: Arc<AtomicBool>,
}

impl<T: Table> Reader<T> {
    /// Opens a file and checks that it is this table.
    ///
    /// # Errors
    /// [`Error::Parquet`] for a damaged file, [`Error::Schema`] for another table or version.
    pub fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let file = source.metadata().file_metadata();
        let pairs = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let schema_error =
            |message| Error::Schema { path: path.to_owned(), table: T::NAME, message };
        match value(pairs, "scarce.table") {
            Some(name) if name == T::NAME => {}
            Some(name) => return Err(schema_error(format!("it holds `{name}`"))),
            None => {
                return Err(schema_error("its metadata has no `scarce.table`".to_owned()));
            }
        }
        let version = value(pairs, "scarce.version").and_then(|text| text.parse::<u32>().ok());
        if version != Some(T::VERSION) {
            let found = version.map_or("no version".to_owned(), |v| format!("version {v}"));
            return Err(schema_error(format!("it has {found}, expected {}", T::VERSION)));
        }
        let meta: T::Meta = serde_json::from_value(meta_object(pairs))
            .map_err(|error| schema_error(format!("its metadata is wrong: {error}")))?;
        meta.check().map_err(|wrong| schema_error(format!("its metadata is wrong: {wrong}")))?;
        let rows = usize::try_from(file.num_rows()).unwrap_or(0);
        Ok(Self { source, meta, rows, checked: Arc::default() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// What the file says of all its rows.
    pub fn meta(&self) -> &T::Meta {
        &self.meta
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The Arrow schema of the file.
    pub(crate) fn schema(&self) -> &arrow::datatypes::Schema {
        self.source.footer.schema()
    }

    /// Streams the table from the start, at most `rows` rows at a time. Batches end where row groups
    /// end; several row groups are decoded at once, each by a thread. A row that breaks a promise of
    /// the table is an error ([`Error::Value`]), and nothing follows it.
    pub fn batches(&self, rows: usize) -> Batches<T> {
        Batches::new(self.source.clone(), rows, &self.meta, Arc::clone(&self.checked))
    }

    /// The whole table in memory.
    ///
    /// # Errors
    /// As each batch.
    pub fn read(&self) -> Result<T> {
        if self.source.has_vectors() {
            let table: T = self.source.whole()?;
            if !self.checked.load(Ordering::Relaxed) {
                let mut promises = Promises::of(self.path(), &self.meta);
                promises.rows(&table)?;
                promises.end()?;
                self.checked.store(true, Ordering::Relaxed);
            }
            return Ok(table);
        }
        let mut table = T::default();
        for batch in self.batches(usize::MAX) {
            table.append(batch?);
        }
        Ok(table)
    }

    /// Reads every row and forgets it: whether the table is what it promises to be.
    ///
    /// # Errors
    /// As each batch of [`Reader::batches`].
    pub fn check(&self) -> Result<()> {
        self.batches(BATCH_ROWS).try_for_each(|batch| batch.map(|_| ()))
    }
}

pub(crate) fn parquet_error(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::Parquet { path: path.to_owned(), message: error.to_string() }
}

fn value<'a>(pairs: &'a [KeyValue], key: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// The `scarce.*` pairs as one JSON object.
fn meta_object(pairs: &[KeyValue]) -> serde_json::Value {
    let field = |pair: &KeyValue| {
        let key = pair.key.strip_prefix("scarce.")?;
        let value = serde_json::from_str(pair.value.as_deref()?).ok()?;
        (!matches!(key, "table" | "version")).then(|| (key.to_owned(), value))
    };
    serde_json::Value::Object(pairs.iter().filter_map(field).collect())
}
