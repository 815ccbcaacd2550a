//! Every promise broken once.

use std::path::Path;

use crate::{
    Centroids, CentroidsMeta, Classes, Clusters, Distributions, Edges, Embeddings, EmbeddingsMeta,
    Empty, Error, GraphMeta, History, Images, ImagesMeta, LabelSource, Labels, Nodes, Predictions,
    Queries, Reader, Reconstructions, Shape, Split, Table, Truth, Vectors, Writer, check_table,
};

/// What reading a table says, by every way there is of reading it to its end.
fn read<T: Table + Clone>(meta: &T::Meta, table: &T) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    Writer::write_all(&path, meta.clone(), table.clone()).unwrap();
    let plain = |error: Error| {
        let text = error.to_string();
        text.replace(&path.display().to_string(), "t")
    };
    type Way<'a> = &'a dyn Fn(&Path) -> Result<(), Error>;
    let ways: [Way<'_>; 4] = [
        &|path| Reader::<T>::open(path)?.read().map(|_| ()),
        &|path| Reader::<T>::open(path)?.check(),
        &|path| Reader::<T>::open(path)?.batches(2).try_for_each(|batch| batch.map(|_| ())),
        &|path| check_table(T::NAME, path).expect("a table of ours"),
    ];
    let said = ways.map(|way| way(&path).map_err(plain));
    assert!(said.iter().all(|one| one == &said[0]), "{said:?}");
    let [first, ..] = said;
    first
}

/// Reads `table` as it is, and after `spoil`, which must be refused in these words.
#[track_caller]
fn refused<T: Table + Clone>(meta: &T::Meta, table: &T, words: &str, spoil: impl Fn(&mut T)) {
    assert_eq!(read(meta, table), Ok(()), "before it was spoilt");
    let mut spoilt = table.clone();
    spoil(&mut spoilt);
    assert_eq!(read(meta, &spoilt).unwrap_err(), format!("`t`, {words}"));
}

fn classes() -> Classes {
    Classes::new(["a", "b", "c"])
}

fn predictions() -> Predictions {
    Predictions {
        id: vec![7, 3, 9],
        split: vec![Split::Train, Split::Test, Split::Pool],
        label: vec![0, 2, 1],
        probabilities: Vectors::new(3, vec![0.5, 0.25, 0.25, 0.0, 0.0, 1.0, 0.1, 0.6, 0.3]),
    }
}

#[test]
fn predictions_of_an_image_come_once_with_probabilities_and_a_class() {
    let (meta, table) = (classes(), predictions());
    refused(&meta, &table, "row 2, column `id`: 7 occurs twice", |t| t.id[2] = 7);
    refused(&meta, &table, "row 1, column `label`: 3 is no class: there are 3 class names", |t| {
        t.label[1] = 3;
    });
    refused(&meta, &table, "row 1, column `label`: -1 is no class: there are 3 class names", |t| {
        t.label[1] = -1;
    });
    let place = "row 1, column `probabilities`: ";
    for (value, words) in [
        (7.0, "the probability of class 2 is 7"),
        (0.5, "the probabilities add up to 0.500000, not to 1"),
        (0.0, "the probabilities add up to 0.000000, not to 1"),
        (-0.5, "the probability of class 2 is -0.5"),
    ] {
        refused(&meta, &table, &format!("{place}{words}"), |t| t.probabilities.values[5] = value);
    }
    let words = "row 0, column `probabilities`: 1 probabilities for 3 class names";
    refused(&meta, &table, words, |t| t.probabilities = Vectors::new(1, vec![1.0; 3]));
    let mut rounded = table;
    rounded.probabilities.values[..3].copy_from_slice(&[0.3333, 0.3333, 0.3333]);
    assert_eq!(read(&meta, &rounded), Ok(()), "rounded to four places");
}

#[test]
fn the_same_prediction_fifty_times_is_refused_wherever_it_lies() {
    // Across row groups: what was seen is remembered.
    let n = 40_000;
    let table = Embeddings {
        id: (0..n).map(|row| if row == 39_999 { 5 } else { row }).collect(),
        split: vec![Split::Pool; n as usize],
        embedding: Vectors::new(1, vec![0.5; n as usize]),
    };
    let found = read(&EmbeddingsMeta::default(), &table);
    assert_eq!(found.unwrap_err(), "`t`, row 39999, column `id`: 5 occurs twice");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    Writer::write_all(&path, EmbeddingsMeta::default(), table).unwrap();
    let members = Reader::<Embeddings>::open(&path).unwrap().members().unwrap_err().to_string();
    assert!(members.contains("row 39999") && members.contains("5 occurs twice"), "{members}");
}

#[test]
fn labels_are_classes_given_once() {
    let table = Labels {
        id: vec![4, 9, 9, 4],
        label: vec![0, 1, 1, 2],
        source: vec![
            LabelSource::Given,
            LabelSource::Propagated,
            LabelSource::Propagated,
            LabelSource::Propagated,
        ],
        confidence: vec![1.0, 0.5, 0.25, 0.0],
    };
    let meta = classes();
    refused(&meta, &table, "row 3, column `id`: 4 occurs twice", |t| {
        t.source[3] = LabelSource::Human;
    });
    refused(&meta, &table, "row 2, column `label`: 9 is no class: there are 3 class names", |t| {
        t.label[2] = 9;
    });
    refused(&meta, &table, "row 0, column `confidence`: 1.5 does not lie from 0 to 1", |t| {
        t.confidence[0] = 1.5;
    });
    let truth = Truth { id: vec![1, 0], label: vec![2, 2] };
    refused(&meta, &truth, "row 1, column `id`: 1 occurs twice", |t| t.id[1] = 1);
    refused(&meta, &truth, "row 0, column `label`: 3 is no class: there are 3 class names", |t| {
        t.label[0] = 3;
    });
}

#[test]
fn class_names_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    Writer::write_all(&path, Classes::new(["a", "b", "a"]), Truth::default()).unwrap();
    let error = Reader::<Truth>::open(&path).err().unwrap().to_string();
    assert!(error.contains("the classes 0 and 2 are both called `a`"), "{error}");
}

#[test]
fn images_have_the_shape_and_the_values_that_the_file_names() {
    let shape = Shape { height: 2, width: 1, channels: 3 };
    let meta =
        ImagesMeta { shape, dataset: "own".to_owned(), max_value: 16, ..ImagesMeta::default() };
    let images = Images {
        id: vec![1, 0],
        split: vec![Split::Pool; 2],
        source: vec!["a".to_owned(), "b".to_owned()],
        pixels: Vectors::new(6, vec![16; 12]),
    };
    refused(&meta, &images, "row 1, column `id`: 1 occurs twice", |t| t.id[1] = 1);
    refused(&meta, &images, "row 0, column `pixels`: 4 bytes are no 2 × 1 × 3 image", |t| {
        t.pixels = Vectors::new(4, vec![0; 8]);
    });
    refused(&meta, &images, "row 1, column `pixels`: a pixel is 17, `max_value` 16", |t| {
        t.pixels.values[7] = 17;
    });
    let few = Reconstructions {
        id: vec![1, 0],
        original: images.pixels.clone(),
        code: Vectors::new(2, vec![0.5; 4]),
        reconstruction: images.pixels.clone(),
    };
    refused(&meta, &few, "row 0, column `reconstruction`: a pixel is 255, `max_value` 16", |t| {
        t.reconstruction.values[0] = 255;
    });
    let shape = Shape { channels: 2, ..shape };
    let error = read(&ImagesMeta { shape, ..meta }, &images).unwrap_err();
    assert!(error.contains("2 × 1 × 2 is no shape of an image"), "{error}");
}

#[test]
fn edges_ascend_and_their_nodes_are_counted() {
    let meta = GraphMeta { nodes: 3, components: 2, ..GraphMeta::default() };
    let edges = Edges {
        source: vec![2, 2, 5],
        target: vec![5, 8, 8],
        weight: vec![0.0, 1.0, 0.5],
        distance: vec![3.0, 0.0, 0.5],
    };
    refused(&meta, &edges, "row 2, column `target`: the edge leads from 8 to 8", |t| {
        t.source[2] = 8;
    });
    refused(&meta, &edges, "row 1, column `source`: the edge from 2 to 5 occurs twice", |t| {
        t.target[1] = 5;
    });
    refused(&meta, &edges, "row 2, column `source`: the edge from 1 to 8 is out of order", |t| {
        t.source[2] = 1;
    });
    refused(&meta, &edges, "row 1, column `weight`: 2 does not lie from 0 to 1", |t| {
        t.weight[1] = 2.0;
    });
    refused(&meta, &edges, "row 0, column `distance`: -3 is negative", |t| t.distance[0] = -3.0);

    let nodes = Nodes {
        id: vec![2, 5, 8],
        split: vec![Split::Pool; 3],
        component: vec![0, 0, 1],
        degree: vec![1.0; 3],
        radius: vec![0.5; 3],
    };
    refused(&meta, &nodes, "row 2, column `id`: 2 occurs twice", |t| t.id[2] = 2);
    let words = "row 1, column `component`: 2 is no component: there are 2";
    refused(&meta, &nodes, words, |t| t.component[1] = 2);
    refused(&meta, &nodes, "row 0, column `radius`: -1 is negative", |t| t.radius[0] = -1.0);
    let more = GraphMeta { nodes: 4, ..meta };
    let words = "`t`, row 3, column `id`: the table ends after 3 of 4 images";
    assert_eq!(read(&more, &nodes).unwrap_err(), words);
}

#[test]
fn clusters_have_one_representative_each() {
    let table = Clusters {
        id: vec![0, 1, 2, 3],
        cluster: vec![4, 0, 4, 0],
        distance: vec![0.5; 4],
        percentile: vec![100.0; 4],
        is_representative: vec![true, false, false, true],
    };
    let place = "column `is_representative`: ";
    let words = format!("row 2, {place}cluster 4 has a representative already");
    refused(&Empty {}, &table, &words, |t| t.is_representative[2] = true);
    let words = format!("row 1, {place}cluster 0 has no representative");
    refused(&Empty {}, &table, &words, |t| t.is_representative[3] = false);
    let words = "row 3, column `percentile`: 101 does not lie from 0 to 100";
    refused(&Empty {}, &table, words, |t| t.percentile[3] = 101.0);

    let meta = CentroidsMeta::default();
    let table = Centroids {
        cluster: vec![4, -1],
        centroid: Vectors::new(2, vec![0.5; 4]),
        size: vec![2, 2],
        representative: vec![0, 3],
    };
    refused(&meta, &table, "row 1, column `cluster`: 4 occurs twice", |t| t.cluster[1] = 4);
    refused(&meta, &table, "row 0, column `size`: 0 is not positive", |t| t.size[0] = 0);
    refused(&meta, &table, "row 1, column `representative`: 0 occurs twice", |t| {
        t.representative[1] = 0;
    });
}

#[test]
fn where_nothing_reached_nothing_is_believed() {
    let table = Distributions {
        id: vec![0, 1],
        label: vec![Some(2), None],
        probabilities: Vectors::new(3, vec![0.0, 0.25, 0.75, 0.0, 0.0, 0.0]),
        entropy: vec![0.5, 0.0],
        margin: vec![0.5, 0.0],
        reached: vec![true, false],
    };
    let meta = classes();
    let words = "row 1, column `label`: it is missing, but a label reached the image";
    refused(&meta, &table, words, |t| t.reached[1] = true);
    let words = "row 1, column `label`: it is there, but no label reached the image";
    refused(&meta, &table, words, |t| t.label[1] = Some(0));
    let words = "row 1, column `probabilities`: they are not 0, but no label reached the image";
    refused(&meta, &table, words, |t| t.probabilities.values[3] = 1.0);
    let words = "row 0, column `probabilities`: all are 0, but a label reached the image";
    refused(&meta, &table, words, |t| t.probabilities.values.fill(0.0));
    refused(&meta, &table, "row 0, column `label`: 3 is no class: there are 3 class names", |t| {
        t.label[0] = Some(3);
    });
    refused(&meta, &table, "row 0, column `entropy`: -1 is negative", |t| t.entropy[0] = -1.0);
}

#[test]
fn ranks_and_epochs_count() {
    let table = Queries {
        id: vec![7, 3],
        rank: vec![1, 0],
        score: vec![-0.5, 9.0],
        strategy: vec!["margin".to_owned(); 2],
    };
    refused(&Empty {}, &table, "row 1, column `rank`: 1 occurs twice", |t| t.rank[1] = 1);
    refused(&Empty {}, &table, "row 0, column `rank`: rank 2 of 2 rows", |t| t.rank[0] = 2);
    refused(&Empty {}, &table, "row 1, column `id`: 7 occurs twice", |t| t.id[1] = 7);

    let table = History {
        epoch: vec![1, 2],
        train_loss: vec![0.5; 2],
        validation_loss: vec![None, Some(0.5)],
    };
    refused(&Empty {}, &table, "row 0, column `epoch`: 0 follows 0", |t| t.epoch[0] = 0);
    refused(&Empty {}, &table, "row 1, column `epoch`: 1 follows 1", |t| t.epoch[1] = 1);
}

#[test]
fn all_tables_say_what_they_promise() {
    let tables = crate::tables();
    let names: Vec<_> = tables.iter().map(|table| table.name).collect();
    assert_eq!(names.len(), 13);
    for name in names {
        assert!(
            check_table(name, Path::new("/nowhere")).is_some_and(|read| read.is_err()),
            "{name}"
        );
    }
    assert!(check_table("metrics", Path::new("/nowhere")).is_none());
    let predictions = tables.iter().find(|table| table.name == Predictions::NAME).unwrap();
    let column = |name| predictions.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!(column("id").promises, ["no value occurs twice"]);
    assert_eq!(column("probabilities").doc, "Probability of each class.");
    assert_eq!(
        column("probabilities").promises,
        ["one for each class name, from 0 to 1, with the sum 1"]
    );
}
