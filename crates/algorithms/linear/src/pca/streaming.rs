//! PCA of data that come batch by batch: one pass for the mean, one for the covariance.

use super::{FittedPca, MOST_COLUMNS, Pca};
use rayon::prelude::*;
use scarce_numeric::{Error, Matrix, blocks::ordered_sum, product::add_at_b};

/// Columns of the covariance matrix that one thread sums at a time.
const COLUMN_BLOCK: usize = 64;

/// The first pass: sums every column.
///
/// ```
/// use scarce_linear::{Pca, pca::MeanSum};
/// use scarce_numeric::Matrix;
/// let batches = [[0.0, 0.0, 1.0, 1.1], [2.0, 1.9, 3.0, 3.0]];
/// let mut means = MeanSum::new(2)?;
/// for batch in &batches {
///     means.add(Matrix::new(batch, 2, 2)?)?;
/// }
/// let mut covariance = means.finish()?;
/// for batch in &batches {
///     covariance.add(Matrix::new(batch, 2, 2)?)?;
/// }
/// let fitted = covariance.fit(Pca { components: 1, whiten: 0.0 })?;
/// assert!(fitted.explained_ratio[0] > 0.99);
/// # Ok::<(), scarce_numeric::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MeanSum {
    rows: usize,
    sums: Vec<f64>,
}

impl MeanSum {
    /// Nothing yet, of `cols` columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no columns, [`Error::TooWide`] for more than 4096.
    pub fn new(cols: usize) -> Result<Self, Error> {
        if cols == 0 {
            let (name, must) = ("columns", "at least 1");
            return Err(Error::Parameter { name, must, value: "0".into() });
        }
        if cols > MOST_COLUMNS {
            return Err(Error::TooWide { cols, limit: MOST_COLUMNS });
        }
        Ok(Self { rows: 0, sums: vec![0.0; cols] })
    }

    /// Adds the rows of `x: [n, cols]`.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`].
    pub fn add(&mut self, x: Matrix<'_>) -> Result<(), Error> {
        check(self.sums.len(), x)?;
        let sums = ordered_sum(x.rows(), x.cols(), |range, sum| {
            for row in x.block(range).iter_rows() {
                for (s, &v) in sum.iter_mut().zip(row) {
                    *s += f64::from(v);
                }
            }
        });
        self.rows += x.rows();
        self.sums.iter_mut().zip(sums).for_each(|(total, s)| *total += s);
        Ok(())
    }

    /// The mean is known; now for the covariance.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two rows.
    pub fn finish(self) -> Result<CovarianceSum, Error> {
        if self.rows < 2 {
            return Err(Error::TooFew { what: "rows", wanted: 2, available: self.rows });
        }
        let cols = self.sums.len();
        let mean = self.sums.into_iter().map(|sum| sum / self.rows as f64).collect();
        Ok(CovarianceSum { expected: self.rows, rows: 0, mean, sums: vec![0.0; cols * cols] })
    }
}

/// The second pass: sums the products of the distances to the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CovarianceSum {
    /// Rows of the first pass.
    expected: usize,
    rows: usize,
    mean: Vec<f64>,
    /// `[cols, cols]`.
    sums: Vec<f64>,
}

impl CovarianceSum {
    /// Adds the rows of `x: [n, cols]`: the same that gave the mean.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`].
    pub fn add(&mut self, x: Matrix<'_>) -> Result<(), Error> {
        check(self.mean.len(), x)?;
        if x.rows() == 0 {
            return Ok(());
        }
        let d = x.cols();
        let centred: Vec<f64> = x
            .iter_rows()
            .flat_map(|row| row.iter().zip(&self.mean).map(|(&v, m)| f64::from(v) - m))
            .collect();
        // Each thread has columns of its own, so nothing is summed in another order.
        self.sums.par_chunks_mut(COLUMN_BLOCK * d).enumerate().for_each(|(block, sums)| {
            let first = block * COLUMN_BLOCK;
            let columns = first..first + sums.len() / d;
            let part: Vec<f64> =
                centred.chunks_exact(d).flat_map(|row| &row[columns.clone()]).copied().collect();
            add_at_b(&part, &centred, x.rows(), 1.0, sums);
        });
        self.rows += x.rows();
        Ok(())
    }

    /// Rows seen so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers per row.
    pub fn cols(&self) -> usize {
        self.mean.len()
    }

    /// The components of all rows, as [`Pca::fit`] finds them.
    ///
    /// # Errors
    /// [`Error::TooFew`] if there are more components than min(n, d), [`Error::Length`] if the two
    /// passes saw different numbers of rows; [`Error::Parameter`], [`Error::NoConvergence`].
    pub fn fit(&self, pca: Pca) -> Result<FittedPca, Error> {
        scarce_numeric::error::check_length("rows of the second pass", self.expected, self.rows)?;
        pca.check_shape(self.rows, self.cols())?;
        let divisor = (self.rows - 1) as f64;
        let covariance: Vec<f64> = self.sums.iter().map(|sum| sum / divisor).collect();
        pca.components_of(&self.mean, &covariance)
    }
}

fn check(cols: usize, x: Matrix<'_>) -> Result<(), Error> {
    if cols == x.cols() {
        x.check_finite()
    } else {
        Err(Error::Width { left: cols, right: x.cols() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing as fixtures;
    use scarce_testing::same_on_any_threads;

    fn fit(x: Matrix<'_>, batch: usize, pca: Pca) -> Result<FittedPca, Error> {
        let batches =
            || scarce_numeric::blocks::ranges(x.rows(), batch).map(|range| x.block(range));
        let mut means = MeanSum::new(x.cols())?;
        batches().try_for_each(|rows| means.add(rows))?;
        let mut covariance = means.finish()?;
        batches().try_for_each(|rows| covariance.add(rows))?;
        covariance.fit(pca)
    }

    #[test]
    fn batches_give_what_the_whole_gives() {
        let data = fixtures::noise(1500, 130, 14);
        let x = Matrix::new(&data, 1500, 130).unwrap();
        let pca = Pca { components: 7, whiten: 1.0 };
        let whole = pca.fit(x).unwrap();
        for batch in [1, 100, 1024, 5000] {
            let found = same_on_any_threads(|| fit(x, batch, pca).unwrap());
            fixtures::assert_close(&found.mean, &whole.mean, 1e-6);
            fixtures::assert_close(&found.components, &whole.components, 1e-4);
            let ratios = found.explained_ratio.iter().zip(&whole.explained_ratio);
            assert!(ratios.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn impossible_requests_are_errors() {
        let pca = Pca { components: 1, whiten: 0.0 };
        let x = Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2, 2).unwrap();
        assert!(matches!(fit(x.block(0..1), 1, pca), Err(Error::TooFew { wanted: 2, .. })));
        assert!(matches!(fit(x, 1, Pca { components: 3, ..pca }), Err(Error::TooFew { .. })));
        assert!(MeanSum::new(0).is_err());
        assert!(matches!(MeanSum::new(5000), Err(Error::TooWide { .. })));
        let mut means = MeanSum::new(2).unwrap();
        means.add(x).unwrap();
        assert!(means.add(Matrix::new(&[0.0; 3], 1, 3).unwrap()).is_err());
        let mut covariance = means.finish().unwrap();
        covariance.add(x.block(0..1)).unwrap();
        assert!(matches!(covariance.fit(pca), Err(Error::Length { .. })));
        assert!(covariance.add(Matrix::new(&[f32::NAN; 2], 1, 2).unwrap()).is_err());
    }
}
