use scarce_nn::tch::{self, Kind, Reduction, Tensor};
use scarce_nn::{Device, Mode, Stream, Variables, numbers};

use super::*;

fn params(more: Value) -> TrainParams {
    serde_json::from_value(quick(more)).unwrap()
}

/// An untrained network, and images for it: `[5, 64]`.
fn network(more: Value) -> (Autoencoder, Tensor) {
    let device = Device::Cpu.open().unwrap();
    let variables = Variables::fresh(device, 3);
    let blueprint = Blueprint::new(&params(more), GREY);
    let network = Autoencoder::new(&variables, &blueprint).unwrap();
    let pixels = Tensor::arange(5 * 64, (Kind::Float, device)).f_remainder(7.0).unwrap() / 7.0;
    (network, pixels.view([5, 64]))
}

fn value(tensor: &Tensor) -> f64 {
    tensor.double_value(&[])
}

#[test]
fn training_lowers_the_loss_of_either_architecture_with_either_loss() {
    for (architecture, loss) in [("linear", "mse"), ("linear", "bce"), ("conv", "bce")] {
        let folder = folder(ODD);
        let more = json!({
            "architecture": architecture, "loss": loss, "hidden": [20], "channels": [4, 6],
            "epochs": 40, "learning_rate": 0.01, "variational": true, "kl_weight": 0.1,
        });
        run(folder.path(), "autoencoder", quick(more)).unwrap();
        let losses = history(folder.path()).train_loss;
        assert!(losses[39] < 0.9 * losses[0], "{architecture} {loss}: {losses:?}");
    }
}

#[test]
fn loss_is_that_of_the_reconstruction_and_the_divergence_by_pixel() {
    let (network, x) = network(json!({ "variational": true, "hidden": [20] }));
    let posterior = network.encoder().posterior(&x).unwrap().unwrap();
    let divergence = value(&posterior.divergence().unwrap().mean(Kind::Double));
    assert!(divergence > 1e-3);
    let back = network.decode(posterior.mean()).unwrap();
    let entropy = value(&back.binary_cross_entropy(&x, None::<Tensor>, Reduction::Sum)) / 5.0;
    let squares = value(&back.mse_loss(&x, Reduction::Sum)) / 5.0;
    let close = |loss, kl_weight, image: f64| {
        let found = network.loss(&x, loss, kl_weight, &mut Mode::Applied).unwrap();
        let found = value(&found);
        assert!((found - image / 64.0).abs() < 1e-5, "{loss:?} {found} is not {}", image / 64.0);
    };
    close(Loss::Bce, 1.0, entropy + divergence);
    close(Loss::Bce, 4.0, entropy + 4.0 * divergence);
    close(Loss::Mse, 1.0, 0.5 * squares + divergence);
    close(Loss::Mse, 0.0, 0.5 * squares);
}

#[test]
fn gradient_is_the_slope_of_the_loss_for_the_same_noise() {
    let more = json!({ "variational": true, "hidden": [20], "activation": "tanh" });
    let (network, x) = network(more);
    for loss in [Loss::Mse, Loss::Bce] {
        // through all of the encoder and the draw to the images
        let at = |x: &Tensor| {
            let mut stream = Stream::new(1, "noise");
            network.loss(x, loss, 1.0, &mut Mode::Training(&mut stream)).unwrap()
        };
        let leaf = x.copy().set_requires_grad(true);
        let gradient = Tensor::f_run_backward(&[at(&leaf)], &[&leaf], false, false).unwrap();
        let length = value(&gradient[0].norm());
        let step = &gradient[0] * (0.05 / length);
        let slope = (value(&at(&(&x + &step))) - value(&at(&(&x - &step)))) / 0.1;
        assert!((slope - length).abs() < 0.01 * length, "{loss:?}: {slope} is not {length}");
    }
}

#[test]
fn noise_is_drawn_while_training_only() {
    let (network, x) = network(json!({ "variational": true }));
    let with = |seed| {
        let mut stream = Stream::new(seed, "noise");
        value(&network.loss(&x, Loss::Bce, 1.0, &mut Mode::Training(&mut stream)).unwrap())
    };
    assert_eq!(with(1).to_bits(), with(1).to_bits());
    assert_ne!(with(1).to_bits(), with(2).to_bits());
}

#[test]
fn code_is_the_mean() {
    for architecture in ["linear", "conv"] {
        let folder = folder(GREY);
        let more = json!({ "architecture": architecture, "variational": true, "hidden": [20] });
        run(folder.path(), "autoencoder", quick(more)).unwrap();
        run(folder.path(), "encode", json!({})).unwrap();
        let found = embeddings(folder.path()).embedding;
        assert_eq!(found.width, 6);

        let stem = folder.path().join("model");
        let model = Model::read(&stem).unwrap();
        let last = &model.tensors["encoder.dense.1.weight"];
        assert_eq!(last.shape, [12, 20]);
        let blueprint = Blueprint::of_card(&model.card, &stem).unwrap();
        let device = Device::Cpu.open().unwrap();
        let variables = Variables::of_model(device, model, &stem);
        let encoder = Encoder::new(&variables, &blueprint).unwrap();
        let images = Reader::<Images>::open(&folder.path().join("images.parquet")).unwrap();
        let bytes = images.read().unwrap().pixels.values;
        let x = Tensor::from_slice(&bytes).view([-1, 64]).to_kind(Kind::Float) / 255.0;
        let posterior = tch::no_grad(|| encoder.posterior(&x)).unwrap().unwrap();
        let expected = numbers::<f32>(posterior.mean()).unwrap();
        for (a, b) in found.values.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        }
        // and what the decoder was shown
        let path = folder.path().join("reconstructions.parquet");
        let shown = Reader::<Reconstructions>::open(&path).unwrap().read().unwrap();
        let row = shown.id[0] as usize - 1000;
        for (a, b) in shown.code.row(0).iter().zip(&expected[row * 6..]) {
            assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        }
    }
}

#[test]
fn is_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        write_rows(&folder.path().join("images"), GREY, 255, 300);
        // mini-batches of two pieces
        let more = json!({
            "variational": true, "hidden": [20], "batch": 128, "early_stopping": {},
        });
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            run(folder.path(), "autoencoder", quick(more)).unwrap();
            run(folder.path(), "encode", json!({})).unwrap();
        });
        ["model.safetensors", "history.parquet", "embeddings.parquet"]
            .map(|name| fs_err::read(folder.path().join(name)).unwrap())
    };
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn refuses_an_activation_on_the_code() {
    let folder = folder(GREY);
    let more = json!({ "variational": true, "code_activation": "leaky_relu" });
    let failure = run(folder.path(), "autoencoder", quick(more)).unwrap_err();
    assert_eq!(failure.code, "autoencoder::variational");
    assert!(failure.message.contains("`code_activation = \"leaky_relu\"`"), "{}", failure.message);
}

#[test]
fn cards_that_do_not_say_are_of_plain_autoencoders() {
    let folder = folder(GREY);
    run(folder.path(), "autoencoder", quick(json!({}))).unwrap();
    run(folder.path(), "encode", json!({})).unwrap();
    let before = embeddings(folder.path());
    let stem = folder.path().join("model");
    let mut model = Model::read(&stem).unwrap();
    let removed = model.card.architecture.as_object_mut().unwrap().remove("variational");
    assert_eq!(removed, Some(json!(false)));
    model.write(&stem).unwrap();
    run(folder.path(), "encode", json!({})).unwrap();
    assert_eq!(embeddings(folder.path()), before);
}

#[test]
fn weights_start_where_they_are_told() {
    let history_of = |more: Value| {
        let folder = folder(GREY);
        run(folder.path(), "autoencoder", quick(more)).unwrap();
        history(folder.path()).train_loss
    };
    let plain = history_of(json!({}));
    assert_eq!(plain, history_of(json!({ "initialisation": "fan-in" })));
    assert_ne!(plain, history_of(json!({ "initialisation": "glorot" })));
}
