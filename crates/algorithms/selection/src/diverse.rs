//! Wanted rows that are not all alike.

use rayon::prelude::*;

use scarce_numeric::{
    Error, Matrix, distance::nearest, error::check_length, product::squared_distance,
};

/// Most rounds of k-means; picks change little after the first few.
const ROUNDS: usize = 100;

/// `count` rows of `x: [n, d]` that stand for all of them, those of more weight more: the row
/// nearest to each centroid of a weighted k-means (F. Zhdanov, "Diverse mini-batch active learning",
/// 2019, algorithm 2). The paper lets `x` be the ten times `count` most uncertain rows, and weighs
/// them by how uncertain they are.
///
/// k-means starts from the heaviest row and then, again and again, that of the largest weight times
/// squared distance to the nearest taken before, so that nothing is drawn. A cluster that stays
/// empty gives the heaviest row left. Of equals the first is taken. Rows come in ascending order.
///
/// `weights: [n]` are at least 0; if all are 0 they count alike.
///
/// # Errors
/// [`Error::TooFew`] if there are fewer than `count` rows, [`Error::Length`], [`Error::Parameter`],
/// [`Error::NotFinite`], [`Error::Overflow`].
pub fn diverse(x: Matrix<'_>, weights: &[f64], count: usize) -> Result<Vec<usize>, Error> {
    x.check_finite()?;
    check_length("weights", x.rows(), weights.len())?;
    if let Some(wrong) = weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
        let value = wrong.to_string();
        return Err(Error::Parameter { name: "weights", must: "0 or more", value });
    }
    if count > x.rows() {
        return Err(Error::TooFew { what: "rows to pick", wanted: count, available: x.rows() });
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let alike = vec![1.0; weights.len()];
    let weights = if weights.iter().all(|weight| *weight == 0.0) { &alike } else { weights };
    let start = spread_out(x, weights, count);
    let mut centroids: Vec<f32> = start.iter().flat_map(|&row| x.row(row)).copied().collect();
    let mut labels: Vec<u32> = Vec::new();
    let mut found = nearest(x, Matrix::new(&centroids, count, x.cols())?)?;
    for _ in 0..ROUNDS {
        if found.index == labels {
            break;
        }
        labels = found.index;
        means(x, weights, &labels, &mut centroids);
        found = nearest(x, Matrix::new(&centroids, count, x.cols())?)?;
    }
    let mut closest: Vec<Option<usize>> = vec![None; count];
    for (row, &cluster) in found.index.iter().enumerate() {
        let best = &mut closest[cluster as usize];
        if best.is_none_or(|best| found.squared[row] < found.squared[best]) {
            *best = Some(row);
        }
    }
    let mut picks: Vec<usize> = closest.into_iter().flatten().collect();
    fill(weights, count, &mut picks);
    picks.sort_unstable();
    Ok(picks)
}

/// The heaviest row, then those heavy and far from all before.
fn spread_out(x: Matrix<'_>, weights: &[f64], count: usize) -> Vec<usize> {
    let mut closest = vec![f64::INFINITY; x.rows()];
    let mut chosen = vec![heaviest(weights)];
    while chosen.len() < count {
        let centre = x.row(chosen[chosen.len() - 1]);
        let rows = x.data().par_chunks_exact(x.cols());
        closest.par_iter_mut().zip(rows).for_each(|(closest, row)| {
            *closest = closest.min(squared_distance(row, centre));
        });
        let pull: Vec<f64> = closest.iter().zip(weights).map(|(d, weight)| d * weight).collect();
        chosen.push(heaviest(&pull));
    }
    chosen
}

fn heaviest(weights: &[f64]) -> usize {
    let mut best = 0;
    for (row, weight) in weights.iter().enumerate() {
        if *weight > weights[best] {
            best = row;
        }
    }
    best
}

/// Moves each centroid to the weighted mean of its rows, if they weigh anything.
fn means(x: Matrix<'_>, weights: &[f64], labels: &[u32], centroids: &mut [f32]) {
    let d = x.cols();
    let mut sums = vec![0.0; centroids.len()];
    let mut total = vec![0.0; centroids.len() / d];
    for ((row, &label), &weight) in x.iter_rows().zip(labels).zip(weights) {
        total[label as usize] += weight;
        for (sum, &value) in sums[label as usize * d..][..d].iter_mut().zip(row) {
            *sum += weight * f64::from(value);
        }
    }
    let clusters = centroids.chunks_exact_mut(d).zip(sums.chunks_exact(d)).zip(&total);
    for ((centroid, sum), &total) in clusters.filter(|(_, total)| **total > 0.0) {
        for (value, sum) in centroid.iter_mut().zip(sum) {
            *value = (sum / total) as f32;
        }
    }
}

/// Adds the heaviest rows that are not there until there are `count`.
fn fill(weights: &[f64], count: usize, picks: &mut Vec<usize>) {
    let mut left: Vec<usize> = (0..weights.len()).filter(|row| !picks.contains(row)).collect();
    // Stable: of equals the first.
    left.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    picks.extend(left.into_iter().take(count - picks.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    #[test]
    fn each_group_gives_one_however_many_are_heavy() {
        let mut data = noise(300, 3, 61);
        for (row, point) in data.chunks_exact_mut(3).enumerate() {
            point[1] += [0.0, 50.0, 120.0][row % 3];
        }
        let x = Matrix::new(&data, 300, 3).unwrap();
        // One group is heavier than the others.
        let weights: Vec<f64> = (0..300).map(|row| [1.0, 9.0, 1.5][row % 3]).collect();
        let picks = same_on_any_threads(|| diverse(x, &weights, 3).unwrap());
        let mut groups: Vec<usize> = picks.iter().map(|row| row % 3).collect();
        groups.sort_unstable();
        assert_eq!(groups, [0, 1, 2]);
    }

    #[test]
    fn weights_pull_the_centroids() {
        // 0 and 8 are the start; the weighted means are 0.5 and 9.
        let line = [0.0f32, 1.0, 8.0, 9.0, 10.0];
        let x = Matrix::new(&line, 5, 1).unwrap();
        assert_eq!(diverse(x, &[1.0, 1.0, 1.0, 1.0, 1.0], 2).unwrap(), [0, 3]);
        // Heavy ends draw them there: (0 + 9) / 10 and (8 + 9 + 200) / 22.
        assert_eq!(diverse(x, &[1.0, 9.0, 1.0, 1.0, 20.0], 2).unwrap(), [1, 4]);
    }

    #[test]
    fn equal_rows_give_the_heaviest() {
        let x = Matrix::new(&[3.0; 8], 4, 2).unwrap();
        assert_eq!(diverse(x, &[0.1, 0.4, 0.2, 0.3], 3).unwrap().len(), 3);
        assert_eq!(diverse(x, &[0.0; 4], 4).unwrap(), [0, 1, 2, 3]);
        assert!(diverse(x, &[0.0; 4], 0).unwrap().is_empty());
    }

    #[test]
    fn bad_input_is_refused() {
        let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
        assert!(matches!(diverse(x, &[1.0], 1), Err(Error::Length { .. })));
        assert!(matches!(diverse(x, &[1.0, -1.0], 1), Err(Error::Parameter { .. })));
        assert!(matches!(diverse(x, &[1.0, 1.0], 3), Err(Error::TooFew { .. })));
        let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
        assert!(matches!(diverse(nan, &[1.0, 1.0], 1), Err(Error::NotFinite { .. })));
    }
}
