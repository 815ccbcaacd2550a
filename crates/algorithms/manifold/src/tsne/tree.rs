//! Repulsion of points in the plane by a quadtree.
//!
//! Points are put in Morton order (the bits of both coordinates interleaved), in which every cell
//! of a quadtree is a run of neighbours. Cells lie in one array, each before those inside it and
//! with the place after them, so that a walk goes forward only. Points that follow each other walk
//! together: a cell stands for its points only where it may for all of them.

use super::Point;
use rayon::prelude::*;

/// Points that walk the tree together.
const LANES: usize = 16;

/// Groups of points per task.
const GROUPS: usize = 16;

/// A cell, or at the bottom one place.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// The mean of the points.
    x: f32,
    y: f32,
    /// How many points.
    count: f32,
    /// The squared side; 0 at the bottom.
    squared_side: f32,
    /// The next cell that is not inside this one.
    next: u32,
}

/// A quadtree over points.
pub(super) struct Tree {
    cells: Vec<Cell>,
    /// The points in Morton order.
    order: Vec<u32>,
}

/// What all points do to each.
pub(super) struct Repulsion {
    /// `Σ (y_i − y_j) / (1 + ‖y_i − y_j‖²)²` over all other points j, for every point i.
    pub(super) forces: Vec<Point>,
    /// `Σ 1 / (1 + ‖y_i − y_j‖²)` over all pairs of different points, both ways.
    pub(super) total: f64,
}

impl Tree {
    /// The tree of some finite points.
    pub(super) fn new(points: &[Point]) -> Self {
        let square = Square::around(points);
        let mut keyed: Vec<(u64, u32)> =
            points.iter().enumerate().map(|(i, &point)| (square.key(point), i as u32)).collect();
        keyed.sort_unstable();
        let mut builder = Builder { points, keyed: &keyed, side: square.side, cells: Vec::new() };
        builder.cells.reserve(2 * points.len());
        if !keyed.is_empty() {
            builder.add(0, keyed.len());
        }
        let cells = builder.cells;
        Self { cells, order: keyed.into_iter().map(|(_, point)| point).collect() }
    }

    /// The repulsion between the points that the tree was made of.
    pub(super) fn repulsion(&self, points: &[Point], theta: f32) -> Repulsion {
        let runs: Vec<Vec<Pushed>> = self
            .order
            .par_chunks(LANES * GROUPS)
            .map(|run| {
                run.chunks(LANES).flat_map(|group| self.walk(group, points, theta)).collect()
            })
            .collect();
        let mut forces = vec![[0.0; 2]; points.len()];
        let mut total = 0.0;
        for (&point, pushed) in self.order.iter().zip(runs.iter().flatten()) {
            forces[point as usize] = pushed.force;
            // A point does not push itself, but found itself at distance 0.
            total += f64::from(pushed.sum) - 1.0;
        }
        Repulsion { forces, total: total.max(f64::MIN_POSITIVE) }
    }

    fn walk(&self, group: &[u32], points: &[Point], theta: f32) -> impl Iterator<Item = Pushed> {
        // A short group is filled up with its last point.
        let last = group.len() - 1;
        let places: [Point; LANES] =
            std::array::from_fn(|lane| points[group[lane.min(last)] as usize]);
        let lanes = Lanes::walk(&self.cells, &places, theta * theta);
        (0..group.len()).map(move |lane| lanes.of(lane))
    }
}

/// What all points do to one.
struct Pushed {
    force: Point,
    sum: f32,
}

/// The sums of a group of points.
struct Lanes {
    x: [f32; LANES],
    y: [f32; LANES],
    sum: [f32; LANES],
}

impl Lanes {
    fn walk(cells: &[Cell], places: &[Point; LANES], squared_theta: f32) -> Self {
        let (xs, ys) = (places.map(|place| place[0]), places.map(|place| place[1]));
        let mut lanes = Self { x: [0.0; LANES], y: [0.0; LANES], sum: [0.0; LANES] };
        let mut at = 0;
        while let Some(&Cell { x, y, count, squared_side, next }) = cells.get(at) {
            let dx = xs.map(|value| value - x);
            let dy = ys.map(|value| value - y);
            let mut squared = [0.0; LANES];
            for lane in 0..LANES {
                squared[lane] = dx[lane] * dx[lane] + dy[lane] * dy[lane];
            }
            let nearest =
                squared.iter().copied().fold(f32::INFINITY, |a, b| if b < a { b } else { a });
            if squared_side > squared_theta * nearest {
                at += 1;
                continue;
            }
            for lane in 0..LANES {
                let kernel = 1.0 / (1.0 + squared[lane]);
                let weight = count * kernel;
                lanes.sum[lane] += weight;
                lanes.x[lane] += weight * kernel * dx[lane];
                lanes.y[lane] += weight * kernel * dy[lane];
            }
            at = next as usize;
        }
        lanes
    }

    fn of(&self, lane: usize) -> Pushed {
        Pushed { force: [self.x[lane], self.y[lane]], sum: self.sum[lane] }
    }
}

/// The root cell.
struct Square {
    corner: [f64; 2],
    side: f64,
}

impl Square {
    fn around(points: &[Point]) -> Self {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for point in points {
            for axis in [0, 1] {
                low[axis] = low[axis].min(f64::from(point[axis]));
                high[axis] = high[axis].max(f64::from(point[axis]));
            }
        }
        let side = (high[0] - low[0]).max(high[1] - low[1]).max(f64::MIN_POSITIVE);
        Self { corner: low, side }
    }

    /// The place in Morton order.
    fn key(&self, point: Point) -> u64 {
        let scale = 2f64.powi(32) / self.side;
        let cell = |axis: usize| {
            // Conversion saturates, so that the far edge falls into the last cell.
            ((f64::from(point[axis]) - self.corner[axis]) * scale) as u32
        };
        spread(cell(0)) | spread(cell(1)) << 1
    }
}

/// The bits of a number at even places.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

struct Builder<'a> {
    points: &'a [Point],
    keyed: &'a [(u64, u32)],
    side: f64,
    cells: Vec<Cell>,
}

impl Builder<'_> {
    /// Adds the smallest cell that holds the points from `first` to before `end` of the order, and
    /// all inside it; returns the sum of their coordinates.
    fn add(&mut self, first: usize, end: usize) -> [f64; 2] {
        let place = self.cells.len();
        self.cells.push(Cell { x: 0.0, y: 0.0, count: 0.0, squared_side: 0.0, next: 0 });
        let differ = self.keyed[first].0 ^ self.keyed[end - 1].0;
        let mut sum = [0.0; 2];
        if differ == 0 {
            for &(_, point) in &self.keyed[first..end] {
                let [x, y] = self.points[point as usize].map(f64::from);
                sum = [sum[0] + x, sum[1] + y];
            }
        } else {
            // Pairs of bits that all points of the cell have in common.
            let level = differ.leading_zeros() / 2;
            self.cells[place].squared_side = (self.side / 2f64.powi(level as i32)).powi(2) as f32;
            let quarter = |key: u64| key >> (62 - 2 * level) & 3;
            let mut from = first;
            while from < end {
                let this = quarter(self.keyed[from].0);
                let rest = &self.keyed[from..end];
                let to = from + rest.partition_point(|&(key, _)| quarter(key) <= this);
                let inside = self.add(from, to);
                sum = [sum[0] + inside[0], sum[1] + inside[1]];
                from = to;
            }
        }
        let count = (end - first) as f64;
        let next = self.cells.len() as u32;
        let cell = &mut self.cells[place];
        (cell.x, cell.y) = ((sum[0] / count) as f32, (sum[1] / count) as f32);
        (cell.count, cell.next) = (count as f32, next);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    fn scattered(n: usize, scale: f32) -> Vec<Point> {
        noise(n, 2, 31)
            .chunks_exact(2)
            .map(|p| [scale * p[0] * p[0] * p[0], scale * p[1]])
            .collect()
    }

    fn by_hand(points: &[Point]) -> Repulsion {
        let mut total = 0.0;
        let mut forces = Vec::new();
        for (i, a) in points.iter().enumerate() {
            let mut force = [0.0; 2];
            for (j, b) in points.iter().enumerate() {
                let apart = [0, 1].map(|axis| f64::from(a[axis]) - f64::from(b[axis]));
                let kernel = 1.0 / (1.0 + apart[0].powi(2) + apart[1].powi(2));
                total += if i == j { 0.0 } else { kernel };
                force = [0, 1].map(|axis| force[axis] + kernel * kernel * apart[axis]);
            }
            forces.push(force.map(|value| value as f32));
        }
        Repulsion { forces, total }
    }

    /// Length of the difference of all forces beside the length of all forces.
    fn error(found: &Repulsion, expected: &Repulsion) -> f32 {
        let square =
            |pairs: &mut dyn Iterator<Item = f32>| pairs.map(|v| v * v).sum::<f32>().sqrt();
        let flat = |r: &Repulsion| r.forces.iter().flatten().copied().collect::<Vec<f32>>();
        let (f, e) = (flat(found), flat(expected));
        square(&mut f.iter().zip(&e).map(|(f, e)| f - e)) / square(&mut e.iter().copied())
    }

    #[test]
    fn with_theta_zero_it_is_the_double_loop() {
        let mut points = scattered(700, 20.0);
        // Some points in one place.
        for i in 0..40 {
            points[i * 3] = points[0];
        }
        let expected = by_hand(&points);
        let found = Tree::new(&points).repulsion(&points, 0.0);
        assert!(error(&found, &expected) < 1e-5);
        assert!((found.total / expected.total - 1.0).abs() < 1e-5);
    }

    #[test]
    fn with_theta_one_half_it_is_close_and_does_less() {
        for scale in [1e-4, 1.0, 50.0] {
            let points = scattered(3000, scale);
            let expected = by_hand(&points);
            let found = same_on_any_threads(|| {
                let found = Tree::new(&points).repulsion(&points, 0.5);
                (found.forces, found.total)
            });
            let found = Repulsion { forces: found.0, total: found.1 };
            assert!(error(&found, &expected) < 0.01, "{scale}: {}", error(&found, &expected));
            assert!((found.total / expected.total - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn cells_hold_each_point_once() {
        let points = scattered(500, 3.0);
        let tree = Tree::new(&points);
        assert_eq!(tree.cells[0].count, 500.0);
        let at_the_bottom = tree.cells.iter().filter(|cell| cell.squared_side == 0.0);
        assert_eq!(at_the_bottom.map(|cell| cell.count).sum::<f32>(), 500.0);
        for (at, cell) in tree.cells.iter().enumerate() {
            assert!(cell.next as usize > at);
            if cell.squared_side > 0.0 {
                let mut inside = at + 1;
                let mut count = 0.0;
                while inside < cell.next as usize {
                    assert!(tree.cells[inside].squared_side < cell.squared_side);
                    count += tree.cells[inside].count;
                    inside = tree.cells[inside].next as usize;
                }
                assert_eq!(count, cell.count);
            }
        }
        let mut order = tree.order;
        order.sort_unstable();
        assert_eq!(order, (0..500).collect::<Vec<u32>>());
    }

    #[test]
    fn points_in_one_place_push_nobody_away() {
        let points = vec![[2.5, -1.0]; 20];
        let found = Tree::new(&points).repulsion(&points, 0.5);
        assert_eq!(found.forces, [[0.0; 2]; 20]);
        assert_eq!(found.total, 380.0);
    }
}
