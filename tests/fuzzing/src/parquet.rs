//! Parquet files of ours and of others.

use std::path::Path;

use scarce_artifact::{
    Clusters, Distributions, Edges, Embeddings, History, Images, Labels, Predictions, Queries,
    Reader, Table, Truth, Writer, open_parquet,
};

use crate::bench::Bench;

/// Bytes as a Parquet file of any schema, and as each table of ours.
pub fn parquet(bytes: &[u8]) {
    let bench = Bench::new();
    let path = bench.file("input.parquet", bytes);
    any_schema(&path);
    table::<Labels>(&path);
    table::<Predictions>(&path);
    table::<Images>(&path);
    table::<Embeddings>(&path);
    table::<Truth>(&path);
    table::<Clusters>(&path);
    table::<Distributions>(&path);
    table::<Edges>(&path);
    table::<History>(&path);
    table::<Queries>(&path);
}

fn any_schema(path: &Path) {
    let read = || {
        let file = open_parquet(path)?;
        let promised = file.metadata().file_metadata().num_rows();
        let mut rows = 0;
        for batch in file.build()? {
            rows += batch?.num_rows();
        }
        Ok::<_, scarce_artifact::Error>((rows as i64, promised))
    };
    match read() {
        Ok((rows, promised)) => assert_eq!(rows, promised, "rows that the footer does not promise"),
        Err(error) => assert_names(&error),
    }
}

fn assert_names(error: &scarce_artifact::Error) {
    assert!(error.to_string().contains("input.parquet"), "the file is not named: {error}");
}

/// What is read as a table of ours is written and read again.
fn table<T: Table + PartialEq + std::fmt::Debug>(path: &Path) {
    let read = |path: &Path| {
        let reader = Reader::<T>::open(path)?;
        Ok::<_, scarce_artifact::Error>((reader.read()?, reader.meta().clone()))
    };
    let (first, second) = match (read(path), read(path)) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(error), Err(_)) => return assert_names(&error),
        (first, second) => panic!("read once and refused once: {first:?}, {second:?}"),
    };
    let copy = path.with_file_name("copy.parquet");
    Writer::write_all(&copy, first.1, first.0).expect("what was read is written");
    assert_eq!(read(&copy).expect("what was written is read"), second);
}
