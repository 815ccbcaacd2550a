//! A mixture of von Mises–Fisher distributions, one per class, that begins with beliefs.

use rayon::prelude::*;

use super::super::Seeds;
use scarce_numeric::{
    blocks::{ROW_BLOCK, ordered_sum},
    product::{add_a_bt, at_b},
    softmax::softmax_rows,
};

use super::unit_rows;

/// Rounds of maximisation and expectation.
pub(super) const ROUNDS: usize = 4;
/// κ: how close to their direction the rows of a class lie, the same for all.
const CONCENTRATION: f32 = 10.0;
/// As how many further rows of its class a labelled row counts.
const LABEL_WEIGHT: f32 = 20.0;
/// The power to which the shares of the classes count: half of the way from what the rows say, which is
/// little in the beginning, to classes of equal size.
const SHARES: f64 = 0.5;
/// The least share of a class, so that its logarithm is a number.
const LEAST_SHARE: f64 = 1e-9;

/// Directions and shares of the classes.
pub(super) struct Mixture<'a> {
    /// Rows of length 1: `[n, k]`.
    rows: Vec<f32>,
    k: usize,
    seeds: &'a Seeds,
    /// `[classes, k]`.
    directions: Vec<f32>,
    /// `[classes]`.
    shares: Vec<f64>,
}

impl<'a> Mixture<'a> {
    pub(super) fn new(features: &[f32], k: usize, seeds: &'a Seeds) -> Self {
        let rows = unit_rows(features, k);
        Self { rows, k, seeds, directions: Vec::new(), shares: Vec::new() }
    }

    /// Directions and shares from the belief in each class, `[n, classes]`, and from the labels.
    pub(super) fn maximise(&mut self, belief: &[f32]) {
        let (classes, k) = (self.seeds.classes(), self.k);
        let mut belief = belief.to_vec();
        for (node, class) in self.seeds.iter() {
            let row = &mut belief[node as usize * classes..][..classes];
            row.fill(0.0);
            row[class] = 1.0 + LABEL_WEIGHT;
        }
        // Sums of rows by class, and after them the mass of each class.
        let sums = ordered_sum(belief.len() / classes, classes * (k + 1), |range, sum| {
            let rows = &self.rows[range.start * k..range.end * k];
            let belief = &belief[range.start * classes..range.end * classes];
            let mut product = vec![0f32; classes * k];
            at_b(belief, rows, range.len(), 1.0, &mut product);
            let (of_rows, masses) = sum.split_at_mut(classes * k);
            for (to, from) in of_rows.iter_mut().zip(product) {
                *to += f64::from(from);
            }
            for row in belief.chunks_exact(classes) {
                for (to, &from) in masses.iter_mut().zip(row) {
                    *to += f64::from(from);
                }
            }
        });
        let (of_rows, masses) = sums.split_at(classes * k);
        let of_rows: Vec<f32> = of_rows.iter().map(|&sum| sum as f32).collect();
        self.directions = unit_rows(&of_rows, k);
        let whole: f64 = masses.iter().sum();
        self.shares = masses.iter().map(|mass| mass / whole).collect();
    }

    /// The belief in each class by direction and share: `[n, classes]`. A class without labels has 0.
    pub(super) fn expect(&self) -> Vec<f32> {
        let (classes, k) = (self.seeds.classes(), self.k);
        let counts = self.seeds.counts();
        let offset = |(share, &count): (&f64, &usize)| match count {
            0 => f32::NEG_INFINITY,
            _ => (SHARES * share.max(LEAST_SHARE).ln()) as f32,
        };
        let offsets: Vec<f32> = self.shares.iter().zip(&counts).map(offset).collect();
        let mut belief = vec![0f32; self.rows.len() / k * classes];
        belief.par_chunks_mut(ROW_BLOCK * classes).enumerate().for_each(|(block, out)| {
            let rows = &self.rows[block * ROW_BLOCK * k..][..out.len() / classes * k];
            out.copy_from_slice(&offsets.repeat(out.len() / classes));
            add_a_bt(rows, &self.directions, k, CONCENTRATION, out);
        });
        softmax_rows(&mut belief, classes);
        belief
    }

    /// The shares of the classes: `[classes]`.
    pub(super) fn shares(self) -> Vec<f64> {
        self.shares
    }
}
