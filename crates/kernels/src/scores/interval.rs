//! The mean of a few runs and how far it may be off.

use crate::Error;
use distrs::StudentsT;

/// A mean with its confidence interval `mean ± half_width`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with divisor n − 1; `None` for one value.
    pub deviation: Option<f64>,
    /// Half the width of the interval; `None` for one value, which says nothing of the spread.
    pub half_width: Option<f64>,
    /// Number of values.
    pub n: usize,
}

/// Mean of `values` with the interval that covers the true mean with probability `confidence`
/// (0.95, say) if the values are independent and normal: Student, Biometrika 6 (1908).
///
/// # Errors
/// [`Error::TooFew`] without values, [`Error::NotFinite`], [`Error::Parameter`] unless
/// `0 < confidence < 1`.
pub fn mean_interval(values: &[f64], confidence: f64) -> Result<Interval, Error> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(Error::Parameter {
            name: "confidence",
            must: "between 0 and 1",
            value: confidence.to_string(),
        });
    }
    if values.is_empty() {
        return Err(Error::TooFew { what: "values", wanted: 1, available: 0 });
    }
    if let Some(row) = values.iter().position(|v| !v.is_finite()) {
        return Err(Error::NotFinite { row, column: 0 });
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.len() > 1).then(|| {
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    });
    let quantile = StudentsT::ppf(0.5 + confidence / 2.0, n - 1.0);
    Ok(Interval {
        mean,
        deviation,
        half_width: deviation.map(|s| quantile * s / n.sqrt()),
        n: values.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::scores;

    #[test]
    fn intervals_agree_with_scipy() {
        for known in scores().intervals {
            let found = mean_interval(&known.values, known.confidence).unwrap();
            assert!((found.mean - known.mean).abs() < 1e-12);
            let half = found.half_width.unwrap();
            assert!((half - known.half_width).abs() < 2e-6 * known.half_width, "{half}");
        }
    }

    #[test]
    fn one_value_has_no_interval() {
        let one = mean_interval(&[0.5], 0.95).unwrap();
        assert_eq!((one.mean, one.half_width, one.n), (0.5, None, 1));
        let equal = mean_interval(&[0.25; 4], 0.95).unwrap();
        assert_eq!(equal.half_width, Some(0.0));
        assert!(mean_interval(&[], 0.95).is_err());
        assert!(mean_interval(&[f64::NAN], 0.95).is_err());
        assert!(mean_interval(&[1.0, 2.0], 1.0).is_err());
    }
}
