//! Random streams that depend on what they are for, not on when they are drawn.
//!
//! A stream is named by a seed, a purpose and an item number. Streams are independent of one
//! another, so work may be done in any order and on any number of threads. The generator is
//! `ChaCha8` (Bernstein 2008; eight rounds as suggested by Aumasson, "Too much crypto", 2019):
//! the key is a BLAKE3 hash of seed and purpose, the item is the stream number.

use crate::Error;
use rand::seq::{SliceRandom, index};
use rand::{Rng, SeedableRng};

/// The generator behind every stream; use it through [`rand::Rng`] and `rand::RngExt`.
pub use rand_chacha::ChaCha8Rng as Stream;

/// The random stream of one item.
///
/// ```
/// use scarce_numeric::random::{permutation, stream};
/// let once = permutation(5, &mut stream(7, "budget", 0));
/// assert_eq!(once, permutation(5, &mut stream(7, "budget", 0)));
/// ```
pub fn stream(seed: u64, purpose: &str, item: u64) -> Stream {
    let mut hasher = blake3::Hasher::new_derive_key("scarce random stream 1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(purpose.as_bytes());
    let mut rng = Stream::from_seed(*hasher.finalize().as_bytes());
    rng.set_stream(item);
    rng
}

/// A number from 0 to below 1, in steps of 2⁻⁵³.
pub fn uniform(rng: &mut Stream) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Puts `items` in random order.
pub fn shuffle<T>(items: &mut [T], rng: &mut Stream) {
    items.shuffle(rng);
}

/// The numbers `0..n` in random order.
pub fn permutation(n: usize, rng: &mut Stream) -> Vec<usize> {
    let mut items: Vec<usize> = (0..n).collect();
    items.shuffle(rng);
    items
}

/// `amount` different numbers below `n`, in random order.
///
/// # Errors
/// [`Error::TooFew`] if `amount > n`.
pub fn sample(n: usize, amount: usize, rng: &mut Stream) -> Result<Vec<usize>, Error> {
    if amount > n {
        return Err(Error::TooFew { what: "different items", wanted: amount, available: n });
    }
    Ok(index::sample(rng, n, amount).into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn seed_purpose_and_item_each_make_another_stream() {
        let names = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1)];
        let firsts: HashSet<u64> = names
            .iter()
            .map(|&(seed, purpose, item)| stream(seed, purpose, item).next_u64())
            .collect();
        assert_eq!(firsts.len(), names.len());
    }

    #[test]
    fn streams_never_change() {
        // Published results hang on these numbers.
        assert_eq!(stream(0, "test", 0).next_u64(), 1_129_134_735_692_474_229);
        assert_eq!(permutation(6, &mut stream(3, "test", 1)), [2, 4, 0, 3, 5, 1]);
    }

    #[test]
    fn uniform_numbers_fill_the_unit_interval() {
        let mut rng = stream(0, "test", 0);
        let drawn: Vec<f64> = (0..10_000).map(|_| uniform(&mut rng)).collect();
        assert!(drawn.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = drawn.iter().sum::<f64>() / 1e4;
        let square = drawn.iter().map(|u| u * u).sum::<f64>() / 1e4;
        // Four standard errors: 4 · √(1/12) / 100 and 4 · √(4/45) / 100.
        assert!(
            (mean - 0.5).abs() < 0.012 && (square - 1.0 / 3.0).abs() < 0.012,
            "{mean} {square}"
        );
    }

    #[test]
    fn samples_are_different_and_below_n() {
        for amount in [0, 1, 50, 100] {
            let drawn = sample(100, amount, &mut stream(1, "test", 0)).unwrap();
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), amount);
            assert!(drawn.iter().all(|&i| i < 100));
        }
        assert!(sample(3, 4, &mut stream(1, "test", 0)).is_err());
    }
}
