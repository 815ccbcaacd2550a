//! The tables, opened by others: polars, pandas and DuckDB, from Python.
//!
//! `SCARCE_TEST_PYTHON` names an interpreter that has them; otherwise `python3` is tried, and what it
//! lacks is skipped, said aloud.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use scarce_tests::{Project, SMALL, skipped};

fn python() -> String {
    std::env::var("SCARCE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether Python has a module; where not, says that a test is skipped.
fn has(module: &str) -> bool {
    let probe = Command::new(python()).args(["-c", &format!("import {module}")]).output();
    let has = probe.is_ok_and(|output| output.status.success());
    if !has {
        skipped(&format!("`{}` has no {module}", python()));
    }
    has
}

/// Runs a Python program in the folder of the views; it fails by `assert`.
#[track_caller]
fn holds(project: &Project, program: &str) {
    let output = Command::new(python())
        .args(["-c", program])
        .current_dir(project.path("artifacts/runs/small"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}\n{program}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// With an axis, so that there are partitions: 200 images in each split.
fn ran() -> Project {
    let text = SMALL.replace("[stages.images]", "[axes]\nseed = [3, 5]\n\n[stages.images]");
    let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
    let project = Project::with(&(text + "collect = [\"seed\"]\n"));
    project.run(&[]).ended(0);
    project
}

#[test]
fn polars_sees_arrays_and_partitions() {
    if !has("polars") {
        return;
    }
    holds(
        &ran(),
        r#"
import polars as pl
table = pl.read_parquet("pixels/embeddings.parquet")
assert table.schema["id"] == pl.UInt32, table.schema
assert table.schema["embedding"] == pl.Array(pl.Float32, 64), table.schema
assert table["embedding"].to_numpy().shape == (len(table), 64)
assert table["id"].is_unique().all()
images = pl.read_parquet("images/images.parquet")
assert images.schema["pixels"] == pl.Array(pl.UInt8, 64), images.schema
assert set(images["split"].unique()) == {"train", "test"}, images["split"].unique()
parts = pl.scan_parquet("knn", hive_partitioning=True).collect()
assert parts.equals(pl.scan_parquet("knn/seed=*/predictions.parquet", hive_partitioning=True).collect())
assert set(parts["seed"].unique()) == {3, 5}, parts
joined = parts.join(pl.read_parquet("images/truth.parquet"), on="id", suffix="_true")
right = (joined["label"] == joined["label_true"]).mean()
assert 0.3 < right < 1, right
assert parts.schema["probabilities"] == pl.Array(pl.Float32, 10), parts.schema
"#,
    );
}

#[test]
fn pandas_sees_vectors_and_partitions() {
    if !has("pandas") || !has("pyarrow") {
        return;
    }
    holds(
        &ran(),
        r#"
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet as pq
table = pd.read_parquet("pixels/embeddings.parquet")
assert table["id"].dtype == np.uint32, table.dtypes
matrix = np.stack(table["embedding"])
assert matrix.shape == (len(table), 64) and matrix.dtype == np.float32, (matrix.shape, matrix.dtype)
kind = pq.read_schema("pixels/embeddings.parquet").field("embedding").type
assert pa.types.is_fixed_size_list(kind) and kind.list_size == 64, kind
parts = pd.read_parquet("knn")
assert set(parts["seed"].astype(int)) == {3, 5}, parts
metadata = pq.read_metadata("images/images.parquet").metadata
assert metadata[b"scarce.table"] == b"images", metadata
"#,
    );
}

#[test]
fn duckdb_sees_arrays_and_partitions() {
    if !has("duckdb") {
        return;
    }
    holds(
        &ran(),
        r#"
import duckdb
types = dict(duckdb.sql("describe select * from 'pixels/embeddings.parquet'").project("column_name, column_type").fetchall())
assert types["id"] == "UINTEGER" and types["embedding"].startswith("FLOAT["), types
lengths = duckdb.sql("select distinct len(embedding) from 'pixels/embeddings.parquet'").fetchall()
assert lengths == [(64,)], lengths
parts = duckdb.sql("select seed, count(*) from read_parquet('knn/**/*.parquet', hive_partitioning = true) group by seed order by seed").fetchall()
assert [seed for seed, _ in parts] == [3, 5], parts
assert all(count == parts[0][1] for _, count in parts), parts
right = duckdb.sql("select avg((p.label = t.label)::int) from read_parquet('knn/seed=*/predictions.parquet') p join 'images/truth.parquet' t using (id)").fetchall()[0][0]
assert 0.3 < right < 1, right
"#,
    );
}
