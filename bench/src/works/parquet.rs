//! Embeddings to and from Parquet: 60,000 images of clothes, 784 floats each, with id and split.
//!
//! All sides compress with zstd at level 1, write no dictionary of the floats, and wait until the bytes
//! are on the disk. All read the same file, which scarce wrote, into one array in memory.

use std::{path::Path, time::Instant};

use anyhow::Result;
use scarce_artifact::{Embeddings, EmbeddingsMeta, Reader, Split, Vectors, Writer};
use scarce_ingest::datasets::Dataset;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::{Part, Points},
    quality::Quality,
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "parquet",
    title: "Embeddings as Parquet, 60,000 × 784 floats",
    cases: &[
        Case { name: "write", title: "write", heavy: false },
        Case { name: "read", title: "read", heavy: false },
    ],
    run,
};

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let x = session.data.scaled(Dataset::FashionMnist, Part::Train)?;
    let folder = session.place.join("tables");
    fs_err::create_dir_all(&folder)?;
    let ours = folder.join("scarce.parquet");
    write(&x, &ours)?;
    for case in &choice.cases {
        let peer = |name: &str| {
            let file = if case.name == "write" { folder.join(name) } else { ours.clone() };
            let data = json!({ "x": x.path });
            let params = json!({ "do": case.name, "file": file.with_extension("parquet") });
            session.peer("tables", &format!("parquet_{name}.py"), data, params)
        };
        let peers = vec![peer("pyarrow")?, peer("polars")?];
        session.compare(choice, case, peers, |_| {
            if case.name == "write" { write(&x, &ours) } else { read(&x, &ours) }
        })?;
    }
    Ok(())
}

fn write(x: &Points, path: &Path) -> Result<Turn> {
    let table = Embeddings {
        id: (0..x.rows as u32).collect(),
        split: vec![Split::Train; x.rows],
        embedding: Vectors::new(x.cols, x.values.clone()),
    };
    let begin = Instant::now();
    Writer::write_all(path, EmbeddingsMeta::default(), table)?;
    let seconds = begin.elapsed().as_secs_f64();
    let mebibytes = fs_err::metadata(path)?.len() as f64 / f64::from(1 << 20);
    Ok(Turn { seconds, quality: Quality::from([("mebibytes".to_owned(), mebibytes)]) })
}

fn read(x: &Points, path: &Path) -> Result<Turn> {
    let begin = Instant::now();
    let table = Reader::<Embeddings>::open(path)?.read()?;
    let seconds = begin.elapsed().as_secs_f64();
    let wrong = table.embedding.values.iter().zip(&x.values).filter(|(a, b)| a != b).count();
    let missing = x.values.len().abs_diff(table.embedding.values.len());
    let mismatches = (wrong + missing) as f64;
    Ok(Turn { seconds, quality: Quality::from([("mismatches".to_owned(), mismatches)]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_compared_with_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let mut x = Points { values: vec![0.5; 6], rows: 3, cols: 2, path: path.clone() };
        assert!(write(&x, &path).unwrap().quality["mebibytes"] > 0.0);
        assert_eq!(read(&x, &path).unwrap().quality["mismatches"], 0.0);
        x.values[4] = 0.25;
        x.values.push(1.0);
        assert_eq!(read(&x, &path).unwrap().quality["mismatches"], 2.0);
    }
}
