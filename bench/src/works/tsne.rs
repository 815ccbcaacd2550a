//! t-SNE of 10,000 digits in 50 principal components, perplexity 30, 1,000 steps, 250 of them with
//! exaggerated attraction.
//!
//! All sides begin at the principal components and choose the length of their steps by the same rule.
//! scikit-learn and ours sum up repulsion by a tree; `openTSNE` by default interpolates it on a grid when
//! there are 10,000 rows. Its own default are 750 steps; here it takes as many as the others.
//!
//! Maps are judged here, for all sides alike: by their Kullback–Leibler divergence from one set of
//! affinities (exact neighbours, 3 × perplexity of them), with similarities summed over all pairs.

use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use rayon::prelude::*;
use scarce_ingest::datasets::Dataset;
use scarce_manifold::Tsne;
use scarce_neighbours::{Metric, neighbours::self_neighbours};
use scarce_numeric::Matrix;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{contest::Turn, data::Data, quality::Quality, session::Session};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "t-sne",
    title: "t-SNE, MNIST, perplexity 30, 1,000 steps",
    cases: &[Case { name: "map-10000", title: "10,000 × 50", heavy: true }],
    run,
};

const ROWS: usize = 10_000;
const COMPONENTS: usize = 50;
const PERPLEXITY: f64 = 30.0;
const STEPS: usize = 1000;
/// Steps with exaggerated attraction, as everybody has them.
const EXAGGERATED: usize = 250;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let Some(case) = choice.cases.first() else { return Ok(()) };
    let all = session.data.components(Dataset::Mnist, COMPONENTS)?;
    let x = session.data.first(&all, ROWS)?;
    let judge = Judge::new(x.matrix()?, PERPLEXITY)?;
    let [source, target, affinity] = judge.write(&session.data)?;
    let data = json!({ "x": x.path, "source": source, "target": target, "affinity": affinity });
    let params =
        json!({ "perplexity": PERPLEXITY, "iterations": STEPS, "exaggerated": EXAGGERATED });
    let ask = |script| session.peer("maps", script, data.clone(), params.clone());
    let peers = vec![ask("tsne_opentsne.py")?, ask("tsne_sklearn.py")?];
    let model = Tsne { perplexity: PERPLEXITY, iterations: STEPS, ..Tsne::default() };
    session.compare(choice, case, peers, |_| {
        let begin = Instant::now();
        let fitted = model.fit(x.matrix()?)?;
        let seconds = begin.elapsed().as_secs_f64();
        let divergence = judge.divergence(&fitted.map);
        Ok(Turn { seconds, quality: Quality::from([("divergence".to_owned(), divergence)]) })
    })
}

/// Affinities that maps are judged by.
#[derive(Default)]
struct Judge {
    /// Pairs, each once, the smaller row first.
    source: Vec<u32>,
    target: Vec<u32>,
    /// Of each pair; twice their sum is 1.
    affinity: Vec<f32>,
}

impl Judge {
    /// Those of the nearest 3 × `perplexity` rows of each row (L. van der Maaten, JMLR 15, 2014,
    /// equations 6 and 7).
    fn new(x: Matrix<'_>, perplexity: f64) -> Result<Self> {
        let near = self_neighbours(x, (3.0 * perplexity) as usize, Metric::Euclidean)?;
        let halves = |row: usize| {
            let (others, distances) = near.of(row);
            let squares: Vec<f64> =
                distances.iter().map(|&distance| f64::from(distance).powi(2)).collect();
            let row = row as u32;
            let pair = move |(&other, p): (&u32, f64)| ((row.min(other), row.max(other)), p);
            others.iter().zip(conditional(&squares, perplexity)).map(pair)
        };
        let mut halves: Vec<_> = (0..x.rows()).into_par_iter().flat_map_iter(halves).collect();
        halves.par_sort_by_key(|&(pair, _)| pair);
        let mut judge = Self::default();
        for pairs in halves.chunk_by(|a, b| a.0 == b.0) {
            let both: f64 = pairs.iter().map(|(_, p)| p).sum();
            judge.source.push(pairs[0].0.0);
            judge.target.push(pairs[0].0.1);
            judge.affinity.push((both / (2.0 * x.rows() as f64)) as f32);
        }
        Ok(judge)
    }

    fn write(&self, data: &Data) -> Result<[PathBuf; 3]> {
        Ok([
            data.array("affinity-source.npy", &self.source)?,
            data.array("affinity-target.npy", &self.target)?,
            data.array("affinity.npy", &self.affinity)?,
        ])
    }

    /// Of a map `[n, 2]`: Σ p ln(p / q) over all pairs in both orders.
    fn divergence(&self, map: &[f32]) -> f64 {
        let places: Vec<[f64; 2]> =
            map.chunks_exact(2).map(|place| [f64::from(place[0]), f64::from(place[1])]).collect();
        let similarity =
            |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
        let row = |&place: &[f64; 2]| -> f64 {
            places.iter().map(|&other| similarity(place, other)).sum()
        };
        let rows: Vec<f64> = places.par_iter().map(row).collect();
        // without those of the points to themselves
        let total = rows.iter().sum::<f64>() - places.len() as f64;
        let pairs = self.source.iter().zip(&self.target).zip(&self.affinity);
        let parts = pairs.map(|((&i, &j), &p)| {
            let q = similarity(places[i as usize], places[j as usize]) / total;
            2.0 * f64::from(p) * (f64::from(p) / q).ln()
        });
        parts.sum()
    }
}

/// Shares of a row's neighbours at these squared distances, nearest first, that fall off as a normal
/// distribution does, so narrow that their entropy is the logarithm of the perplexity.
fn conditional(squares: &[f64], perplexity: f64) -> Vec<f64> {
    let nearest = squares.first().copied().unwrap_or(0.0);
    let shares = |beta: f64| {
        let weight = |square: &f64| (-beta * (square - nearest)).exp();
        let sum: f64 = squares.iter().map(weight).sum();
        squares.iter().map(|square| weight(square) / sum).collect::<Vec<f64>>()
    };
    let entropy = |shares: &[f64]| -> f64 {
        shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum()
    };
    // on a scale of ten thousand powers of e, halved until nothing is left between
    let (mut low, mut high) = (-100.0f64, 100.0f64);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if entropy(&shares(middle.exp())) > perplexity.ln() { low = middle } else { high = middle }
    }
    shares(low.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_entropy_that_was_asked_for() {
        let squares: Vec<f64> = (1..=90).map(|at| f64::from(at).powi(2) / 7.0).collect();
        let shares = conditional(&squares, 30.0);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(shares.windows(2).all(|two| two[0] > two[1]));
        let entropy: f64 = shares.iter().map(|share| -share * share.ln()).sum();
        assert!((entropy.exp() - 30.0).abs() < 1e-6);
    }

    #[test]
    fn a_map_that_keeps_neighbours_diverges_least() {
        let line: Vec<f32> = (0..40u8).map(f32::from).collect();
        let judge = Judge::new(Matrix::new(&line, 40, 1).unwrap(), 4.0).unwrap();
        let sum: f64 = judge.affinity.iter().copied().map(f64::from).sum();
        assert!((2.0 * sum - 1.0).abs() < 1e-6);
        let map = |step: usize| -> Vec<f32> {
            (0..40).flat_map(|at| [line[at * step % 40], 0.0]).collect()
        };
        let (kept, mixed) = (judge.divergence(&map(1)), judge.divergence(&map(7)));
        assert!(kept > 0.0 && kept + 0.5 < mixed, "{kept} {mixed}");
    }
}
