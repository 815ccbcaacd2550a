//! What a table says of all its rows at once; stored in the Parquet key–value metadata: each field as
//! JSON under `scarce.` and its name, so that class names are `scarce.classes`, a list of words, and
//! label `i` is its `i`-th entry, from 0. `docs/guide/tables.md` lists them all, with examples.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// What a file says of all its rows, and when that can be.
pub trait Facts {
    /// What is wrong with it, if something is.
    ///
    /// # Errors
    /// The reason, in words.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Nothing to say beyond the table's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// The class names; a label `i` means `classes[i]`. In a file they are `scarce.classes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Names in label order.
    pub classes: Vec<String>,
}

impl Classes {
    /// Class names from anything that lists strings.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { classes: names.into_iter().map(Into::into).collect() }
    }

    /// Class names, each once, in the order that they have wherever nobody gives another: whole numbers
    /// by their size if all are numbers, else by their letters. A folder, a column and a file of labels
    /// that name the same classes thus number them alike.
    ///
    /// ```
    /// use scarce_artifact::Classes;
    ///
    /// assert_eq!(Classes::in_order(["10".to_owned(), "2".to_owned()]), ["2", "10"]);
    /// ```
    pub fn in_order(names: impl IntoIterator<Item = String>) -> Vec<String> {
        let names: BTreeSet<String> = names.into_iter().collect();
        let mut names: Vec<String> = names.into_iter().collect();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            // Stable, so that `01` stays before `1`.
            names.sort_by_key(|name| name.parse::<i64>().ok());
        }
        names
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no class.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }
}

/// The shape of every image of a table. Pixels are stored row by row, channels innermost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
}

impl Shape {
    /// Values in one image: height × width × channels.
    pub fn pixels(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Facts about a table of images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesMeta {
    /// The common shape.
    pub shape: Shape,
    /// The data set's name, or `own`.
    pub dataset: String,
    /// The largest pixel value that the source uses: 255 for most, 16 for the digits.
    /// Pixels divided by it lie in `[0, 1]`.
    pub max_value: u8,
    /// Ids and names of the pictures of the source that could not be read, so that a label for one
    /// of them is no mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<(u32, String)>,
}

/// How distances between embeddings are meant to be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Straight-line distance.
    #[default]
    Euclidean,
    /// One minus the cosine of the angle.
    Cosine,
}

/// Facts about a graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphMeta {
    /// Images in the graph, those without edges included.
    pub nodes: usize,
    /// Nearest neighbours of each image.
    pub k: usize,
    /// How distances were measured.
    pub metric: Metric,
    /// How distances became weights: `self-tuning`, `gaussian`, `uniform`.
    pub weights: String,
    /// The scale of Gaussian weights.
    pub sigma: Option<f64>,
    /// Connected components.
    pub components: usize,
    /// Share of the true nearest neighbours that were found, in a sample; none if all were sought
    /// exactly.
    pub recall: Option<f64>,
}

/// Facts about a table of embeddings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingsMeta {
    /// What made the embedding, for instance `pixels`, `pca`, `autoencoder`.
    pub origin: String,
    /// How distances are meant.
    pub metric: Metric,
}

/// Facts about a table of centroids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CentroidsMeta {
    /// What made the features that were clustered (their [`EmbeddingsMeta::origin`]); empty where
    /// it is not known.
    pub features: String,
}

impl Facts for Empty {}
impl Facts for EmbeddingsMeta {}
impl Facts for CentroidsMeta {}
impl Facts for GraphMeta {}

impl Facts for Classes {
    fn check(&self) -> Result<(), String> {
        let mut seen = HashMap::new();
        for (at, name) in self.classes.iter().enumerate() {
            if let Some(first) = seen.insert(name, at) {
                return Err(format!("the classes {first} and {at} are both called `{name}`"));
            }
        }
        Ok(())
    }
}

impl Facts for ImagesMeta {
    fn check(&self) -> Result<(), String> {
        let Shape { height, width, channels } = self.shape;
        let pixels = height.checked_mul(width).and_then(|area| area.checked_mul(channels));
        match (pixels, channels) {
            (Some(1..), 1 | 3) => Ok(()),
            _ => Err(format!("{height} × {width} × {channels} is no shape of an image")),
        }
    }
}
