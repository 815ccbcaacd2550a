//! A borrowed row-major matrix.

use crate::Error;
use rayon::prelude::*;
use std::ops::Range;

/// A view of row-major `f32` numbers: `data: [rows, cols]`.
///
/// ```
/// use scarce_numeric::Matrix;
/// let m = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3)?;
/// assert_eq!(m.row(1), [4.0, 5.0, 6.0]);
/// # Ok::<(), scarce_numeric::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
}

impl<'a> Matrix<'a> {
    /// Sees `data` as `rows` rows of `cols` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `data.len() == rows * cols` and `cols > 0`.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Result<Self, Error> {
        if cols == 0 || rows.checked_mul(cols) != Some(data.len()) {
            let found = data.len();
            return Err(Error::Shape { rows, cols, found });
        }
        Ok(Self { data, rows, cols })
    }

    /// Number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Numbers per row, at least 1.
    pub fn cols(self) -> usize {
        self.cols
    }

    /// All numbers, row after row.
    pub fn data(self) -> &'a [f32] {
        self.data
    }

    /// Row `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(self, index: usize) -> &'a [f32] {
        &self.data[index * self.cols..][..self.cols]
    }

    /// The rows in order.
    pub fn iter_rows(self) -> std::slice::ChunksExact<'a, f32> {
        self.data.chunks_exact(self.cols)
    }

    /// The rows of `range` as a matrix.
    ///
    /// # Panics
    /// If the range reaches beyond the last row.
    #[must_use]
    pub fn block(self, range: Range<usize>) -> Self {
        Self {
            data: &self.data[range.start * self.cols..range.end * self.cols],
            rows: range.len(),
            cols: self.cols,
        }
    }

    /// Looks for NaN and infinities.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the place of the first one.
    pub fn check_finite(self) -> Result<(), Error> {
        const CHUNK: usize = 1 << 14;
        // Without an early way out the compiler can use vector instructions.
        let all_finite = |chunk: &[f32]| chunk.iter().fold(true, |ok, v| ok & v.is_finite());
        let bad =
            self.data.par_chunks(CHUNK).enumerate().find_first(|(_, chunk)| !all_finite(chunk));
        let Some((number, chunk)) = bad else {
            return Ok(());
        };
        let within = chunk.iter().position(|v| !v.is_finite()).unwrap_or(0);
        let position = number * CHUNK + within;
        Err(Error::NotFinite { row: position / self.cols, column: position % self.cols })
    }

    /// Checks that two matrices have rows of the same length.
    pub fn check_width(self, other: Matrix<'_>) -> Result<(), Error> {
        if self.cols == other.cols {
            Ok(())
        } else {
            Err(Error::Width { left: self.cols, right: other.cols })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_wrong_length_and_no_columns() {
        assert!(matches!(Matrix::new(&[0.0; 5], 2, 3), Err(Error::Shape { found: 5, .. })));
        assert!(Matrix::new(&[], 4, 0).is_err());
        assert!(Matrix::new(&[0.0; 2], usize::MAX, 2).is_err());
        assert_eq!(Matrix::new(&[], 0, 3).unwrap().rows(), 0);
    }

    #[test]
    fn finds_the_first_value_that_is_not_finite() {
        let mut data = vec![1.0f32; 50_000];
        let m = Matrix::new(&data, 5_000, 10).unwrap();
        assert_eq!(m.check_finite(), Ok(()));
        data[40_007] = f32::INFINITY;
        data[41_007] = f32::NAN;
        let m = Matrix::new(&data, 5_000, 10).unwrap();
        let place = Error::NotFinite { row: 4_000, column: 7 };
        assert_eq!(m.check_finite(), Err(place));
    }
}
