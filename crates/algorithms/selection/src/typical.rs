//! Typical rows of clusters without labels.

use super::{Pick, taken};
use scarce_neighbours::{Metric, neighbours::self_neighbours};
use scarce_numeric::{Error, Matrix};

/// Clusters of fewer rows are passed over: their rows are outliers rather than typical.
const SMALLEST: usize = 5;

/// `TypiClust` (G. Hacohen, A. Dekel and D. Weinshall, "Active learning on a budget: opposite
/// strategies suit high and low budgets", ICML 2022, algorithm 1): clusters are visited with those
/// of the fewest labelled rows first, of these the largest first, and in each the most typical
/// unlabelled row is picked; when `count` is larger than the number of clusters the visits go round.
///
/// The typicality of a row is 1 over its mean distance to its `neighbours` nearest rows among the
/// unlabelled ones of its cluster (half of these, where that is fewer). It is the score. Clusters of
/// fewer than 5 rows are passed over, unless there are no others.
///
/// `x: [n, d]`; `clusters: [n]`, any numbers. The paper makes as many clusters as there are labelled
/// rows and `count` together, and takes 20 neighbours.
///
/// # Errors
/// [`Error::TooFew`] if fewer than `count` rows are unlabelled, [`Error::Length`],
/// [`Error::Parameter`], [`Error::NotFinite`], [`Error::Overflow`].
pub fn typical(
    x: Matrix<'_>,
    clusters: &[u32],
    labelled: &[usize],
    count: usize,
    neighbours: usize,
) -> Result<Vec<Pick>, Error> {
    scarce_numeric::error::check_length("clusters", x.rows(), clusters.len())?;
    let mut taken = taken(x, labelled, count)?;
    let mut visits = Visits::new(clusters, &taken);
    let mut picks = Vec::with_capacity(count);
    while picks.len() < count {
        let Some(members) = visits.next(clusters, &taken) else { break };
        let pick = most_typical(x, &members, neighbours)?;
        taken[pick.row] = true;
        picks.push(pick);
    }
    Ok(picks)
}

/// The order in which clusters are visited, round after round.
struct Visits {
    order: Vec<u32>,
    at: usize,
}

impl Visits {
    fn new(clusters: &[u32], taken: &[bool]) -> Self {
        let number = clusters.iter().max().map_or(0, |&last| last as usize + 1);
        let (mut size, mut labelled) = (vec![0usize; number], vec![0usize; number]);
        for (&cluster, &taken) in clusters.iter().zip(taken) {
            size[cluster as usize] += 1;
            labelled[cluster as usize] += usize::from(taken);
        }
        let large = size.iter().any(|&size| size >= SMALLEST);
        let least = if large { SMALLEST } else { 1 };
        let mut order: Vec<u32> =
            (0..number as u32).filter(|&c| size[c as usize] >= least).collect();
        order.sort_by_key(|&c| (labelled[c as usize], usize::MAX - size[c as usize]));
        Self { order, at: 0 }
    }

    /// The unlabelled rows of the next cluster that has any.
    fn next(&mut self, clusters: &[u32], taken: &[bool]) -> Option<Vec<usize>> {
        for _ in 0..self.order.len() {
            let cluster = self.order[self.at % self.order.len()];
            self.at += 1;
            let is_free = |&row: &usize| clusters[row] == cluster && !taken[row];
            let members: Vec<usize> = (0..clusters.len()).filter(is_free).collect();
            if !members.is_empty() {
                return Some(members);
            }
        }
        // Only clusters that were passed over have rows left.
        let free: Vec<usize> = (0..clusters.len()).filter(|&row| !taken[row]).collect();
        (!free.is_empty()).then_some(free)
    }
}

fn most_typical(x: Matrix<'_>, members: &[usize], neighbours: usize) -> Result<Pick, Error> {
    let k = neighbours.min(members.len() / 2);
    if k == 0 {
        return Ok(Pick { row: members[0], score: 0.0 });
    }
    let values: Vec<f32> = members.iter().flat_map(|&row| x.row(row)).copied().collect();
    let near =
        self_neighbours(Matrix::new(&values, members.len(), x.cols())?, k, Metric::Euclidean)?;
    let mut best = Pick { row: members[0], score: f64::NEG_INFINITY };
    for (place, &row) in members.iter().enumerate() {
        let (_, distances) = near.of(place);
        let mean = distances.iter().copied().map(f64::from).sum::<f64>() / k as f64;
        // Equal rows have no distance at all: as typical as can be.
        let score = 1.0 / mean.max(f64::from(f32::MIN_POSITIVE));
        if score > best.score {
            best = Pick { row, score };
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing as fixtures;
    use scarce_testing::same_on_any_threads;

    fn rows(picks: &[Pick]) -> Vec<usize> {
        picks.iter().map(|pick| pick.row).collect()
    }

    /// Picks of the reference implementation in `fixtures/make_fixtures.py`.
    #[test]
    fn picks_are_those_of_the_papers_algorithm() {
        let digits = fixtures::digits();
        let known: fixtures::Typical = fixtures::read("typical");
        for case in known.cases {
            let picks = same_on_any_threads(|| {
                typical(digits.matrix(), &known.clusters, &case.labelled, case.count, 20).unwrap()
            });
            assert_eq!(rows(&picks), case.picks);
        }
    }

    #[test]
    fn large_clusters_without_labels_come_first() {
        // Three groups on a line: 6, 8 and 2 rows.
        let line: Vec<f32> = (0..6).chain(100..108).chain(200..202).map(|v| v as f32).collect();
        let x = Matrix::new(&line, 16, 1).unwrap();
        let clusters: Vec<u32> = [[0; 6].as_slice(), &[1; 8], &[2; 2]].concat();
        let picks = typical(x, &clusters, &[], 3, 20).unwrap();
        assert_eq!(picks.iter().map(|p| clusters[p.row]).collect::<Vec<_>>(), [1, 0, 1]);
        let picks = typical(x, &clusters, &[8], 2, 20).unwrap();
        assert_eq!(picks.iter().map(|p| clusters[p.row]).collect::<Vec<_>>(), [0, 1]);
        // Every row can be had, the small cluster last.
        let mut all = rows(&typical(x, &clusters, &[], 16, 20).unwrap());
        assert!(all[14..].iter().all(|&row| clusters[row] == 2));
        all.sort_unstable();
        assert_eq!(all, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn bad_input_is_refused() {
        let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
        assert!(matches!(typical(x, &[0], &[], 1, 20), Err(Error::Length { .. })));
        assert!(matches!(typical(x, &[0, 0], &[0], 2, 20), Err(Error::TooFew { .. })));
    }
}
