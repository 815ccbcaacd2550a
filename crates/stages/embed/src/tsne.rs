//! Maps in two dimensions.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Metric, Reader, Split, Vectors};
use scarce_manifold::Tsne as Problem;
use scarce_numeric::{Matrix, random};
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, SplitName};

/// Parameters of `tsne`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many neighbours an image has, smoothly counted; below the number of images.
    #[schemars(range(min = 1))]
    pub perplexity: f64,
    /// Steps of gradient descent; the first 250 with exaggerated attraction.
    #[schemars(range(min = 1))]
    pub iterations: usize,
    /// How coarse repulsion may be: images in a square are taken together where its side is at
    /// most this times its distance. 0 is exact and slow.
    #[schemars(range(min = 0, max = 1))]
    pub theta: f64,
    /// Length of the steps; unless given, the number of images over 4 × `exaggeration`, at least
    /// 50.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: Option<f64>,
    /// What attraction is multiplied by in the first 250 steps.
    #[schemars(range(min = 1))]
    pub exaggeration: f64,
    /// Map at most so many images, drawn at random. Time grows a little faster than their number.
    #[schemars(range(min = 3))]
    pub limit: usize,
    /// The splits to map; the test split only if it is named here.
    pub splits: Vec<SplitName>,
    /// Seed of the images that are drawn.
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            iterations: 1000,
            theta: 0.5,
            learning_rate: None,
            exaggeration: 12.0,
            limit: 10_000,
            splits: SplitName::learnt_from(),
            seed: 0,
        }
    }
}

/// The images that are mapped.
fn splits() -> Splits {
    Splits::Parameter("/splits".to_owned())
}

/// The kind `tsne`.
pub struct Tsne;

impl Stage for Tsne {
    type Params = Params;

    fn describe() -> Description {
        Description::new("tsne", "A map in two dimensions on which neighbours stay neighbours")
            .doc(
                "t-distributed stochastic neighbour embedding (L. van der Maaten and G. Hinton, \
                 *Visualizing data using t-SNE*, JMLR 9, 2008) by the Barnes–Hut approximation \
                 (L. van der Maaten, *Accelerating t-SNE using tree-based algorithms*, JMLR 15, \
                 2014). It starts from the first two principal components; schedule and defaults \
                 are those of scikit-learn's `TSNE`, and the Kullback–Leibler divergence in the \
                 log may be compared with its `kl_divergence_`. Distances are Euclidean, whatever \
                 metric the features are meant for.\n\nFor looking at, and for clustering what is \
                 looked at: distances between groups mean little, and there is no way to map other \
                 images later. Rows are by ascending id. Memory holds the features of the images \
                 that are mapped, of at most 4,096 numbers each.",
            )
            .learns(Learns::images("features", splits()).keeping(splits()).seeded())
            .input(Port::table::<Embeddings>("features", "One vector per image"))
            .output(Port::table::<Embeddings>("embeddings", "The place of each image: [2]"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let chosen = choose(&params, &features)?;
        let (split, values) = gather(&features, &chosen)?;
        let map = map(&params, &values, chosen.len(), context)?;
        let meta = EmbeddingsMeta { origin: "tsne".to_owned(), metric: Metric::Euclidean };
        let table = Embeddings { id: chosen, split, embedding: Vectors::new(2, map) };
        context.write("embeddings", meta, table)
    }
}

/// The ids of the images to map, ascending.
fn choose(params: &Params, features: &Reader<Embeddings>) -> Result<Vec<u32>, Error> {
    let mut id = Vec::new();
    for batch in features.stream()? {
        let batch = batch?;
        let rows = batch.id.iter().zip(&batch.split);
        let wanted = rows.filter(|(_, split)| params.splits.iter().any(|name| name.is(**split)));
        id.extend(wanted.map(|(id, _)| *id));
    }
    if id.is_empty() {
        let splits = serde_json::to_string(&params.splits).unwrap_or_default();
        return Err(Error::NoImages { splits });
    }
    id.sort_unstable();
    if id.len() > params.limit {
        let mut rng = random::stream(params.seed, "t-SNE images", 0);
        let mut rows = random::sample(id.len(), params.limit, &mut rng)?;
        rows.sort_unstable();
        tracing::info!("{} of {} images, drawn at random", params.limit, id.len());
        id = rows.into_iter().map(|row| id[row]).collect();
    }
    Ok(id)
}

/// Split and vector of every chosen image, in their order.
fn gather(features: &Reader<Embeddings>, chosen: &[u32]) -> Result<(Vec<Split>, Vec<f32>), Error> {
    let width = features.width()?;
    let mut split = vec![Split::Pool; chosen.len()];
    let mut values = vec![0.0; chosen.len() * width];
    for batch in features.stream()? {
        let batch = batch?;
        for (row, id) in batch.id.iter().enumerate() {
            if let Ok(place) = chosen.binary_search(id) {
                split[place] = batch.split[row];
                values[place * width..][..width].copy_from_slice(batch.embedding.row(row));
            }
        }
    }
    Ok((split, values))
}

/// The place of every image, `[n, 2]`.
fn map(params: &Params, values: &[f32], n: usize, context: &Context) -> Result<Vec<f32>, Error> {
    let problem = Problem {
        perplexity: params.perplexity,
        iterations: params.iterations,
        theta: params.theta,
        learning_rate: params.learning_rate,
        exaggeration: params.exaggeration,
        seed: params.seed,
    };
    let total = params.iterations as u64;
    let mut observe = |done: usize| context.progress(done as u64, total, "iterations", "");
    let x = Matrix::new(values, n, values.len() / n)?;
    let fitted = problem.fit_observed(x, &mut observe)?;
    tracing::info!(
        "{n} images after {total} iterations, Kullback–Leibler divergence {:.6}",
        fitted.kl_divergence
    );
    Ok(fitted.map)
}

#[cfg(test)]
mod tests {
    use scarce_artifact::{Embeddings, Split, Vectors};
    use serde_json::{Value, json};

    use crate::testing::{Bench, on_threads};

    const INPUTS: [(&str, &str); 1] = [("features", "x")];

    /// `n` images in 3 clumps, the last tenth of them test images, in a scrambled order.
    fn clumps(n: u32) -> Embeddings {
        // 7 has no factor in common with the numbers of rows used here.
        let id: Vec<u32> = (0..n).map(|i| i * 7 % n).collect();
        let place = |&id: &u32| {
            let clump = (id % 3) as f32 * 30.0;
            [clump + (id as f32 * 0.37).sin(), -clump, (id as f32 * 1.91).cos()]
        };
        let test = |id: &u32| if id * 10 < n * 9 { Split::Train } else { Split::Test };
        Embeddings {
            split: id.iter().map(test).collect(),
            embedding: Vectors::new(3, id.iter().flat_map(place).collect()),
            id,
        }
    }

    fn run(bench: &Bench, params: Value) -> Embeddings {
        bench.run("tsne", params, &INPUTS).unwrap();
        bench.embeddings()
    }

    #[test]
    fn clumps_stay_together_on_the_map_and_test_images_stay_out() {
        let bench = Bench::new();
        bench.features("x", clumps(200));
        let found = run(&bench, json!({ "perplexity": 12, "iterations": 400 }));
        assert_eq!(found.id, (0..180).collect::<Vec<u32>>());
        assert_eq!(found.split, [Split::Train; 180]);
        assert_eq!(bench.meta().origin, "tsne");
        let apart = |a: usize, b: usize| {
            let (p, q) = (found.embedding.row(a), found.embedding.row(b));
            (p[0] - q[0]).hypot(p[1] - q[1])
        };
        for row in 0..180 {
            let others = (0..180).filter(|&other| other != row);
            let nearest = others.min_by(|&a, &b| apart(row, a).total_cmp(&apart(row, b))).unwrap();
            assert_eq!(nearest % 3, row % 3);
        }
    }

    #[test]
    fn neither_threads_nor_the_order_of_rows_change_a_byte() {
        let bench = Bench::new();
        let mut features = clumps(600);
        bench.features("x", features.clone());
        let params = json!({ "perplexity": 8, "iterations": 260, "limit": 400, "seed": 2 });
        let bytes = |threads| {
            on_threads(threads, || run(&bench, params.clone()));
            bench.bytes()
        };
        let one = bytes(1);
        assert!(one == bytes(3));
        features.id.reverse();
        features.split.reverse();
        let rows = features.embedding.values.rchunks_exact(3).flatten().copied().collect();
        features.embedding = Vectors::new(3, rows);
        bench.features("x", features);
        assert!(one == bytes(2));
    }

    #[test]
    fn a_limit_draws_images_by_the_seed() {
        let bench = Bench::new();
        bench.features("x", clumps(600));
        let ids = |seed: u32| {
            let params = json!({ "perplexity": 5, "iterations": 5, "limit": 50, "seed": seed });
            run(&bench, params).id
        };
        let first = ids(0);
        assert_eq!(first.len(), 50);
        assert!(first.is_sorted() && first.iter().all(|id| *id < 540));
        assert_eq!(first, ids(0));
        assert_ne!(first, ids(1));
        let params = json!({ "perplexity": 5, "iterations": 5, "splits": ["test", "train"] });
        let all = run(&bench, params);
        assert_eq!(all.id.len(), 600);
        assert!((0..600).all(|row| (all.split[row] == Split::Test) == (row >= 540)));
    }

    #[test]
    fn impossible_requests_are_refused() {
        let bench = Bench::new();
        bench.features("x", clumps(20));
        let code = |params: Value| bench.run("tsne", params, &INPUTS).unwrap_err().code;
        assert_eq!(code(json!({})), "numeric::parameter", "18 images, perplexity 30");
        assert_eq!(code(json!({ "splits": ["pool"] })), "embed::no_images");
        assert_eq!(code(json!({ "perplexity": 5, "theta": 2 })), "numeric::parameter");
        assert_eq!(code(json!({ "perplexity": 5, "learning_rate": -1 })), "numeric::parameter");
        let mut twice = clumps(20);
        twice.id[0] = twice.id[1];
        bench.features("x", twice);
        assert_eq!(code(json!({ "splits": ["train", "test"] })), "artifact::value");
    }
}
