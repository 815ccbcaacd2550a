//! What a method answers.

use super::{Convergence, Graph, Reach, Seeds};
use scarce_numeric::Error;

/// One number per node and class: the larger, the likelier.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The number of classes.
    pub classes: usize,
    /// `[nodes, classes]`. Where [`Reach`] has no label of a class the number means nothing.
    pub values: Vec<f64>,
    /// Where labels can come from.
    pub reach: Reach,
    /// Each linear system that was solved: what for, and how it ended.
    pub solved: Vec<(&'static str, Convergence)>,
}

impl Scores {
    /// From values by place.
    pub(super) fn new(
        graph: &Graph,
        seeds: &Seeds,
        by_place: &[f64],
        solved: Vec<(&'static str, Convergence)>,
    ) -> Result<Self, Error> {
        let classes = seeds.classes();
        let mut values = vec![0.0; by_place.len()];
        for (row, &node) in by_place.chunks_exact(classes).zip(graph.order()) {
            values[node as usize * classes..][..classes].copy_from_slice(row);
        }
        Ok(Self { classes, values, reach: Reach::new(graph, seeds)?, solved })
    }

    /// The scores of a node: `[classes]`.
    pub fn of(&self, node: usize) -> &[f64] {
        &self.values[node * self.classes..][..self.classes]
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.values.len() / self.classes.max(1)
    }

    /// The class with the highest score of every node, among those that can reach it; of equals the
    /// first. None where no label reaches.
    pub fn winners(&self) -> Vec<Option<u32>> {
        let winner = |node: usize| {
            let scores = self.of(node).iter().zip(self.reach.counts(node)).enumerate();
            let reaching = scores.filter(|(_, (_, count))| **count > 0);
            let better = |best: Option<(usize, f64)>, (class, (&score, _)): (usize, (&f64, _))| {
                best.filter(|best| best.1 >= score).or(Some((class, score)))
            };
            reaching.fold(None, better).map(|(class, _)| class as u32)
        };
        (0..self.nodes()).map(winner).collect()
    }
}
