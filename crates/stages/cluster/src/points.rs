//! The images to cluster.

use scarce_artifact::{Embeddings, Points, Reader};

use crate::{Error, SplitName};

/// The images of some splits, by ascending id: at least one.
pub(crate) fn read(features: &Reader<Embeddings>, splits: &[SplitName]) -> Result<Points, Error> {
    let points = Points::read(features, |_, split| SplitName::any(splits, split))?;
    if points.is_empty() { Err(Error::no_images(splits)) } else { Ok(points) }
}

/// `clusters`, if there are as many images.
pub(crate) fn enough(points: &Points, clusters: usize) -> Result<usize, Error> {
    match points.len() {
        images if images < clusters => Err(Error::TooManyClusters { clusters, images }),
        _ => Ok(clusters),
    }
}
