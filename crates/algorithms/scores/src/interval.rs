//! The mean of a few runs and how far it may be off.

use distrs::StudentsT;
use scarce_numeric::Error;

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

/// Half the width of the interval around the mean of `n` values in which the mean of `more` further
/// ones lies with probability `confidence`, if all are drawn from one normal distribution: t s √(1/n +
/// 1/more), of a single value the prediction interval. `deviation` is that of the n values (divisor
/// n − 1); n is at least 2, `more` at least 1.
pub fn prediction_half_width(deviation: f64, n: usize, more: usize, confidence: f64) -> f64 {
    let (n, more) = (n as f64, more.max(1) as f64);
    let quantile = StudentsT::ppf(0.5 + confidence / 2.0, n - 1.0);
    quantile * deviation * (1.0 / n + 1.0 / more).sqrt()
}

/// Half the width of the interval of a difference of two means whose deviations differ: B. L. Welch,
/// "The generalization of “Student’s” problem when several different population variances are
/// involved", Biometrika 34 (1947). Each sample is its deviation and its number of values, at least 2.
pub fn welch_half_width(one: (f64, usize), other: (f64, usize), confidence: f64) -> f64 {
    let part = |(deviation, n): (f64, usize)| (deviation * deviation / n as f64, n as f64 - 1.0);
    let ((a, a_free), (b, b_free)) = (part(one), part(other));
    if a + b == 0.0 {
        return 0.0;
    }
    let freedom = (a + b) * (a + b) / (a * a / a_free + b * b / b_free);
    StudentsT::ppf(0.5 + confidence / 2.0, freedom) * (a + b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_numeric::random::{self, Stream, uniform};

    /// Normal numbers by the method of Box and Muller.
    fn normal(rng: &mut Stream, spread: f64) -> f64 {
        let (u, v) = (1.0 - uniform(rng), uniform(rng));
        spread * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn sample(rng: &mut Stream, n: usize, spread: f64) -> Interval {
        let values: Vec<f64> = (0..n).map(|_| normal(rng, spread)).collect();
        mean_interval(&values, 0.95).unwrap()
    }

    /// The share of trials for which something holds.
    fn share(trials: usize, mut holds: impl FnMut() -> bool) -> f64 {
        (0..trials).filter(|_| holds()).count() as f64 / trials as f64
    }

    #[test]
    fn intervals_hold_what_they_promise() {
        let rng = &mut random::stream(7, "coverage", 0);
        for n in [3, 5, 10, 30] {
            let of_mean = share(20_000, || {
                let ours = sample(rng, n, 1.0);
                ours.mean.abs() <= ours.half_width.unwrap()
            });
            assert!((0.93..0.97).contains(&of_mean), "the mean of {n}: {of_mean}");
            for more in [1, 5, 100] {
                let of_more = share(20_000, || {
                    let (ours, theirs) = (sample(rng, n, 1.0), sample(rng, more, 1.0));
                    let half = prediction_half_width(ours.deviation.unwrap(), n, more, 0.95);
                    (theirs.mean - ours.mean).abs() <= half
                });
                assert!((0.93..0.97).contains(&of_more), "{more} after {n}: {of_more}");
            }
            let of_two = share(20_000, || {
                let (ours, theirs) = (sample(rng, n, 1.0), sample(rng, 8, 2.0));
                let spread = |sample: &Interval| (sample.deviation.unwrap(), sample.n);
                let half = welch_half_width(spread(&ours), spread(&theirs), 0.95);
                (theirs.mean - ours.mean).abs() <= half
            });
            assert!((0.93..0.97).contains(&of_two), "8 beside {n}: {of_two}");
        }
    }

    #[test]
    fn an_interval_of_the_mean_is_too_narrow_for_a_single_run() {
        let rng = &mut random::stream(8, "coverage", 0);
        let covered = share(20_000, || {
            let (ours, theirs) = (sample(rng, 10, 1.0), normal(rng, 1.0));
            (theirs - ours.mean).abs() <= ours.half_width.unwrap()
        });
        assert!(covered < 0.6, "{covered}: what the verdict must not use");
    }
    use scarce_testing::scores;

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
