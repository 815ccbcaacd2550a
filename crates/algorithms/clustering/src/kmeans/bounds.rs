//! Nearest centroids round after round, measuring only what can have changed.
//!
//! Every row keeps an upper bound of the distance to its centroid, and for each of some groups of
//! centroids a lower bound of the distance to the others in it. When centroids move, bounds move by as
//! much; a row looks at a group only if the bounds overlap (Y. Ding, Y. Zhao, X. Shen, M. Musuvathi
//! and T. Mytkowicz, "Yinyang k-means", ICML 2015; with one group G. Hamerly, SDM 2010). Rows that
//! look at the same group are gathered, so that distances still come from matrix products.
//!
//! Bounds are kept wide of the rounding, so labels are those of measuring everything.

use rayon::prelude::*;

use super::means::means;
use scarce_numeric::{
    Error, Matrix,
    members::Members,
    nearest::{Contenders, TILE, Targets, Tile, nearest_targets},
    product::squared_distance,
};

/// Centroids per group: enough for a product, few enough for a bound that says something.
const GROUP: usize = 32;
/// Rows that are worked on together. A fixed number, so that nothing depends on threads.
const BLOCK: usize = 512;
/// Rounds in which centroids are grouped.
const GROUPING_ROUNDS: usize = 5;
/// Label of a row that has none yet.
const NONE: u32 = u32::MAX;
/// How much wider a bound becomes at each step, several times the rounding of the step.
const WIDER: f32 = 5e-7;

/// The labels of some rows, and what is known of their distances.
pub(super) struct Tracker {
    groups: Groups,
    pub(super) labels: Vec<u32>,
    /// At least the distance to the row's centroid, `[n]`.
    upper: Vec<f32>,
    /// At most the distance to any other centroid of a group, `[n, groups]`.
    lower: Vec<f32>,
}

/// Centroids that lie near each other, and so move alike.
struct Groups {
    /// Centroids, group by group: group `g` is `order[starts[g]..starts[g + 1]]`.
    order: Vec<u32>,
    starts: Vec<usize>,
    /// The group of every centroid.
    of: Vec<u32>,
}

impl Groups {
    /// Bounds take at most a quarter of the memory of the rows.
    fn new(centroids: Matrix<'_>) -> Result<Self, Error> {
        let (k, d) = (centroids.rows(), centroids.cols());
        let count = k.div_ceil(GROUP).min(d / 4).max(1);
        let mut of = vec![0; k];
        if count > 1 {
            let first = (0..count).flat_map(|g| centroids.row(g * k / count));
            let mut middles: Vec<f32> = first.copied().collect();
            for _ in 0..GROUPING_ROUNDS {
                of = nearest_targets(centroids, &Targets::new(Matrix::new(&middles, count, d)?)?)
                    .index;
                middles = means(centroids, &of, &middles);
            }
        }
        let members = Members::new(&of, count);
        let (mut order, mut starts) = (Vec::with_capacity(k), vec![0]);
        let full = (0..count).map(|group| members.of(group)).filter(|group| !group.is_empty());
        for (group, centroids) in full.enumerate() {
            order.extend_from_slice(centroids);
            starts.push(order.len());
            for &centroid in centroids {
                of[centroid as usize] = group as u32;
            }
        }
        Ok(Self { order, starts, of })
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn places(&self, group: usize) -> std::ops::Range<usize> {
        self.starts[group]..self.starts[group + 1]
    }
}

impl Tracker {
    /// Nothing is known yet of `rows` rows.
    pub(super) fn new(rows: usize, centroids: Matrix<'_>) -> Result<Self, Error> {
        let groups = Groups::new(centroids)?;
        let lower = vec![0.0; rows * groups.count()];
        Ok(Self { groups, labels: vec![NONE; rows], upper: vec![f32::INFINITY; rows], lower })
    }

    /// Labels every row of `x: [n, d]` with its nearest centroid, of equally near ones the first, and
    /// counts the labels that changed. `norms` are the squared lengths of the rows, `shifts` how far
    /// every centroid moved since the last call.
    pub(super) fn assign(
        &mut self,
        x: Matrix<'_>,
        norms: &[f32],
        centroids: Matrix<'_>,
        shifts: &[f64],
    ) -> Result<usize, Error> {
        let groups = &self.groups;
        let rows = groups.order.iter().flat_map(|&c| centroids.row(c as usize));
        let grouped: Vec<f32> = rows.copied().collect();
        let targets = Targets::new(Matrix::new(&grouped, centroids.rows(), x.cols())?)?;
        let shifts: Vec<f32> = shifts.iter().map(|&shift| raised(shift)).collect();
        let largest = |group| {
            let members = &groups.order[groups.places(group)];
            members.iter().map(|&c| shifts[c as usize]).fold(0.0, f32::max)
        };
        let group_shifts = (0..groups.count()).map(largest).collect();
        let round = Round { groups, centroids, targets, shifts, group_shifts };
        let blocks = (self.labels.par_chunks_mut(BLOCK))
            .zip(self.upper.par_chunks_mut(BLOCK))
            .zip(self.lower.par_chunks_mut(BLOCK * groups.count()))
            .enumerate();
        let changed = blocks.map_init(Desk::default, |desk, (block, ((labels, upper), lower))| {
            let range = block * BLOCK..block * BLOCK + labels.len();
            let norms = &norms[range.clone()];
            round.assign(Rows { x: x.block(range), norms, labels, upper, lower }, desk)
        });
        Ok(changed.sum())
    }

    /// Rows whose nearest centroid may be another one if every distance is off by up to `error`.
    pub(super) fn doubtful(&self, error: impl Fn(usize) -> f32) -> Vec<u32> {
        let lower = self.lower.chunks_exact(self.groups.count());
        let rows = lower.zip(&self.upper).enumerate();
        let close = rows.filter(|(row, (lower, upper))| {
            let nearest = lower.iter().copied().fold(f32::INFINITY, f32::min);
            nearest <= *upper + 2.0 * error(*row)
        });
        close.map(|(row, _)| row as u32).collect()
    }
}

/// What all rows have in common in one round.
struct Round<'a> {
    groups: &'a Groups,
    centroids: Matrix<'a>,
    /// The centroids in the order of the groups.
    targets: Targets<'a>,
    shifts: Vec<f32>,
    group_shifts: Vec<f32>,
}

/// Some rows and what is known of them.
struct Rows<'a> {
    x: Matrix<'a>,
    norms: &'a [f32],
    labels: &'a mut [u32],
    upper: &'a mut [f32],
    lower: &'a mut [f32],
}

/// Memory that is used again for every block.
#[derive(Default)]
struct Desk {
    open: Vec<Open>,
    /// For every group the rows that look at it, as places in `open`.
    lookers: Vec<Vec<u32>>,
    /// The smallest two keys that an open row found in a group, `[open, groups]`; infinite where it
    /// did not look.
    smallest: Vec<[f32; 2]>,
    contenders: Vec<Contenders>,
    gathered: Vec<f32>,
    tile: Tile,
    limits: Vec<f32>,
}

/// A row that bounds alone do not settle.
struct Open {
    row: usize,
    /// Squared distance to the centroid that it had, infinite if it had none.
    own: f64,
}

impl Round<'_> {
    fn assign(&self, mut rows: Rows<'_>, desk: &mut Desk) -> usize {
        let count = self.groups.count();
        let looks = self.open(&mut rows, desk);
        if desk.open.is_empty() {
            return 0;
        }
        desk.smallest.clear();
        desk.smallest.resize(desk.open.len() * count, [f32::INFINITY; 2]);
        desk.contenders
            .resize_with(desk.open.len().max(desk.contenders.len()), Contenders::default);
        for (contenders, open) in desk.contenders.iter_mut().zip(&desk.open) {
            contenders.restart(self.slack(rows.norms[open.row]));
        }
        // A product over everything is faster than many small ones that leave little out.
        if 2 * looks > desk.open.len() * count {
            self.look_at_all(&rows, desk);
        } else {
            self.look_by_group(&rows, desk);
        }
        let mut changed = 0;
        for place in 0..desk.open.len() {
            changed += usize::from(self.settle(&mut rows, desk, place));
        }
        changed
    }

    /// Moves the bounds and lists the rows that have to look, and at what; returns how many looks
    /// that makes.
    fn open(&self, rows: &mut Rows<'_>, desk: &mut Desk) -> usize {
        let count = self.groups.count();
        desk.open.clear();
        desk.lookers.resize_with(count, Vec::new);
        desk.lookers.iter_mut().for_each(Vec::clear);
        let mut looks = 0;
        for (row, lower) in rows.lower.chunks_exact_mut(count).enumerate() {
            let mut nearest = f32::INFINITY;
            for (bound, shift) in lower.iter_mut().zip(&self.group_shifts) {
                *bound = (*bound - shift).max(0.0) * (1.0 - WIDER);
                nearest = nearest.min(*bound);
            }
            let (label, upper) = (rows.labels[row], &mut rows.upper[row]);
            let mut own = f64::INFINITY;
            if label != NONE {
                *upper = (*upper + self.shifts[label as usize]) * (1.0 + WIDER);
                if *upper < nearest {
                    continue;
                }
                own = squared_distance(rows.x.row(row), self.centroids.row(label as usize));
                *upper = raised(own.sqrt());
                if *upper < nearest {
                    continue;
                }
            }
            let place = desk.open.len() as u32;
            desk.open.push(Open { row, own });
            for (bound, lookers) in lower.iter().zip(&mut desk.lookers) {
                if bound <= upper {
                    lookers.push(place);
                    looks += 1;
                }
            }
        }
        looks
    }

    fn look_by_group(&self, rows: &Rows<'_>, desk: &mut Desk) {
        let Desk { open, lookers, smallest, contenders, gathered, tile, limits } = desk;
        let count = self.groups.count();
        for (group, lookers) in lookers.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            gathered.clear();
            for &place in lookers {
                gathered.extend_from_slice(rows.x.row(open[place as usize].row));
            }
            let places = self.groups.places(group);
            tile.measure(gathered, &self.targets, places.clone());
            let [first, second] = tile.smallest(places.clone());
            limits.clear();
            for ((&place, &first), &second) in lookers.iter().zip(first).zip(second) {
                smallest[place as usize * count + group] = [first, second];
                limits.push(contenders[place as usize].limit(first));
            }
            tile.within(places, limits, |row, target, key| {
                contenders[lookers[row] as usize].found.push((key, target));
            });
        }
    }

    fn look_at_all(&self, rows: &Rows<'_>, desk: &mut Desk) {
        let Desk { open, smallest, contenders, gathered, tile, limits, .. } = desk;
        let count = self.groups.count();
        gathered.clear();
        let all = open.len() == rows.labels.len();
        for open in open.iter().filter(|_| !all) {
            gathered.extend_from_slice(rows.x.row(open.row));
        }
        let x = if all { rows.x.data() } else { gathered };
        let mut group = 0;
        while group < count {
            let start = self.groups.starts[group];
            let fits = |&next: &usize| self.groups.starts[next + 1] - start <= TILE;
            let end = (group + 1..count).take_while(fits).last().unwrap_or(group) + 1;
            tile.measure(x, &self.targets, start..self.groups.starts[end]);
            for group in group..end {
                let places = self.groups.places(group);
                let [first, second] = tile.smallest(places.clone());
                limits.clear();
                for (place, open) in open.iter().enumerate() {
                    // A row that does not look at this group finds nothing in it.
                    if rows.lower[open.row * count + group] > rows.upper[open.row] {
                        limits.push(f32::NEG_INFINITY);
                        continue;
                    }
                    smallest[place * count + group] = [first[place], second[place]];
                    limits.push(contenders[place].limit(first[place]));
                }
                tile.within(places, limits, |row, target, key| {
                    contenders[row].found.push((key, target));
                });
            }
            group = end;
        }
    }

    /// Labels an open row, and says whether that changed.
    fn settle(&self, rows: &mut Rows<'_>, desk: &mut Desk, place: usize) -> bool {
        let Open { row, own } = desk.open[place];
        let count = self.groups.count();
        let smallest = &desk.smallest[place * count..][..count];
        let before = rows.labels[row];
        let home = (before != NONE).then(|| self.groups.of[before as usize] as usize);
        let looked_home = home.is_none_or(|home| smallest[home][0].is_finite());
        let finalists = desk.contenders[place].finalists();
        let (norm, slack) = (f64::from(rows.norms[row]), f64::from(self.slack(rows.norms[row])));
        let centroid = |at: u32| self.groups.order[at as usize];

        let label = match *finalists {
            [(_, only)] if looked_home && centroid(only) == before => before,
            [(key, only)] if looked_home => {
                rows.upper[row] = raised((f64::from(key) + norm + slack).max(0.0).sqrt());
                centroid(only)
            }
            _ => {
                let mut best = (own, before);
                for label in finalists.iter().map(|&(_, at)| centroid(at)) {
                    let y = self.centroids.row(label as usize);
                    let found = (squared_distance(rows.x.row(row), y), label);
                    if found < best {
                        best = found;
                    }
                }
                rows.upper[row] = raised(best.0.sqrt());
                best.1
            }
        };
        let winner = finalists.iter().find(|&&(_, at)| centroid(at) == label);
        let lower = &mut rows.lower[row * count..][..count];
        for (group, [first, second]) in smallest.iter().enumerate() {
            if first.is_infinite() {
                continue;
            }
            let won = |&&(key, at): &&(f32, u32)| {
                key == *first && self.groups.places(group).contains(&(at as usize))
            };
            let rest = if winner.as_ref().is_some_and(won) { second } else { first };
            lower[group] = lowered((f64::from(*rest) + norm - slack).max(0.0).sqrt());
        }
        if let Some(home) = home.filter(|_| label != before && !looked_home) {
            lower[home] = lower[home].min(lowered(own.sqrt()));
        }
        rows.labels[row] = label;
        label != before
    }

    /// How far keys may be off, the rounding of the row's own length included.
    fn slack(&self, norm: f32) -> f32 {
        self.targets.slack(f64::from(norm)) + 2.0 * f32::EPSILON * norm
    }
}

/// An upper bound in `f32`.
fn raised(distance: f64) -> f32 {
    distance as f32 * (1.0 + WIDER)
}

/// A lower bound in `f32`.
fn lowered(distance: f64) -> f32 {
    distance as f32 * (1.0 - WIDER)
}
