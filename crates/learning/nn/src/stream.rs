//! Seeded randomness that is ours, not libtorch's.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many numbers a `u32` may be.
const U32_VALUES: f64 = (1_u64 << 32) as f64;

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
        let below = (share * U32_VALUES) as u64;
        let kept = (1.0 / (1.0 - share)) as f32;
        (0..n).map(|_| if u64::from(self.0.next_u32()) < below { 0.0 } else { kept }).collect()
    }

    /// `n` numbers from the standard normal distribution, two by two from two uniform ones (Box and
    /// Muller 1958).
    pub fn normals(&mut self, n: usize) -> Vec<f32> {
        let mut normals = Vec::with_capacity(n + 1);
        while normals.len() < n {
            // in (0, 1], so that the logarithm is finite
            let first = (f64::from(self.0.next_u32()) + 1.0) / U32_VALUES;
            let second = f64::from(self.0.next_u32()) / U32_VALUES;
            let radius = (-2.0 * first.ln()).sqrt();
            let (sine, cosine) = (TAU * second).sin_cos();
            normals.extend([(radius * cosine) as f32, (radius * sine) as f32]);
        }
        normals.truncate(n);
        normals
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
