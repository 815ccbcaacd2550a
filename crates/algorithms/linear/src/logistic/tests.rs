use super::*;
use scarce_testing::{self as fixtures, noise, same_on_any_threads};
use serde::Deserialize;

#[derive(Deserialize)]
struct Known {
    c: f64,
    weights: Option<Vec<f32>>,
    intercept: bool,
    loss: f64,
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    first_probabilities: Vec<f32>,
}

fn scaled_digits() -> (Vec<f32>, Vec<u32>) {
    let digits = fixtures::digits();
    let pixels = digits.matrix().data().iter().map(|p| p / 16.0).collect();
    (pixels, digits.labels)
}

#[test]
fn agrees_with_scikit_learn_on_digits() {
    let (pixels, labels) = scaled_digits();
    let x = Matrix::new(&pixels, labels.len(), 64).unwrap();
    for known in fixtures::read::<Vec<Known>>("logistic") {
        let model = Logistic {
            c: known.c,
            intercept: known.intercept,
            tolerance: 1e-7,
            ..Logistic::default()
        };
        let fitted = model.fit(x, &labels, 10, known.weights.as_deref()).unwrap();
        let loss = fitted.convergence.loss;
        assert_eq!(fitted.convergence.ending, Ending::Converged);
        assert!((loss / known.loss - 1.0).abs() < 1e-6, "{loss} {}", known.loss);
        fixtures::assert_close(&fitted.weights, &known.coefficients, 2e-3);
        // Adding one number to all intercepts changes nothing; scikit-learn's sum to 0 as well.
        fixtures::assert_close(&fitted.intercepts, &known.intercepts, 2e-3);
        let p = fitted.predict_proba(x.block(0..5)).unwrap();
        fixtures::assert_close(&p, &known.first_probabilities, 1e-4);
    }
}

#[derive(Deserialize)]
struct TwoClasses {
    /// Rows of the digits: threes and eights.
    rows: Vec<usize>,
    cases: Vec<OfTwo>,
}

#[derive(Deserialize)]
struct OfTwo {
    c: f64,
    weights: Option<Vec<f32>>,
    intercept: bool,
    coefficients: Vec<f32>,
    offset: f32,
    probabilities: Vec<f32>,
}

/// Pixels `[n, 64]` and labels of the threes and eights.
fn threes_and_eights(known: &TwoClasses) -> (Vec<f32>, Vec<u32>) {
    let (pixels, labels) = scaled_digits();
    let rows = known.rows.iter();
    let of_rows = rows.clone().flat_map(|row| &pixels[row * 64..][..64]).copied().collect();
    (of_rows, rows.map(|&row| labels[row]).collect())
}

#[test]
fn the_same_c_means_the_same_fit_of_two_classes_as_in_scikit_learn() {
    let known: TwoClasses = fixtures::read("logistic_two");
    let (pixels, labels) = threes_and_eights(&known);
    let x = Matrix::new(&pixels, labels.len(), 64).unwrap();
    for case in &known.cases {
        let OfTwo { c, intercept, .. } = *case;
        let model = Logistic { c, intercept, tolerance: 1e-7, ..Logistic::default() };
        // Two of ten classes that have examples, which are the two that scikit-learn knows.
        let fitted = model.fit(x, &labels, 10, case.weights.as_deref()).unwrap();
        assert_eq!(fitted.convergence.ending, Ending::Converged);
        let row = |class: usize| &fitted.weights[class * 64..][..64];
        let apart: Vec<f32> = row(8).iter().zip(row(3)).map(|(one, other)| one - other).collect();
        fixtures::assert_close(&apart, &case.coefficients, 2e-3);
        let offset = fitted.intercepts[8] - fitted.intercepts[3];
        fixtures::assert_close(&[offset], &[case.offset], 2e-3);
        let p = fitted.predict_proba(x).unwrap();
        let eight: Vec<f32> = p.chunks_exact(10).map(|row| row[8]).collect();
        fixtures::assert_close(&eight, &case.probabilities, 2e-4);
    }
}

#[test]
fn threads_change_nothing() {
    let data = noise(9_000, 6, 10);
    let x = Matrix::new(&data, 9_000, 6).unwrap();
    // The class is the largest of the first three numbers, which a linear model can learn.
    let first_three: Vec<f32> = x.iter_rows().flat_map(|row| &row[..3]).copied().collect();
    let labels = scarce_numeric::winners(&first_three, 3);
    let fitted = same_on_any_threads(|| Logistic::default().fit(x, &labels, 3, None).unwrap());
    assert_eq!(fitted.convergence.ending, Ending::Converged);
    let predicted = same_on_any_threads(|| fitted.predict(x).unwrap());
    assert!(scarce_scores::accuracy(&labels, &predicted).unwrap() > 0.95);
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let data = noise(400, 4, 11);
    let x = Matrix::new(&data, 400, 4).unwrap();
    let labels: Vec<u32> = (0..400).map(|i| i % 3).collect();
    let weights: Vec<f32> = (0..400).map(|i| 0.5 + (i % 4) as f32).collect();
    let loss = Loss {
        x,
        labels: &labels,
        weights: &weights,
        total: weights.iter().copied().map(f64::from).sum(),
        classes: 3,
        c: 0.01,
        intercept: true,
    };
    let theta: Vec<f64> = noise(1, 15, 12).into_iter().map(f64::from).collect();
    let (mut gradient, mut unused) = (vec![0.0; 15], vec![0.0; 15]);
    loss.evaluate(&theta, &mut gradient);
    for i in 0..15 {
        let mut at = |step: f64| {
            let mut moved = theta.clone();
            moved[i] += step;
            loss.evaluate(&moved, &mut unused)
        };
        let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
        assert!((slope - gradient[i]).abs() < 1e-4, "{slope} {}", gradient[i]);
    }
}

#[test]
fn weights_count_like_repeated_rows() {
    let data = noise(60, 3, 13);
    let x = Matrix::new(&data, 60, 3).unwrap();
    let labels: Vec<u32> = (0..60).map(|i| u32::from(data[i * 3] > 0.0)).collect();
    let weights: Vec<f32> = (0..60).map(|i| (i % 3) as f32).collect();
    let (mut rows, mut row_labels) = (Vec::new(), Vec::new());
    for (i, &label) in labels.iter().enumerate() {
        for _ in 0..i % 3 {
            rows.extend_from_slice(x.row(i));
            row_labels.push(label);
        }
    }
    let repeated = Matrix::new(&rows, row_labels.len(), 3).unwrap();
    let model = Logistic { tolerance: 1e-6, ..Logistic::default() };
    let a = model.fit(x, &labels, 2, Some(&weights)).unwrap();
    let b = model.fit(repeated, &row_labels, 2, None).unwrap();
    fixtures::assert_close(&a.weights, &b.weights, 1e-3);
}

#[test]
fn classes_without_examples_get_probability_zero() {
    let x = Matrix::new(&[0.0, 1.0, 2.0, 3.0], 4, 1).unwrap();
    let fitted = Logistic::default().fit(x, &[1, 1, 3, 3], 5, None).unwrap();
    let p = fitted.predict_proba(x).unwrap();
    for row in p.chunks(5) {
        assert_eq!([row[0], row[2], row[4]], [0.0; 3]);
        assert!((row[1] + row[3] - 1.0).abs() < 1e-6);
    }
    assert_eq!(fitted.predict(x).unwrap(), [1, 1, 3, 3]);
    let one = Logistic::default().fit(x, &[2; 4], 3, None).unwrap();
    assert_eq!(one.predict_proba(x).unwrap(), [0.0, 0.0, 1.0].repeat(4));
}

#[test]
fn the_iteration_limit_is_reported() {
    let (pixels, labels) = scaled_digits();
    let x = Matrix::new(&pixels, labels.len(), 64).unwrap();
    let model = Logistic { max_iterations: 3, ..Logistic::default() };
    let mut losses = Vec::new();
    let mut observe = |step: Step| losses.push(step.loss);
    let fitted = model.fit_observed(x, &labels, 10, None, &mut observe).unwrap();
    assert_eq!(fitted.convergence.ending, Ending::IterationLimit);
    assert_eq!(losses.len(), 3);
    assert!(losses.is_sorted_by(|a, b| a > b));
}

#[test]
fn bad_input_is_refused() {
    let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
    let model = Logistic::default();
    assert!(matches!(model.fit(x, &[0], 2, None), Err(Error::Length { .. })));
    assert!(matches!(model.fit(x, &[0, 2], 2, None), Err(Error::Label { .. })));
    assert!(model.fit(x, &[0, 1], 2, Some(&[1.0, -1.0])).is_err());
    assert!(model.fit(x, &[0, 1], 2, Some(&[0.0, 0.0])).is_err());
    assert!(model.fit(x.block(0..0), &[], 2, None).is_err());
    let zero = Logistic { c: 0.0, ..model };
    assert!(matches!(zero.fit(x, &[0, 1], 2, None), Err(Error::Parameter { .. })));
    let fitted = model.fit(x, &[0, 1], 2, None).unwrap();
    let wide = Matrix::new(&[0.0; 2], 1, 2).unwrap();
    assert!(matches!(fitted.predict(wide), Err(Error::Width { .. })));
    let nan = Matrix::new(&[f32::NAN; 2], 2, 1).unwrap();
    assert!(matches!(fitted.predict(nan), Err(Error::NotFinite { .. })));
}
