//! How undecided a distribution over classes is.

/// Shannon entropy −Σ p ln p of every row of `probabilities: [n, classes]`, in nats, `[n]`.
///
/// A row need not sum to 1: it is divided by its sum. Rows without any mass have entropy 0.
pub fn entropy(probabilities: &[f32], classes: usize) -> Vec<f32> {
    let of_row = |row: &[f32]| {
        let sum: f64 = row.iter().copied().map(f64::from).sum();
        let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        row.iter().map(|&p| term(f64::from(p) / sum)).sum::<f64>() as f32
    };
    let rows = probabilities.chunks_exact(classes.max(1));
    rows.map(of_row).collect()
}

/// The largest probability less the second largest in every row of `probabilities: [n,
/// classes]`, `[n]`. With one class it is that probability.
pub fn margin(probabilities: &[f32], classes: usize) -> Vec<f32> {
    let of_row = |row: &[f32]| {
        let (mut first, mut second) = (0.0f32, 0.0f32);
        for &p in row {
            if p > first {
                (first, second) = (p, first);
            } else if p > second {
                second = p;
            }
        }
        first - second
    };
    let rows = probabilities.chunks_exact(classes.max(1));
    rows.map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_largest_when_undecided() {
        let found = entropy(&[0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 3.0, 3.0], 2);
        let ln2 = std::f32::consts::LN_2;
        assert_eq!(found, [ln2, 0.0, 0.0, ln2]);
    }

    #[test]
    fn margins_are_between_the_two_largest() {
        assert_eq!(margin(&[0.25, 0.5, 0.25, 0.5, 0.0, 0.5], 3), [0.25, 0.0]);
        assert_eq!(margin(&[1.0], 1), [1.0]);
    }
}
