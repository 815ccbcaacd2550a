//! Approximate neighbours from cells.

use rayon::prelude::*;
use scarce_clustering::kmeans::{KMeans, Start};
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ranges},
    distance::{self, keys, squared_norms},
    product::squared_distance,
    random,
};
use std::ops::Range;

use super::{
    Metric, Neighbours, check_k, exhaustive::Shortlist, nearest_neighbours, self_neighbours,
    unit_rows,
};

/// Fewer rows than this are searched exactly, which is as fast.
const WORTH_CELLS: usize = 4096;
/// Rows per cell that the centroids are learnt from.
const LEARNT_FROM: usize = 64;
/// Rounds in which they are learnt.
const ROUNDS: usize = 6;
/// Cells that are looked into at first; twice as many each time that the recall is too low.
const PROBES: usize = 8;
/// Rows whose neighbours are also sought exactly, to know the recall.
const SAMPLE: usize = 1000;

/// The recall of the sample must be above what is asked for by so many standard errors, so that the true
/// one is not below it in 19 of 20 cases.
const SURE: f64 = 1.645;

/// Neighbours, and how many of the true ones are among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Approximate {
    /// What was found, as [`self_neighbours`] gives it; distances are exact.
    pub neighbours: Neighbours,
    /// Share of the true neighbours that were found, over 1,000 rows drawn at random. A row as near as
    /// the true `k`-th counts as true.
    pub recall: f64,
    /// Cells that each row looked into, and how many there are; none if the search was exact.
    pub probes: Option<(usize, usize)>,
}

/// The `k` nearest other rows of every row of `x: [n, d]`, or nearly, with a recall of at least
/// `least_recall` as far as a sample can tell: with its recall 1.6 standard errors above that.
///
/// √n centroids, found by k-means on some of the rows, sort the rows into cells (inverted lists:
/// Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", PAMI 2011). Every row
/// looks into the cells whose centroids are nearest to it; rows of one cell that look into the same one do
/// so together, by matrix products. Then every row meets the neighbours of its neighbours (Dong,
/// Charikar and Li, "Efficient k-nearest neighbor graph construction", WWW 2011). If the recall is too
/// low, twice as many cells are looked into, all in the end. Time grows as n√n.
///
/// # Errors
/// As [`self_neighbours`]; [`Error::Parameter`] if `least_recall` is not between 0 and 1.
pub fn approximate(
    x: Matrix<'_>,
    k: usize,
    metric: Metric,
    least_recall: f64,
    seed: u64,
) -> Result<Approximate, Error> {
    if !(0.0..=1.0).contains(&least_recall) {
        let value = least_recall.to_string();
        return Err(Error::Parameter { name: "recall", must: "between 0 and 1", value });
    }
    x.check_finite()?;
    check_k(k, x.rows().saturating_sub(1))?;
    let exact = |x| {
        let neighbours = self_neighbours(x, k, metric)?;
        Ok(Approximate { neighbours, recall: 1.0, probes: None })
    };
    if x.rows() < WORTH_CELLS || least_recall == 1.0 {
        return exact(x);
    }
    let unit = if metric == Metric::Cosine { unit_rows(x) } else { Vec::new() };
    let rows = match metric {
        Metric::Euclidean => x,
        // of vectors of length 1, d² = 2 (1 − cos)
        Metric::Cosine => Matrix::new(&unit, x.rows(), x.cols())?,
    };
    let cells = Cells::new(rows, seed)?;
    let truth = Truth::new(rows, k, seed)?;
    let (mut probes, mut found) = (PROBES, Vec::new());
    let mut looked = 0;
    while probes < cells.count() {
        found = cells.search(k, looked..probes, &found)?;
        looked = probes;
        let neighbours = cells.in_order(&cells.refined(&found, k), k, metric);
        let (recall, error) = truth.recall(&neighbours, metric);
        if recall - SURE * error >= least_recall {
            return Ok(Approximate { neighbours, recall, probes: Some((probes, cells.count())) });
        }
        probes *= 2;
    }
    exact(x)
}

/// Rows, sorted by the centroid that each is nearest to.
struct Cells {
    /// Which row of the original each is.
    original: Vec<u32>,
    /// The sorted rows, `[n, d]`.
    values: Vec<f32>,
    cols: usize,
    norms: Vec<f32>,
    /// The rows of each cell.
    ranges: Vec<Range<usize>>,
    /// `[cells, d]`
    centroids: Vec<f32>,
    /// ‖centroid‖².
    centroid_norms: Vec<f32>,
}

/// A squared distance and a sorted row.
type Found = (f64, u32);

/// Memory that is used again for every block of rows.
#[derive(Default)]
struct Desk {
    /// Cells in the order of their distance from a row.
    cells: Vec<u32>,
    /// For every cell the rows of the block that look into it.
    lookers: Vec<Vec<u32>>,
    gathered: Vec<f32>,
    tile: Vec<f32>,
}

impl Cells {
    fn new(x: Matrix<'_>, seed: u64) -> Result<Self, Error> {
        let count = (x.rows() as f64).sqrt().ceil() as usize;
        let mut rng = random::stream(seed, "cells", 0);
        let picked = random::sample(x.rows(), (count * LEARNT_FROM).min(x.rows()), &mut rng)?;
        let learnt: Vec<f32> = picked.iter().flat_map(|&row| x.row(row)).copied().collect();
        let kmeans =
            KMeans { start: Start::Random, max_iterations: ROUNDS, seed, ..KMeans::new(count) };
        let fitted = kmeans.fit(Matrix::new(&learnt, picked.len(), x.cols())?)?;
        let centroids = fitted.centroids()?;
        let cell = distance::nearest(x, centroids)?.index;

        let mut original: Vec<u32> = (0..x.rows() as u32).collect();
        original.sort_by_key(|&row| cell[row as usize]);
        let mut values = vec![0.0; x.data().len()];
        let places = values.par_chunks_exact_mut(x.cols()).zip(&original);
        places.for_each(|(place, &row)| place.copy_from_slice(x.row(row as usize)));
        let start = |of: u32| original.partition_point(|&row| cell[row as usize] < of);
        let ranges = (0..count as u32).map(|of| start(of)..start(of + 1)).collect();
        let norms = squared_norms(Matrix::new(&values, x.rows(), x.cols())?)?;

        let centroid_norms = squared_norms(centroids)?;
        let (cols, centroids) = (x.cols(), fitted.centroids);
        Ok(Self { original, values, cols, norms, ranges, centroids, centroid_norms })
    }

    fn count(&self) -> usize {
        self.ranges.len()
    }

    fn rows(&self, range: Range<usize>) -> Result<Matrix<'_>, Error> {
        let rows = range.len();
        Matrix::new(&self.values[range.start * self.cols..range.end * self.cols], rows, self.cols)
    }

    fn row(&self, at: u32) -> &[f32] {
        &self.values[at as usize * self.cols..][..self.cols]
    }

    /// The `k` nearest rows of every row, `[n, k]`, all sorted: those known `before`, if any, and those in
    /// the cells whose rank by distance is in `ranks`. Looks into more if there are not `k` rows in them.
    fn search(&self, k: usize, ranks: Range<usize>, before: &[Found]) -> Result<Vec<Found>, Error> {
        let mut found = vec![(0.0, 0); self.original.len() * k];
        let mut rest = found.as_mut_slice();
        let mut blocks = Vec::new();
        for range in &self.ranges {
            for part in ranges(range.len(), ROW_BLOCK) {
                let (out, others) = rest.split_at_mut(part.len() * k);
                blocks.push((range.start + part.start..range.start + part.end, out));
                rest = others;
            }
        }
        blocks.into_par_iter().try_for_each_init(Desk::default, |desk, (block, out)| {
            self.search_block(block, k, ranks.clone(), before, (desk, out))
        })?;
        Ok(found)
    }

    fn search_block(
        &self,
        block: Range<usize>,
        k: usize,
        ranks: Range<usize>,
        before: &[Found],
        (desk, out): (&mut Desk, &mut [Found]),
    ) -> Result<(), Error> {
        let queries = self.rows(block.clone())?;
        self.choose(queries, k, ranks, desk)?;
        let mut lists: Vec<_> = block.clone().map(|_| Shortlist::new(k + 4)).collect();
        for (base, lookers) in self.ranges.iter().zip(&desk.lookers) {
            if base.is_empty() || lookers.is_empty() {
                continue;
            }
            desk.gathered.clear();
            for &query in lookers {
                desk.gathered.extend_from_slice(queries.row(query as usize));
            }
            let gathered = Matrix::new(&desk.gathered, lookers.len(), self.cols)?;
            desk.tile.resize(lookers.len() * base.len(), 0.0);
            keys(gathered, self.rows(base.clone())?, &self.norms[base.clone()], &mut desk.tile);
            for (&query, keys) in lookers.iter().zip(desk.tile.chunks_exact_mut(base.len())) {
                let itself = block.start + query as usize;
                if base.contains(&itself) {
                    keys[itself - base.start] = f32::INFINITY;
                }
                lists[query as usize].scan(base.start as u32, keys);
            }
        }
        let rows = queries.iter_rows().zip(&mut lists).zip(out.chunks_exact_mut(k));
        for (at, ((query, list), out)) in block.zip(rows) {
            list.shrink();
            let exact = |&(_, row): &(f32, u32)| (squared_distance(query, self.row(row)), row);
            let mut nearest: Vec<Found> = list.items.iter().map(exact).collect();
            nearest.extend_from_slice(before.get(at * k..(at + 1) * k).unwrap_or_default());
            self.keep(&mut nearest, k);
            out.copy_from_slice(&nearest);
        }
        Ok(())
    }

    /// Lists for every cell the rows of a block that look into it.
    fn choose(
        &self,
        queries: Matrix<'_>,
        k: usize,
        ranks: Range<usize>,
        desk: &mut Desk,
    ) -> Result<(), Error> {
        let count = self.count();
        desk.lookers.resize_with(count, Vec::new);
        desk.lookers.iter_mut().for_each(Vec::clear);
        desk.tile.resize(queries.rows() * count, 0.0);
        let centroids = Matrix::new(&self.centroids, count, self.cols)?;
        keys(queries, centroids, &self.centroid_norms, &mut desk.tile);
        for (query, keys) in (0..).zip(desk.tile.chunks_exact(count)) {
            let nearer =
                |a: &u32, b: &u32| keys[*a as usize].total_cmp(&keys[*b as usize]).then(a.cmp(b));
            desk.cells.clear();
            desk.cells.extend(0..count as u32);
            desk.cells.select_nth_unstable_by(ranks.end - 1, nearer);
            desk.cells[..ranks.end].sort_unstable_by(nearer);
            let rows = |cells: &[u32]| -> usize {
                cells.iter().map(|&cell| self.ranges[cell as usize].len()).sum()
            };
            let mut end = ranks.end;
            if ranks.start == 0 && rows(&desk.cells[..end]) <= k {
                desk.cells[end..].sort_unstable_by(nearer);
                while rows(&desk.cells[..end]) <= k {
                    end += 1;
                }
            }
            for &cell in &desk.cells[ranks.start..end] {
                desk.lookers[cell as usize].push(query);
            }
        }
        Ok(())
    }

    /// The nearest `k`, in order; of equal distances the smaller number in the original comes first.
    fn keep(&self, found: &mut Vec<Found>, k: usize) {
        let original = |row: u32| self.original[row as usize];
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(original(a.1).cmp(&original(b.1))));
        found.dedup();
        found.truncate(k);
    }

    /// The same, after every row has met the neighbours of its neighbours.
    fn refined(&self, found: &[Found], k: usize) -> Vec<Found> {
        let of = |row: u32| &found[row as usize * k..][..k];
        let mut refined = vec![(0.0, 0); found.len()];
        refined.par_chunks_exact_mut(k).enumerate().for_each_init(
            || (Vec::new(), Vec::new()),
            |(met, nearest), (row, out)| {
                let (row, known) = (row as u32, of(row as u32));
                let bar = known[k - 1].0;
                met.clear();
                met.extend(known.iter().flat_map(|&(_, near)| of(near)).map(|&(_, other)| other));
                met.sort_unstable();
                met.dedup();
                nearest.clear();
                nearest.extend_from_slice(known);
                for &other in met.iter() {
                    if other != row && known.iter().all(|&(_, near)| near != other) {
                        let distance = squared_distance(self.row(row), self.row(other));
                        if distance <= bar {
                            nearest.push((distance, other));
                        }
                    }
                }
                self.keep(nearest, k);
                out.copy_from_slice(nearest);
            },
        );
        refined
    }

    /// Back to the original order.
    fn in_order(&self, found: &[Found], k: usize, metric: Metric) -> Neighbours {
        let mut indices = vec![0; found.len()];
        let mut distances = vec![0.0; found.len()];
        for (found, &row) in found.chunks_exact(k).zip(&self.original) {
            let to = row as usize * k;
            for (at, &(squared, other)) in found.iter().enumerate() {
                indices[to + at] = self.original[other as usize];
                distances[to + at] = finished(squared, metric);
            }
        }
        Neighbours { k, indices, distances }
    }
}

fn finished(squared: f64, metric: Metric) -> f32 {
    match metric {
        Metric::Euclidean => squared.sqrt() as f32,
        Metric::Cosine => (squared / 2.0) as f32,
    }
}

/// The true distances of some rows to their neighbours.
struct Truth {
    rows: Vec<usize>,
    /// Squared distance of each to the `k`-th.
    farthest: Vec<f64>,
}

impl Truth {
    fn new(x: Matrix<'_>, k: usize, seed: u64) -> Result<Self, Error> {
        let mut rng = random::stream(seed, "recall", 0);
        let rows = random::sample(x.rows(), SAMPLE.min(x.rows()), &mut rng)?;
        let values: Vec<f32> = rows.iter().flat_map(|&row| x.row(row)).copied().collect();
        let queries = Matrix::new(&values, rows.len(), x.cols())?;
        // one more: each finds itself, or as near a copy
        let found = nearest_neighbours(queries, x, k + 1, Metric::Euclidean)?;
        let farthest = rows.iter().enumerate().map(|(at, &row)| {
            let &last = found.of(at).0.last().unwrap_or(&0);
            squared_distance(x.row(row), x.row(last as usize))
        });
        Ok(Self { farthest: farthest.collect(), rows })
    }

    /// The share of the true neighbours that were found, and its standard error.
    fn recall(&self, found: &Neighbours, metric: Metric) -> (f64, f64) {
        let right = self.rows.iter().zip(&self.farthest).map(|(&row, &farthest)| {
            let bar = finished(farthest, metric);
            let near = found.of(row).1.iter().filter(|&&distance| distance <= bar).count();
            near as f64 / found.k as f64
        });
        let right: Vec<f64> = right.collect();
        let rows = right.len() as f64;
        let mean = right.iter().sum::<f64>() / rows;
        let variance = right.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / rows;
        (mean, (variance / rows).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    #[test]
    fn looking_into_cells_bit_by_bit_finds_what_looking_at_once_does() {
        let data = noise(3_000, 6, 5);
        let cells = Cells::new(Matrix::new(&data, 3_000, 6).unwrap(), 0).unwrap();
        let at_once = cells.search(7, 0..9, &[]).unwrap();
        let first = cells.search(7, 0..4, &[]).unwrap();
        assert_ne!(first, at_once);
        assert_eq!(cells.search(7, 4..9, &first).unwrap(), at_once);
    }

    #[test]
    fn who_finds_too_few_rows_looks_farther_and_nobody_twice() {
        // Far more copies than there are other rows: most cells are empty.
        let data: Vec<f32> = (0..5_000u16).map(|i| f32::from(i % 8)).collect();
        let cells = Cells::new(Matrix::new(&data, 5_000, 1).unwrap(), 0).unwrap();
        let first = cells.search(3, 0..2, &[]).unwrap();
        let both = cells.search(3, 2..6, &first).unwrap();
        for (row, found) in both.chunks_exact(3).enumerate() {
            let others: std::collections::BTreeSet<u32> = found.iter().map(|f| f.1).collect();
            assert!(others.len() == 3 && !others.contains(&(row as u32)), "{found:?}");
        }
    }
}
