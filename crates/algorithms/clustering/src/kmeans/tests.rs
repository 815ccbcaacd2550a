use super::*;
use scarce_testing::{self as fixtures, noise, same_on_any_threads};
use serde::Deserialize;

#[derive(Deserialize)]
struct Known {
    start_rows: Vec<usize>,
    labels: Vec<u32>,
    inertia: f64,
    iterations: usize,
    relocated_inertia: f64,
    relocated_sizes: Vec<usize>,
    first_distances: Vec<f32>,
}

fn given(x: Matrix<'_>, rows: &[usize]) -> KMeans {
    let centroids = rows.iter().flat_map(|&r| x.row(r)).copied().collect();
    KMeans { start: Start::Given(centroids), tolerance: 0.0, ..KMeans::new(rows.len()) }
}

#[test]
fn agrees_with_scikit_learn_on_digits() {
    let known: Known = fixtures::read("kmeans");
    let digits = fixtures::digits();
    let x = digits.matrix();
    let fitted = given(x, &known.start_rows).fit(x).unwrap();
    assert_eq!(fitted.labels, known.labels);
    assert_eq!(fitted.iterations, known.iterations);
    assert!(fitted.converged);
    assert!((fitted.inertia / known.inertia - 1.0).abs() < 1e-5);
    let distances: f64 = fitted.distances.iter().map(|d| f64::from(d * d)).sum();
    assert!((distances / known.inertia - 1.0).abs() < 1e-5);
    let all = fitted.transform(x.block(0..5)).unwrap();
    fixtures::assert_close(&all, &known.first_distances, 1e-3);
}

#[test]
fn empty_clusters_move_as_in_scikit_learn() {
    let known: Known = fixtures::read("kmeans");
    let digits = fixtures::digits();
    let x = digits.matrix();
    let mut crowded: Vec<f32> =
        [0, 0, 0, 0, 0, 0, 1, 2].iter().flat_map(|&row| x.row(row)).copied().collect();
    for (column, value) in crowded[6 * 64..].iter_mut().enumerate() {
        *value += (column % 64 % 3) as f32 / 8.0;
    }
    let start = Start::Given(crowded);
    let fitted = KMeans { start, tolerance: 0.0, ..KMeans::new(8) }.fit(x).unwrap();
    assert!((fitted.inertia / known.relocated_inertia - 1.0).abs() < 1e-5);
    let (mut found, mut expected) = (fitted.sizes(), known.relocated_sizes);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Lloyd's iteration with all distances in every round.
fn by_measuring_everything(
    x: Matrix<'_>,
    mut centroids: Vec<f32>,
    rounds: usize,
) -> (Vec<u32>, Vec<f32>) {
    let k = centroids.len() / x.cols();
    let labels = |centroids: &[f32]| nearest(x, Matrix::new(centroids, k, x.cols()).unwrap());
    for _ in 0..rounds {
        centroids = means::means(x, &labels(&centroids).unwrap().index, &centroids);
    }
    (labels(&centroids).unwrap().index, centroids)
}

#[test]
fn skipping_distances_changes_no_label() {
    // Clumps, equal rows and equal centroids: ties, empty clusters and groups that are left alone.
    let mut data = noise(3_000, 40, 8);
    for (row, point) in data.chunks_mut(40).enumerate() {
        point.iter_mut().take(3).for_each(|value| *value += (row % 37) as f32);
        if row % 11 == 0 {
            point.copy_from_slice(&[0.25; 40]);
        }
    }
    let x = Matrix::new(&data, 3_000, 40).unwrap();
    let norms = distance::squared_norms(x).unwrap();
    for k in [1, 3, 31, 150, 700] {
        let start: Vec<f32> = (0..k).flat_map(|c| x.row(c * 2_900 / k)).copied().collect();
        for rounds in [1, 2, 9] {
            let (end, tracker) =
                lloyd::run(x, &norms, start.clone(), -1.0, rounds, &mut |_| {}).unwrap();
            let (labels, centroids) = by_measuring_everything(x, start.clone(), end.iterations);
            assert_eq!(tracker.labels, labels, "k = {k}, {rounds} rounds");
            assert_eq!(end.centroids, centroids, "k = {k}, {rounds} rounds");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let data = noise(9_000, 11, 6);
    let x = Matrix::new(&data, 9_000, 11).unwrap();
    for start in [Start::PlusPlus, Start::Random] {
        let model = KMeans { start, restarts: 2, max_iterations: 8, ..KMeans::new(3) };
        let fitted = same_on_any_threads(|| model.fit(x).unwrap());
        let predicted = fitted.predict(x).unwrap();
        assert_eq!(predicted.index, fitted.labels);
    }
}

#[test]
fn the_order_of_the_rows_changes_only_their_numbering() {
    let digits = fixtures::digits();
    let x = digits.matrix();
    let reversed: Vec<f32> = x.iter_rows().rev().flatten().copied().collect();
    let reversed = Matrix::new(&reversed, x.rows(), x.cols()).unwrap();
    let rows: Vec<usize> = (20..30).collect();
    let model = given(x, &rows);
    let (a, b) = (model.fit(x).unwrap(), model.fit(reversed).unwrap());
    let labels: Vec<u32> = b.labels.into_iter().rev().collect();
    assert_eq!(a.labels, labels);
    fixtures::assert_close(&a.centroids, &b.centroids, 1e-5);
}

#[test]
fn plus_plus_finds_clusters_that_are_far_apart() {
    // 20 clumps of 50 rows: any start that misses one has a far larger inertia.
    let mut data = noise(1_000, 2, 7);
    for (row, point) in data.chunks_mut(2).enumerate() {
        point[0] += (row % 20) as f32 * 100.0;
    }
    let x = Matrix::new(&data, 1_000, 2).unwrap();
    let fitted = KMeans::new(20).fit(x).unwrap();
    assert_eq!(fitted.sizes(), [50; 20]);
    assert!(fitted.inertia < 1_000.0);
}

#[test]
fn more_restarts_are_never_worse() {
    let digits = fixtures::digits();
    let x = digits.matrix();
    let inertia = |restarts| {
        let model = KMeans { restarts, start: Start::Random, ..KMeans::new(10) };
        model.fit(x).unwrap().inertia
    };
    assert!(inertia(5) <= inertia(1));
}

#[test]
fn equal_rows_end_and_one_cluster_takes_them() {
    let data = [0.1f32, 7.3, -2.0].repeat(300);
    let x = Matrix::new(&data, 300, 3).unwrap();
    for start in [Start::PlusPlus, Start::Random] {
        let model = KMeans { start, ..KMeans::new(5) };
        let fitted = model.fit(x).unwrap();
        assert!(fitted.inertia < 1e-9);
        assert_eq!(fitted.sizes().iter().sum::<usize>(), 300);
    }
}

#[test]
fn a_cluster_for_every_row_leaves_nothing_over() {
    let data = noise(40, 3, 9);
    let x = Matrix::new(&data, 40, 3).unwrap();
    let fitted = KMeans::new(40).fit(x).unwrap();
    assert!(fitted.inertia < 1e-9);
    assert_eq!(fitted.sizes(), [1; 40]);
}

#[test]
fn distances_to_all_centroids_include_the_nearest() {
    let digits = fixtures::digits();
    let x = digits.matrix();
    let fitted = KMeans::new(7).fit(x).unwrap();
    let all = fitted.transform(x).unwrap();
    for (row, distance) in all.chunks(7).zip(&fitted.distances) {
        let least = row.iter().copied().fold(f32::INFINITY, f32::min);
        assert!((least - distance).abs() < 1e-3);
    }
}

#[test]
fn impossible_requests_are_errors() {
    let x = Matrix::new(&[0.0, 1.0, 2.0], 3, 1).unwrap();
    assert!(matches!(KMeans::new(4).fit(x), Err(Error::TooFew { available: 3, .. })));
    assert!(KMeans::new(0).fit(x).is_err());
    for wrong in [
        KMeans { restarts: 0, ..KMeans::new(2) },
        KMeans { max_iterations: 0, ..KMeans::new(2) },
        KMeans { tolerance: f64::NAN, ..KMeans::new(2) },
        KMeans { start: Start::Given(vec![0.0; 3]), ..KMeans::new(2) },
    ] {
        assert!(wrong.fit(x).is_err());
    }
    let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
    assert!(matches!(KMeans::new(1).fit(nan), Err(Error::NotFinite { row: 1, .. })));
}
