//! Comparing a clustering with classes.

use super::classification::check_some;
use scarce_numeric::{Error, error::check_length};

/// How many rows every pair of class and cluster shares, and the sums of its rows and columns.
struct Contingency {
    columns: usize,
    /// `[classes, clusters]`
    counts: Vec<u64>,
    class_sizes: Vec<u64>,
    cluster_sizes: Vec<u64>,
    total: u64,
}

impl Contingency {
    fn new(truth: &[u32], clusters: &[u32]) -> Result<Self, Error> {
        check_length("clusters", truth.len(), clusters.len())?;
        check_some(truth)?;
        let ((truth, rows), (clusters, columns)) = (renumbered(truth), renumbered(clusters));
        let mut counts = vec![0; rows * columns];
        for (&t, &c) in truth.iter().zip(&clusters) {
            counts[t * columns + c] += 1;
        }
        let mut cluster_sizes = vec![0; columns];
        for row in counts.chunks_exact(columns) {
            for (size, count) in cluster_sizes.iter_mut().zip(row) {
                *size += count;
            }
        }
        Ok(Self {
            class_sizes: counts.chunks_exact(columns).map(|r| r.iter().sum()).collect(),
            cluster_sizes,
            total: truth.len() as u64,
            columns,
            counts,
        })
    }
}

/// The labels numbered from 0 without gaps, in their order, and how many there are.
fn renumbered(labels: &[u32]) -> (Vec<usize>, usize) {
    let mut seen = labels.to_vec();
    seen.sort_unstable();
    seen.dedup();
    let number = |label: &u32| seen.partition_point(|s| s < label);
    (labels.iter().map(number).collect(), seen.len())
}

/// Mutual information of two labellings, `[n]` each, divided by the mean of their entropies:
/// 0 if independent, 1 if the same up to names. 1 if both put everything in one group.
///
/// A. Strehl and J. Ghosh, "Cluster ensembles", JMLR 3 (2002), with the arithmetic mean that
/// scikit-learn uses.
///
/// # Errors
/// [`Error::Length`] if the lengths differ, [`Error::TooFew`] without rows.
pub fn normalized_mutual_information(truth: &[u32], clusters: &[u32]) -> Result<f64, Error> {
    let table = Contingency::new(truth, clusters)?;
    let n = table.total as f64;
    let entropy = |sizes: &[u64]| -> f64 {
        let term = |&size: &u64| -(size as f64 / n) * (size as f64 / n).ln();
        sizes.iter().map(term).sum()
    };
    let normaliser = 0.5 * (entropy(&table.class_sizes) + entropy(&table.cluster_sizes));
    if normaliser <= 0.0 {
        return Ok(1.0);
    }
    let mut information = 0.0;
    for (row, &class) in table.counts.chunks_exact(table.columns).zip(&table.class_sizes) {
        for (&count, &cluster) in row.iter().zip(&table.cluster_sizes) {
            if count > 0 {
                let joint = count as f64;
                information += joint / n * (n * joint / (class as f64 * cluster as f64)).ln();
            }
        }
    }
    Ok((information / normaliser).clamp(0.0, 1.0))
}

/// Agreement of two labellings, `[n]` each, over all pairs of rows, corrected for chance: 1 if
/// the same up to names, about 0 if independent, sometimes below.
///
/// L. Hubert and P. Arabie, "Comparing partitions", J. Classification 2 (1985).
///
/// # Errors
/// [`Error::Length`] if the lengths differ, [`Error::TooFew`] without rows.
pub fn adjusted_rand_index(truth: &[u32], clusters: &[u32]) -> Result<f64, Error> {
    let table = Contingency::new(truth, clusters)?;
    let pairs = |size: u64| size as f64 * (size as f64 - 1.0) / 2.0;
    let sum = |sizes: &[u64]| sizes.iter().map(|&s| pairs(s)).sum::<f64>();
    let (classes, clusters) = (sum(&table.class_sizes), sum(&table.cluster_sizes));
    let all = pairs(table.total);
    let expected = if all > 0.0 { classes * clusters / all } else { 0.0 };
    let most = 0.5 * (classes + clusters);
    // Both all in one group, or both every row alone.
    if most == expected {
        return Ok(1.0);
    }
    Ok((sum(&table.counts) - expected) / (most - expected))
}

/// Accuracy when every cluster is named after one class, no two after the same, as well as
/// possible; clusters left without a class count as wrong.
///
/// # Errors
/// [`Error::Length`] if the lengths differ, [`Error::TooFew`] without rows.
pub fn matched_accuracy(truth: &[u32], clusters: &[u32]) -> Result<f64, Error> {
    let table = Contingency::new(truth, clusters)?;
    let columns = table.columns;
    let size = columns.max(table.class_sizes.len());
    let mut costs = vec![0.0; size * size];
    for (costs, counts) in costs.chunks_exact_mut(size).zip(table.counts.chunks_exact(columns)) {
        for (cost, &count) in costs.iter_mut().zip(counts) {
            *cost = -(count as f64);
        }
    }
    let assigned = best_assignment(&costs, size)?;
    let matched: f64 = assigned.iter().enumerate().map(|(r, &c)| -costs[r * size + c]).sum();
    Ok(matched / table.total as f64)
}

/// The column for every row, each used once, that makes the sum of `costs: [size, size]` least.
///
/// The Hungarian method (H. Kuhn, Naval Research Logistics 2, 1955) with shortest augmenting
/// paths and potentials: O(size³).
///
/// # Errors
/// [`Error::Length`] if the table is not square, [`Error::NotFinite`].
pub fn best_assignment(costs: &[f64], size: usize) -> Result<Vec<usize>, Error> {
    check_length("costs", size * size, costs.len())?;
    if let Some(at) = costs.iter().position(|c| !c.is_finite()) {
        return Err(Error::NotFinite { row: at / size, column: at % size });
    }
    // Column `size` is where every path begins.
    let mut row_potential = vec![0.0; size];
    let mut column_potential = vec![0.0; size + 1];
    let mut row_of: Vec<Option<usize>> = vec![None; size + 1];
    for new_row in 0..size {
        row_of[size] = Some(new_row);
        let mut least = vec![f64::INFINITY; size];
        let mut came_from = vec![size; size];
        let mut done = vec![false; size + 1];
        let mut column = size;
        while let Some(row) = row_of[column] {
            done[column] = true;
            let mut next = (f64::INFINITY, size);
            for j in (0..size).filter(|&j| !done[j]) {
                let reduced = costs[row * size + j] - row_potential[row] - column_potential[j];
                if reduced < least[j] {
                    (least[j], came_from[j]) = (reduced, column);
                }
                if least[j] < next.0 {
                    next = (least[j], j);
                }
            }
            for j in (0..=size).filter(|&j| done[j]) {
                if let Some(row) = row_of[j] {
                    row_potential[row] += next.0;
                }
                column_potential[j] -= next.0;
            }
            for j in (0..size).filter(|&j| !done[j]) {
                least[j] -= next.0;
            }
            column = next.1;
        }
        while column != size {
            let previous = came_from[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    let mut column_of = vec![0; size];
    for (column, row) in row_of[..size].iter().enumerate() {
        if let Some(row) = row {
            column_of[*row] = column;
        }
    }
    Ok(column_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{assert_near, scores};

    #[test]
    fn agree_with_scikit_learn() {
        let k = scores();
        let nmi = normalized_mutual_information(&k.truth, &k.clusters).unwrap();
        assert_near(nmi, k.nmi);
        assert_near(adjusted_rand_index(&k.truth, &k.clusters).unwrap(), k.ari);
        assert_near(matched_accuracy(&k.truth, &k.clusters).unwrap(), k.matched_accuracy);
        // More clusters than classes and the other way round.
        assert_near(matched_accuracy(&k.clusters, &k.truth).unwrap(), k.matched_accuracy);
    }

    #[test]
    fn names_do_not_matter() {
        let (a, b) = ([0, 0, 1, 1, 2], [7, 7, 3, 3, 900_000_000]);
        assert_near(normalized_mutual_information(&a, &b).unwrap(), 1.0);
        assert_near(adjusted_rand_index(&a, &b).unwrap(), 1.0);
        assert_near(matched_accuracy(&a, &b).unwrap(), 1.0);
    }

    #[test]
    fn one_group_or_all_alone_are_defined() {
        for labels in [&[4, 4, 4][..], &[0, 1, 2], &[3]] {
            assert_eq!(normalized_mutual_information(labels, labels).unwrap(), 1.0);
            assert_eq!(adjusted_rand_index(labels, labels).unwrap(), 1.0);
        }
        let nmi = normalized_mutual_information(&[0, 1], &[0, 0]).unwrap();
        assert_eq!(nmi, 0.0);
        assert!(adjusted_rand_index(&[], &[]).is_err());
    }

    #[test]
    fn the_best_assignment_is_that_of_all_permutations() {
        let costs: Vec<f64> = (0..25).map(|i| f64::from(i * 37 % 23)).collect();
        let sum = |columns: &[usize]| -> f64 {
            let cost = |(row, &column): (usize, &usize)| costs[row * 5 + column];
            columns.iter().enumerate().map(cost).sum()
        };
        let found = best_assignment(&costs, 5).unwrap();
        let mut least = f64::INFINITY;
        for code in 0..5usize.pow(5) {
            let columns: Vec<usize> = (0..5).map(|i| code / 5usize.pow(i) % 5).collect();
            if (0..5).all(|c| columns.contains(&c)) {
                least = least.min(sum(&columns));
            }
        }
        assert_eq!(sum(&found), least);
        assert!(best_assignment(&[f64::NAN], 1).is_err());
        assert_eq!(best_assignment(&[], 0).unwrap(), [0usize; 0]);
    }
}
