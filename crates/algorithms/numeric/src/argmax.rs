//! The largest entry of every row.

/// The class of highest probability in every row of `probabilities: [n, classes]`; of equals the
/// one with the smallest number.
pub fn winners(probabilities: &[f32], classes: usize) -> Vec<u32> {
    let winner = |row: &[f32]| {
        let mut best = 0;
        for (class, p) in row.iter().enumerate() {
            if *p > row[best] {
                best = class;
            }
        }
        best as u32
    };
    probabilities.chunks_exact(classes.max(1)).map(winner).collect()
}
