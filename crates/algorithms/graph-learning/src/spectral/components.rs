//! What is known of the eigenvectors: one of the eigenvalue 0 for each connected component.

use std::ops::Range;

use rayon::prelude::*;

use super::super::Graph;

/// The connected components, in the order in which they are told apart.
pub(super) struct Components {
    /// √d by place; 1 for a place without edges.
    roots: Vec<f64>,
    /// 1/√d by place; 0 for a place without edges, so that nothing flows.
    inverse_roots: Vec<f64>,
    /// Places of each component and the sum of their degrees, the largest sum first, of equal sums
    /// the first component.
    parts: Vec<(Range<usize>, f64)>,
}

impl Components {
    pub(super) fn new(graph: &Graph) -> Self {
        let weighed = |root: fn(f64) -> f64, without: f64| -> Vec<f64> {
            let degrees = graph.degrees().iter();
            degrees.map(|&degree| if degree > 0.0 { root(degree) } else { without }).collect()
        };
        let roots = weighed(f64::sqrt, 1.0);
        let volume = |places: &Range<usize>| -> f64 {
            roots[places.clone()].iter().map(|root| root * root).sum()
        };
        let mut parts: Vec<(Range<usize>, f64)> = graph
            .component_places()
            .map(|places| {
                let volume = volume(&places);
                (places, volume)
            })
            .collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let inverse_roots = weighed(|degree| 1.0 / degree.sqrt(), 0.0);
        Self { roots, inverse_roots, parts }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// √d by place.
    pub(super) fn roots(&self) -> &[f64] {
        &self.roots
    }

    /// 1/√d by place, 0 without edges.
    pub(super) fn inverse_roots(&self) -> &[f64] {
        &self.inverse_roots
    }

    /// The sum of all degrees.
    pub(super) fn volume(&self) -> f64 {
        self.parts.iter().map(|part| part.1).sum()
    }

    /// Tells the entries that are not 0 of an eigenvector of the eigenvalue 0: the first is √d, the
    /// one of number j puts component j against those before it. They have length 1 and are
    /// orthogonal to one another.
    pub(super) fn known(&self, number: usize, mut tell: impl FnMut(usize, f64)) {
        let mut write = |places: &Range<usize>, factor: f64| {
            for place in places.clone() {
                tell(place, factor * self.roots[place]);
            }
        };
        if number == 0 {
            let factor = 1.0 / self.volume().sqrt();
            self.parts.iter().for_each(|(places, _)| write(places, factor));
            return;
        }
        let (places, own) = &self.parts[number];
        let before: f64 = self.parts[..number].iter().map(|part| part.1).sum();
        let scale = ((own * before) / (own + before)).sqrt();
        write(places, scale / own);
        self.parts[..number].iter().for_each(|(places, _)| write(places, -scale / before));
    }

    /// Takes all known eigenvectors out of the columns of `block: [places, width]`.
    pub(super) fn project_out(&self, block: &mut [f64], width: usize) {
        // The share of each component, summed in the order of the places.
        let means: Vec<Vec<f64>> = self
            .parts
            .par_iter()
            .map(|(places, volume)| {
                let mut sum = vec![0.0; width];
                for place in places.clone() {
                    let row = &block[place * width..][..width];
                    for (sum, value) in sum.iter_mut().zip(row) {
                        *sum += self.roots[place] * value;
                    }
                }
                sum.iter().map(|sum| sum / volume).collect()
            })
            .collect();
        for ((places, _), mean) in self.parts.iter().zip(means) {
            let rows = block[places.start * width..places.end * width].par_chunks_exact_mut(width);
            rows.zip(&self.roots[places.clone()]).for_each(|(row, root)| {
                for (value, mean) in row.iter_mut().zip(&mean) {
                    *value -= root * mean;
                }
            });
        }
    }
}
