//! Random streams that depend on what they are for, not on when they are drawn.
//!
//! A stream is named by a seed, a purpose and an item number. Streams are independent of one
//! another, so work may be done in any order and on any number of threads. The generator is
//! `ChaCha8` (Bernstein 2008; eight rounds as suggested by Aumasson, "Too much crypto", 2019):
//! the key is a BLAKE3 hash of seed and purpose, the item is the stream number.

use crate::Error;
use rand::SeedableRng;
use rand::seq::{SliceRandom, index};

/// The generator behind every stream; use it through [`rand::Rng`] and `rand::RngExt`.
pub use rand_chacha::ChaCha8Rng as Stream;

/// The random stream of one item.
///
/// ```
/// use scarce_kernels::random::{permutation, stream};
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
    use rand::Rng;
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
    fn samples_are_different_and_below_n() {
        for amount in [0, 1, 50, 100] {
            let drawn = sample(100, amount, &mut stream(1, "test", 0)).unwrap();
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), amount);
            assert!(drawn.iter().all(|&i| i < 100));
        }
        assert!(sample(3, 4, &mut stream(1, "test", 0)).is_err());
    }
}
