//! The coarse part of the preconditioner: z = r/G + Σ over levels of what groups of places say.
//!
//! Each level adds P D⁻¹ Pᵀ r, where Pᵀ sums over groups and D is the diagonal of `PᵀAP`; on the
//! coarsest level the whole matrix is inverted (J. Bramble, J. Pasciak and J. Xu, *Parallel multilevel
//! preconditioners*, Math. Comp. 55, 1990). Levels are added, not visited in turn: that costs two
//! passes over short vectors, and no product with the matrix.

use std::ops::Range;

use faer::{Mat, Side};
use rayon::prelude::*;

use super::{
    Graph,
    aggregation::{FEW, Level},
    block::{PLACES, total},
};

/// Groups that one thread works on at a time, whatever the number of threads.
const GROUPS: usize = 2048;
/// A matrix is taken for singular along a vector that it shrinks to this share of its norm.
const SINGULAR: f64 = 1e-10;

/// What is inverted on each level of a graph's [`Level`]s.
pub(super) struct Multilevel<'a> {
    levels: &'a [Level],
    /// 1/D of each level below the top, or 0 where D is 0.
    inverse: Vec<Vec<f32>>,
    /// The inverse of the coarsest matrix, `[groups, groups]`, instead of its diagonal, if it is small.
    top: Vec<f32>,
    /// Where parts end: lowest groups and places.
    ends: Vec<(usize, usize)>,
}

/// Some lowest groups and all their places; where there are no groups, some places.
pub(super) struct Part<'a, const P: usize> {
    pub(super) places: Range<usize>,
    pub(super) residual: &'a mut [[f32; P]],
    /// Sums of the residual over each group.
    pub(super) sums: &'a mut [[f32; P]],
    /// The first and last place of each group.
    pub(super) sizes: std::slice::Windows<'a, u32>,
}

/// What one residual needs: an array per group and level.
pub(super) struct Buffers<const P: usize> {
    /// Sums of the residual.
    sums: Vec<Vec<[f32; P]>>,
    /// What they correct, with the corrections of all levels above.
    corrections: Vec<Vec<[f32; P]>>,
}

impl<'a> Multilevel<'a> {
    /// For the matrix with `diagonal` and −`factor`·W beside it, at the places for which `inside` holds.
    pub(super) fn new(
        graph: &'a Graph,
        factor: f64,
        diagonal: &[f64],
        inside: impl Fn(usize) -> bool + Sync,
    ) -> Self {
        let levels = graph.levels();
        let whole: f64 = diagonal.iter().sum();
        let of_level = |level: &Level| {
            let inverse = |pair: &[u32]| {
                let places = pair[0] as usize..pair[1] as usize;
                let mut sum = 0.0;
                for place in places.clone().filter(|&place| inside(place)) {
                    let within = graph.row(place).filter(|&at| {
                        let other = graph.columns()[at] as usize;
                        places.contains(&other) && inside(other)
                    });
                    let weights: f64 = within.map(|at| f64::from(graph.weights()[at])).sum();
                    sum += diagonal[place] - factor * weights;
                }
                if sum > SINGULAR * whole { (1.0 / sum) as f32 } else { 0.0 }
            };
            level.places.par_windows(2).map(inverse).collect()
        };
        let top = match levels.last() {
            Some(level) if level.len() <= FEW => top(graph, level, factor, diagonal, &inside),
            _ => Vec::new(),
        };
        let with_diagonal = levels.len() - usize::from(!top.is_empty());
        let inverse = levels[..with_diagonal].iter().map(of_level).collect();
        Self { levels, inverse, top, ends: ends(levels.first(), graph.nodes()) }
    }

    /// The residual and the sums over its lowest groups, cut for work side by side.
    pub(super) fn parts<'b, const P: usize>(
        &'b self,
        mut residual: &'b mut [[f32; P]],
        buffers: &'b mut Buffers<P>,
    ) -> Vec<Part<'b, P>> {
        let bounds = self.levels.first().map_or(&[][..], |level| &level.members);
        let mut sums = buffers.sums.first_mut().map_or(&mut [][..], |sums| sums);
        let (mut group, mut place) = (0, 0);
        let part = |&(groups, places): &(usize, usize)| {
            let sizes = bounds.get(group..=groups).unwrap_or_default().windows(2);
            let residual = residual.split_off_mut(..places - place).unwrap_or_default();
            let sums = sums.split_off_mut(..groups - group).unwrap_or_default();
            let part = Part { places: place..places, residual, sums, sizes };
            (group, place) = (groups, places);
            part
        };
        self.ends.iter().map(part).collect()
    }

    pub(super) fn buffers<const P: usize>(&self) -> Buffers<P> {
        let zeros = || self.levels.iter().map(|level| vec![[0.0; P]; level.len()]).collect();
        Buffers { sums: zeros(), corrections: zeros() }
    }

    /// The lowest group of each place and what each of them is corrected by, if there are groups.
    pub(super) fn lowest<'b, const P: usize>(
        &'b self,
        buffers: &'b Buffers<P>,
    ) -> Option<(&'b [u32], &'b [[f32; P]])> {
        Some((&self.levels.first()?.group, buffers.corrections.first()?))
    }

    /// Sets the corrections for a residual that is 0 at places outside and of which the lowest sums are
    /// known, and returns their inner products with it.
    pub(super) fn correct<const P: usize>(
        &self,
        Buffers { sums, corrections }: &mut Buffers<P>,
    ) -> [f64; P] {
        let mut levels = sums.iter_mut();
        let mut below: &[[f32; P]] = levels.next().map_or(&[], |sums| sums);
        for (level, sums) in self.levels.iter().skip(1).zip(levels) {
            each_group(sums, |group, sum| {
                let members = level.members[group] as usize..level.members[group + 1] as usize;
                *sum = [0.0; P];
                for row in &below[members] {
                    for column in 0..P {
                        sum[column] += row[column];
                    }
                }
            });
            below = sums;
        }
        for at in (0..self.levels.len()).rev() {
            let (lower, above) = corrections.split_at_mut(at + 1);
            let (own, sums) = (&mut lower[at], &sums[at]);
            match self.inverse.get(at) {
                None => self.invert_top(sums, own),
                Some(inverse) => each_group(own, |group, correction| {
                    let inherited = above
                        .first()
                        .map_or([0.0; P], |above| above[self.levels[at + 1].group[group] as usize]);
                    for column in 0..P {
                        correction[column] =
                            sums[group][column] * inverse[group] + inherited[column];
                    }
                }),
            }
        }
        let (Some(sums), Some(corrections)) = (sums.first(), corrections.first()) else {
            return [0.0; P];
        };
        total(sums.par_chunks(GROUPS).zip(corrections.par_chunks(GROUPS)).map(|(sums, found)| {
            let mut products = [0f32; P];
            for (sum, correction) in sums.iter().zip(found) {
                for column in 0..P {
                    products[column] += sum[column] * correction[column];
                }
            }
            products.map(f64::from)
        }))
    }

    fn invert_top<const P: usize>(&self, sums: &[[f32; P]], corrections: &mut [[f32; P]]) {
        for (row, correction) in self.top.chunks_exact(sums.len()).zip(corrections) {
            *correction = [0.0; P];
            for (&entry, sum) in row.iter().zip(sums) {
                for column in 0..P {
                    correction[column] += entry * sum[column];
                }
            }
        }
    }
}

/// Cuts places, of whole groups of a level if there is one, into parts of about [`PLACES`].
fn ends(level: Option<&Level>, places: usize) -> Vec<(usize, usize)> {
    let Some(level) = level else {
        let ends = (PLACES..places).step_by(PLACES).chain([places]);
        return ends.map(|place| (0, place)).collect();
    };
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for (group, &place) in (1..).zip(&level.members[1..]) {
        let start = ends.last().map_or(0, |end| end.1);
        if place as usize >= start + PLACES || group == level.len() {
            ends.push((group, place as usize));
        }
    }
    ends
}

/// Calls `each` with every group and what is kept of it.
fn each_group<const P: usize>(
    values: &mut [[f32; P]],
    each: impl Fn(usize, &mut [f32; P]) + Sync + Send,
) {
    if values.len() > GROUPS {
        let values = values.par_iter_mut().enumerate().with_min_len(GROUPS);
        values.for_each(|(group, value)| each(group, value));
    } else {
        values.iter_mut().enumerate().for_each(|(group, value)| each(group, value));
    }
}

/// The inverse of `PᵀAP` of one level, 0 along the vectors that it takes to 0; empty if there is none.
fn top(
    graph: &Graph,
    level: &Level,
    factor: f64,
    diagonal: &[f64],
    inside: impl Fn(usize) -> bool,
) -> Vec<f32> {
    let n = level.len();
    let mut matrix = Mat::<f64>::zeros(n, n);
    let groups = level.places.windows(2).enumerate();
    let of_places: Vec<u32> = groups
        .flat_map(|(group, pair)| std::iter::repeat_n(group as u32, (pair[1] - pair[0]) as usize))
        .collect();
    for place in (0..graph.nodes()).filter(|&place| inside(place)) {
        let own = of_places[place] as usize;
        matrix[(own, own)] += diagonal[place];
        for at in graph.row(place) {
            let other = graph.columns()[at] as usize;
            if inside(other) {
                let weight = f64::from(graph.weights()[at]);
                matrix[(own, of_places[other] as usize)] -= factor * weight;
            }
        }
    }
    let Ok(eigen) = matrix.self_adjoint_eigen(Side::Lower) else { return Vec::new() };
    let (values, vectors) = (eigen.S(), eigen.U());
    let largest = (0..n).map(|k| values[k]).fold(0.0, f64::max);
    let inverse = |i: usize, j: usize| -> f64 {
        let kept = (0..n).filter(|&k| values[k] > SINGULAR * largest);
        kept.map(|k| vectors[(i, k)] * vectors[(j, k)] / values[k]).sum()
    };
    (0..n * n).map(|at| inverse(at / n, at % n) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edges, Precision, solve::System};

    /// A long path of nodes with one fixed end, which diagonal scaling crosses step by step.
    #[test]
    fn a_long_way_takes_few_iterations() {
        let nodes = 5_000u32;
        let ones = vec![1.0; nodes as usize - 1];
        let edges = Edges {
            source: (0..nodes - 1).collect(),
            target: (1..nodes).collect(),
            weight: ones.clone(),
            distance: ones,
        };
        let graph = Graph::new(nodes as usize, &edges).unwrap();
        let fixed = graph.place(0);
        let system = System::new(&graph, 1.0, graph.degrees().to_vec(), |place| place == fixed);
        let mut rhs = vec![0.0; nodes as usize];
        rhs[graph.place(1)] = 1.0;
        let ended = system.solve(&mut rhs, 1, Precision { tolerance: 1e-6, max_iterations: 300 });
        assert!(ended.converged, "{ended:?}");
        assert!(ended.iterations < 200, "{ended:?}");
        // Everybody is 1, as the fixed end is.
        for node in 1..nodes {
            assert!((rhs[graph.place(node)] - 1.0).abs() < 1e-3, "{node}");
        }
    }
}
