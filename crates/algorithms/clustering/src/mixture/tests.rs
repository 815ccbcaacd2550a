//! Known answers: `fixtures/make_mixture.py`.

use serde::Deserialize;

use super::*;
use scarce_testing::{self as fixtures, assert_near, noise, same_on_any_threads};

#[derive(Deserialize)]
struct Known {
    cols: usize,
    components: usize,
    x: Vec<f32>,
    start: Vec<u32>,
    tolerance: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    covariance: String,
    regularisation: f64,
    iterations: usize,
    log_likelihood: f64,
    weights: Vec<f64>,
    means: Vec<f64>,
    covariances: Vec<f64>,
    labels: Vec<u32>,
    probabilities: Vec<f32>,
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn agrees_with_scikit_learn_from_the_same_start() {
    let known: Known = fixtures::read("mixture");
    let x = Matrix::new(&known.x, known.start.len(), known.cols).unwrap();
    for case in known.cases {
        let model = GaussianMixture {
            covariance: match case.covariance.as_str() {
                "full" => Covariance::Full,
                _ => Covariance::Diagonal,
            },
            start: MixtureStart::Given(known.start.clone()),
            regularisation: case.regularisation,
            tolerance: known.tolerance,
            max_iterations: 500,
            ..GaussianMixture::new(known.components)
        };
        let fitted = same_on_any_threads(|| model.fit(x).unwrap());
        assert_eq!((fitted.iterations, fitted.converged), (case.iterations, true));
        assert_near(fitted.log_likelihood, case.log_likelihood);
        near(&fitted.weights, &case.weights);
        near(&fitted.means, &case.means);
        near(&fitted.covariances, &case.covariances);
        assert_eq!(fitted.labels, case.labels);
        fixtures::assert_close(&fitted.probabilities, &case.probabilities, 1e-6);
    }
}

/// Two long clouds side by side, which k-means would cut across: `[400, 2]`.
fn stripes() -> Vec<f32> {
    let mut data = noise(400, 2, 51);
    for (row, point) in data.chunks_exact_mut(2).enumerate() {
        point[0] *= 30.0;
        point[1] += [0.0, 6.0][row % 2];
    }
    data
}

#[test]
fn long_clouds_are_told_apart() {
    let data = stripes();
    let x = Matrix::new(&data, 400, 2).unwrap();
    let best = GaussianMixture { restarts: 8, ..GaussianMixture::new(2) };
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        let start = MixtureStart::Given((0..400).map(|row| u32::from(row % 10 < 5)).collect());
        let model = GaussianMixture { covariance, start, ..best.clone() };
        let fitted =
            GaussianMixture { max_iterations: 1000, tolerance: 1e-9, ..model }.fit(x).unwrap();
        for row in 0..400 {
            assert_eq!(
                fitted.labels[row] == fitted.labels[0],
                row % 2 == 0,
                "{covariance:?} {row}"
            );
        }
        assert!((fitted.weights[0] - 0.5).abs() < 0.01);
    }
}

#[test]
fn more_starts_are_never_less_likely() {
    let digits: Known = fixtures::read("mixture");
    let x = Matrix::new(&digits.x, digits.start.len(), digits.cols).unwrap();
    let likelihood = |restarts| {
        let model = GaussianMixture { restarts, tolerance: 1e-6, ..GaussianMixture::new(12) };
        same_on_any_threads(|| model.fit(x).unwrap().log_likelihood)
    };
    // The bound that is compared is one round older than the likelihood.
    assert!(likelihood(6) >= likelihood(1) - 1e-4);
}

#[test]
fn rounds_are_observed_and_likelihoods_rise() {
    let data = stripes();
    let mut rounds: Vec<MixtureRound> = Vec::new();
    let model = GaussianMixture { restarts: 2, ..GaussianMixture::new(3) };
    let fitted =
        model.fit_observed(Matrix::new(&data, 400, 2).unwrap(), &mut |r| rounds.push(r)).unwrap();
    for pair in rounds.windows(2).filter(|pair| pair[0].restart == pair[1].restart) {
        assert_eq!(pair[1].iteration, pair[0].iteration + 1);
        assert!(pair[1].log_likelihood >= pair[0].log_likelihood - 1e-9);
    }
    assert_eq!(rounds.last().unwrap().restart, 1);
    assert!(rounds.iter().any(|round| round.iteration == fitted.iterations));
}

#[test]
fn distances_are_those_from_the_means() {
    let data = stripes();
    let x = Matrix::new(&data, 400, 2).unwrap();
    let fitted = GaussianMixture::new(3).fit(x).unwrap();
    let near = fitted.distances(x).unwrap();
    for row in 0..400 {
        let mean = &fitted.means[near.index[row] as usize * 2..][..2];
        let squared: f64 =
            x.row(row).iter().zip(mean).map(|(&v, mean)| (f64::from(v) - mean).powi(2)).sum();
        assert!((f64::from(near.squared[row]) - squared).abs() < 1e-4 * squared.max(1.0));
    }
    assert!(fitted.distances(x.block(0..3)).is_err());
}

#[test]
fn equal_rows_need_regularisation() {
    let data = [1.0f32, 2.0].repeat(20);
    let x = Matrix::new(&data, 20, 2).unwrap();
    let fitted = GaussianMixture::new(2).fit(x).unwrap();
    assert!(fitted.log_likelihood.is_finite());
    // One column is always 0.
    let flat: Vec<f32> = (0..20u8).flat_map(|row| [f32::from(row), 0.0]).collect();
    let flat = Matrix::new(&flat, 20, 2).unwrap();
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        let bare = GaussianMixture { regularisation: 0.0, covariance, ..GaussianMixture::new(1) };
        assert!(matches!(bare.fit(flat), Err(Error::Singular { component: 0 })));
    }
}

#[test]
fn impossible_requests_are_errors() {
    let x = Matrix::new(&[0.0, 1.0, 2.0], 3, 1).unwrap();
    assert!(matches!(GaussianMixture::new(4).fit(x), Err(Error::TooFew { available: 3, .. })));
    for wrong in [
        GaussianMixture::new(0),
        GaussianMixture { restarts: 0, ..GaussianMixture::new(2) },
        GaussianMixture { max_iterations: 0, ..GaussianMixture::new(2) },
        GaussianMixture { tolerance: f64::NAN, ..GaussianMixture::new(2) },
        GaussianMixture { regularisation: -1.0, ..GaussianMixture::new(2) },
        GaussianMixture { start: MixtureStart::Given(vec![0, 1]), ..GaussianMixture::new(2) },
        GaussianMixture { start: MixtureStart::Given(vec![0, 1, 2]), ..GaussianMixture::new(2) },
    ] {
        assert!(wrong.fit(x).is_err(), "{wrong:?}");
    }
    let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
    assert!(matches!(GaussianMixture::new(1).fit(nan), Err(Error::NotFinite { row: 1, .. })));
}
