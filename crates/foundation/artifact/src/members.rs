//! Who is in a table, without its pixels or vectors.

use arrow::array::ArrayRef;
use parquet::arrow::ProjectionMask;

use crate::{
    BATCH_ROWS, Column, Embeddings, Images, Predictions, Reader, Result, Split, Table,
    column::Place,
    open_parquet,
    promises::{Promise, Unique},
    table::take_column,
};

/// Tables that say which part of the data each image belongs to.
pub trait HasSplit: Table {}

impl HasSplit for Images {}
impl HasSplit for Embeddings {}
impl HasSplit for Predictions {}

impl<T: HasSplit> Reader<T> {
    /// The id and the split of every row, in the order of the file, each id once; no other column is
    /// read.
    ///
    /// # Errors
    /// As each batch of [`Reader::batches`].
    pub fn members(&self) -> Result<Vec<(u32, Split)>> {
        let mut members = Vec::new();
        let mut unique = Unique::default();
        self.few(&["id", "split"], |columns, first_row| {
            let path = self.path();
            let place = |column| Place { path, table: T::NAME, column, first_row };
            let id = take_column(columns, "id", T::NAME, path)?;
            let split = take_column(columns, "split", T::NAME, path)?;
            let id = Vec::<u32>::from_array(id, &place("id"))?;
            Promise::<_, T::Meta>::rows(&mut unique, &id)
                .map_err(|(row, message)| place("id").value(row, message))?;
            let split = Vec::<Split>::from_array(split, &place("split"))?;
            members.extend(id.into_iter().zip(split));
            Ok(())
        })?;
        Ok(members)
    }
}

impl Reader<Images> {
    /// The file name or index in the source of every row, in the order of the file; no other column
    /// is read.
    ///
    /// # Errors
    /// As each batch of [`Reader::batches`].
    pub fn sources(&self) -> Result<Vec<String>> {
        let mut sources = Vec::new();
        self.few(&["source"], |columns, first_row| {
            let path = self.path();
            let column = take_column(columns, "source", Images::NAME, path)?;
            let place = Place { path, table: Images::NAME, column: "source", first_row };
            sources.extend(Vec::<String>::from_array(column, &place)?);
            Ok(())
        })?;
        Ok(sources)
    }
}

impl<T: Table> Reader<T> {
    /// Reads a few columns, batch by batch; `batch` gets them with the number of rows before.
    fn few(
        &self,
        wanted: &[&str],
        mut batch: impl FnMut(&mut Vec<(String, ArrayRef)>, usize) -> Result<()>,
    ) -> Result<()> {
        let path = self.path();
        let builder = open_parquet(path)?;
        let fields = builder.schema().fields().iter().enumerate();
        let roots = fields.filter(|(_, field)| wanted.contains(&field.name().as_str()));
        let roots: Vec<usize> = roots.map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let batches = builder.with_projection(mask).with_batch_size(4 * BATCH_ROWS).build()?;
        let mut first_row = 0;
        for rows in batches {
            let rows = rows?;
            let schema = rows.schema();
            let names = schema.fields().iter().map(|field| field.name().clone());
            let mut columns = names.zip(rows.columns().iter().cloned()).collect();
            batch(&mut columns, first_row)?;
            first_row += rows.num_rows();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ImagesMeta, RawWriter, Shape, Vectors, Writer};

    #[test]
    fn ids_and_splits_come_without_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.parquet");
        let n = 2 * 4 * BATCH_ROWS + 3;
        let split = |i: usize| [Split::Train, Split::Test, Split::Pool][i % 3];
        let images = Images {
            id: (0..n as u32).rev().collect(),
            split: (0..n).map(split).collect(),
            source: (0..n).map(|i| format!("{i}.png")).collect(),
            pixels: Vectors::new(1, vec![0; n]),
        };
        let shape = Shape { height: 1, width: 1, channels: 1 };
        let meta = ImagesMeta { shape, ..ImagesMeta::default() };
        Writer::write_all(&path, meta.clone(), images).unwrap();
        let reader = Reader::<Images>::open(&path).unwrap();
        let members = reader.members().unwrap();
        assert!(members.into_iter().eq((0..n).map(|i| ((n - 1 - i) as u32, split(i)))));
        let sources = reader.sources().unwrap();
        assert!(sources.into_iter().eq((0..n).map(|i| format!("{i}.png"))));

        let fields = [vec![1_u32].field("id")];
        let schema = arrow::datatypes::Schema::new(fields.to_vec());
        let mut writer = RawWriter::create(&path, "images", 1, schema, &meta).unwrap();
        writer.write(vec![vec![1_u32].into_array()]).unwrap();
        writer.finish().unwrap();
        let error = Reader::<Images>::open(&path).unwrap().members().unwrap_err();
        assert!(matches!(error, Error::Schema { .. }), "{error}");
        assert!(error.to_string().contains("no column `split`"), "{error}");
    }
}
