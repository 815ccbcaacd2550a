//! Parquet as other tools write it: their compressions, class names, nulls and failed rows.

use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, FixedSizeListArray, Float16Array, Float32Array, Int64Array,
        LargeListArray, NullArray, RecordBatch, StringArray,
    },
    buffer::OffsetBuffer,
    datatypes::{Field, Schema},
};
use image::ImageFormat;
use parquet::{
    arrow::ArrowWriter,
    basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};
use scarce_artifact::{Classes, Embeddings, Images, Labels, Truth};
use serde_json::json;

use super::*;
use crate::testing::{Bench, assert_failure};

/// What `datasets` writes about the classes of `label`.
const HUGGING_FACE: &str = r#"{"info": {"features": {
    "image": {"_type": "Image"},
    "label": {"names": ["zebra", "ant", "cat"], "_type": "ClassLabel"}}}}"#;

/// Writes columns as another tool might.
fn write(
    bench: &Bench,
    columns: Vec<(&str, ArrayRef)>,
    compression: Compression,
    hugging_face: Option<&str>,
) -> PathBuf {
    let path = bench.path().join("other.parquet");
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let pair = |text: &str| KeyValue::new("huggingface".to_owned(), text.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_key_value_metadata(hugging_face.map(|text| vec![pair(text)]));
    let file = fs_err::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn plain(bench: &Bench, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    write(bench, columns, Compression::UNCOMPRESSED, None)
}

/// Images of 2 × 2 pixels, black, a little lighter, …; none where a row is to have none.
fn images(there: &[bool]) -> ArrayRef {
    let png = |value: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::GrayImage::from_pixel(2, 2, image::Luma([value]));
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let pngs: Vec<Vec<u8>> = (0..there.len()).map(|row| png(row as u8 * 50)).collect();
    let cells = pngs.iter().zip(there).map(|(png, there)| there.then_some(png.as_slice()));
    Arc::new(cells.collect::<BinaryArray>())
}

fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn words(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn vectors(values: Vec<f32>) -> ArrayRef {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(FixedSizeListArray::new(item, 2, Arc::new(Float32Array::from(values)), None))
}

#[test]
fn every_compression_is_read() {
    let bench = Bench::new();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let columns = || {
            vec![
                ("image", images(&[true; 3])),
                ("file", words(&["a", "b", "c"])),
                ("label", words(&["x", "y", "x"])),
                ("embedding", vectors(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
            ]
        };
        let path = write(&bench, columns(), compression, None);
        let params = json!({ "path": path, "label_column": "label", "name_column": "file" });
        bench.run("ingest", params).unwrap();
        let (found, meta) = bench.output::<Images>("images");
        assert_eq!(found.pixels.row(2), [100; 4], "{compression}");
        let params = json!({ "path": path, "label_column": "label" });
        bench.run("ingest-embeddings", params).unwrap();
        let (found_vectors, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!(found_vectors.embedding.row(2), [5.0, 6.0], "{compression}");

        let mut labels = Bench::new();
        labels.wire("images", meta, found);
        labels.run("labels", json!({ "path": path })).unwrap();
        assert_eq!(labels.output::<Labels>("labels").0.label, [0, 1, 0], "{compression}");
    }
}

mod classes_of_hugging_face {
    use super::*;

    fn file(bench: &Bench, labels: &[Option<i64>]) -> PathBuf {
        let columns = vec![
            ("image", images(&vec![true; labels.len()])),
            ("embedding", vectors(vec![0.5; 2 * labels.len()])),
            ("label", numbers(labels)),
        ];
        write(bench, columns, Compression::SNAPPY, Some(HUGGING_FACE))
    }

    #[test]
    fn have_their_names_in_their_order_and_may_be_unknown() {
        let bench = Bench::new();
        let path = file(&bench, &[Some(2), Some(0), Some(-1), None]);
        for kind in ["ingest", "ingest-embeddings"] {
            bench.run(kind, json!({ "path": path, "label_column": "label" })).unwrap();
            let (truth, Classes { classes }) = bench.output::<Truth>("truth");
            assert_eq!((truth.id, truth.label), (vec![0, 1], vec![2, 0]), "{kind}");
            assert_eq!(classes, ["zebra", "ant", "cat"]);
        }
    }

    #[test]
    fn beyond_those_that_have_names_are_refused() {
        let bench = Bench::new();
        let path = file(&bench, &[Some(0), Some(3)]);
        let result = bench.run("ingest", json!({ "path": path, "label_column": "label" }));
        assert_failure(
            result,
            "ingest::value",
            &["row 1", "label 3 is no class", "names 3 classes"],
        );
    }

    #[test]
    fn are_passed_over_where_the_metadata_make_no_sense() {
        let bench = Bench::new();
        for text in ["", "{", "[]", r#"{"info": {"features": {"label": {"names": [1]}}}}"#] {
            let columns =
                vec![("image", images(&[true; 2])), ("label", numbers(&[Some(1), Some(0)]))];
            let path = write(&bench, columns, Compression::SNAPPY, Some(text));
            bench.run("ingest", json!({ "path": path, "label_column": "label" })).unwrap();
            assert_eq!(bench.output::<Truth>("truth").1.classes, ["0", "1"], "{text}");
        }
    }
}

mod columns_of_nulls {
    use super::*;

    #[test]
    fn are_refused_as_labels_with_the_way_out() {
        let bench = Bench::new();
        let nothing: [ArrayRef; 3] = [
            Arc::new(NullArray::new(2)),
            numbers(&[None, None]),
            Arc::new(StringArray::new_null(2)),
        ];
        for label in nothing {
            let columns = vec![("image", images(&[true; 2])), ("label", label)];
            let path = plain(&bench, columns);
            assert_failure(
                bench.run("ingest", json!({ "path": path, "label_column": "label" })),
                "ingest::column",
                &["`label`", "every value is missing", "leave `label_column` out"],
            );
        }
    }

    #[test]
    fn name_no_image_and_are_no_images() {
        let bench = Bench::new();
        let nothing: ArrayRef = Arc::new(NullArray::new(2));
        let path = plain(&bench, vec![("image", images(&[true; 2])), ("name", nothing.clone())]);
        bench.run("ingest", json!({ "path": path, "name_column": "name" })).unwrap();
        assert_eq!(bench.output::<Images>("images").0.source, ["0", "1"]);
        let path = plain(&bench, vec![("image", nothing.clone()), ("embedding", nothing)]);
        let result = bench.run("ingest", json!({ "path": path }));
        assert_failure(result, "ingest::image", &["2 of 2 images", "`0`", "missing"]);
        let result = bench.run("ingest-embeddings", json!({ "path": path }));
        assert_failure(result, "ingest::column", &["Null"]);
    }

    #[test]
    fn twice_the_same_name_is_refused() {
        let bench = Bench::new();
        let path = plain(&bench, vec![("image", images(&[true])), ("image", images(&[true]))]);
        let result = bench.run("ingest", json!({ "path": path }));
        assert_failure(result, "ingest::column", &["`image`", "two such columns"]);
    }
}

#[test]
fn failed_rows_of_img2dataset_are_named_with_their_reason_or_left_out() {
    let bench = Bench::new();
    let columns = vec![
        ("key", words(&["00", "01", "02"])),
        ("status", words(&["success", "failed_to_download", "success"])),
        (
            "error_message",
            Arc::new(StringArray::from(vec![None, Some("HTTP Error 404: Not Found"), None])),
        ),
        ("jpg", images(&[true, false, true])),
    ];
    let path = plain(&bench, columns);
    let params = json!({ "path": path, "image_column": "jpg", "name_column": "key" });
    assert_failure(
        bench.run("ingest", params.clone()),
        "ingest::image",
        &["row 1", "failed_to_download: HTTP Error 404", "skip_unreadable"],
    );
    let mut params = params;
    params["skip_unreadable"] = true.into();
    bench.run("ingest", params).unwrap();
    let (found, _) = bench.output::<Images>("images");
    assert_eq!((found.source, found.id), (vec!["00".to_owned(), "02".to_owned()], vec![0, 2]));
}

mod vectors_of_every_kind {
    use super::*;

    #[test]
    fn of_lists_and_numbers_are_read() {
        let bench = Bench::new();
        let half = [1.5, -2.0, 0.25, 4.0].map(half::f16::from_f32);
        let item = Arc::new(Field::new("item", DataType::Float16, true));
        let offsets = OffsetBuffer::from_lengths([2, 2]);
        let values = Arc::new(Float16Array::from(half.to_vec()));
        let array = LargeListArray::new(item, offsets, values, None);
        let path = plain(&bench, vec![("embedding", Arc::new(array))]);
        bench.run("ingest-embeddings", json!({ "path": path })).unwrap();
        let (found, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!(found.embedding.values, [1.5, -2.0, 0.25, 4.0]);
    }

    #[test]
    fn that_are_not_finite_are_counted_and_named_or_left_out() {
        let bench = Bench::new();
        let mut values: Vec<f32> = (0..60).map(|number| number as f32).collect();
        for row in 3..17 {
            values[2 * row + row % 2] = [f32::NAN, f32::INFINITY][row % 2];
        }
        let path = plain(&bench, vec![("embedding", vectors(values))]);
        assert_failure(
            bench.run("ingest-embeddings", json!({ "path": path })),
            "ingest::value",
            &["row 3, element 1", "14 of 30 vectors", "rows 3, 4, 5", "and 4 more", "skip_invalid"],
        );
        let params = json!({ "path": path, "skip_invalid": true });
        bench.run("ingest-embeddings", params).unwrap();
        let (found, _) = bench.output::<Embeddings>("embeddings");
        assert_eq!(found.id, (0..3).chain(17..30).collect::<Vec<u32>>(), "numbers stay");
    }
}
