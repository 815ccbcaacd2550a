//! Means of the members of clusters.

use rayon::prelude::*;
use scarce_numeric::{
    Matrix,
    members::Members,
    product::{add, squared_distance},
};

/// Members summed by one task. A fixed number, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// The means of the clusters, `[k, d]`. An empty cluster takes the row farthest from its
/// centroid; it stays where it was if every row lies on its centroid.
pub(super) fn means(x: Matrix<'_>, labels: &[u32], centroids: &[f32]) -> Vec<f32> {
    Sums::new(centroids.len() / x.cols(), x.cols()).means(x, labels, centroids)
}

/// Sums over clusters, kept from round to round: only rows that went elsewhere are added and subtracted,
/// which `f64` does almost without rounding.
pub(super) struct Sums {
    /// Of the rows that the sums are of; none at first.
    labels: Vec<u32>,
    /// `[k]`
    counts: Vec<usize>,
    /// `[k, d]`
    totals: Vec<f64>,
}

impl Sums {
    pub(super) fn new(clusters: usize, cols: usize) -> Self {
        Self { labels: Vec::new(), counts: vec![0; clusters], totals: vec![0.0; clusters * cols] }
    }

    /// [`means`] for the labels of this round.
    pub(super) fn means(&mut self, x: Matrix<'_>, labels: &[u32], centroids: &[f32]) -> Vec<f32> {
        self.update(x, labels);
        let d = x.cols();
        if self.counts.contains(&0) {
            let (mut counts, mut sums) = (self.counts.clone(), self.totals.clone());
            relocate_empty(x, labels, centroids, &mut counts, &mut sums);
            return divided(centroids, d, &counts, &sums);
        }
        divided(centroids, d, &self.counts, &self.totals)
    }

    fn update(&mut self, x: Matrix<'_>, labels: &[u32]) {
        let clusters = self.counts.len();
        let moved = self.labels.iter().zip(labels).filter(|(old, new)| old != new).count();
        if self.labels.len() != labels.len() || 3 * moved > labels.len() {
            let members = Members::new(labels, clusters);
            self.counts = (0..clusters).map(|c| members.of(c).len()).collect();
            self.totals = sums(x, &members, clusters);
        } else {
            let mut moves: Vec<Vec<(u32, f64)>> = vec![Vec::new(); clusters];
            for (row, (&old, &new)) in (0..).zip(self.labels.iter().zip(labels)) {
                if old != new {
                    moves[old as usize].push((row, -1.0));
                    moves[new as usize].push((row, 1.0));
                    self.counts[old as usize] -= 1;
                    self.counts[new as usize] += 1;
                }
            }
            let sums = self.totals.par_chunks_exact_mut(x.cols()).zip(moves);
            sums.for_each(|(sum, moves)| {
                for (row, sign) in moves {
                    add(sum, x.row(row as usize), sign);
                }
            });
        }
        self.labels.clear();
        self.labels.extend_from_slice(labels);
    }
}

/// Sums over counts; a centroid without rows stays where it was.
fn divided(centroids: &[f32], d: usize, counts: &[usize], sums: &[f64]) -> Vec<f32> {
    let mut means = centroids.to_vec();
    for ((mean, sum), &count) in means.chunks_mut(d).zip(sums.chunks(d)).zip(counts) {
        if count > 0 {
            for (m, s) in mean.iter_mut().zip(sum) {
                *m = (s / count as f64) as f32;
            }
        }
    }
    means
}

/// Sums of the members of every cluster, `[k, d]`, in the order of the rows.
fn sums(x: Matrix<'_>, members: &Members, clusters: usize) -> Vec<f64> {
    let d = x.cols();
    let tasks: Vec<(usize, &[u32])> = (0..clusters)
        .flat_map(|c| members.of(c).chunks(CHUNK).map(move |rows| (c, rows)))
        .collect();
    let partial: Vec<Vec<f64>> = tasks
        .par_iter()
        .map(|(_, rows)| {
            let mut sum = vec![0.0; d];
            for &row in *rows {
                add(&mut sum, x.row(row as usize), 1.0);
            }
            sum
        })
        .collect();
    let mut sums = vec![0.0; clusters * d];
    for ((cluster, _), partial) in tasks.iter().zip(partial) {
        for (s, p) in sums[cluster * d..][..d].iter_mut().zip(partial) {
            *s += p;
        }
    }
    sums
}

/// Moves the farthest rows, one each, into the empty clusters.
fn relocate_empty(
    x: Matrix<'_>,
    labels: &[u32],
    centroids: &[f32],
    counts: &mut [usize],
    sums: &mut [f64],
) {
    let d = x.cols();
    let centroid = |label: u32| &centroids[label as usize * d..][..d];
    let mut farthest: Vec<(f64, usize)> = x
        .data()
        .par_chunks_exact(d)
        .zip(labels)
        .map(|(row, &label)| squared_distance(row, centroid(label)))
        .enumerate()
        .map(|(row, distance)| (distance, row))
        .collect();
    farthest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut candidates =
        farthest.into_iter().take_while(|&(distance, _)| distance > 0.0).map(|(_, row)| row);
    for empty in 0..counts.len() {
        if counts[empty] > 0 {
            continue;
        }
        // The last member of a cluster stays, or that cluster would be the next empty one.
        let Some(row) = candidates.find(|&row| counts[labels[row] as usize] > 1) else {
            return;
        };
        let old = labels[row] as usize;
        add(&mut sums[old * d..][..d], x.row(row), -1.0);
        add(&mut sums[empty * d..][..d], x.row(row), 1.0);
        counts[old] -= 1;
        counts[empty] = 1;
    }
}
