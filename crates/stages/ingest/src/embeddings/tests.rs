use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{
        ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray,
        StringArray,
    },
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Schema},
};
use scarce_artifact::{Empty, Metric, RawWriter};
use serde_json::json;

use super::{npy::tests::npy_bytes, *};
use crate::testing::{Bench, assert_failure};

fn parquet(bench: &Bench, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = bench.path().join(name);
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let mut writer = RawWriter::create(&path, "own", 1, schema, &Empty {}).unwrap();
    writer.write(columns.into_iter().map(|(_, array)| array).collect()).unwrap();
    writer.finish().unwrap();
    path
}

fn list(rows: &[&[f64]]) -> ArrayRef {
    let values: Vec<f64> = rows.iter().flat_map(|row| row.iter().copied()).collect();
    Arc::new(ListArray::new(
        Arc::new(Field::new("item", DataType::Float64, true)),
        OffsetBuffer::from_lengths(rows.iter().map(|row| row.len())),
        Arc::new(Float64Array::from(values)),
        None,
    ))
}

fn fixed(width: i32, values: Vec<f32>) -> ArrayRef {
    let item = Arc::new(Field::new("element", DataType::Float32, true));
    Arc::new(FixedSizeListArray::new(item, width, Arc::new(Float32Array::from(values)), None))
}

fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

mod from_parquet {
    use super::*;

    #[test]
    fn with_ids_splits_and_labels() {
        let bench = Bench::new();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("embedding", list(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0, 6.0]])),
            ("key", Arc::new(Int64Array::from(vec![7, 3, 9]))),
            ("part", Arc::new(StringArray::from(vec!["train", "test", "train"]))),
            ("class", Arc::new(StringArray::from(vec![Some("dog"), Some("cat"), None]))),
        ];
        let path = parquet(&bench, "e.parquet", columns);
        let params = json!({ "path": path, "id_column": "key", "split_column": "part",
            "label_column": "class", "metric": "cosine", "origin": "clip" });
        bench.run("ingest-embeddings", params).unwrap();
        let (rows, meta) = bench.output::<Embeddings>("embeddings");
        assert_eq!(rows.id, [7, 3, 9]);
        assert_eq!(rows.split, [Split::Train, Split::Test, Split::Train]);
        assert_eq!(rows.embedding, Vectors::new(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(meta, EmbeddingsMeta { origin: "clip".to_owned(), metric: Metric::Cosine });
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!((truth.id, truth.label), (vec![7, 3], vec![1, 0]));
        assert_eq!(classes, ["cat", "dog"]);
    }

    #[test]
    fn without_anything_else_it_is_a_pool_without_truth() {
        let bench = Bench::new();
        let path = parquet(&bench, "e.parquet", vec![("v", fixed(2, vec![1.0; 8]))]);
        bench.run("ingest-embeddings", json!({ "path": path, "embedding_column": "v" })).unwrap();
        let (rows, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!((rows.id, rows.split), (vec![0, 1, 2, 3], vec![Split::Pool; 4]));
        assert!(!bench.wrote("truth"));
    }

    #[test]
    fn a_nan_is_named_by_row_and_element() {
        let bench = Bench::new();
        for bad in [f32::NAN, f32::INFINITY] {
            let mut values = vec![0.5; 9];
            values[5] = bad;
            let path = parquet(&bench, "e.parquet", vec![("embedding", fixed(3, values))]);
            assert_failure(
                bench.run("ingest-embeddings", json!({ "path": path })),
                "ingest::value",
                &["e.parquet", "row 1", "element 2"],
            );
        }
        // Too large for 32 bits.
        let path = parquet(&bench, "e.parquet", vec![("embedding", list(&[&[1e300]]))]);
        assert!(bench.run("ingest-embeddings", json!({ "path": path })).is_err());
    }

    #[test]
    fn ragged_and_missing_vectors_are_named() {
        let bench = Bench::new();
        let path = parquet(&bench, "e.parquet", vec![("embedding", list(&[&[1.0, 2.0], &[3.0]]))]);
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path })),
            "ingest::value",
            &["row 1", "1 numbers, the first 2"],
        );
        let path = parquet(&bench, "e.parquet", vec![("embedding", list(&[&[]]))]);
        assert!(bench.run("ingest-embeddings", json!({ "path": path })).is_err());
    }

    #[test]
    fn wrong_columns_are_named() {
        let bench = Bench::new();
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![4, 4]));
        let columns = vec![("embedding", list(&[&[1.0], &[2.0]])), ("n", numbers)];
        let path = parquet(&bench, "e.parquet", columns);
        for (params, word) in [
            (json!({ "path": path, "embedding_column": "n" }), "Int64"),
            (json!({ "path": path, "embedding_column": "m" }), "`embedding`, `n`"),
            (json!({ "path": path, "split_column": "n" }), "`train`"),
            (json!({ "path": path, "label_column": "x" }), "no such column"),
        ] {
            assert_failure(bench.run("ingest-embeddings", params), "ingest::column", &[word]);
        }
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path, "id_column": "n" })),
            "ingest::value",
            &["row 1", "id 4 comes twice"],
        );
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let bench = Bench::new();
        let path = parquet(&bench, "e.parquet", vec![("embedding", fixed(2, vec![1.0; 800]))]);
        let whole = fs_err::read(&path).unwrap();
        for length in [4, 12, whole.len() / 2, whole.len() - 1] {
            let path = bench.file("cut.parquet", &whole[..length]);
            let result = bench.run("ingest-embeddings", json!({ "path": path }));
            assert_failure(result, "artifact::parquet", &["cut.parquet"]);
        }
        // Whatever byte is wrong: an error or other numbers, never a panic.
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x21;
            let path = bench.file("damaged.parquet", damaged);
            let _ = bench.run("ingest-embeddings", json!({ "path": path }));
        }
    }
}

mod from_npy {
    use super::*;

    #[test]
    fn with_a_test_file_and_labels() {
        let bench = Bench::new();
        let train =
            bench.file("a.npy", npy_bytes("<f4", "(2, 2)", &le_bytes(&[1.0, 2.0, 3.0, 4.0])));
        let test = bench.file("b.npy", npy_bytes("<f4", "(1, 2)", &le_bytes(&[5.0, 6.0])));
        let truth = bench.file("a.csv", "label\n1\n0\n");
        let test_truth = bench.file("b_truth.npy", npy_bytes("|u1", "(1,)", &[1]));
        let params = json!({ "path": train, "test_path": test, "truth": truth,
            "test_truth": test_truth });
        bench.run("ingest-embeddings", params).unwrap();
        let (rows, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!(rows.split, [Split::Train, Split::Train, Split::Test]);
        assert_eq!(rows.embedding.row(2), [5.0, 6.0]);
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!(truth.label, [1, 0, 1]);
        assert_eq!(classes, ["0", "1"]);
    }

    #[test]
    fn with_a_part_held_out() {
        let bench = Bench::new();
        let values: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let path = bench.file("a.npy", npy_bytes("<f4", "(20, 2)", &le_bytes(&values)));
        let params = json!({ "path": path, "test_fraction": 0.3, "limit": 5 });
        bench.run("ingest-embeddings", params).unwrap();
        let (rows, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!(rows.split.iter().filter(|&&s| s == Split::Test).count(), 5);
        assert_eq!(rows.id.len(), 10);
        assert!(rows.embedding.iter_rows().all(|row| row[1] == row[0] + 1.0));
    }

    #[test]
    fn a_nan_is_named_and_so_are_wrong_labels() {
        let bench = Bench::new();
        let bytes = le_bytes(&[1.0, 2.0, 3.0, f32::NAN]);
        let path = bench.file("a.npy", npy_bytes("<f4", "(2, 2)", &bytes));
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path })),
            "ingest::value",
            &["a.npy", "row 1, element 1"],
        );
        let truth = bench.file("t.csv", "0\n1\n0\n");
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path, "truth": truth })),
            "ingest::counts",
            &["2 rows", "3 labels"],
        );
    }

    #[test]
    fn lying_headers_allocate_nothing() {
        let bench = Bench::new();
        for shape in ["(4000000000, 1000)", "(18446744073709551615, 18446744073709551615)"] {
            let path = bench.file("a.npy", npy_bytes("<f8", shape, &[0; 64]));
            assert_failure(
                bench.run("ingest-embeddings", json!({ "path": path })),
                "ingest::truncated",
                &["a.npy"],
            );
        }
        let path = bench.file("a.txt", "1 2 3");
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path })),
            "ingest::format",
            &["neither"],
        );
    }
}
