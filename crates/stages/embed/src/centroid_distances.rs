//! Distances to the centroids of clusters.

use scarce_artifact::{Centroids, Embeddings, EmbeddingsMeta, Metric, Reader, Vectors, batch_rows};
use scarce_numeric::{Matrix, distance::euclidean};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Parameters of `centroid-distances`: none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {}

/// The kind `centroid-distances`.
pub struct CentroidDistances;

impl Stage for CentroidDistances {
    type Params = Params;

    fn describe() -> Description {
        Description::new("centroid-distances", "How far each image lies from every centroid")
            .doc(
                "Each image becomes its Euclidean distances to the k centroids of a fit, `[k]`, in \
                 the order of the table: what scikit-learn's `KMeans.transform` gives. Clusters \
                 without images have no centroid. Nothing is fitted, so images that took no part \
                 in the clustering, such as those of the test split, are embedded like all others. \
                 Streamed.",
            )
            .learns(Learns::nothing().rows_of(&["features"]))
            .input(Port::table::<Embeddings>("features", "The vectors that were clustered"))
            .input(Port::table::<Centroids>("centroids", "The centroids of a fit"))
            .output(Port::table::<Embeddings>("embeddings", "k distances per image"))
    }

    fn run(_: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let centroids = read(&context.input::<Centroids>("centroids")?, &features)?;
        let (k, d) = (centroids.len(), centroids.width);
        let y = Matrix::new(&centroids.values, k, d).map_err(Error::from)?;
        let origin = "centroid-distances".to_owned();
        let meta = EmbeddingsMeta { origin, metric: Metric::Euclidean };
        let mut writer = context.writer::<Embeddings>("embeddings", meta)?;
        let mut done = 0;
        for batch in features.batches(batch_rows(4 * k.max(d))) {
            let Embeddings { id, split, embedding } = batch?;
            done += id.len() as u64;
            let x = Matrix::new(&embedding.values, id.len(), d).map_err(Error::from)?;
            let embedding = Vectors::new(k, euclidean(x, y).map_err(Error::from)?);
            writer.write(Embeddings { id, split, embedding })?;
            context.progress(done, features.rows() as u64, "images", "");
        }
        writer.finish()?;
        Ok(())
    }
}

/// The centroids, which must fit the features.
fn read(reader: &Reader<Centroids>, features: &Reader<Embeddings>) -> Result<Vectors<f32>, Error> {
    let centroids = reader.read()?.centroid;
    if centroids.is_empty() {
        return Err(Error::NoCentroids { path: reader.path().to_owned() });
    }
    let width = features.width()?;
    if centroids.width != width {
        return Err(Error::CentroidWidth { centroids: centroids.width, features: width });
    }
    let (made_of, origin) = (&reader.meta().features, &features.meta().origin);
    if !made_of.is_empty() && made_of != origin {
        tracing::warn!("the centroids are of `{made_of}`, the features are `{origin}`");
    }
    Ok(centroids)
}

#[cfg(test)]
mod tests {
    use scarce_artifact::{Centroids, CentroidsMeta, Embeddings, Split, Vectors};
    use serde_json::json;

    use crate::testing::{Bench, on_threads};

    const INPUTS: [(&str, &str); 2] = [("features", "x"), ("centroids", "c")];

    fn centroids(bench: &Bench, width: usize, values: &[f32]) {
        let k = values.len() / width;
        let table = Centroids {
            cluster: (0..k as i32).collect(),
            centroid: Vectors::new(width, values.to_vec()),
            size: vec![1; k],
            representative: (0..k as u32).collect(),
        };
        bench.table("c", &CentroidsMeta { features: "pixels".to_owned() }, table);
    }

    #[test]
    fn distances_are_euclidean_and_rows_keep_their_order() {
        let bench = Bench::new();
        centroids(&bench, 2, &[0.0, 0.0, 3.0, 4.0, -5.0, 12.0]);
        bench.features(
            "x",
            Embeddings {
                id: vec![7, 2, 5],
                split: vec![Split::Test, Split::Train, Split::Pool],
                embedding: Vectors::new(2, vec![0.0, 0.0, 3.0, 4.0, 6.0, 8.0]),
            },
        );
        bench.run("centroid-distances", json!({}), &INPUTS).unwrap();
        let found = bench.embeddings();
        assert_eq!(found.id, [7, 2, 5]);
        assert_eq!(found.split, [Split::Test, Split::Train, Split::Pool]);
        assert_eq!(found.embedding.row(0), [0.0, 5.0, 13.0]);
        assert_eq!(found.embedding.row(1), [5.0, 0.0, 128.0_f32.sqrt()]);
        assert_eq!(found.embedding.row(2), [10.0, 5.0, 137.0_f32.sqrt()]);
        assert_eq!(bench.meta().origin, "centroid-distances");
    }

    #[test]
    fn threads_change_no_byte_of_many_batches() {
        let bench = Bench::new();
        let wave = |at: u32| (at as f32 * 0.7).sin() * 3.0;
        centroids(&bench, 4, &(0..400).map(|at| wave(at * 13)).collect::<Vec<f32>>());
        bench.features(
            "x",
            Embeddings {
                id: (0..9000).collect(),
                split: vec![Split::Train; 9000],
                embedding: Vectors::new(4, (0..36_000).map(wave).collect()),
            },
        );
        on_threads(1, || bench.run("centroid-distances", json!({}), &INPUTS).unwrap());
        let one = bench.bytes();
        on_threads(3, || bench.run("centroid-distances", json!({}), &INPUTS).unwrap());
        assert!(one == bench.bytes());
        assert_eq!(bench.embeddings().embedding.width, 100);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bench = Bench::new();
        let features = Embeddings {
            id: vec![1],
            split: vec![Split::Train],
            embedding: Vectors::new(2, vec![1.0, 2.0]),
        };
        bench.features("x", features);
        centroids(&bench, 3, &[1.0, 2.0, 3.0]);
        let failure = bench.run("centroid-distances", json!({}), &INPUTS).unwrap_err();
        assert_eq!(failure.code, "embed::centroid_width");
        assert!(failure.message.contains('3') && failure.message.contains('2'));
        centroids(&bench, 2, &[]);
        let failure = bench.run("centroid-distances", json!({}), &INPUTS).unwrap_err();
        assert_eq!(failure.code, "embed::no_centroids");
        assert!(bench.run("centroid-distances", json!({ "k": 2 }), &INPUTS).is_err());
    }
}
