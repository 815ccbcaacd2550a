use super::*;
use scarce_testing::{noise, same_on_any_threads};

/// The plain double loop.
fn by_hand(x: Matrix<'_>, base: Matrix<'_>, k: usize, skip_self: bool) -> Vec<u32> {
    let mut all = Vec::new();
    for i in 0..x.rows() {
        let mut row: Vec<_> = (0..base.rows())
            .filter(|&j| !(skip_self && i == j))
            .map(|j| (squared_distance(x.row(i), base.row(j)), j as u32))
            .collect();
        row.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.extend(row[..k].iter().map(|&(_, j)| j));
    }
    all
}

#[test]
fn agree_with_a_double_loop_on_any_threads() {
    let (x, base) = (noise(600, 20, 3), noise(2_500, 20, 4));
    let x = Matrix::new(&x, 600, 20).unwrap();
    let base = Matrix::new(&base, 2_500, 20).unwrap();
    let found = same_on_any_threads(|| nearest_neighbours(x, base, 10, Metric::Euclidean).unwrap());
    assert_eq!(found.indices, by_hand(x, base, 10, false));
}

/// `[n, 40]`: clusters in a few directions, a little noise in all, far from the origin.
fn few_directions(n: usize, seed: u64) -> Vec<f32> {
    let (noise, place) = (noise(n, 40, seed), noise(n, 4, seed + 1));
    let value = |at: usize| {
        let (row, column) = (at / 40, at % 40);
        let along = &place[row * 4..][..4];
        let turned = along.iter().zip(1u8..).map(|(v, i)| v * (f32::from(i) * column as f32).sin());
        5.0 + 4.0 * turned.sum::<f32>() + 0.3 * noise[at]
    };
    (0..n * 40).map(value).collect()
}

#[test]
fn sketches_find_the_same_as_a_double_loop() {
    let (x, mut base) = (few_directions(300, 3), few_directions(4_500, 4));
    // copies, of which the smaller index must come first
    base.copy_within(..40 * 50, 40 * 3_000);
    let base = Matrix::new(&base, 4_500, 40).unwrap();
    let x = Matrix::new(&x, 300, 40).unwrap();
    let pairs = Pairs { queries: x, base, metric: Metric::Euclidean, without_self: false };
    assert!(sketch::Sketches::worth_it(pairs, 6).unwrap().is_some());
    let found = same_on_any_threads(|| nearest_neighbours(x, base, 6, Metric::Euclidean).unwrap());
    assert_eq!(found.indices, by_hand(x, base, 6, false));

    let pairs = Pairs { queries: base, without_self: true, ..pairs };
    assert!(sketch::Sketches::worth_it(pairs, 6).unwrap().is_some());
    let found = self_neighbours(base, 6, Metric::Euclidean).unwrap();
    assert_eq!(found.indices, by_hand(base, base, 6, true));
    assert_eq!(found.of(0).0[0], 3_000);

    let cosine = nearest_neighbours(x, base, 6, Metric::Cosine).unwrap();
    let exhaustive = {
        let (a, b) = (unit_rows(x), unit_rows(base));
        let (queries, base) =
            (Matrix::new(&a, 300, 40).unwrap(), Matrix::new(&b, 4_500, 40).unwrap());
        let pairs = Pairs { queries, base, metric: Metric::Cosine, without_self: false };
        assert!(sketch::Sketches::worth_it(pairs, 6).unwrap().is_some());
        exhaustive::nearest(pairs, 6).unwrap()
    };
    assert_eq!(cosine, exhaustive);
}

#[test]
fn sketches_see_the_rounding_of_unit_rows_in_a_narrow_cone() {
    // All angles are so small that the rounding of the rows' lengths weighs as much as distances.
    let spread = few_directions(4_500, 6);
    let narrow: Vec<f32> = spread.iter().map(|value| 1.0 + (value - 5.0) * 2e-5).collect();
    let x = Matrix::new(&narrow, 4_500, 40).unwrap();
    let unit = unit_rows(x);
    let x = Matrix::new(&unit, 4_500, 40).unwrap();
    let pairs = Pairs { queries: x, base: x, metric: Metric::Cosine, without_self: true };
    let sketches = sketch::Sketches::sketched_with(pairs, 15).unwrap();
    let found = bounded::nearest(pairs, &sketches, 6).unwrap();
    assert_eq!(found, exhaustive::nearest(pairs, 6).unwrap());
}

#[test]
fn rows_without_leading_directions_are_not_sketched() {
    let base = noise(5_000, 40, 7);
    let base = Matrix::new(&base, 5_000, 40).unwrap();
    let pairs = Pairs { queries: base, base, metric: Metric::Euclidean, without_self: true };
    assert!(sketch::Sketches::worth_it(pairs, 6).unwrap().is_none());
}

#[test]
fn many_duplicates_come_in_the_order_of_their_index() {
    // 8 distinct points far from the origin, 400 times each: the shortlist cannot hold them.
    let data: Vec<f32> = (0..3_200u16).map(|i| 5_000.0 + f32::from(i % 8)).collect();
    let x = Matrix::new(&data, 3_200, 1).unwrap();
    let queries = x.block(0..300);
    let found = nearest_neighbours(queries, x, 5, Metric::Euclidean).unwrap();
    assert_eq!(found.indices, by_hand(queries, x, 5, false));
    assert_eq!(found.of(9), (&[1, 9, 17, 25, 33][..], &[0.0; 5][..]));
    let others = self_neighbours(x, 3, Metric::Euclidean).unwrap();
    assert_eq!(others.of(9).0, [1, 17, 25]);
}

#[test]
fn the_order_of_the_base_changes_only_the_numbering() {
    let data = noise(500, 7, 5);
    let x = Matrix::new(&data, 500, 7).unwrap();
    let reversed: Vec<f32> = x.iter_rows().rev().flatten().copied().collect();
    let reversed = Matrix::new(&reversed, 500, 7).unwrap();
    let a = nearest_neighbours(x, x, 4, Metric::Euclidean).unwrap();
    let b = nearest_neighbours(x, reversed, 4, Metric::Euclidean).unwrap();
    let renumbered: Vec<u32> = b.indices.iter().map(|i| 499 - i).collect();
    assert_eq!(a.indices, renumbered);
    assert_eq!(a.distances, b.distances);
}

#[test]
fn cosine_ignores_length_and_puts_zeros_at_one() {
    let base = [3.0f32, 0.0, 0.0, 0.5, -1.0, 0.0, 0.0, 0.0];
    let base = Matrix::new(&base, 4, 2).unwrap();
    let query = Matrix::new(&[7.0f32, 0.0], 1, 2).unwrap();
    let found = nearest_neighbours(query, base, 4, Metric::Cosine).unwrap();
    assert_eq!(found.of(0), (&[0, 1, 3, 2][..], &[0.0, 1.0, 1.0, 2.0][..]));
    let other = self_neighbours(base, 1, Metric::Cosine).unwrap();
    assert_eq!(other.indices, [1, 0, 1, 0]);
}

#[test]
fn impossible_requests_are_errors() {
    let x = Matrix::new(&[0.0, 1.0, 2.0], 3, 1).unwrap();
    assert!(nearest_neighbours(x, x, 0, Metric::Euclidean).is_err());
    assert!(matches!(
        nearest_neighbours(x, x, 4, Metric::Euclidean),
        Err(Error::TooFew { available: 3, .. })
    ));
    assert!(self_neighbours(x, 3, Metric::Euclidean).is_err());
    let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
    assert!(nearest_neighbours(nan, x, 1, Metric::Cosine).is_err());
}

#[test]
fn approximate_neighbours_are_the_true_ones_but_for_a_few() {
    // points about a curve in 12 dimensions, as images are
    let noise = noise(6_000, 12, 8);
    let bent = noise.iter().enumerate().map(|(at, value)| {
        let (row, column) = (at / 12, at % 12);
        (row as f32 / 900.0 * (1.0 + column as f32 / 3.0)).sin() * 3.0 + value
    });
    let data: Vec<f32> = bent.collect();
    let x = Matrix::new(&data, 6_000, 12).unwrap();
    for metric in [Metric::Euclidean, Metric::Cosine] {
        let exact = self_neighbours(x, 10, metric).unwrap();
        let found = same_on_any_threads(|| approximate(x, 10, metric, 0.98, 1).unwrap());
        assert!(found.probes.is_some_and(|(probes, cells)| probes < cells));
        let rows = (0..6_000).map(|row| {
            let (true_rows, true_distances) = exact.of(row);
            let (rows, distances) = found.neighbours.of(row);
            assert!(distances.is_sorted());
            for (row, distance) in rows.iter().zip(distances) {
                if let Some(at) = true_rows.iter().position(|other| other == row) {
                    assert!((distance - true_distances[at]).abs() < 1e-5);
                }
            }
            rows.iter().filter(|row| true_rows.contains(row)).count()
        });
        let recall = rows.sum::<usize>() as f64 / 60_000.0;
        assert!(recall > 0.97, "{recall}");
        assert!((recall - found.recall).abs() < 0.01, "{recall} is not {}", found.recall);
    }
}

#[test]
fn a_recall_of_one_and_few_rows_are_searched_exactly() {
    let data = noise(5_000, 3, 9);
    let x = Matrix::new(&data, 5_000, 3).unwrap();
    let exact = self_neighbours(x, 4, Metric::Euclidean).unwrap();
    let found = approximate(x, 4, Metric::Euclidean, 1.0, 0).unwrap();
    assert_eq!((found.neighbours, found.recall, found.probes), (exact, 1.0, None));
    let few = x.block(0..100);
    let found = approximate(few, 4, Metric::Euclidean, 0.5, 0).unwrap();
    assert_eq!(found.probes, None);
    assert!(approximate(few, 4, Metric::Euclidean, 1.5, 0).is_err());
}

#[test]
fn copies_of_a_row_are_its_neighbours_though_cells_are_empty() {
    let data: Vec<f32> = (0..5_000u16).map(|i| f32::from(i % 8)).collect();
    let x = Matrix::new(&data, 5_000, 1).unwrap();
    let found = approximate(x, 3, Metric::Euclidean, 0.9, 0).unwrap();
    assert!(found.neighbours.distances.iter().all(|&distance| distance == 0.0));
}
