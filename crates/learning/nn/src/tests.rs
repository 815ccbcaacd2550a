use std::path::Path;

use scarce_artifact::{Model, ModelCard, Shape};
use tch::{Kind, Reduction, Tensor};

use super::*;

mod augment;
mod gaussian;
mod noise;
mod planes;
mod rows;
mod training;

const ODD: Shape = Shape { height: 9, width: 7, channels: 3 };

fn cpu() -> tch::Device {
    Device::Cpu.open().unwrap()
}

/// Twelve images of `shape`, each a ramp of its own.
fn pixels(shape: Shape) -> Pixels {
    let width = shape.pixels();
    let bytes: Vec<u8> = (0..12 * width).map(|i| ((i % width) * (1 + i / width)) as u8).collect();
    Pixels::new(cpu(), &bytes, shape, 255).unwrap()
}

/// An encoder and decoder for `shape`, and the loss of passing through both.
fn there_and_back(
    variables: &Variables,
    shape: Shape,
) -> impl Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error> + use<> {
    let channels = [4, 6];
    let activation = Activation::Relu;
    let encoder = ConvEncoder::new(variables, "encoder", shape, &channels, activation).unwrap();
    let decoder = ConvDecoder::new(variables, "decoder", shape, &channels, activation).unwrap();
    let pixels = pixels(shape);
    move |rows, _| {
        let x = pixels.gather(rows)?;
        let back = decoder.forward(&encoder.forward(&x)?)?;
        Ok(back.f_mse_loss(&x, Reduction::Mean)?)
    }
}

fn trained(seed: u64, training: &Training) -> (Variables, Vec<Epoch>) {
    let variables = Variables::fresh(cpu(), seed);
    let learner = |replica: &Variables| Ok(there_and_back(replica, ODD));
    let epochs = train(&variables, Rows::all(12), training, &mut |_| {}, learner).unwrap();
    (variables, epochs)
}

mod convolutions {
    use super::*;

    #[test]
    fn come_back_to_any_size() {
        for (height, width, channels) in [(28, 28, 1), (8, 8, 1), (9, 7, 3), (1, 1, 1), (32, 5, 3)]
        {
            let shape = Shape { height, width, channels };
            let variables = Variables::fresh(cpu(), 0);
            let loss = there_and_back(&variables, shape);
            let value = loss(&Tensor::from_slice(&[0_i64, 3]), &mut Mode::Applied)
                .unwrap()
                .double_value(&[]);
            assert!(value.is_finite(), "{shape:?}");
        }
    }

    #[test]
    fn come_out_as_wide_as_they_say() {
        let variables = Variables::fresh(cpu(), 0);
        let encoder = ConvEncoder::new(&variables, "e", ODD, &[4, 6], Activation::Relu).unwrap();
        let code = encoder.forward(&pixels(ODD).range(0, 5).unwrap()).unwrap();
        assert_eq!(code.size(), [5, ConvEncoder::width(ODD, &[4, 6]) as i64]);
    }

    #[test]
    fn with_a_stride_leave_places_out() {
        let out = |padding, stride, kernel| {
            let planes = Planes { channels: vec![2], kernel, padding, stride, pool: 1 };
            let variables = Variables::fresh(cpu(), 0);
            let none = Activation::None;
            let stack = ConvStack::new(&variables, "s", ODD, &planes, none).unwrap();
            let out = stack.forward(&pixels(ODD).range(0, 4).unwrap(), &mut Mode::Applied).unwrap();
            assert_eq!(out.size(), [4, planes.width(ODD).unwrap() as i64]);
            out
        };
        for (padding, height, width) in [(Padding::Same, 9, 7), (Padding::Valid, 7, 5)] {
            let every = out(padding, 1, 3).view([4, 2, height, width]);
            let second = every.slice(2, None, None, 2).slice(3, None, None, 2).flatten(1, -1);
            assert!(second.allclose(&out(padding, 2, 3), 1e-5, 1e-6, false));
        }
        let even =
            Planes { channels: vec![2], kernel: 4, padding: Padding::Same, stride: 2, pool: 1 };
        assert!(even.width(ODD).unwrap_err().to_string().contains("odd `kernel`"));
    }

    #[test]
    fn see_channels_apart() {
        // a kernel that passes on red alone: weights [1, 3, 3, 3], the centre of red 1
        let variables = Variables::fresh(cpu(), 0);
        let encoder = ConvEncoder::new(&variables, "e", ODD, &[1], Activation::None).unwrap();
        let saved = variables.save().unwrap();
        let mut red = vec![0.0; saved["e.0.weight"].values.len()];
        red[4] = 1.0;
        tch::no_grad(|| {
            let weight = Tensor::from_slice(&red).view([1, 3, 3, 3]);
            // in the order of their names: bias, weight
            variables.restore(&[Tensor::zeros([1], (Kind::Float, cpu())), weight]).unwrap();
        });
        let x = pixels(ODD).range(2, 3).unwrap();
        let out = encoder.forward(&x).unwrap();
        // stride 2: the second value is row 0, column 2
        assert_eq!(out.double_value(&[0, 1]), x.double_value(&[0, 2 * 3]));
    }
}

mod pixel_values {
    use super::*;

    #[test]
    fn are_scaled_by_the_largest_possible() {
        let shape = Shape { height: 1, width: 2, channels: 1 };
        let pixels = Pixels::new(cpu(), &[0, 16, 8, 4], shape, 16).unwrap();
        let rows = pixels.gather(&Tensor::from_slice(&[1_i64, 0])).unwrap();
        assert_eq!(Vec::<f32>::try_from(rows.flatten(0, 1)).unwrap(), [0.5, 0.25, 0.0, 1.0]);
    }

    #[test]
    fn must_be_whole_images() {
        assert!(
            Pixels::new(cpu(), &[1, 2, 3], Shape { height: 2, width: 1, channels: 1 }, 255)
                .is_err()
        );
    }
}

mod weights {
    use super::*;

    fn model(variables: &Variables) -> Model {
        of(variables.save().unwrap())
    }

    /// A model with these weights.
    pub(super) fn of(
        tensors: std::collections::BTreeMap<String, scarce_artifact::Tensor>,
    ) -> Model {
        let card = ModelCard {
            kind: "test".to_owned(),
            classes: Vec::new(),
            architecture: serde_json::Value::Null,
            preprocessing: serde_json::Value::Null,
        };
        Model { card, tensors }
    }

    #[test]
    fn come_back_from_a_model() {
        let plan = Training { epochs: 2, ..Training::default() };
        let (variables, _) = trained(3, &plan);
        let again = Variables::of_model(cpu(), model(&variables), Path::new("encoder"));
        let loss = there_and_back(&again, ODD);
        assert_eq!(again.save().unwrap(), variables.save().unwrap());
        assert!(loss(&Tensor::from_slice(&[0_i64]), &mut Mode::Applied).is_ok());
    }

    #[test]
    fn of_another_shape_are_refused_by_name() {
        let variables = Variables::fresh(cpu(), 0);
        Dense::new(&variables, "code", &[4, 2], Activation::Relu).unwrap();
        let again = Variables::of_model(cpu(), model(&variables), Path::new("some/encoder"));
        let error = Dense::new(&again, "code", &[4, 3], Activation::Relu).err().unwrap();
        let text = error.to_string();
        assert!(text.contains("some/encoder") && text.contains("code.0.weight"), "{text}");
    }

    #[test]
    fn of_absurd_size_are_refused() {
        let variables = Variables::fresh(cpu(), 0);
        for widths in [[usize::MAX, 3], [1 << 20, 1 << 20], [0, 4]] {
            let outcome = Dense::new(&variables, "code", &widths, Activation::Relu);
            assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{widths:?}");
        }
    }

    #[test]
    fn start_within_their_bound_and_fill_it() {
        let variables = Variables::fresh(cpu(), 9);
        Dense::new(&variables, "code", &[100, 50], Activation::Relu).unwrap();
        let saved = variables.save().unwrap();
        let largest = saved["code.0.weight"].values.iter().fold(0_f32, |a, &b| a.max(b.abs()));
        assert!(largest <= 0.1 && largest > 0.099, "{largest}");
    }

    #[test]
    fn start_as_glorot_and_bengio_say_if_asked() {
        let variables = Variables::initialised(cpu(), 9, Initialisation::Glorot);
        Dense::new(&variables, "dense", &[100, 50], Activation::Relu).unwrap();
        ConvEncoder::new(&variables, "planes", ODD, &[40], Activation::Relu).unwrap();
        let saved = variables.save().unwrap();
        // 3 and 40 channels of 3×3 pixels
        let inner_and_outer = [("dense", 150.0), ("planes", 9.0 * 43.0)];
        for (layer, sum) in inner_and_outer {
            let bound = (6.0_f32 / sum).sqrt();
            let weights = &saved[&format!("{layer}.0.weight")].values;
            let largest = weights.iter().fold(0_f32, |a, &b| a.max(b.abs()));
            assert!(largest <= bound && largest > 0.99 * bound, "{layer} {largest} {bound}");
            let biases = &saved[&format!("{layer}.0.bias")].values;
            assert!(biases.iter().all(|&bias| bias == 0.0), "{layer} {biases:?}");
        }
        assert_eq!(variables.learnt().len(), 4);
    }
}

mod a_device {
    use super::*;

    #[test]
    fn is_read_and_written_as_text() {
        for text in ["auto", "cpu", "cuda:3"] {
            let device: Device = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(device).unwrap(), text);
        }
        assert!("cuda:x".parse::<Device>().is_err() && "gpu".parse::<Device>().is_err());
    }

    #[test]
    fn that_is_not_there_is_refused() {
        let error = Device::Cuda(4096).open().unwrap_err();
        assert!(error.to_string().contains("cuda:4096"), "{error}");
    }
}

#[test]
fn a_stream_is_given_by_seed_and_purpose() {
    let draw = |seed, purpose| Stream::new(seed, purpose).below(1 << 40);
    assert_eq!(draw(1, "a"), draw(1, "a"));
    assert_ne!(draw(1, "a"), draw(2, "a"));
    assert_ne!(draw(1, "a"), draw(1, "b"));
    let mut items: Vec<usize> = (0..100).collect();
    Stream::new(1, "a").shuffle(&mut items);
    assert_ne!(items, (0..100).collect::<Vec<_>>());
    items.sort_unstable();
    assert_eq!(items, (0..100).collect::<Vec<_>>());
}
