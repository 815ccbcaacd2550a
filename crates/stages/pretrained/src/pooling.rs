//! From an output of a network to one vector per image.

use crate::params::{Pooling, Pooling as Asked};

/// What is done to an output of a certain shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// The numbers as they are.
    Whole,
    /// The first of vectors of this many numbers.
    First(usize),
    /// The mean of vectors of this many numbers.
    MeanOfRows(usize),
    /// The mean of each group of so many numbers in a row: the places of a feature map.
    MeanOfPlaces(usize),
}

impl Pool {
    /// What `asked` means for an output of this shape, the batch left out. An error says why it means
    /// nothing.
    pub(crate) fn of(asked: Asked, shape: &[usize]) -> Result<Self, String> {
        match (asked, shape) {
            (_, [] | [0, ..]) => Err("it has no numbers for each image".to_owned()),
            (Pooling::None, _) | (Pooling::Auto, [_] | [_, 1, 1]) => Ok(Self::Whole),
            (Pooling::Cls, &[_, width]) => Ok(Self::First(width)),
            (Pooling::Mean, &[_, width]) => Ok(Self::MeanOfRows(width)),
            (Pooling::Auto, &[rows, width]) if is_square(rows - 1) => Ok(Self::First(width)),
            (Pooling::Auto, &[rows, width]) if is_square(rows) => Ok(Self::MeanOfRows(width)),
            (Pooling::Mean | Pooling::Auto, &[_, height, width]) => {
                Ok(Self::MeanOfPlaces(height * width))
            }
            (Pooling::Auto, &[rows, _]) => {
                Err(format!("which of its {rows} vectors is meant cannot be told"))
            }
            _ => Err(format!("an output of shape {shape:?} has no such part")),
        }
    }

    /// Numbers that come of an output of so many.
    pub(crate) fn width(self, numbers: usize) -> usize {
        match self {
            Self::Whole => numbers,
            Self::First(width) | Self::MeanOfRows(width) => width,
            Self::MeanOfPlaces(places) => numbers / places.max(1),
        }
    }

    /// The vector of one image.
    pub(crate) fn vector(self, output: &[f32]) -> Vec<f32> {
        match self {
            Self::Whole => output.to_vec(),
            Self::First(width) => output[..width].to_vec(),
            Self::MeanOfRows(width) => {
                let mut sums = vec![0.0_f64; width];
                for row in output.chunks_exact(width) {
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
                }
                let rows = (output.len() / width) as f64;
                sums.into_iter().map(|sum| (sum / rows) as f32).collect()
            }
            Self::MeanOfPlaces(places) => {
                let mean = |group: &[f32]| {
                    (group.iter().map(|&x| f64::from(x)).sum::<f64>() / places as f64) as f32
                };
                output.chunks_exact(places).map(mean).collect()
            }
        }
    }
}

fn is_square(n: usize) -> bool {
    n > 0 && n.isqrt().pow(2) == n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_in_use_become_one_vector() {
        let auto = |shape: &[usize]| Pool::of(Asked::Auto, shape);
        assert_eq!(auto(&[1280]), Ok(Pool::Whole));
        // A class token before 16 × 16 patches; 14 × 14 patches without one; with four registers.
        assert_eq!(auto(&[257, 384]), Ok(Pool::First(384)));
        assert_eq!(auto(&[196, 768]), Ok(Pool::MeanOfRows(768)));
        assert!(auto(&[261, 384]).is_err());
        assert_eq!(Pool::of(Asked::Cls, &[261, 384]), Ok(Pool::First(384)));
        assert_eq!(auto(&[1280, 7, 7]), Ok(Pool::MeanOfPlaces(49)));
        assert_eq!(Pool::of(Asked::None, &[2, 3]).map(|pool| pool.width(6)), Ok(6));
        assert!(Pool::of(Asked::Cls, &[1280]).is_err());
        assert!(auto(&[]).is_err());
    }

    #[test]
    fn means_are_over_the_right_numbers() {
        let output = [1., 2., 3., 4., 5., 6.];
        assert_eq!(Pool::First(2).vector(&output), [1., 2.]);
        assert_eq!(Pool::MeanOfRows(2).vector(&output), [3., 4.]);
        assert_eq!(Pool::MeanOfPlaces(3).vector(&output), [2., 5.]);
        assert_eq!(Pool::MeanOfPlaces(3).width(6), 2);
    }
}
