use super::*;

/// Two rows of two coordinates: means, then logarithms of variances.
const BOTH: [f32; 8] = [1.0, -0.5, 0.0, 1.386_294_4, 0.0, 2.0, 0.0, -1.0];

fn tensor(values: &[f32], width: i64) -> Tensor {
    Tensor::from_slice(values).view([-1, width])
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &[f32]) {
    let found: Vec<f32> = numbers(found).unwrap();
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(close),
        "{found:?} is not {expected:?}"
    );
}

#[test]
fn is_as_far_from_the_standard_normal_as_the_closed_form_says() {
    // ½(μ² + σ² − 1 − ln σ²): ½ + ½(¼ + 4 − 1 − ln 4) and 0 + ½(4 + 1/e − 1 + 1)
    let gaussian = Gaussian::of_halves(&tensor(&BOTH, 4)).unwrap();
    assert_close(&gaussian.divergence().unwrap(), &[1.431_852_8, 2.183_939_7]);
    let standard = Gaussian::of_halves(&tensor(&[0.0; 6], 6)).unwrap();
    assert_close(&standard.divergence().unwrap(), &[0.0]);
}

#[test]
fn passes_gradients_to_means_and_variances() {
    let both = tensor(&BOTH, 4).set_requires_grad(true);
    let gaussian = Gaussian::of_halves(&both).unwrap();
    let sum = gaussian.divergence().unwrap().sum(Kind::Float);
    let gradient = Tensor::f_run_backward(&[sum], &[&both], false, false).unwrap();
    // μ, and ½(σ² − 1)
    let variance = (-1.0_f32).exp();
    let expected = [1.0, -0.5, 0.0, 1.5, 0.0, 2.0, 0.0, 0.5 * (variance - 1.0)];
    assert_close(&gradient[0], &expected);

    let mut stream = Stream::new(3, "test");
    let drawn = gaussian.draw(&mut Mode::Training(&mut stream)).unwrap();
    let gradient =
        Tensor::f_run_backward(&[drawn.sum(Kind::Float)], &[&both], false, false).unwrap();
    // 1, and ½ σ ε = ½ (z − μ)
    let half = (&drawn - gaussian.mean()).detach() * 0.5;
    let expected = Tensor::cat(&[Tensor::ones_like(&half), half], 1);
    assert_close(&gradient[0], &numbers::<f32>(&expected).unwrap());
}

#[test]
fn is_drawn_from_our_stream_while_learning_and_is_its_mean_when_applied() {
    let gaussian = Gaussian::of_halves(&tensor(&BOTH, 4)).unwrap();
    let draw = |seed| {
        let mut stream = Stream::new(seed, "test");
        gaussian.draw(&mut Mode::Training(&mut stream)).unwrap()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_eq!(&gaussian.draw(&mut Mode::Applied).unwrap(), gaussian.mean());
    // 20,000 draws of a mean of 3 and a variance of 4
    let many = Tensor::from_slice(&[3.0_f32, 4.0_f32.ln()]).repeat([20_000, 1]);
    let many = Gaussian::of_halves(&many).unwrap();
    let drawn = many.draw(&mut Mode::Training(&mut Stream::new(4, "test"))).unwrap();
    let (mean, variance) = (drawn.mean(Kind::Double), drawn.to_kind(Kind::Double).var(true));
    // four standard errors: 2/√20,000 and 4·√(2/20,000)
    assert!((mean.double_value(&[]) - 3.0).abs() < 0.057, "{mean:?}");
    assert!((variance.double_value(&[]) - 4.0).abs() < 0.16, "{variance:?}");
}

#[test]
fn has_noise_of_the_shape_of_a_bell() {
    let mut numbers = Stream::new(1, "test").normals(100_001);
    assert_eq!(numbers.len(), 100_001);
    assert!(numbers.iter().all(|number| number.is_finite()));
    numbers.sort_by(f32::total_cmp);
    // quantiles of the standard normal distribution
    for (share, quantile) in [(0.001_f64, -3.0902_f32), (0.1, -1.2816), (0.5, 0.0), (0.9772, 2.0)] {
        let found = numbers[(share * 100_000.0) as usize];
        // four standard errors
        let density = (-0.5 * quantile * quantile).exp() / std::f32::consts::TAU.sqrt();
        let error = 4.0 * (share * (1.0 - share) / 100_000.0).sqrt() as f32 / density;
        assert!((found - quantile).abs() < error, "{share}: {found} is not {quantile} ± {error}");
    }
}
