//! The vectors that a geometric strategy looks at: of no test image.

use std::collections::HashMap;

use scarce_artifact::{Clusters, Embeddings, Metric, Reader};
use scarce_stage::{Context, Failure};

use crate::{Error, Result, candidates};

/// All images that are not for testing, labelled or not, by ascending id.
pub(crate) struct Pool {
    /// `[n]`
    pub(crate) id: Vec<u32>,
    pub(crate) width: usize,
    /// `[n, width]`; of length 1 where the features are meant for the cosine metric, so that
    /// Euclidean distances order them as they are meant to be ordered.
    pub(crate) values: Vec<f32>,
    /// Rows that have a label, ascending.
    pub(crate) labelled: Vec<usize>,
}

impl Pool {
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let table = context.input::<Embeddings>("embeddings")?;
        let candidates = candidates::not_for_testing(context, &table)?;
        let mut place = vec![None; table.rows()];
        for (at, candidate) in candidates.iter().enumerate() {
            place[candidate.row] = Some(at);
        }
        let width = table.width()?;
        let values = gather(&table, place, candidates.len())?;
        let id: Vec<u32> = candidates.iter().map(|candidate| candidate.id).collect();
        let known = candidates::labelled(context)?;
        let labelled: Vec<usize> = (0..id.len()).filter(|&row| known.contains(&id[row])).collect();
        let strangers = known.len() - labelled.len();
        if strangers > 0 {
            tracing::warn!(
                "{strangers} labelled images are for testing or have no embedding: they count for \
                 nothing"
            );
        }
        Ok(Self { id, width, values, labelled })
    }

    /// The cluster of every image, numbered from 0: `[n]`.
    pub(crate) fn clusters(&self, table: &Reader<Clusters>) -> Result<Vec<u32>> {
        let path = table.path();
        let rows = table.read()?;
        let cluster_of: HashMap<u32, i32> =
            rows.id.iter().copied().zip(rows.cluster.iter().copied()).collect();
        let of = |&id: &u32| match cluster_of.get(&id) {
            Some(&cluster) => Ok(cluster),
            None => Err(Error::Unclustered { path: path.to_owned(), id }),
        };
        let found: Vec<i32> = self.id.iter().map(of).collect::<Result<_>>()?;
        let mut names = found.clone();
        names.sort_unstable();
        names.dedup();
        Ok(found.iter().map(|name| names.partition_point(|other| other < name) as u32).collect())
    }
}

/// The vectors of some images, in the order of `ids`: `[ids, width]`; of length 1 where the
/// features are meant for the cosine metric.
pub(crate) fn vectors(table: &Reader<Embeddings>, ids: &[u32]) -> Result<Vec<f32>> {
    let wanted: HashMap<u32, usize> = ids.iter().enumerate().map(|(at, &id)| (id, at)).collect();
    let mut place = vec![None; table.rows()];
    let mut found = vec![false; ids.len()];
    for (place, (id, _)) in place.iter_mut().zip(table.members()?) {
        let Some(&at) = wanted.get(&id) else { continue };
        found[at] = true;
        *place = Some(at);
    }
    if let Some(missing) = found.iter().position(|found| !found) {
        let path = table.path().to_owned();
        return Err(Error::NoEmbedding { path, id: ids[missing] });
    }
    gather(table, place, ids.len())
}

/// Puts the rows of a table where they belong: `[rows, width]`, every one of which has a `place`.
fn gather(table: &Reader<Embeddings>, place: Vec<Option<usize>>, rows: usize) -> Result<Vec<f32>> {
    let width = table.width()?;
    let mut values = vec![0.0; rows * width];
    let mut places = place.into_iter();
    for batch in table.stream()? {
        for (vector, place) in batch?.embedding.iter_rows().zip(&mut places) {
            if let Some(place) = place {
                values[place * width..][..width].copy_from_slice(vector);
            }
        }
    }
    if table.meta().metric == Metric::Cosine {
        values.chunks_exact_mut(width).for_each(to_unit_length);
    }
    Ok(values)
}

/// Divides a vector by its length; zeros stay.
fn to_unit_length(vector: &mut [f32]) {
    let length = vector.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        for value in vector {
            *value = (f64::from(*value) / length) as f32;
        }
    }
}
