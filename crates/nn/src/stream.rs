//! Seeded randomness that is ours, not libtorch's.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// An endless stream of random numbers, given by a seed and a purpose.
///
/// Each purpose (`shuffle 3`, `init encoder.0.weight`) has its own, so that one more draw
/// here changes nothing there.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream for `purpose` under `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// The next number, uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f32 {
        // as many bits as a float holds
        (self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32
    }

    /// The next number, uniform in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * n as u128;
        (wide >> 64) as usize
    }

    /// For each of `n` numbers 0 with probability `share`, else `1 / (1 − share)`.
    pub fn kept(&mut self, n: usize, share: f64) -> Vec<f32> {
        let below = (share * f64::from(1_u32 << 16) * f64::from(1_u32 << 16)) as u64;
        let kept = (1.0 / (1.0 - share)) as f32;
        (0..n).map(|_| if u64::from(self.0.next_u32()) < below { 0.0 } else { kept }).collect()
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
