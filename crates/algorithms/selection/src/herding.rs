//! Rows that cover the others.

use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::{Pick, taken};
use scarce_numeric::{
    Error, Matrix,
    blocks::ROW_BLOCK,
    distance::{squared_block, squared_norms},
    random,
    softmax::exp,
};

/// More rows than this are neither covered nor candidates: as many are drawn at random instead.
/// A first look costs the square of it, and a mean over so many hardly differs from that over all.
const MOST_ROWS: usize = 20_000;
/// Candidates whose gain is computed at a time.
const BATCH: usize = 64;
/// Rows that the bandwidth is estimated from.
const SAMPLE: usize = 1000;

/// What `MaxHerding` shall do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxHerding {
    /// σ of the kernel exp(−‖x − y‖² / 2σ²); `None` for half the root mean squared distance of two
    /// rows, which follows the scale of the features.
    pub bandwidth: Option<f64>,
    /// Seed of the rows that are drawn where there are very many.
    pub seed: u64,
}

/// `MaxHerding` (W. Bae, J. Noh and D. Sutherland, "Generalized coverage for more robust low-budget
/// active learning", ECCV 2024): each pick adds most to the mean over rows x of max k(x, s) over
/// the `labelled` and picked rows s, with a Gaussian kernel k. Of equally good rows the first.
///
/// The score is what the pick adds to that mean. Gains only shrink as rows are picked, so most are
/// never computed again (M. Minoux, "Accelerated greedy algorithms", 1978).
///
/// Of more than 20,000 rows of `x: [n, d]` as many are drawn at random, beside the labelled ones.
///
/// # Errors
/// [`Error::TooFew`] if fewer than `count` rows can be picked, [`Error::Parameter`],
/// [`Error::NotFinite`], [`Error::Overflow`].
pub fn max_herding(
    x: Matrix<'_>,
    labelled: &[usize],
    count: usize,
    how: MaxHerding,
) -> Result<Vec<Pick>, Error> {
    let taken = taken(x, labelled, count)?;
    if let Some(wrong) = how.bandwidth.filter(|sigma| !(*sigma > 0.0 && sigma.is_finite())) {
        let value = wrong.to_string();
        return Err(Error::Parameter { name: "bandwidth", must: "above 0", value });
    }
    // Even if all labelled rows are drawn, enough others are.
    let rows = drawn(x.rows(), count.saturating_add(labelled.len()), how.seed)?;
    let values: Vec<f32> = rows.iter().flat_map(|&row| x.row(row)).copied().collect();
    let drawn = Matrix::new(&values, rows.len(), x.cols())?;
    let sigma = match how.bandwidth {
        Some(sigma) => sigma,
        None => spread(drawn, how.seed)? / 2.0,
    };
    let mut cover = Cover::new(drawn, sigma)?;
    for &row in labelled {
        cover.add(x.row(row))?;
    }
    let free: Vec<u32> =
        (0..rows.len() as u32).filter(|&place| !taken[rows[place as usize]]).collect();
    let picks = cover.pick(&free, count)?;
    let own = |(place, gain): (u32, f64)| Pick { row: rows[place as usize], score: gain };
    Ok(picks.into_iter().map(own).collect())
}

/// The rows that are looked at, at least so many, ascending.
fn drawn(n: usize, least: usize, seed: u64) -> Result<Vec<usize>, Error> {
    let most = MOST_ROWS.max(least);
    if n <= most {
        return Ok((0..n).collect());
    }
    let mut rows = random::sample(n, most, &mut random::stream(seed, "max-herding", 0))?;
    rows.sort_unstable();
    Ok(rows)
}

/// The root of the mean squared distance of two rows of a sample; 1 if all are equal.
fn spread(x: Matrix<'_>, seed: u64) -> Result<f64, Error> {
    let size = SAMPLE.min(x.rows());
    let rows = random::sample(x.rows(), size, &mut random::stream(seed, "bandwidth", 0))?;
    let values: Vec<f32> = rows.iter().flat_map(|&row| x.row(row)).copied().collect();
    let sample = Matrix::new(&values, size, x.cols())?;
    let squared = scarce_numeric::distance::squared_euclidean(sample, sample)?;
    let mean = squared.iter().copied().map(f64::from).sum::<f64>() / squared.len().max(1) as f64;
    Ok(if mean > 0.0 { mean.sqrt() } else { 1.0 })
}

/// How well each row is covered so far.
struct Cover<'a> {
    x: Matrix<'a>,
    norms: Vec<f32>,
    /// −1 / 2σ²
    factor: f32,
    /// max k(x, s) over the rows s picked so far: `[n]`.
    best: Vec<f32>,
}

/// What a candidate added when it was last looked at, with the number of picks by then.
#[derive(PartialEq)]
struct Gain {
    value: f64,
    place: u32,
    picks: usize,
}

impl Eq for Gain {}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gain {
    /// By gain; of equal gains the first row is the largest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.total_cmp(&other.value).then(other.place.cmp(&self.place))
    }
}

impl<'a> Cover<'a> {
    fn new(x: Matrix<'a>, sigma: f64) -> Result<Self, Error> {
        let factor = (-0.5 / (sigma * sigma)) as f32;
        Ok(Self { x, norms: squared_norms(x)?, factor, best: vec![0.0; x.rows()] })
    }

    /// Counts a row, of this matrix or not, as picked.
    fn add(&mut self, row: &[f32]) -> Result<(), Error> {
        let row = Matrix::new(row, 1, self.x.cols())?;
        let similar = self.similarities(row, &squared_norms(row)?);
        for (best, similar) in self.best.iter_mut().zip(similar) {
            *best = best.max(similar);
        }
        Ok(())
    }

    /// k of every row to every one of `rows`: `[rows, n]`.
    fn similarities(&self, rows: Matrix<'_>, norms: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; rows.rows() * self.x.rows()];
        squared_block(rows, norms, self.x, &self.norms, &mut out);
        for entry in &mut out {
            *entry = exp(self.factor * *entry);
        }
        out
    }

    /// What each candidate would add to the mean.
    fn gains(&self, places: &[u32]) -> Vec<f64> {
        let of_batch = |places: &[u32]| -> Vec<f64> {
            let rows: Vec<f32> =
                places.iter().flat_map(|&place| self.x.row(place as usize)).copied().collect();
            let norms: Vec<f32> = places.iter().map(|&place| self.norms[place as usize]).collect();
            let Ok(rows) = Matrix::new(&rows, places.len(), self.x.cols()) else {
                return Vec::new();
            };
            let similar = self.similarities(rows, &norms);
            similar.chunks_exact(self.x.rows()).map(|row| self.added(row)).collect()
        };
        places.par_chunks(BATCH).flat_map_iter(of_batch).collect()
    }

    fn added(&self, similar: &[f32]) -> f64 {
        let blocks = similar.chunks(ROW_BLOCK).zip(self.best.chunks(ROW_BLOCK));
        let sums = blocks.map(|(similar, best)| {
            let more = similar.iter().zip(best).map(|(s, b)| (s - b).max(0.0));
            f64::from(more.sum::<f32>())
        });
        sums.sum::<f64>() / self.best.len() as f64
    }

    /// The best `count` of the candidates, one after another, with what each added.
    fn pick(&mut self, free: &[u32], count: usize) -> Result<Vec<(u32, f64)>, Error> {
        if free.len() < count {
            return Err(Error::TooFew {
                what: "rows to pick",
                wanted: count,
                available: free.len(),
            });
        }
        let known = |(&place, value): (&u32, f64)| Gain { value, place, picks: 0 };
        let mut heap: BinaryHeap<Gain> = free.iter().zip(self.gains(free)).map(known).collect();
        let mut picks: Vec<(u32, f64)> = Vec::with_capacity(count);
        while picks.len() < count {
            // Only what could still be the best is looked at again.
            let mut stale = Vec::new();
            while stale.len() < BATCH && heap.peek().is_some_and(|gain| gain.picks < picks.len()) {
                stale.extend(heap.pop().map(|gain| gain.place));
            }
            if stale.is_empty() {
                let Some(Gain { value, place, .. }) = heap.pop() else { break };
                self.add(self.x.row(place as usize))?;
                picks.push((place, value));
            } else {
                let fresh = stale.iter().zip(self.gains(&stale));
                let fresh = fresh.map(|(&place, value)| Gain { value, place, picks: picks.len() });
                heap.extend(fresh);
            }
        }
        Ok(picks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    const HOW: MaxHerding = MaxHerding { bandwidth: Some(0.7), seed: 0 };

    /// The definition, word for word, in `f64`.
    fn plainly(x: Matrix<'_>, labelled: &[usize], count: usize, sigma: f64) -> Vec<Pick> {
        let k = |a: usize, b: usize| {
            (-scarce_numeric::product::squared_distance(x.row(a), x.row(b)) / (2.0 * sigma * sigma))
                .exp()
        };
        let n = x.rows();
        let cover = |chosen: &[usize]| {
            let of = |row| chosen.iter().map(|&s| k(row, s)).fold(0.0, f64::max);
            (0..n).map(of).sum::<f64>() / n as f64
        };
        let mut chosen = labelled.to_vec();
        let mut picks = Vec::new();
        for _ in 0..count {
            let now = cover(&chosen);
            let mut best = Pick { row: 0, score: f64::NEG_INFINITY };
            for row in (0..n).filter(|row| !chosen.contains(row)) {
                let score = cover(&[chosen.as_slice(), &[row]].concat()) - now;
                if score > best.score {
                    best = Pick { row, score };
                }
            }
            chosen.push(best.row);
            picks.push(best);
        }
        picks
    }

    #[test]
    fn picks_are_those_of_the_definition() {
        let data = noise(150, 3, 41);
        let x = Matrix::new(&data, 150, 3).unwrap();
        for labelled in [&[] as &[usize], &[3, 77]] {
            let found = same_on_any_threads(|| max_herding(x, labelled, 8, HOW).unwrap());
            for (found, plain) in found.iter().zip(plainly(x, labelled, 8, 0.7)) {
                assert_eq!(found.row, plain.row);
                assert!((found.score - plain.score).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn groups_are_covered_before_any_gets_a_second() {
        let mut data = noise(300, 2, 42);
        for (row, point) in data.chunks_exact_mut(2).enumerate() {
            point[0] += [0.0, 40.0, 90.0][row % 3];
        }
        let x = Matrix::new(&data, 300, 2).unwrap();
        let by_itself = MaxHerding { bandwidth: None, seed: 1 };
        for how in [HOW, by_itself] {
            let picks = max_herding(x, &[], 3, how).unwrap();
            let mut groups: Vec<usize> = picks.iter().map(|pick| pick.row % 3).collect();
            groups.sort_unstable();
            assert_eq!(groups, [0, 1, 2]);
            let second = max_herding(x, &[0, 1], 1, how).unwrap();
            assert_eq!(second[0].row % 3, 2);
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
        assert!(matches!(max_herding(x, &[0], 2, HOW), Err(Error::TooFew { .. })));
        let wrong = MaxHerding { bandwidth: Some(0.0), seed: 0 };
        assert!(matches!(max_herding(x, &[], 1, wrong), Err(Error::Parameter { .. })));
        let equal = Matrix::new(&[2.0; 6], 6, 1).unwrap();
        let how = MaxHerding { bandwidth: None, seed: 0 };
        assert_eq!(max_herding(equal, &[], 6, how).unwrap().len(), 6);
    }
}
