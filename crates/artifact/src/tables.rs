//! The tables, each a list of columns.

use crate::{
    CentroidsMeta, Classes, EmbeddingsMeta, Empty, GraphMeta, ImagesMeta, Vectors,
    column::{Word, word_column},
    table::table,
};

/// Which part of the data an image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// May be learnt from (without its label, unless the budget gives it).
    Train,
    /// Held out: never learnt from, only predicted and scored.
    Test,
    /// No official split: learnt from, and scored where it is not labelled (transduction).
    Pool,
}

impl Word for Split {
    fn text(&self) -> &str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Pool => "pool",
        }
    }
    fn parse(text: &str) -> Option<Self> {
        match text {
            "train" => Some(Self::Train),
            "test" => Some(Self::Test),
            "pool" => Some(Self::Pool),
            _ => None,
        }
    }
    const CHOICES: &'static str = "`train`, `test`, `pool`";
}
word_column!(Split);

impl Split {
    /// The word that tables hold.
    pub fn as_str(&self) -> &str {
        self.text()
    }
}

/// Where a label comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelSource {
    /// Part of the label budget.
    Given,
    /// Asked of a simulated annotator.
    Queried,
    /// Asked of a person.
    Human,
    /// Inferred by a propagation stage; may be wrong.
    Propagated,
}

impl Word for LabelSource {
    fn text(&self) -> &str {
        match self {
            Self::Given => "given",
            Self::Queried => "queried",
            Self::Human => "human",
            Self::Propagated => "propagated",
        }
    }
    fn parse(text: &str) -> Option<Self> {
        match text {
            "given" => Some(Self::Given),
            "queried" => Some(Self::Queried),
            "human" => Some(Self::Human),
            "propagated" => Some(Self::Propagated),
            _ => None,
        }
    }
    const CHOICES: &'static str = "`given`, `queried`, `human`, `propagated`";
}
word_column!(LabelSource);

table! {
    /// Images as bytes. Written by ingest.
    Images = "images", meta = ImagesMeta {
        /// Unique, stable through the whole pipeline.
        id: Vec<u32>,
        /// Part of the data.
        split: Vec<Split>,
        /// File name or index in the source.
        source: Vec<String>,
        /// `[height × width × channels]` bytes.
        pixels: Vectors<u8>,
    }
}

table! {
    /// The full ground truth. Read only by scoring, the budget and the simulated annotator.
    Truth = "truth", meta = Classes {
        /// The image.
        id: Vec<u32>,
        /// Index into the class names.
        label: Vec<i32>,
    }
}

table! {
    /// Labels that a learner may see.
    Labels = "labels", meta = Classes {
        /// The image.
        id: Vec<u32>,
        /// Index into the class names.
        label: Vec<i32>,
        /// Where the label comes from.
        source: Vec<LabelSource>,
        /// 1 for given labels; a propagation's own estimate otherwise.
        confidence: Vec<f32>,
    }
}

table! {
    /// One vector per image.
    Embeddings = "embeddings", meta = EmbeddingsMeta {
        /// The image.
        id: Vec<u32>,
        /// Part of the data.
        split: Vec<Split>,
        /// The vector.
        embedding: Vectors<f32>,
    }
}

table! {
    /// The edges of an undirected graph of images, each once. Every image is in `nodes`.
    Edges = "edges", meta = GraphMeta {
        /// The image with the smaller id.
        source: Vec<u32>,
        /// The image with the larger id.
        target: Vec<u32>,
        /// How alike the two are, 0 to 1.
        weight: Vec<f32>,
        /// How far apart they are, in the graph's metric.
        distance: Vec<f32>,
    }
}

table! {
    /// The images of a graph, those without edges included.
    Nodes = "nodes", meta = GraphMeta {
        /// The image.
        id: Vec<u32>,
        /// Part of the data.
        split: Vec<Split>,
        /// Its connected component, numbered by their smallest ids.
        component: Vec<u32>,
        /// The sum of the weights of its edges.
        degree: Vec<f32>,
        /// The distance to the farthest of its k nearest neighbours: small where images are dense.
        radius: Vec<f32>,
    }
}

table! {
    /// The cluster of each image.
    Clusters = "clusters", meta = Empty {
        /// The image.
        id: Vec<u32>,
        /// Index of the cluster.
        cluster: Vec<i32>,
        /// Euclidean distance to the cluster's centroid.
        distance: Vec<f32>,
        /// Share of the cluster's images that are at most as far from the centroid, 0 to 100.
        percentile: Vec<f32>,
        /// Whether this image is the nearest to its centroid (exactly one per cluster).
        is_representative: Vec<bool>,
    }
}

table! {
    /// The centre of each cluster.
    Centroids = "centroids", meta = CentroidsMeta {
        /// Index of the cluster.
        cluster: Vec<i32>,
        /// Mean of the cluster's embeddings.
        centroid: Vectors<f32>,
        /// Images in the cluster.
        size: Vec<u32>,
        /// Id of the image nearest to the centroid.
        representative: Vec<u32>,
    }
}

table! {
    /// What a propagation believes of every image.
    Distributions = "distributions", meta = Classes {
        /// The image.
        id: Vec<u32>,
        /// Most probable class; null where nothing reached the image.
        label: Vec<Option<i32>>,
        /// Probability of each class; all zero where nothing reached the image.
        probabilities: Vectors<f32>,
        /// Entropy of the distribution in nats.
        entropy: Vec<f32>,
        /// Largest minus second largest probability.
        margin: Vec<f32>,
        /// Whether any label reached the image.
        reached: Vec<bool>,
    }
}

table! {
    /// What a classifier says of every image.
    Predictions = "predictions", meta = Classes {
        /// The image.
        id: Vec<u32>,
        /// Part of the data.
        split: Vec<Split>,
        /// Predicted class.
        label: Vec<i32>,
        /// Probability of each class.
        probabilities: Vectors<f32>,
    }
}

table! {
    /// Images that a strategy asks to label.
    Queries = "queries", meta = Empty {
        /// The image.
        id: Vec<u32>,
        /// 0 is asked first.
        rank: Vec<u32>,
        /// The strategy's score; higher is more wanted.
        score: Vec<f32>,
        /// Name of the strategy.
        strategy: Vec<String>,
    }
}

table! {
    /// Losses by epoch.
    History = "history", meta = Empty {
        /// Counted from 1.
        epoch: Vec<u32>,
        /// Mean loss over the training images.
        train_loss: Vec<f64>,
        /// Mean loss over the validation images, where there are any.
        validation_loss: Vec<Option<f64>>,
    }
}

table! {
    /// A few images, their codes, and what the decoder makes of them.
    Reconstructions = "reconstructions", meta = ImagesMeta {
        /// The image.
        id: Vec<u32>,
        /// The image's bytes.
        original: Vectors<u8>,
        /// Its code.
        code: Vectors<f32>,
        /// The decoded bytes.
        reconstruction: Vectors<u8>,
    }
}
