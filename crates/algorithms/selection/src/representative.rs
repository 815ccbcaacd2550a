//! The row in the middle of each cluster.

use super::{Pick, cluster_number, taken};
use scarce_clustering::KMeans;
use scarce_numeric::{Error, Matrix};

/// `count` rows of `x: [n, d]`, each the unlabelled row nearest to the centroid of a cluster found
/// by k-means (k-means++, the best of `restarts` starts).
///
/// Without `labelled` rows there are `count` clusters, so that every one is represented, the largest
/// first. With labelled rows there are as many more ([`cluster_number`]); clusters with the fewest
/// labelled rows come first, of these the largest. Only if clusters stay empty, because rows are
/// equal, or have no unlabelled row, do others give a second row.
///
/// The score is the share of all rows that the cluster holds.
///
/// Representatives of k-means clusters are a common way to start: J. Nguyen and A. Smeulders,
/// "Active learning using pre-clustering", ICML 2004.
///
/// # Errors
/// [`Error::TooFew`] if fewer than `count` rows are unlabelled, [`Error::Parameter`],
/// [`Error::NotFinite`], [`Error::Overflow`].
pub fn representatives(
    x: Matrix<'_>,
    labelled: &[usize],
    count: usize,
    restarts: usize,
    seed: u64,
) -> Result<Vec<Pick>, Error> {
    let taken = taken(x, labelled, count)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let known = taken.iter().filter(|taken| **taken).count();
    // More than `n` clusters cannot be: `count` of `n` rows are unlabelled.
    let clusters = cluster_number(known, count);
    let fitted = KMeans { restarts, seed, ..KMeans::new(clusters) }.fit(x)?;
    let mut groups: Vec<Group> = vec![Group::default(); clusters];
    for (row, (&cluster, &taken)) in fitted.labels.iter().zip(&taken).enumerate() {
        let group = &mut groups[cluster as usize];
        group.size += 1;
        if taken {
            group.labelled += 1;
        } else {
            group.free.push(row);
        }
    }
    // Both sorts are stable: of equals the first comes first.
    groups.sort_by_key(|group| (group.labelled, usize::MAX - group.size));
    for group in &mut groups {
        group.free.sort_by(|&a, &b| fitted.distances[a].total_cmp(&fitted.distances[b]));
    }
    let largest = groups.iter().map(|group| group.free.len()).max().unwrap_or(0);
    let share = |group: &Group| group.size as f64 / x.rows() as f64;
    let rounds = (0..largest).flat_map(|round| {
        let nth = move |group: &Group| {
            group.free.get(round).map(|&row| Pick { row, score: share(group) })
        };
        groups.iter().filter_map(nth)
    });
    Ok(rounds.take(count).collect())
}

/// The rows of a cluster.
#[derive(Clone, Default)]
struct Group {
    size: usize,
    labelled: usize,
    /// Unlabelled rows, the nearest to the centroid first.
    free: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_numeric::product::squared_distance;
    use scarce_testing::{self as fixtures, noise, same_on_any_threads};

    fn rows(picks: &[Pick]) -> Vec<usize> {
        picks.iter().map(|pick| pick.row).collect()
    }

    #[test]
    fn each_cluster_gives_the_row_nearest_to_its_centroid() {
        let digits = fixtures::digits();
        let x = digits.matrix();
        let picks = same_on_any_threads(|| representatives(x, &[], 15, 1, 4).unwrap());
        let fitted = KMeans { seed: 4, ..KMeans::new(15) }.fit(x).unwrap();
        let mut seen = [false; 15];
        for pick in &picks {
            let cluster = fitted.labels[pick.row] as usize;
            assert!(!std::mem::replace(&mut seen[cluster], true));
            let centroid = &fitted.centroids[cluster * x.cols()..][..x.cols()];
            let own = squared_distance(x.row(pick.row), centroid);
            let members = (0..x.rows()).filter(|&row| fitted.labels[row] as usize == cluster);
            let (mut size, mut least) = (0, f64::INFINITY);
            for row in members {
                size += 1;
                least = least.min(squared_distance(x.row(row), centroid));
            }
            assert!(own <= least * (1.0 + 1e-6));
            assert!((pick.score - f64::from(size) / x.rows() as f64).abs() < 1e-12);
        }
        assert!(picks.is_sorted_by(|a, b| a.score >= b.score));
    }

    #[test]
    fn labelled_groups_are_passed_over() {
        let mut data = noise(400, 2, 43);
        for (row, point) in data.chunks_exact_mut(2).enumerate() {
            point[row % 4 / 2] += [0.0, 60.0, 90.0, 150.0][row % 4];
        }
        let x = Matrix::new(&data, 400, 2).unwrap();
        let groups = |labelled: &[usize], count| {
            let picks = representatives(x, labelled, count, 1, 1).unwrap();
            let mut groups: Vec<usize> = picks.iter().map(|pick| pick.row % 4).collect();
            groups.sort_unstable();
            groups
        };
        assert_eq!(groups(&[], 4), [0, 1, 2, 3]);
        assert_eq!(groups(&[0, 2], 2), [1, 3]);
    }

    #[test]
    fn equal_rows_are_all_picked_in_the_end() {
        let x = Matrix::new(&[1.0; 12], 6, 2).unwrap();
        let mut picked = rows(&representatives(x, &[2], 5, 1, 0).unwrap());
        picked.sort_unstable();
        assert_eq!(picked, [0, 1, 3, 4, 5]);
        assert!(representatives(x, &[2], 0, 1, 0).unwrap().is_empty());
        assert!(matches!(representatives(x, &[2], 6, 1, 0), Err(Error::TooFew { .. })));
    }
}
