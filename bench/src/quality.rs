//! How good an answer is, and which of two is better.

use std::{cmp::Ordering, collections::BTreeMap};

/// Measures of one answer by name.
pub(crate) type Quality = BTreeMap<String, f64>;

/// Which way is better, and what counts as a difference.
struct Measure {
    name: &'static str,
    better: Ordering,
    /// Differences up to this are none: relative to the value, or absolute for shares.
    tolerance: Tolerance,
}

enum Tolerance {
    Relative(f64),
    Absolute(f64),
}

use Tolerance::{Absolute, Relative};

/// The measures that the works use.
const MEASURES: &[Measure] = &[
    Measure { name: "inertia", better: Ordering::Less, tolerance: Relative(1e-3) },
    // Of five draws: means of five differ by so much from one five to the next.
    Measure { name: "mean-inertia", better: Ordering::Less, tolerance: Relative(5e-3) },
    Measure { name: "objective", better: Ordering::Less, tolerance: Relative(1e-6) },
    Measure { name: "divergence", better: Ordering::Less, tolerance: Relative(0.01) },
    // Of a network's first epochs, from other first weights and in another order.
    Measure { name: "loss", better: Ordering::Less, tolerance: Relative(0.02) },
    // The same where it still falls fast: PyTorch's own span a fifth over five seeds.
    Measure { name: "one-seed", better: Ordering::Less, tolerance: Relative(0.2) },
    Measure { name: "recall", better: Ordering::Greater, tolerance: Absolute(0.0) },
    Measure { name: "accuracy", better: Ordering::Greater, tolerance: Absolute(0.003) },
    // A hundred labels drawn otherwise: scikit-learn's own draws span 0.08.
    Measure { name: "one-draw", better: Ordering::Greater, tolerance: Absolute(0.08) },
    Measure { name: "iterations", better: Ordering::Equal, tolerance: Relative(0.0) },
    Measure { name: "stages", better: Ordering::Equal, tolerance: Relative(0.0) },
    Measure { name: "mebibytes", better: Ordering::Less, tolerance: Relative(0.01) },
    Measure { name: "mismatches", better: Ordering::Less, tolerance: Absolute(0.0) },
];

/// Whether `ours` is the worse of two values of a measure. Measures of the same kind share a first
/// word: `accuracy, random` is an accuracy.
pub(crate) fn is_worse(name: &str, ours: f64, peer: f64) -> bool {
    let kind = name.split([',', ' ']).next().unwrap_or(name);
    let Some(measure) = MEASURES.iter().find(|measure| measure.name == kind) else {
        return false;
    };
    let allowed = match measure.tolerance {
        Relative(share) => share * peer.abs(),
        Absolute(difference) => difference,
    };
    match measure.better {
        Ordering::Less => ours - peer > allowed,
        Ordering::Greater => peer - ours > allowed,
        Ordering::Equal => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_has_its_own_direction_and_tolerance() {
        assert!(is_worse("inertia", 1_002_000.0, 1_000_000.0));
        assert!(!is_worse("inertia", 1_000_900.0, 1_000_000.0));
        assert!(!is_worse("inertia", 9.0, 1_000_000.0));
        assert!(is_worse("recall", 0.999, 1.0));
        assert!(!is_worse("recall", 1.0, 0.98));
        assert!(is_worse("objective", 0.500_001, 0.5));
        assert!(!is_worse("objective", 0.500_000_4, 0.5));
        assert!(is_worse("accuracy, all labels", 0.83, 0.84));
        assert!(!is_worse("one-draw accuracy, random", 0.65, 0.69));
        assert!(is_worse("loss", 0.15, 0.14));
        assert!(!is_worse("one-seed loss", 0.0092, 0.0078));
        assert!(!is_worse("iterations", 900.0, 3.0));
        assert!(!is_worse("a measure of a work to come", 1.0, 2.0));
    }
}
