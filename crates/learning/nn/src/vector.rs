//! Functions of many numbers at once, without tensors.
//!
//! They are compiled for several instruction sets, of which pulp takes the best that a machine has. All
//! of them do the same operations in the same order and so give the same bits. What the functions
//! cost is passes over memory, so those that are used together are computed together.

use std::f32::consts::{LN_2, LOG2_E, SQRT_2};

use faer::traits::pulp::Arch;

/// Partial sums, so that the compiler may use vector instructions without reordering.
const LANES: usize = 16;
/// Added to a small number, it leaves the nearest whole number in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few enough digits for exact products.
const LN_2_PARTS: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);

/// Runs work compiled for the best vector instructions that the machine has: whatever is inlined into a
/// closure that is marked `#[inline(always)]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that the closure is inlined too")]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// eˣ to the last bit or two; arguments beyond ±87 count as ±87, and NaN as −87.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn exp(x: f32) -> f32 {
    // (an instruction each, unlike `clamp`, which keeps NaN)
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 87.0 { x } else { 87.0 };
    let rounded = x * LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = x - whole * LN_2_PARTS.0 - whole * LN_2_PARTS.1;
    // the minimax polynomial of the Cephes library for |rest| ≤ ½ ln 2
    let mut sum = 1.987_569_1e-4;
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.0e-1] {
        sum = sum * rest + factor;
    }
    let power = sum * rest * rest + rest + 1.0;
    // times two to the whole number: that is added to the exponent
    f32::from_bits(power.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// ln(1 + x) for x in [0, 1].
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn ln_1p(x: f32) -> f32 {
    let halved = x > SQRT_2 - 1.0;
    // 1 + x, or half of it, less one
    let f = if halved { (x - 1.0) * 0.5 } else { x };
    // the minimax polynomial of the Cephes library for √½ ≤ 1 + f ≤ √2
    let mut sum = 7.037_683_6e-2;
    let factors = [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    for factor in factors {
        sum = sum * f + factor;
    }
    let square = f * f;
    let ln = f + (sum * f * square - 0.5 * square);
    if halved { ln + LN_2 } else { ln }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn sigmoid(x: f32) -> f32 {
    // NaN has to show in the loss
    if x.is_nan() { x } else { 1.0 / (1.0 + exp(-x)) }
}

/// Sets every number to 1 / (1 + e⁻ˣ).
pub(crate) fn sigmoid_all(x: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x = sigmoid(*x)),
    );
}

/// So many numbers are worked on at a time, and added in `f32`.
const BLOCK: usize = 64 * LANES;

/// The sum of the binary cross-entropies of `target` under the probabilities 1 / (1 + e⁻ʸ), and its
/// gradient by each `y` times `scale`, which takes the place of `y`.
pub fn cross_entropy(y: &mut [f32], target: &[f32], scale: f32) -> f64 {
    let mut room = [0.0_f32; BLOCK];
    let mut sum = 0.0;
    for (y, target) in y.chunks_mut(BLOCK).zip(target.chunks(BLOCK)) {
        let room = &mut room[..y.len()];
        sum += vectorized(
            // pass by pass: of all at once the compiler makes no vectors
            #[inline(always)]
            || {
                for (room, &y) in room.iter_mut().zip(&*y) {
                    *room = exp(-y.abs());
                }
                for ((room, y), &x) in room.iter_mut().zip(y).zip(target) {
                    let small = *room;
                    let of_sign = if *y < 0.0 { small } else { 1.0 };
                    let above = if *y < 0.0 { 0.0 } else { *y };
                    *room = above - x * *y + ln_1p(small);
                    *y = (of_sign / (1.0 + small) - x) * scale;
                }
                total(room)
            },
        );
    }
    sum
}

/// The sum of the squared differences of `y` and `target`, and its gradient by each `y` times `scale`,
/// which takes the place of `y`.
pub fn squared_error(y: &mut [f32], target: &[f32], scale: f32) -> f64 {
    let mut room = [0.0_f32; BLOCK];
    let mut sum = 0.0;
    for (y, target) in y.chunks_mut(BLOCK).zip(target.chunks(BLOCK)) {
        let room = &mut room[..y.len()];
        sum += vectorized(
            #[inline(always)]
            || {
                for ((room, y), &x) in room.iter_mut().zip(y).zip(target) {
                    let difference = *y - x;
                    *room = difference * difference;
                    *y = 2.0 * difference * scale;
                }
                total(room)
            },
        );
    }
    sum
}

/// The sum of all numbers, in a fixed order.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn total(x: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_and_logarithms_are_right_to_the_last_digits() {
        for step in -8700..=8700_i32 {
            let x = step as f32 / 100.0;
            let (found, right) = (exp(x), f64::from(x).exp());
            assert!((f64::from(found) / right - 1.0).abs() < 3e-7, "{x} {found} {right}");
        }
        for step in 0..=1000 {
            let x = step as f32 / 1000.0;
            let right = f64::from(x).ln_1p();
            assert!((f64::from(ln_1p(x)) - right).abs() <= 2e-7 * right, "{x}");
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let mut all = [f32::NAN, -f32::NAN, 0.0, f32::NEG_INFINITY, f32::INFINITY];
        sigmoid_all(&mut all);
        assert!(all[0].is_nan() && all[1].is_nan(), "{all:?}");
        assert!(all[2] == 0.5 && all[3] < 1e-37 && all[4] == 1.0, "{all:?}");
    }

    #[test]
    fn cross_entropies_are_right_far_from_zero_and_near() {
        for y in [-90.0, -20.0, -1.0, -1e-3, 0.0, 0.5, 3.0, 40.0, 100.0_f32] {
            for x in [0.0, 0.25, 1.0_f32] {
                let wide = f64::from(y);
                let softplus = wide.max(0.0) + (-wide.abs()).exp().ln_1p();
                let (right, slope) = (softplus - f64::from(x) * wide, 1.0 / (1.0 + (-wide).exp()));
                let mut all = [y; LANES + 3];
                let sum = cross_entropy(&mut all, &[x; LANES + 3], 2.0);
                let each = sum / (LANES + 3) as f64;
                assert!((each - right).abs() <= 1e-6 * right.max(1e-3), "{y} {x} {each} {right}");
                let slope = 2.0 * (slope - f64::from(x));
                assert!(
                    all.iter().all(|&found| (f64::from(found) - slope).abs() < 1e-6),
                    "{y} {x}"
                );
            }
        }
        assert!(!cross_entropy(&mut [f32::NAN], &[0.0], 1.0).is_finite());
    }
}
