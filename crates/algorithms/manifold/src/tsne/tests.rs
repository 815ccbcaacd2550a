use super::*;
use scarce_neighbours::neighbours::{Metric, self_neighbours};
use scarce_testing::{self as fixtures, noise, same_on_any_threads};
use serde::Deserialize;

#[derive(Deserialize)]
struct Known {
    map: Vec<f32>,
    kl_divergence: f64,
    exact_kl_divergence: f64,
    purity: f64,
    trustworthiness: f64,
}

/// The share of the 10 nearest others on a map that have the same label.
fn purity(map: &[f32], labels: &[u32]) -> f64 {
    let map = Matrix::new(map, labels.len(), 2).unwrap();
    let near = self_neighbours(map, 10, Metric::Euclidean).unwrap();
    let same = |(at, &other): (usize, &u32)| labels[at / 10] == labels[other as usize];
    let same = near.indices.iter().enumerate().filter(|&pair| same(pair)).count();
    same as f64 / near.indices.len() as f64
}

/// Venna and Kaski's trustworthiness: how few strangers are among the 10 nearest on the map.
fn trustworthiness(x: Matrix<'_>, map: &[f32]) -> f64 {
    let (n, k) = (x.rows(), 10);
    let near = self_neighbours(Matrix::new(map, n, 2).unwrap(), k, Metric::Euclidean).unwrap();
    let ranked = self_neighbours(x, n - 1, Metric::Euclidean).unwrap();
    let mut excess = 0;
    for row in 0..n {
        let rank = |other: &u32| ranked.of(row).0.iter().position(|i| i == other).unwrap() + 1;
        excess += near.of(row).0.iter().map(|i| rank(i).saturating_sub(k)).sum::<usize>();
    }
    1.0 - excess as f64 * 2.0 / (n * k * (2 * n - 3 * k - 1)) as f64
}

#[test]
fn the_divergence_of_a_map_of_scikit_learn_is_what_it_says() {
    let known: Known = fixtures::read("tsne");
    let digits = fixtures::digits();
    let places: Vec<Point> = known.map.as_chunks().0.to_vec();
    let affinities = Affinities::new(digits.matrix(), 30.0).unwrap();
    let ratio = affinities.kl_divergence(&places, 0.0) / known.exact_kl_divergence;
    assert!((ratio - 1.0).abs() < 1e-4, "{ratio}");
    // Its own is approximated with cells that need to suit one point only.
    let ratio = affinities.kl_divergence(&places, 0.5) / known.kl_divergence;
    assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
    let purity = purity(&known.map, &digits.labels);
    assert!((purity - known.purity).abs() < 1e-3, "{purity}");
}

#[test]
fn a_map_of_digits_is_as_good_as_that_of_scikit_learn() {
    let known: Known = fixtures::read("tsne");
    let digits = fixtures::digits();
    let found = Tsne::default().fit(digits.matrix()).unwrap();
    let places: Vec<Point> = found.map.as_chunks().0.to_vec();
    let exact = Affinities::new(digits.matrix(), 30.0).unwrap().kl_divergence(&places, 0.0);
    for ratio in [found.kl_divergence / known.kl_divergence, exact / known.exact_kl_divergence] {
        assert!((0.95..1.02).contains(&ratio), "{ratio}");
    }
    let purity = purity(&found.map, &digits.labels);
    assert!(purity > known.purity - 0.005, "{purity}");
    let trust = trustworthiness(digits.matrix(), &found.map);
    assert!(trust > known.trustworthiness - 0.002, "{trust}");
}

#[test]
fn threads_change_nothing() {
    let data = noise(1_000, 8, 22);
    let x = Matrix::new(&data, 1_000, 8).unwrap();
    let model = Tsne { perplexity: 10.0, iterations: 270, ..Tsne::default() };
    let fitted = same_on_any_threads(|| model.fit(x).unwrap());
    assert!(fitted.kl_divergence > 0.0);
}

#[test]
fn clumps_that_are_far_apart_stay_apart() {
    let mut data = noise(300, 4, 23);
    for (row, point) in data.chunks_mut(4).enumerate() {
        point[row % 3] += 40.0;
    }
    let model = Tsne { perplexity: 15.0, iterations: 400, ..Tsne::default() };
    let fitted = model.fit(Matrix::new(&data, 300, 4).unwrap()).unwrap();
    let labels: Vec<u32> = (0..300).map(|row| row % 3).collect();
    assert_eq!(purity(&fitted.map, &labels), 1.0);
}

#[test]
fn one_column_and_equal_rows_have_maps_too() {
    let line: Vec<f32> = (0..60u8).map(f32::from).collect();
    let model = Tsne { perplexity: 5.0, iterations: 300, ..Tsne::default() };
    let fitted = model.fit(Matrix::new(&line, 60, 1).unwrap()).unwrap();
    assert!(fitted.map.chunks(2).any(|place| place[1].abs() > 1.0), "it unfolds");
    let equal = Matrix::new(&[3.0; 60], 30, 2).unwrap();
    let fitted = Tsne { perplexity: 5.0, ..model }.fit(equal).unwrap();
    assert!(fitted.map.iter().all(|value| value.is_finite()));
}

#[test]
fn impossible_requests_are_errors() {
    let data = noise(40, 3, 24);
    let x = Matrix::new(&data, 40, 3).unwrap();
    let model = Tsne { perplexity: 5.0, iterations: 2, ..Tsne::default() };
    assert!(model.fit(x).is_ok());
    assert!(matches!(model.fit(x.block(0..2)), Err(Error::TooFew { .. })));
    for wrong in [
        Tsne { perplexity: 40.0, ..model.clone() },
        Tsne { perplexity: f64::NAN, ..model.clone() },
        Tsne { iterations: 0, ..model.clone() },
        Tsne { theta: -0.1, ..model.clone() },
        Tsne { exaggeration: 0.5, ..model.clone() },
        Tsne { learning_rate: Some(0.0), ..model.clone() },
    ] {
        assert!(matches!(wrong.fit(x), Err(Error::Parameter { .. })), "{wrong:?}");
    }
    let far = Tsne { learning_rate: Some(1e30), iterations: 30, ..model };
    assert!(matches!(far.fit(x), Err(Error::Diverged { .. })));
}
