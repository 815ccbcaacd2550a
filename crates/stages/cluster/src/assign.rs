//! Saved centroids applied to images.

use std::collections::HashMap;

use scarce_artifact::{Centroids, Clusters, Embeddings, Empty, Reader};
use scarce_numeric::{Matrix, distance::nearest};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, SplitName, fitted::splits, members::Standing};

/// Parameters of `assign`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The splits to assign; all of them unless some are named.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self { splits: SplitName::all() }
    }
}

/// The kind `assign`.
pub struct Assign;

impl Stage for Assign {
    type Params = Params;

    fn describe() -> Description {
        Description::new("assign", "The nearest of saved centroids for each image")
            .doc(
                "Gives each image to the nearest of the `centroids` that an earlier fit left, \
                 without fitting anything; distances are Euclidean, and of equally near centroids \
                 it is the first. To the images that were clustered this gives the clusters that \
                 the fit gave them.\n\n`distance` depends on the image alone. `percentile` is a \
                 place among others, and there are two choices. Without `fitted` it is the share \
                 of the images *assigned here* to the same cluster that are at most as far. With \
                 `fitted`, the `clusters` of the fit, it is the share of the *fitted* images of \
                 the cluster that are at most as far: 0 for an image nearer than all of them, 100 \
                 for one beyond them, and it does not depend on what else is assigned. Either way \
                 `is_representative` marks, in each cluster that gets images, the one nearest to \
                 the centroid (of equally near ones that with the smallest id). Rows are by \
                 ascending id.\n\nFeatures are streamed; memory holds a batch of them and the rows \
                 of the output.",
            )
            .learns(Learns::nothing().keeping(splits()).rows_of(&["features"]))
            .input(Port::table::<Embeddings>("features", "One vector per image"))
            .input(Port::table::<Centroids>("centroids", "The centroids of a fit"))
            .input(
                Port::table::<Clusters>("fitted", "The clusters of that fit, for percentiles")
                    .optional(),
            )
            .output(Port::table::<Clusters>("clusters", "The cluster of every image"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let centroids = context.input::<Centroids>("centroids")?;
        let fitted = context.optional::<Clusters>("fitted")?;
        let centres = read(&centroids, &features)?;
        let assigned = assign(&params, &centres, &features, context)?;
        let row: Vec<u32> = assigned.iter().map(|image| image.row).collect();
        let distance: Vec<f32> = assigned.iter().map(|image| image.distance).collect();
        let mut standing = Standing::of(&row, &distance, centres.cluster.len());
        if let Some(fitted) = fitted {
            let known = Fitted::read(&fitted, &centres)?;
            standing.percentile = assigned.iter().map(|image| known.percentile(image)).collect();
        }
        let clusters = Clusters {
            id: assigned.iter().map(|image| image.id).collect(),
            cluster: row.iter().map(|&row| centres.cluster[row as usize]).collect(),
            distance,
            is_representative: standing.is_representative(),
            percentile: standing.percentile,
        };
        context.write("clusters", Empty {}, clusters)
    }
}

/// The centroids, which must fit the features.
fn read(reader: &Reader<Centroids>, features: &Reader<Embeddings>) -> Result<Centroids, Error> {
    let table = reader.read()?;
    if table.cluster.is_empty() {
        return Err(Error::NoCentroids { path: reader.path().to_owned() });
    }
    let (centroids, width) = (table.centroid.width, features.width()?);
    if centroids != width {
        return Err(Error::Width { centroids, features: width });
    }
    let (made_of, origin) = (&reader.meta().features, &features.meta().origin);
    if !made_of.is_empty() && made_of != origin {
        tracing::warn!("the centroids are of `{made_of}`, the features are `{origin}`");
    }
    Ok(table)
}

/// An image and the row of its centroid.
struct Assigned {
    id: u32,
    row: u32,
    distance: f32,
}

/// The nearest centroid of every image of the splits, by ascending id.
fn assign(
    params: &Params,
    centres: &Centroids,
    features: &Reader<Embeddings>,
    context: &Context,
) -> Result<Vec<Assigned>, Error> {
    let width = centres.centroid.width;
    let y = Matrix::new(&centres.centroid.values, centres.cluster.len(), width)?;
    let mut assigned = Vec::new();
    let mut done = 0;
    for batch in features.stream()? {
        let (id, values) = only(batch?, &params.splits, &mut done);
        let found = nearest(Matrix::new(&values, id.len(), width)?, y)?;
        let rows = id.into_iter().zip(found.index).zip(found.squared);
        assigned.extend(rows.map(|((id, row), squared)| {
            let distance = squared.sqrt();
            Assigned { id, row, distance }
        }));
        context.progress(done, features.rows() as u64, "images", "");
    }
    if assigned.is_empty() {
        return Err(Error::no_images(&params.splits));
    }
    assigned.sort_by_key(|image| image.id);
    Ok(assigned)
}

/// Ids and vectors of the images that are in one of the splits.
fn only(batch: Embeddings, splits: &[SplitName], done: &mut u64) -> (Vec<u32>, Vec<f32>) {
    *done += batch.id.len() as u64;
    let wanted: Vec<bool> =
        batch.split.iter().map(|split| splits.iter().any(|name| name.is(*split))).collect();
    if wanted.iter().all(|wanted| *wanted) {
        return (batch.id, batch.embedding.values);
    }
    let id = batch.id.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(id, _)| *id);
    let rows = batch.embedding.iter_rows().zip(&wanted).filter(|(_, wanted)| **wanted);
    (id.collect(), rows.flat_map(|(row, _)| row).copied().collect())
}

/// How far the fitted images of each cluster lie from its centroid, upwards: `[clusters]`.
struct Fitted(Vec<Vec<f32>>);

impl Fitted {
    /// The distances of every cluster that has a centroid.
    fn read(reader: &Reader<Clusters>, centres: &Centroids) -> Result<Self, Error> {
        let rows = reader.read()?;
        let mut of_cluster: HashMap<i32, Vec<f32>> = HashMap::new();
        for (&cluster, &distance) in rows.cluster.iter().zip(&rows.distance) {
            of_cluster.entry(cluster).or_default().push(distance);
        }
        let take = |&cluster: &i32| match of_cluster.remove(&cluster) {
            Some(mut distances) => {
                distances.sort_by(f32::total_cmp);
                Ok(distances)
            }
            None => Err(Error::OtherFit { path: reader.path().to_owned(), cluster }),
        };
        Ok(Self(centres.cluster.iter().map(take).collect::<Result<_, _>>()?))
    }

    /// The share of the fitted images of its cluster that are at most as far, in percent.
    fn percentile(&self, image: &Assigned) -> f32 {
        let distances = &self.0[image.row as usize];
        let inside = distances.partition_point(|&distance| distance <= image.distance);
        (100.0 * inside as f64 / distances.len() as f64) as f32
    }
}

#[cfg(test)]
mod tests;
