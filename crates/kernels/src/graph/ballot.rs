//! Weighted votes: of every node's scores, which is the highest once each class has its weight?

use rayon::prelude::*;

use super::block::PLACES;

/// Nobody wins.
const NOBODY: u32 = u32::MAX;

/// Scores laid out so that many nodes are decided at once.
#[derive(Debug)]
pub(super) struct Ballot {
    nodes: usize,
    classes: usize,
    /// Blocks of [`PLACES`] nodes, `[classes, PLACES]` each; −∞ where a class cannot win.
    scores: Vec<f32>,
    /// The class of every node, or [`NOBODY`].
    winners: Vec<u32>,
}

impl Ballot {
    /// `score` and `open` are asked for node and class; a class wins only where it is open. Scores
    /// are moved and scaled to lie in [0, 1].
    pub(super) fn new(
        nodes: usize,
        classes: usize,
        score: impl Fn(usize, usize) -> f32 + Sync,
        open: impl Fn(usize, usize) -> bool + Sync,
    ) -> Self {
        let score =
            |node, class| if open(node, class) { score(node, class) } else { f32::NEG_INFINITY };
        let mut ballot = Self::of(nodes, classes, score);
        scale(&mut ballot.scores);
        ballot
    }

    fn of(nodes: usize, classes: usize, score: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let blocks = nodes.div_ceil(PLACES);
        let mut scores = vec![f32::NEG_INFINITY; blocks * classes * PLACES];
        scores.par_chunks_exact_mut(classes * PLACES).enumerate().for_each(|(block, scores)| {
            for node in block * PLACES..nodes.min((block + 1) * PLACES) {
                for class in 0..classes {
                    scores[class * PLACES + node % PLACES] = score(node, class);
                }
            }
        });
        Self { nodes, classes, scores, winners: vec![NOBODY; nodes] }
    }

    /// The ballot of some of the nodes.
    pub(super) fn part(&self, nodes: &[u32]) -> Self {
        Self::of(nodes.len(), self.classes, |row, class| self.score(nodes[row] as usize, class))
    }

    /// The score of a class, −∞ where it cannot win.
    pub(super) fn score(&self, node: usize, class: usize) -> f32 {
        self.scores[node / PLACES * self.classes * PLACES + class * PLACES + node % PLACES]
    }

    /// The weighted score of a class, 0 where it cannot win.
    pub(super) fn product(&self, node: usize, class: usize, weights: &[f64]) -> f64 {
        let score = self.score(node, class);
        if score.is_finite() { f64::from(score * weights[class] as f32) } else { 0.0 }
    }

    /// The class of every node; none where none can win.
    pub(super) fn labels(&self) -> Vec<Option<u32>> {
        self.winners.iter().map(|&winner| (winner != NOBODY).then_some(winner)).collect()
    }

    /// Whether a class can win anywhere.
    pub(super) fn can_win(&self, class: usize) -> bool {
        let mut blocks = self.scores.chunks_exact(self.classes * PLACES);
        blocks.any(|block| block[class * PLACES..][..PLACES].iter().any(|s| s.is_finite()))
    }

    /// Finds the winners and counts them by class; of equals the first class wins.
    pub(super) fn decide(&mut self, weights: &[f64]) -> Vec<usize> {
        let classes = self.classes;
        let blocks = self.scores.par_chunks_exact(classes * PLACES);
        let blocks = blocks.zip(self.winners.par_chunks_mut(PLACES));
        let counts: Vec<Vec<usize>> = blocks
            .map(|(scores, winners)| {
                winners.copy_from_slice(&highest(scores, weights).0[..winners.len()]);
                let mut counts = vec![0; classes];
                for &winner in &*winners {
                    if let Some(count) = counts.get_mut(winner as usize) {
                        *count += 1;
                    }
                }
                counts
            })
            .collect();
        let mut total = vec![0; classes];
        for counts in counts {
            for (total, count) in total.iter_mut().zip(counts) {
                *total += count;
            }
        }
        total
    }

    /// By how much each node's winner leads; infinite where nobody else can win.
    pub(super) fn leads(&self, weights: &[f64]) -> Vec<f32> {
        let blocks = self.scores.par_chunks_exact(self.classes * PLACES);
        let mut leads: Vec<f32> =
            blocks.flat_map_iter(|scores| highest(scores, weights).1).collect();
        leads.truncate(self.nodes);
        leads
    }
}

/// The class of the highest product of each node of a block, and its lead over the second.
fn highest(scores: &[f32], weights: &[f64]) -> ([u32; PLACES], [f32; PLACES]) {
    let mut found = [NOBODY; PLACES];
    let mut best = [f32::NEG_INFINITY; PLACES];
    let mut second = [f32::NEG_INFINITY; PLACES];
    for (class, (scores, &weight)) in scores.chunks_exact(PLACES).zip(weights).enumerate() {
        let weight = weight as f32;
        let nodes = found.iter_mut().zip(&mut best).zip(&mut second).zip(scores);
        for (((found, best), second), score) in nodes {
            // In a form that compiles to vector instructions.
            let product = score * weight;
            let wins = product > *best;
            let loser = if wins { *best } else { product };
            *second = if loser > *second { loser } else { *second };
            *best = if wins { product } else { *best };
            *found = if wins { class as u32 } else { *found };
        }
    }
    for (best, second) in best.iter_mut().zip(&second) {
        // Where nobody can win both are −∞.
        *best = if *second > f32::NEG_INFINITY { *best - second } else { f32::INFINITY };
    }
    (found, best)
}

/// Moves and scales what is finite to [0, 1].
fn scale(scores: &mut [f32]) {
    let finite = || scores.par_iter().copied().filter(|score| score.is_finite());
    let least = finite().reduce(|| f32::INFINITY, f32::min);
    let most = finite().reduce(|| f32::NEG_INFINITY, f32::max);
    let range = if most > least { most - least } else { 1.0 };
    scores.par_iter_mut().for_each(|score| *score = (*score - least) / range);
}
