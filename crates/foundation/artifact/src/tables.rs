//! The tables, each a list of columns with what they promise: [`crate::promises`] says what each
//! promise is, and a [`Reader`](crate::Reader) holds every table that enters a stage to all of them.
//! Numbers are finite and nothing is missing unless a column says so.

use std::path::Path;

use crate::{
    About, CentroidsMeta, Classes, EmbeddingsMeta, Empty, GraphMeta, ImagesMeta, Reader, Result,
    Table, Vectors,
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
        /// Unique, stable through the whole pipeline; in any order.
        id: Vec<u32> where [Unique],
        /// Part of the data.
        split: Vec<Split>,
        /// File name or index in the source.
        source: Vec<String>,
        /// `[height × width × channels]` bytes, row by row, channels innermost.
        pixels: Vectors<u8> where [Pixels],
    }
}

table! {
    /// The full ground truth. Read only by scoring, the budget and the simulated annotator.
    Truth = "truth", meta = Classes {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// Index into the class names.
        label: Vec<i32> where [Class],
    }
}

table! {
    /// Labels that a learner may see.
    Labels = "labels", meta = Classes where [GivenOnce] {
        /// The image; in any order.
        id: Vec<u32>,
        /// Index into the class names.
        label: Vec<i32> where [Class],
        /// Where the label comes from.
        source: Vec<LabelSource>,
        /// 1 for given labels; a propagation's own estimate otherwise.
        confidence: Vec<f32> where [Share],
    }
}

table! {
    /// One vector per image.
    Embeddings = "embeddings", meta = EmbeddingsMeta {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// Part of the data.
        split: Vec<Split>,
        /// The vector.
        embedding: Vectors<f32>,
    }
}

table! {
    /// The edges of an undirected graph of images. Every image is in `nodes`.
    Edges = "edges", meta = GraphMeta where [EachEdgeOnce] {
        /// The image with the smaller id.
        source: Vec<u32>,
        /// The image with the larger id.
        target: Vec<u32>,
        /// How alike the two are.
        weight: Vec<f32> where [Share],
        /// How far apart they are, in the graph's metric.
        distance: Vec<f32> where [NotNegative],
    }
}

table! {
    /// The images of a graph, those without edges included.
    Nodes = "nodes", meta = GraphMeta where [Counted] {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// Part of the data.
        split: Vec<Split>,
        /// Its connected component, numbered from 0 by their smallest ids.
        component: Vec<u32>,
        /// The sum of the weights of its edges.
        degree: Vec<f32> where [NotNegative],
        /// The distance to the farthest of its k nearest neighbours: small where images are dense.
        radius: Vec<f32> where [NotNegative],
    }
}

table! {
    /// The cluster of each image.
    Clusters = "clusters", meta = Empty where [OneRepresentative] {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// Index of the cluster; indices may be left out.
        cluster: Vec<i32>,
        /// Euclidean distance to the cluster's centroid.
        distance: Vec<f32> where [NotNegative],
        /// Share of the cluster's images that are at most as far from the centroid, in percent.
        percentile: Vec<f32> where [Percent],
        /// Whether this image is the nearest to its centroid.
        is_representative: Vec<bool>,
    }
}

table! {
    /// The centre of each cluster.
    Centroids = "centroids", meta = CentroidsMeta {
        /// Index of the cluster; indices may be left out.
        cluster: Vec<i32> where [Unique],
        /// Mean of the cluster's embeddings.
        centroid: Vectors<f32>,
        /// Images in the cluster.
        size: Vec<u32> where [Positive],
        /// Id of the image nearest to the centroid.
        representative: Vec<u32> where [Unique],
    }
}

table! {
    /// What a propagation believes of every image.
    Distributions = "distributions", meta = Classes where [ReachedIsKnown] {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// The class it is taken for; null where nothing reached the image.
        label: Vec<Option<i32>> where [Class],
        /// Probability of each class; all zero where nothing reached the image.
        probabilities: Vectors<f32> where [DistributionOrZeros],
        /// Entropy of the distribution in nats.
        entropy: Vec<f32> where [NotNegative],
        /// Largest minus second largest probability.
        margin: Vec<f32> where [Share],
        /// Whether any label reached the image.
        reached: Vec<bool>,
    }
}

table! {
    /// What a classifier says of every image.
    Predictions = "predictions", meta = Classes {
        /// The image; in any order.
        id: Vec<u32> where [Unique],
        /// Part of the data.
        split: Vec<Split>,
        /// Predicted class: index into the class names.
        label: Vec<i32> where [Class],
        /// Probability of each class.
        probabilities: Vectors<f32> where [Distribution],
    }
}

table! {
    /// Images that a strategy asks to label.
    Queries = "queries", meta = Empty where [Ranked] {
        /// The image.
        id: Vec<u32> where [Unique],
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
        epoch: Vec<u32> where [Ascending],
        /// Mean loss over the training images.
        train_loss: Vec<f64>,
        /// Mean loss over the validation images; null where there are none.
        validation_loss: Vec<Option<f64>>,
    }
}

table! {
    /// A few images, their codes, and what the decoder makes of them.
    Reconstructions = "reconstructions", meta = ImagesMeta {
        /// The image.
        id: Vec<u32> where [Unique],
        /// The image's bytes.
        original: Vectors<u8> where [Pixels],
        /// Its code.
        code: Vectors<f32>,
        /// The decoded bytes.
        reconstruction: Vectors<u8> where [Pixels],
    }
}

/// Reads the table of the type that goes by a name.
macro_rules! check_by_name {
    ($name:expr, $path:expr, $($table:ident),+) => {
        match $name {
            $( $table::NAME => Some(Reader::<$table>::open($path).and_then(|table| table.check())), )+
            _ => None,
        }
    };
}

/// Reads a table to its end and holds it to its promises; nothing for a name that is no table of ours.
///
/// # Errors
/// As [`Reader::open`] and [`Reader::check`].
pub fn check_table(name: &str, path: &Path) -> Option<Result<()>> {
    check_by_name!(
        name,
        path,
        Images,
        Truth,
        Labels,
        Embeddings,
        Edges,
        Nodes,
        Clusters,
        Centroids,
        Distributions,
        Predictions,
        Queries,
        History,
        Reconstructions
    )
}

/// All tables, for people.
pub fn tables() -> Vec<About> {
    vec![
        Images::about(),
        Truth::about(),
        Labels::about(),
        Embeddings::about(),
        Edges::about(),
        Nodes::about(),
        Clusters::about(),
        Centroids::about(),
        Distributions::about(),
        Predictions::about(),
        Queries::about(),
        History::about(),
        Reconstructions::about(),
    ]
}
