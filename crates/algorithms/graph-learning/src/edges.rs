//! From nearest neighbours to weighted edges.

use rayon::prelude::*;

use scarce_neighbours::{Metric, Neighbours};
use scarce_numeric::Error;

/// How a distance becomes a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// exp(−4 d² / `d_k(i)`²) from i to each of its neighbours, where `d_k(i)` is the distance to the
    /// farthest of them; the mean of both directions, one that is missing counting 0 (Calder, Cook,
    /// Thorpe and Slepčev, *Poisson learning*, ICML 2020, §4).
    SelfTuning,
    /// exp(−d² / 2σ²) wherever one of two nodes is a neighbour of the other.
    Gaussian {
        /// The scale σ, in units of the distance.
        sigma: f64,
    },
    /// 1 wherever one of two nodes is a neighbour of the other.
    Uniform,
}

impl Rule {
    /// The weights of one node's neighbours, the farthest last, before both directions are joined.
    pub fn weights(self, distances: &[f32], metric: Metric) -> impl Iterator<Item = f64> {
        let farthest = distances.last().map_or(0.0, |&distance| squared(metric, distance));
        distances.iter().map(move |&distance| {
            let square = squared(metric, distance);
            match self {
                Self::SelfTuning if farthest > 0.0 => (-4.0 * square / farthest).exp(),
                Self::SelfTuning | Self::Uniform => 1.0,
                Self::Gaussian { sigma } => (-square / (2.0 * sigma * sigma)).exp(),
            }
        })
    }
}

/// Undirected edges: each pair of nodes once, the smaller number first, in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edges {
    /// The smaller node, `[m]`.
    pub source: Vec<u32>,
    /// The larger node, `[m]`.
    pub target: Vec<u32>,
    /// Weight, from 0 to 1, `[m]`.
    pub weight: Vec<f32>,
    /// Distance in the metric of the neighbours, `[m]`.
    pub distance: Vec<f32>,
}

impl Edges {
    /// The number of edges.
    pub fn len(&self) -> usize {
        self.source.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }
}

/// The edges between rows and their nearest other rows, as [`scarce_neighbours::neighbours::self_neighbours`]
/// finds them.
///
/// For the cosine metric d² is 2(1 − cos), the squared distance of the vectors scaled to length 1.
/// A row whose neighbours are all at distance 0 has weight 1 to each of them.
///
/// # Errors
/// [`Error::Parameter`] for a σ that is no positive number.
pub fn symmetric_edges(near: &Neighbours, metric: Metric, rule: Rule) -> Result<Edges, Error> {
    if let Rule::Gaussian { sigma } = rule
        && !(sigma > 0.0 && sigma.is_finite())
    {
        let value = sigma.to_string();
        return Err(Error::Parameter { name: "sigma", must: "a positive number", value });
    }
    let mut halves: Vec<Half> = (0..near.queries())
        .into_par_iter()
        .flat_map_iter(|i| halves(near, i, metric, rule))
        .collect();
    halves.par_sort_unstable_by_key(|half| (half.pair, half.forward));
    let mut edges = Edges::default();
    let mut last = None;
    for half in &halves {
        if last.replace(half.pair) == Some(half.pair) {
            let weight = edges.weight.len() - 1;
            edges.weight[weight] = both(rule, f64::from(edges.weight[weight]), half.weight);
            continue;
        }
        edges.source.push((half.pair >> 32) as u32);
        edges.target.push(half.pair as u32);
        edges.weight.push(one(rule, half.weight));
        edges.distance.push(half.distance);
    }
    Ok(edges)
}

/// One direction of an edge.
struct Half {
    /// The smaller node in the upper half, the larger in the lower.
    pair: u64,
    /// Whether it leads from the smaller node to the larger.
    forward: bool,
    weight: f64,
    distance: f32,
}

fn halves(
    near: &Neighbours,
    node: usize,
    metric: Metric,
    rule: Rule,
) -> impl Iterator<Item = Half> + use<'_> {
    let (others, distances) = near.of(node);
    let node = node as u32;
    let rows = others.iter().zip(distances).zip(rule.weights(distances, metric));
    rows.map(move |((&other, &distance), weight)| {
        let pair = (u64::from(node.min(other)) << 32) | u64::from(node.max(other));
        Half { pair, forward: node < other, weight, distance }
    })
}

fn squared(metric: Metric, distance: f32) -> f64 {
    match metric {
        Metric::Euclidean => f64::from(distance) * f64::from(distance),
        Metric::Cosine => 2.0 * f64::from(distance),
    }
}

/// The weight of an edge that leads one way only.
fn one(rule: Rule, weight: f64) -> f32 {
    match rule {
        Rule::SelfTuning => (weight / 2.0) as f32,
        Rule::Gaussian { .. } | Rule::Uniform => weight as f32,
    }
}

/// The weight of an edge that leads both ways; `so_far` is what [`one`] made of the first.
fn both(rule: Rule, so_far: f64, second: f64) -> f32 {
    match rule {
        Rule::SelfTuning => (so_far + second / 2.0) as f32,
        Rule::Gaussian { .. } | Rule::Uniform => second as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_neighbours::neighbours::self_neighbours;
    use scarce_numeric::Matrix;

    fn edges_of(points: &[f32], width: usize, k: usize, metric: Metric, rule: Rule) -> Edges {
        let x = Matrix::new(points, points.len() / width, width).unwrap();
        symmetric_edges(&self_neighbours(x, k, metric).unwrap(), metric, rule).unwrap()
    }

    #[test]
    fn weights_of_both_directions_are_averaged() {
        // 0 and 1 are each other's nearest; 2 looks at 1, which does not look back.
        let edges = edges_of(&[0.0, 1.0, 3.0], 1, 1, Metric::Euclidean, Rule::SelfTuning);
        let all = (-4f64).exp();
        assert_eq!((edges.source, edges.target), (vec![0, 1], vec![1, 2]));
        assert_eq!(edges.distance, [1.0, 2.0]);
        assert!((f64::from(edges.weight[0]) - all).abs() < 1e-9);
        assert!((f64::from(edges.weight[1]) - all / 2.0).abs() < 1e-9);
    }

    #[test]
    fn other_rules_do_not_ask_for_both_directions() {
        let points = [0.0, 1.0, 3.0];
        let uniform = edges_of(&points, 1, 1, Metric::Euclidean, Rule::Uniform);
        assert_eq!(uniform.weight, [1.0, 1.0]);
        let gaussian = edges_of(&points, 1, 1, Metric::Euclidean, Rule::Gaussian { sigma: 2.0 });
        assert!((gaussian.weight[0] - (-0.125f32).exp()).abs() < 1e-6);
        assert!((gaussian.weight[1] - (-0.5f32).exp()).abs() < 1e-6);
    }

    #[test]
    fn copies_are_joined_by_whole_weights() {
        let points = [5.0, 5.0, 5.0, 5.0, 9.0];
        let edges = edges_of(&points, 1, 2, Metric::Euclidean, Rule::SelfTuning);
        assert!(edges.weight.iter().all(|weight| weight.is_finite() && *weight > 0.0));
        let between = (0..edges.len()).find(|&e| (edges.source[e], edges.target[e]) == (0, 1));
        assert_eq!(edges.weight[between.unwrap()], 1.0);
    }

    #[test]
    fn the_cosine_is_measured_between_unit_vectors() {
        let points = [2.0, 0.0, 0.0, 3.0, -1.0, 0.0];
        let edges = edges_of(&points, 2, 2, Metric::Cosine, Rule::Gaussian { sigma: 1.0 });
        // 1 - cos is 1, 2, 1, so d² is 2, 4, 2.
        assert_eq!(edges.distance, [1.0, 2.0, 1.0]);
        assert!((edges.weight[1] - (-2f32).exp()).abs() < 1e-6);
        assert!((edges.weight[0] - (-1f32).exp()).abs() < 1e-6);
    }

    #[test]
    fn a_scale_must_be_positive() {
        let near = Neighbours { k: 1, indices: vec![1, 0], distances: vec![1.0, 1.0] };
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(symmetric_edges(&near, Metric::Euclidean, Rule::Gaussian { sigma }).is_err());
        }
    }
}
