use super::*;

/// Images as `[n, H·W·C]` that a gradient can reach.
fn images(shape: Shape) -> Tensor {
    let mut stream = Stream::new(5, "test");
    let values: Vec<f32> = (0..4 * shape.pixels()).map(|_| stream.uniform() - 0.5).collect();
    Tensor::from_slice(&values).view([4, shape.pixels() as i64]).set_requires_grad(true)
}

#[test]
fn pooling_before_or_after_the_activation_is_the_same() {
    let planes =
        Planes { channels: vec![5], kernel: 3, padding: Padding::Same, stride: 1, pool: 2 };
    for activation in [
        Activation::None,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Tanh,
        Activation::Sigmoid,
    ] {
        let variables = Variables::fresh(cpu(), 3);
        let stack = ConvStack::new(&variables, "planes", ODD, &planes, activation).unwrap();
        let saved = variables.save().unwrap();
        let of = |name: &str, sizes: &[i64]| Tensor::from_slice(&saved[name].values).view(sizes);
        let (weight, bias) = (of("planes.0.weight", &[5, 3, 3, 3]), of("planes.0.bias", &[5]));
        let (ours, theirs) = (images(ODD), images(ODD));
        let found = stack.forward(&ours, &mut Mode::Applied).unwrap();
        let x = theirs.view([4, 9, 7, 3]).permute([0, 3, 1, 2]);
        let x = x.f_conv2d(&weight, Some(&bias), 1, 1, 1, 1).unwrap();
        let expected = activation.apply(x).unwrap().max_pool2d(2, 2, 0, 1, false).flatten(1, -1);
        assert!(found.allclose(&expected, 1e-6, 1e-6, false), "{activation:?}");
        found.square().sum(Kind::Float).backward();
        expected.square().sum(Kind::Float).backward();
        assert!(ours.grad().allclose(&theirs.grad(), 1e-5, 1e-6, false), "{activation:?}");
    }
}
