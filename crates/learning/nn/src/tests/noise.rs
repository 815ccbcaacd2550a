use super::*;

#[test]
fn dropped_numbers_are_as_many_as_asked_and_the_mean_stays() {
    let mut stream = Stream::new(1, "test");
    let x = Tensor::ones([100, 200], (Kind::Float, cpu()));
    let y = dropout(x.shallow_clone(), 0.3, &mut Mode::Training(&mut stream)).unwrap();
    let values: Vec<f32> = numbers(&y).unwrap();
    let kept = (1.0 / 0.7) as f32;
    assert!(values.iter().all(|&value| value == 0.0 || value == kept));
    assert!((y.mean(Kind::Float).double_value(&[]) - 1.0).abs() < 0.02);
    let again = dropout(x.shallow_clone(), 0.3, &mut Mode::Training(&mut stream)).unwrap();
    assert!(y != again);
    assert_eq!(dropout(x.shallow_clone(), 0.3, &mut Mode::Applied).unwrap(), x);
}

#[test]
fn normalised_batches_have_mean_0_and_variance_1_and_are_remembered() {
    let variables = Variables::fresh(cpu(), 0);
    let norm = BatchNorm::new(&variables, "norm", 2).unwrap();
    let x = Tensor::from_slice(&[1.0_f32, 10.0, 3.0, 30.0, 5.0, 20.0]).view([3, 2]);
    let mut stream = Stream::new(1, "test");
    let y = norm.forward(&x, &mut Mode::Training(&mut stream)).unwrap();
    let found: Vec<f32> = numbers(&y).unwrap();
    let expected = [-1.2247, -1.2247, 0.0, 1.2247, 1.2247, 0.0];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?}");
    // a tenth of the batch's mean, and of its unbiased variance beside nine tenths of 1
    let saved = variables.save().unwrap();
    let close = |name: &str, expected: [f32; 2]| {
        let found = &saved[name].values;
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{name} {found:?}");
    };
    close("norm.mean", [0.3, 2.0]);
    close("norm.variance", [1.3, 10.9]);
    assert_eq!(variables.learnt().len(), 2);
    let alone = x.narrow(0, 0, 1);
    assert!(norm.forward(&alone, &mut Mode::Training(&mut stream)).is_err());
    assert!(norm.forward(&alone, &mut Mode::Applied).is_ok());
}
