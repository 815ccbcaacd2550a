//! A small catalogue whose parameter schemas come from `schemars`, as real ones do.

use scarce_stage::{Description, Format, Port};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};

use crate::Catalogue;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ingest {
    /// Name of the data set.
    dataset: String,
    /// A folder to read instead.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    folder: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Budget {
    /// How many of each class.
    per_class: usize,
    /// Seed of the draw.
    seed: u64,
}

/// Network architectures.
#[derive(Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
enum Architecture {
    /// Fully connected layers.
    #[default]
    Linear,
    /// Convolutions.
    Conv,
}

#[derive(Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
enum Loss {
    #[default]
    Mse,
    CrossEntropy,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EarlyStopping {
    /// Epochs without improvement.
    patience: u32,
    /// Share held back.
    #[serde(default = "validation")]
    validation: f64,
}

fn validation() -> f64 {
    0.25
}

/// How the learning rate changes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Schedule {
    /// It does not.
    Constant,
    /// It falls by a factor.
    Step {
        /// Every so many epochs.
        every: u32,
        /// The factor.
        #[serde(default = "validation")]
        factor: f64,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Autoencoder {
    /// Shape of the network.
    architecture: Architecture,
    /// Length of the code.
    #[schemars(range(min = 1, max = 4096))]
    latent: usize,
    /// What is minimised.
    loss: Loss,
    /// When to stop.
    early_stopping: Option<EarlyStopping>,
    /// How the rate changes.
    schedule: Option<Schedule>,
    /// Widths of hidden layers.
    layers: Vec<u32>,
    /// Learning rate.
    rate: f64,
    /// Weights to begin with.
    #[schemars(extend("format" = "path", "below" = "models"))]
    weights: Option<String>,
    /// Seed of the weights.
    seed: u64,
    /// A word about it.
    note: String,
    /// A share, neither none nor all.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    share: f64,
    /// How many, or what share.
    keep: Keep,
    /// A number of 32 bits, whose bounds the stage contract states.
    #[schemars(range(min = 1, max = u32::MAX))]
    few: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Keep {
    Count(#[schemars(range(min = 1))] usize),
    Share(#[schemars(range(max = 1), extend("exclusiveMinimum" = 0))] f64),
}

impl Default for Autoencoder {
    fn default() -> Self {
        Self {
            architecture: Architecture::default(),
            latent: 64,
            loss: Loss::default(),
            early_stopping: None,
            schedule: None,
            layers: vec![256],
            rate: 0.5,
            weights: None,
            seed: 0,
            note: String::new(),
            share: 0.5,
            keep: Keep::Count(3),
            few: 1,
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Knn {
    /// Neighbours that vote.
    k: usize,
}

/// Asks for labels.
#[derive(Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct Query {
    /// How images are chosen.
    strategy: String,
    /// Seed of what is random.
    seed: u64,
}

pub(super) fn port(name: &str, artifact: &str) -> Port {
    Port::new(name, artifact, Format::Table, "Words about it.")
}

fn with<T: JsonSchema>(mut description: Description) -> Description {
    description.params = schema_for!(T).to_value();
    description
}

pub(super) fn catalogue() -> Catalogue {
    let ingest = Description::new("ingest", "Images and their truth")
        .output(port("images", "images"))
        .output(port("truth", "truth"));
    let budget = Description::new("budget", "Reveals some labels")
        .input(port("images", "images"))
        .input(port("truth", "truth"))
        .output(port("labels", "labels"));
    let autoencoder = Description::new("autoencoder", "Trains an encoder")
        .input(port("images", "images"))
        .output(port("model", "encoder"))
        .output(port("history", "history").optional());
    let encode = Description::new("encode", "Encodes images")
        .input(port("images", "images"))
        .input(port("model", "encoder"))
        .output(port("embeddings", "embeddings"));
    let twins = Description::new("twins", "Two embeddings at once")
        .input(port("images", "images"))
        .output(port("left", "embeddings"))
        .output(port("right", "embeddings"));
    let knn = Description::new("knn", "Nearest neighbours")
        .input(port("features", "embeddings"))
        .input(port("labels", "labels"))
        .input(port("history", "history").optional())
        .output(port("predictions", "predictions"));
    let relabel = Description::new("relabel", "Predictions as labels")
        .input(port("predictions", "predictions"))
        .output(port("labels", "labels"));
    let report = Description::new("report", "Scores")
        .input(port("predictions", "predictions").many())
        .input(port("truth", "truth"))
        .output(port("metrics", "metrics"));
    let reread = Description::new("reread", "Truth as a model sees it")
        .input(port("model", "encoder"))
        .output(port("truth", "truth"));
    let histories = Description::new("histories", "Any histories, or none")
        .input(port("histories", "history").many().optional());
    let annotate = Description::new("annotate", "Labels what is asked for")
        .input(port("truth", "truth"))
        .input(port("labels", "labels").many().optional())
        .input(port("queries", "queries").optional())
        .output(port("labels", "labels"));
    let spread = Description::new("spread", "Labels for all")
        .input(port("images", "images"))
        .input(port("labels", "labels"))
        .output(port("distributions", "distributions"));
    let query = Description::new("query", "What to label next")
        .input(port("distributions", "distributions").optional())
        .input(port("labels", "labels").many().optional())
        .output(port("queries", "queries"));
    let unite = Description::new("unite", "Several tables of labels as one")
        .input(port("labels", "labels").many())
        .output(port("labels", "labels"));
    let curve = Description::new("curve", "Accuracy over rounds")
        .input(port("distributions", "distributions").many())
        .input(port("labels", "labels").optional())
        .output(port("queries", "queries"));
    Catalogue::new([
        annotate,
        spread,
        with::<Query>(query),
        unite,
        curve,
        with::<Ingest>(ingest),
        with::<Budget>(budget),
        with::<Autoencoder>(autoencoder),
        encode,
        twins,
        with::<Knn>(knn),
        relabel,
        report,
        reread,
        histories,
    ])
}
