//! Farthest-first traversal.

use rayon::prelude::*;

use super::{Pick, taken};
use scarce_numeric::{Error, Matrix, blocks::column_means, product::squared_distance};

/// `count` rows of `x: [n, d]`, each the farthest from all `labelled` and picked rows before it (of
/// equally far ones the first): the greedy 2-approximation of the k-centre problem (Gonzalez,
/// Theoretical Computer Science 38, 1985), which O. Sener and S. Savarese ("Active learning for
/// convolutional neural networks: a core-set approach", ICLR 2018) use to choose what to label.
/// Without labelled rows the first pick is the row nearest to the mean.
///
/// The score is the distance to the nearest row picked before; that of a first pick is 0.
///
/// # Errors
/// [`Error::TooFew`] if fewer than `count` rows are unlabelled, [`Error::Parameter`] if a labelled
/// row is not there, [`Error::NotFinite`].
pub fn core_set(x: Matrix<'_>, labelled: &[usize], count: usize) -> Result<Vec<Pick>, Error> {
    let mut taken = taken(x, labelled, count)?;
    let mut closest = vec![f64::INFINITY; x.rows()];
    for &row in labelled {
        cover(x, row, &mut closest);
    }
    let mut picks = Vec::with_capacity(count);
    while picks.len() < count {
        let pick = if picks.is_empty() && labelled.is_empty() {
            Pick { row: nearest_to_mean(x), score: 0.0 }
        } else {
            farthest(&closest, &taken)
        };
        taken[pick.row] = true;
        cover(x, pick.row, &mut closest);
        picks.push(pick);
    }
    Ok(picks)
}

/// Lowers the squared distances in `closest` to those from `row`.
fn cover(x: Matrix<'_>, row: usize, closest: &mut [f64]) {
    let centre = x.row(row);
    let rows = x.data().par_chunks_exact(x.cols());
    closest.par_iter_mut().zip(rows).for_each(|(closest, row)| {
        *closest = closest.min(squared_distance(row, centre));
    });
}

fn farthest(closest: &[f64], taken: &[bool]) -> Pick {
    let mut best = Pick { row: 0, score: f64::NEG_INFINITY };
    for (row, (&squared, &taken)) in closest.iter().zip(taken).enumerate() {
        if !taken && squared > best.score {
            best = Pick { row, score: squared };
        }
    }
    Pick { score: best.score.sqrt(), ..best }
}

fn nearest_to_mean(x: Matrix<'_>) -> usize {
    let mean: Vec<f32> = column_means(x).into_iter().map(|m| m as f32).collect();
    let distances: Vec<f64> = x.iter_rows().map(|row| squared_distance(row, &mean)).collect();
    let nearest = (0..distances.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    nearest.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    fn rows(picks: &[Pick]) -> Vec<usize> {
        picks.iter().map(|pick| pick.row).collect()
    }

    #[test]
    fn goes_to_the_farthest_again_and_again() {
        let line = [0.0f32, 1.0, 2.0, 3.0, 4.0, 10.0];
        let x = Matrix::new(&line, 6, 1).unwrap();
        // The mean is 10/3; then the far end, then the other.
        let picks = core_set(x, &[], 4).unwrap();
        assert_eq!(rows(&picks), [3, 5, 0, 1]);
        assert_eq!(picks.iter().map(|p| p.score).collect::<Vec<_>>(), [0.0, 7.0, 3.0, 1.0]);
        assert_eq!(rows(&core_set(x, &[5], 2).unwrap()), [0, 4]);
    }

    #[test]
    fn no_distance_to_a_pick_is_larger_than_the_last_score() {
        let data = noise(500, 4, 31);
        let x = Matrix::new(&data, 500, 4).unwrap();
        let picks = same_on_any_threads(|| core_set(x, &[7, 9], 20).unwrap());
        let chosen: Vec<usize> = rows(&picks).into_iter().chain([7, 9]).collect();
        let last = picks.last().unwrap().score;
        for row in x.iter_rows() {
            let nearest = |&c: &usize| squared_distance(row, x.row(c)).sqrt();
            let reach = chosen.iter().map(nearest).fold(f64::INFINITY, f64::min);
            assert!(reach <= last);
        }
        assert!(picks.is_sorted_by(|a, b| a.score >= b.score));
    }

    #[test]
    fn bad_input_is_refused() {
        let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
        assert!(matches!(core_set(x, &[0], 2), Err(Error::TooFew { available: 1, .. })));
        assert!(matches!(core_set(x, &[2], 1), Err(Error::Parameter { .. })));
        let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
        assert!(matches!(core_set(nan, &[], 1), Err(Error::NotFinite { .. })));
    }
}
