//! Principal component analysis.
//!
//! K. Pearson, "On lines and planes of closest fit", Phil. Mag. 2 (1901). The components are the
//! eigenvectors of the covariance matrix, which is summed in `f64`. Each is turned so that its
//! entry of largest size is positive (scikit-learn's `svd_flip` on the components).

mod streaming;

pub use streaming::{CovarianceSum, MeanSum};

use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, column_means},
    eigen::{covariance, eigen},
    error::check_length,
    product::add_a_bt,
};

/// Most columns: beyond, the covariance matrix and its eigenvectors get slow and large.
const MOST_COLUMNS: usize = 4096;

/// What PCA shall do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pca {
    /// How many components to keep, at least 1.
    pub components: usize,
    /// How far variances are levelled: components of variance v are divided by v to the power of half
    /// of this. 0 leaves them, 1 gives each variance 1, 0.5 standard deviations where variances were.
    pub whiten: f64,
}

/// Components found by [`Pca::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPca {
    /// Numbers per row.
    pub cols: usize,
    /// Mean row, `[cols]`.
    pub mean: Vec<f32>,
    /// Components of length 1, by falling variance, `[components, cols]`.
    pub components: Vec<f32>,
    /// Variance along every component (divisor n − 1), `[components]`.
    pub explained_variance: Vec<f64>,
    /// The same as a share of the total variance; zeros if there is none.
    pub explained_ratio: Vec<f64>,
    /// How far [`FittedPca::transform`] levels variances, see [`Pca::whiten`].
    pub whiten: f64,
}

impl Pca {
    /// Finds the components of `x: [n, d]`.
    ///
    /// # Errors
    /// [`Error::TooFew`] if `n < 2` or there are more components than min(n, d);
    /// [`Error::TooWide`] if d > 4096; [`Error::Parameter`], [`Error::NotFinite`].
    pub fn fit(&self, x: Matrix<'_>) -> Result<FittedPca, Error> {
        self.check_shape(x.rows(), x.cols())?;
        x.check_finite()?;
        let mean = column_means(x);
        self.components_of(&mean, &covariance(x, &mean))
    }

    /// Components from the mean, `[d]`, and the covariance matrix, `[d, d]`.
    fn components_of(self, mean: &[f64], covariance: &[f64]) -> Result<FittedPca, Error> {
        let (d, k) = (mean.len(), self.components);
        let total: f64 = (0..d).map(|i| covariance[i * d + i]).sum();
        let (values, vectors) = eigen(covariance, d)?;

        let mut components = Vec::with_capacity(k * d);
        let mut explained_variance = Vec::with_capacity(k);
        // faer sorts upwards.
        for column in (d - k..d).rev() {
            let component: Vec<f64> = (0..d).map(|row| vectors[(row, column)]).collect();
            let sign = sign_of_largest(&component);
            components.extend(component.iter().map(|v| (sign * v) as f32));
            explained_variance.push(values[column].max(0.0));
        }
        let share = |v: &f64| if total > 0.0 { v / total } else { 0.0 };
        Ok(FittedPca {
            cols: d,
            mean: mean.iter().map(|&m| m as f32).collect(),
            components,
            explained_ratio: explained_variance.iter().map(share).collect(),
            explained_variance,
            whiten: self.whiten,
        })
    }

    /// Checks the request against the data's rows and columns.
    fn check_shape(self, n: usize, d: usize) -> Result<(), Error> {
        let k = self.components;
        let too_few = |what, wanted, available| Err(Error::TooFew { what, wanted, available });
        if k == 0 {
            return Err(Error::Parameter {
                name: "components",
                must: "at least 1",
                value: "0".into(),
            });
        }
        if !(0.0..=1.0).contains(&self.whiten) {
            let value = self.whiten.to_string();
            return Err(Error::Parameter { name: "whiten", must: "between 0 and 1", value });
        }
        if n < 2 {
            return too_few("rows", 2, n);
        }
        if k > n.min(d) {
            return too_few("components", k, n.min(d));
        }
        if d > MOST_COLUMNS {
            let limit = MOST_COLUMNS;
            return Err(Error::TooWide { cols: d, limit });
        }
        Ok(())
    }
}

/// 1 or −1, so that the first entry of largest size becomes positive.
fn sign_of_largest(component: &[f64]) -> f64 {
    let mut largest = 0.0f64;
    for &value in component {
        if value.abs() > largest.abs() {
            largest = value;
        }
    }
    if largest < 0.0 { -1.0 } else { 1.0 }
}

impl FittedPca {
    /// Number of components.
    pub fn len(&self) -> usize {
        self.explained_variance.len()
    }

    /// Whether there are no components; never so after [`Pca::fit`].
    pub fn is_empty(&self) -> bool {
        self.explained_variance.is_empty()
    }

    /// Coordinates of every row of `x: [n, cols]` along the components, `[n, components]`. With
    /// `whiten`, a component without variance gives 0.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`]; [`Error::Length`] if the public fields were
    /// changed so that they disagree.
    pub fn transform(&self, x: Matrix<'_>) -> Result<Vec<f32>, Error> {
        if x.cols() != self.cols {
            return Err(Error::Width { left: self.cols, right: x.cols() });
        }
        let (d, k) = (self.cols, self.len());
        check_length("mean", d, self.mean.len())?;
        check_length("components", k * d, self.components.len())?;
        x.check_finite()?;
        let scales = self.scales();
        let mut out = vec![0f32; x.rows() * k];
        out.par_chunks_mut(ROW_BLOCK * k).zip(x.data().par_chunks(ROW_BLOCK * d)).for_each(
            |(out, rows)| {
                let centred: Vec<f32> = rows
                    .chunks_exact(d)
                    .flat_map(|row| row.iter().zip(&self.mean).map(|(v, m)| v - m))
                    .collect();
                add_a_bt(&centred, &self.components, d, 1.0, out);
                for row in out.chunks_exact_mut(k) {
                    for (value, scale) in row.iter_mut().zip(&scales) {
                        *value *= scale;
                    }
                }
            },
        );
        Ok(out)
    }

    /// What [`FittedPca::transform`] multiplies every component by, `[components]`.
    fn scales(&self) -> Vec<f32> {
        // Variances below this are rounding; dividing by them would give noise.
        let least = self.explained_variance.first().map_or(0.0, |v| v * 1e-14);
        let scale = |&variance: &f64| {
            if self.whiten == 0.0 {
                1.0
            } else if variance > least {
                variance.powf(-0.5 * self.whiten) as f32
            } else {
                0.0
            }
        };
        self.explained_variance.iter().map(scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing as fixtures;
    use scarce_testing::same_on_any_threads;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Known {
        components: Vec<f32>,
        explained_variance: Vec<f32>,
        explained_ratio: Vec<f32>,
        first_rows: Vec<f32>,
        first_rows_whitened: Vec<f32>,
    }

    fn to_f32(values: &[f64]) -> Vec<f32> {
        values.iter().map(|&v| v as f32).collect()
    }

    #[test]
    fn agrees_with_scikit_learn_on_digits() {
        let known: Known = fixtures::read("pca");
        let digits = fixtures::digits();
        let x = digits.matrix();
        let mut pca = Pca { components: 5, whiten: 0.0 };
        let fitted = same_on_any_threads(|| pca.fit(x).unwrap());
        fixtures::assert_close(&fitted.components, &known.components, 1e-5);
        let (variance, ratio) = (&fitted.explained_variance, &fitted.explained_ratio);
        fixtures::assert_close(&to_f32(variance), &known.explained_variance, 1e-3);
        fixtures::assert_close(&to_f32(ratio), &known.explained_ratio, 1e-6);
        let rows = fitted.transform(x.block(0..4)).unwrap();
        fixtures::assert_close(&rows, &known.first_rows, 1e-3);
        pca.whiten = 1.0;
        let white = pca.fit(x).unwrap().transform(x.block(0..4)).unwrap();
        fixtures::assert_close(&white, &known.first_rows_whitened, 1e-4);
        // half way there is the geometric mean
        pca.whiten = 0.5;
        let half = pca.fit(x).unwrap().transform(x.block(0..4)).unwrap();
        let means: Vec<f32> =
            rows.iter().zip(&white).map(|(a, b)| (a * b).sqrt() * a.signum()).collect();
        fixtures::assert_close(&half, &means, 1e-3);
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter() {
        let data = fixtures::noise(900, 12, 8);
        let x = Matrix::new(&data, 900, 12).unwrap();
        let reversed: Vec<f32> = x.iter_rows().rev().flatten().copied().collect();
        let reversed = Matrix::new(&reversed, 900, 12).unwrap();
        let pca = Pca { components: 12, whiten: 1.0 };
        let (a, b) = (pca.fit(x).unwrap(), pca.fit(reversed).unwrap());
        fixtures::assert_close(&a.components, &b.components, 1e-5);
    }

    #[test]
    fn equal_rows_have_no_variance_and_whiten_to_zero() {
        let data = [3.0f32, -1.0].repeat(5);
        let x = Matrix::new(&data, 5, 2).unwrap();
        let pca = Pca { components: 2, whiten: 1.0 };
        let fitted = pca.fit(x).unwrap();
        assert_eq!(fitted.explained_ratio, [0.0, 0.0]);
        assert_eq!(fitted.transform(x).unwrap(), [0.0; 10]);
    }

    #[test]
    fn impossible_requests_are_errors() {
        let pca = |components| Pca { components, whiten: 0.0 };
        let x = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 7.0], 3, 2).unwrap();
        assert!(pca(0).fit(x).is_err());
        assert!(matches!(pca(3).fit(x), Err(Error::TooFew { .. })));
        assert!(matches!(pca(1).fit(x.block(0..1)), Err(Error::TooFew { .. })));
        let fitted = pca(1).fit(x).unwrap();
        let wide = Matrix::new(&[0.0; 3], 1, 3).unwrap();
        assert!(matches!(fitted.transform(wide), Err(Error::Width { .. })));
        let nan = Matrix::new(&[f32::NAN; 6], 3, 2).unwrap();
        assert!(matches!(pca(1).fit(nan), Err(Error::NotFinite { .. })));
    }
}
