//! One case of an attack, and what it draws.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What came of a case that broke no promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The promise was kept.
    Survived,
    /// It could not be tried here, and why.
    Skipped(String),
}

/// One case: a number and the draws that belong to it.
#[derive(Debug)]
pub struct Case {
    /// Counts from 0 within the family; attacks that go through a list take the entry of this number.
    pub number: u64,
    /// What the whole campaign was given.
    pub seed: u64,
    draws: ChaCha8Rng,
}

impl Case {
    /// The case of a family, a seed and a number: always the same.
    pub fn new(family: &str, seed: u64, number: u64) -> Self {
        let name = format!("{family} {seed} {number}");
        let draws = ChaCha8Rng::from_seed(*blake3::hash(name.as_bytes()).as_bytes());
        Self { number, seed, draws }
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        self.draws.random_range(from..=to)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        self.draws.random_range(0..end)
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// The entry of a list that belongs to this number, so that all are tried in turn.
    pub fn turn<'a, T>(&self, list: &'a [T]) -> &'a T {
        &list[self.number as usize % list.len()]
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A moment before `end`.
    pub fn moment(&mut self, end: Duration) -> Duration {
        end.mul_f64(self.draws.random::<f64>())
    }

    /// Bytes of any value.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.draws.random()).collect()
    }

    /// Thirty-two bytes for a generator of somebody else's.
    pub fn key(&mut self) -> [u8; 32] {
        self.draws.random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_case_draws_the_same_and_another_does_not() {
        let draws = |seed, number| Case::new("kills", seed, number).bytes(8);
        assert_eq!(draws(1, 2), draws(1, 2));
        assert_ne!(draws(1, 2), draws(2, 1));
        assert_ne!(draws(1, 2), Case::new("disks", 1, 2).bytes(8));
    }

    #[test]
    fn lists_are_gone_through_in_turn() {
        let list = ["a", "b", "c"];
        let turns: Vec<&str> = (0..4).map(|n| *Case::new("x", 0, n).turn(&list)).collect();
        assert_eq!(turns, ["a", "b", "c", "a"]);
    }
}
