//! Medians and ratios.

/// The middle of some numbers (the mean of the two middle ones); `None` of none.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// How many times as long the peer takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    /// Median over pairs of neighbouring turns.
    pub(crate) median: f64,
    /// Least of them.
    pub(crate) least: f64,
    /// Greatest of them.
    pub(crate) greatest: f64,
}

impl Ratio {
    /// Of turns in pairs: the peer's seconds by ours. What has no partner does not count.
    pub(crate) fn of(ours: &[f64], peer: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = peer.iter().zip(ours).map(|(peer, ours)| peer / ours).collect();
        Some(Self {
            median: median(&ratios)?,
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine was three times as slow during the second pair: on both sides.
        let ratio = Ratio::of(&[1.0, 3.0, 1.0], &[2.0, 6.0, 2.5]).unwrap();
        assert_eq!(ratio, Ratio { median: 2.0, least: 2.0, greatest: 2.5 });
        assert_eq!(Ratio::of(&[1.0, 1.0], &[4.0]).unwrap().median, 4.0);
        assert_eq!(Ratio::of(&[], &[4.0]), None);
    }
}
