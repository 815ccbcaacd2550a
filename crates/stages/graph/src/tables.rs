//! A graph read back from its tables.

use rayon::prelude::*;
use scarce_artifact::{Edges, Nodes, Reader, Split};
use scarce_graph_learning as graph;

use crate::Error;

/// A graph and the images that its nodes stand for.
pub(crate) struct Network {
    pub(crate) graph: graph::Graph,
    /// Ascending: `[n]`.
    pub(crate) id: Vec<u32>,
    /// `[n]`.
    pub(crate) split: Vec<Split>,
    pub(crate) edges: usize,
}

impl Network {
    pub(crate) fn read(nodes: &Reader<Nodes>, edges: &Reader<Edges>) -> Result<Self, Error> {
        let misfit = |message: String| Error::TwoGraphs {
            nodes: nodes.path().to_owned(),
            edges: edges.path().to_owned(),
            message,
        };
        if nodes.meta() != edges.meta() {
            return Err(misfit("they say different things of themselves".to_owned()));
        }
        let (id, split): (Vec<u32>, Vec<Split>) = images(nodes)?.into_iter().unzip();
        if id.len() != edges.meta().nodes {
            return Err(misfit(format!("{} images instead of {}", id.len(), edges.meta().nodes)));
        }
        let table = edges.read()?;
        let node = |image: &u32| {
            let found = id.binary_search(image).map(|node| node as u32);
            found.map_err(|_| misfit(format!("an edge joins the image {image}")))
        };
        let edges = graph::Edges {
            source: table.source.par_iter().map(node).collect::<Result<_, _>>()?,
            target: table.target.par_iter().map(node).collect::<Result<_, _>>()?,
            weight: table.weight,
            distance: table.distance,
        };
        let graph = graph::Graph::new(id.len(), &edges)?;
        Ok(Self { graph, id, split, edges: edges.len() })
    }

    /// The node of an image.
    pub(crate) fn node(&self, image: u32) -> Option<usize> {
        self.id.binary_search(&image).ok()
    }
}

/// Ids and splits by ascending id.
fn images(nodes: &Reader<Nodes>) -> Result<Vec<(u32, Split)>, Error> {
    let table = nodes.read()?;
    let mut images: Vec<(u32, Split)> = table.id.into_iter().zip(table.split).collect();
    images.sort_unstable();
    Ok(images)
}
