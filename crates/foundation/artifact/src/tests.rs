//! Round trips, reproducible bytes, and refusals.

use std::path::Path;

use crate::{
    Classes, Embeddings, EmbeddingsMeta, Error, History, Images, ImagesMeta, Labels, Model,
    ModelCard, Reader, Shape, Split, Tensor, Truth, Vectors, Writer, digest_file,
};

fn embeddings(rows: usize) -> Embeddings {
    Embeddings {
        id: (0..rows as u32).collect(),
        split: (0..rows).map(|i| if i % 5 == 0 { Split::Test } else { Split::Train }).collect(),
        embedding: Vectors::new(3, (0..rows * 3).map(|i| i as f32 / 7.0).collect()),
    }
}

fn meta() -> EmbeddingsMeta {
    EmbeddingsMeta { origin: "pixels".to_owned(), ..EmbeddingsMeta::default() }
}

fn write(path: &Path, rows: usize, batch: usize) {
    let mut writer = Writer::create(path, meta()).unwrap();
    let whole = embeddings(rows);
    for start in (0..rows).step_by(batch) {
        let end = (start + batch).min(rows);
        let part = Embeddings {
            id: whole.id[start..end].to_vec(),
            split: whole.split[start..end].to_vec(),
            embedding: Vectors::new(3, whole.embedding.values[start * 3..end * 3].to_vec()),
        };
        writer.write(part).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), rows);
}

mod a_table_comes_back {
    use super::*;

    #[test]
    fn whole_and_in_batches_across_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        write(&path, 40_000, 3_000);
        let reader = Reader::<Embeddings>::open(&path).unwrap();
        assert_eq!(reader.rows(), 40_000);
        assert_eq!(reader.meta(), &meta());
        assert_eq!(reader.read().unwrap(), embeddings(40_000));
        let sizes: Vec<usize> = reader.batches(17_000).map(|b| b.unwrap().id.len()).collect();
        assert_eq!(sizes, [16_384, 16_384, 7_232]);
    }

    #[test]
    fn empty_when_it_has_no_vectors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.parquet");
        Writer::<Labels>::create(&path, Classes::new(["a"])).unwrap().finish().unwrap();
        assert_eq!(Reader::<Labels>::open(&path).unwrap().read().unwrap(), Labels::default());
    }

    #[test]
    fn with_missing_values_where_they_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.parquet");
        let history = History {
            epoch: vec![1, 2],
            train_loss: vec![0.5, 0.25],
            validation_loss: vec![None, Some(0.3)],
        };
        Writer::write_all(&path, crate::Empty {}, history.clone()).unwrap();
        assert_eq!(Reader::<History>::open(&path).unwrap().read().unwrap(), history);
    }

    #[test]
    fn images_of_any_shape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.parquet");
        let shape = Shape { height: 3, width: 2, channels: 3 };
        let meta = ImagesMeta {
            shape,
            dataset: "own".to_owned(),
            max_value: 255,
            ..ImagesMeta::default()
        };
        let images = Images {
            id: vec![4, 9],
            split: vec![Split::Pool, Split::Test],
            source: vec!["a.png".to_owned(), "b.png".to_owned()],
            pixels: Vectors::new(shape.pixels(), (0..36).collect()),
        };
        Writer::write_all(&path, meta.clone(), images.clone()).unwrap();
        let reader = Reader::<Images>::open(&path).unwrap();
        assert_eq!(reader.meta(), &meta);
        assert_eq!(reader.read().unwrap(), images);
    }
}

mod the_same_rows_give {
    use super::*;

    #[test]
    fn the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        for path in &paths {
            write(path, 5_000, 1_000);
        }
        assert_eq!(digest_file(&paths[0]).unwrap(), digest_file(&paths[1]).unwrap());
        write(&paths[1], 5_001, 1_000);
        assert_ne!(digest_file(&paths[0]).unwrap(), digest_file(&paths[1]).unwrap());
    }

    #[test]
    fn the_same_bytes_whatever_the_batches_and_the_threads() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |threads: usize, batch: usize| {
            let path = folder.path().join(format!("{threads}-{batch}"));
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                write(&path, 70_000, batch);
                assert_eq!(
                    Reader::<Embeddings>::open(&path).unwrap().read().unwrap(),
                    embeddings(70_000)
                );
            });
            digest_file(&path).unwrap()
        };
        let one = digest(1, 70_000);
        assert_eq!(one, digest(1, 999));
        assert_eq!(one, digest(3, 70_000));
        assert_eq!(one, digest(3, 16_385));
    }
}

mod wide_rows {
    use super::*;

    #[test]
    fn lie_in_small_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.parquet");
        let width = 7 << 20;
        let rows = |n: u32| Embeddings {
            id: (0..n).collect(),
            split: vec![Split::Pool; n as usize],
            embedding: Vectors::new(width / 4, vec![0.0; n as usize * width / 4]),
        };
        Writer::write_all(&path, meta(), rows(5)).unwrap();
        let groups = crate::open_parquet(&path).unwrap().metadata().num_row_groups();
        assert_eq!(groups, 3);
        assert_eq!(Reader::<Embeddings>::open(&path).unwrap().read().unwrap(), rows(5));
    }
}

mod a_reader_refuses {
    use super::*;

    #[test]
    fn another_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let truth = Truth { id: vec![0], label: vec![0] };
        Writer::write_all(&path, Classes::new(["a"]), truth).unwrap();
        let error = Reader::<Labels>::open(&path).err().unwrap().to_string();
        assert!(error.contains("t.parquet") && error.contains("`truth`"), "{error}");
    }

    #[test]
    fn a_truncated_file_and_one_that_is_no_parquet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        write(&path, 1_000, 1_000);
        let bytes = fs_err::read(&path).unwrap();
        for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            fs_err::write(&path, &bytes[..length]).unwrap();
            let error = Reader::<Embeddings>::open(&path).err().unwrap();
            assert!(matches!(error, Error::Parquet { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn no_flipped_byte_makes_it_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        write(&path, 300, 300);
        let bytes = fs_err::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs_err::write(&path, &damaged).unwrap();
            // Either an error or other numbers: the digest, not the reader, notices the latter.
            let _ = Reader::<Embeddings>::open(&path).and_then(|reader| reader.read());
        }
    }
}

mod a_writer_refuses {
    use super::*;

    #[test]
    fn nan() {
        let folder = tempfile::tempdir().unwrap();
        let mut batch = embeddings(10);
        batch.embedding.values[16] = f32::NAN;
        let error = Writer::write_all(&folder.path().join("e"), meta(), batch).unwrap_err();
        assert!(matches!(error, Error::Value { row: 5, .. }), "{error}");
    }

    #[test]
    fn columns_of_unequal_length() {
        let folder = tempfile::tempdir().unwrap();
        let batch = Truth { id: vec![0, 1], label: vec![0] };
        let error =
            Writer::write_all(&folder.path().join("t"), Classes::new(["a"]), batch).unwrap_err();
        assert!(error.to_string().contains("`id` has 2 rows, `label` has 1"), "{error}");
    }
}

mod a_model {
    use super::*;

    #[test]
    fn comes_back_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("model");
        let card = ModelCard {
            kind: "test".to_owned(),
            classes: vec!["a".to_owned()],
            architecture: serde_json::json!({ "widths": [2, 3] }),
            preprocessing: serde_json::Value::Null,
        };
        let tensor = Tensor { shape: vec![2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5] };
        let model = Model { card, tensors: [("w".to_owned(), tensor)].into() };
        model.write(&stem).unwrap();
        let back = Model::read(&stem).unwrap();
        assert_eq!(back, model);
        assert!(back.tensor(&stem, "w", &[3, 2]).is_err());
        let [weights, _] = Model::files(&stem);
        let bytes = fs_err::read(&weights).unwrap();
        fs_err::write(&weights, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(Model::read(&stem), Err(Error::Model { .. })));
    }
}
