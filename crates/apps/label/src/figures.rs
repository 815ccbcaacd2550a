//! The few statistics that the page shows.

use serde::Serialize;

/// The number of standard deviations of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// A share of `right` of `total` with the score interval of E. B. Wilson, "Probable inference, the law
/// of succession, and statistical inference", JASA 22 (1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many were right.
    pub right: usize,
    /// Of how many.
    pub total: usize,
    /// The share.
    pub share: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// So many more would make the interval half as wide, if the share stays what it is.
    pub more_to_halve: usize,
}

impl Share {
    /// `None` of nothing.
    pub fn of(right: usize, total: usize) -> Option<Self> {
        if total == 0 || right > total {
            return None;
        }
        let share = right as f64 / total as f64;
        let (low, high) = wilson(share, total as f64);
        let wanted = (high - low) / 2.0;
        let width = |n: usize| {
            let (low, high) = wilson(share, n as f64);
            high - low
        };
        // The width falls as n grows: double until it is narrow enough, then bisect.
        let mut enough = 2 * total;
        while width(enough) > wanted {
            enough *= 2;
        }
        let mut few = total;
        while enough - few > 1 {
            let middle = few.midpoint(enough);
            if width(middle) > wanted { few = middle } else { enough = middle }
        }
        Some(Self { right, total, share, low, high, more_to_halve: enough - total })
    }
}

fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = Z * Z;
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Cohen's kappa of two raters: agreement beyond what their shares of the classes alone would give
/// (J. Cohen, "A coefficient of agreement for nominal scales", 1960). `None` of nothing, and where both
/// always say the same one class, which leaves no room beyond chance.
pub fn cohen_kappa<T: Ord + Copy>(pairs: &[(T, T)]) -> Option<f64> {
    let mut counts: std::collections::BTreeMap<T, (f64, f64)> = std::collections::BTreeMap::new();
    let mut same = 0.0;
    for &(a, b) in pairs {
        counts.entry(a).or_default().0 += 1.0;
        counts.entry(b).or_default().1 += 1.0;
        same += f64::from(u8::from(a == b));
    }
    let n = pairs.len() as f64;
    let chance: f64 = counts.values().map(|(a, b)| a * b).sum::<f64>() / (n * n);
    (!pairs.is_empty() && chance < 1.0).then(|| (same / n - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_that_of_statsmodels() {
        // statsmodels.stats.proportion.proportion_confint(25, 30, method="wilson")
        let share = Share::of(25, 30).unwrap();
        assert!(
            (share.low - 0.664_2).abs() < 1e-3 && (share.high - 0.926_6).abs() < 1e-3,
            "{share:?}"
        );
        // No error among sixty leaves an upper bound of 6 % of errors.
        let share = Share::of(60, 60).unwrap();
        assert!((share.low - 0.939_8).abs() < 1e-3, "{share:?}");
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn a_quarter_of_the_width_takes_about_sixteen_times_as_many() {
        let share = Share::of(400, 500).unwrap();
        assert!((1_450..1_550).contains(&share.more_to_halve), "{share:?}");
        for right in 0..=12 {
            assert!(Share::of(right, 12).unwrap().more_to_halve > 0);
        }
    }

    #[test]
    fn kappa_is_that_of_scikit_learn() {
        // sklearn.metrics.cohen_kappa_score([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]) == 0.4285714...
        let pairs = [(2, 0), (0, 0), (2, 2), (2, 2), (0, 0), (1, 2)];
        assert!((cohen_kappa(&pairs).unwrap() - 0.428_571_43).abs() < 1e-6);
        assert_eq!(cohen_kappa(&[(1, 1), (2, 2)]), Some(1.0));
        assert_eq!(cohen_kappa(&[(1, 1)]), None);
        assert_eq!(cohen_kappa::<u8>(&[]), None);
    }
}
