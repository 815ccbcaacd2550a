use scarce_nn::{
    self as nn, ManualBackward as _, Mode, Piece, Pixels, Rows, Stream, Training, Variables,
    tch::Tensor,
};

use super::*;
use crate::manual_backward::{ManualBackward, Scratch};

const IMAGES: usize = 150;

/// Networks whose backward pass is written by hand.
fn networks() -> Vec<TrainParams> {
    let networks = [
        json!({ "loss": "bce", "variational": true, "hidden": [70], "kl_weight": 0.7 }),
        json!({ "loss": "mse", "variational": true, "hidden": [30, 20], "kl_weight": 0.1 }),
        json!({ "loss": "bce", "code_activation": "relu", "initialisation": "glorot" }),
        json!({ "loss": "mse", "code_activation": "sigmoid", "hidden": [30] }),
        json!({ "loss": "mse", "output_activation": "leaky_relu", "activation": "sigmoid",
            "hidden": [30, 20] }),
        json!({ "loss": "mse", "output_activation": "none", "activation": "leaky_relu",
            "hidden": [30] }),
    ];
    networks.into_iter().map(|more| serde_json::from_value(quick(more)).unwrap()).collect()
}

/// Images whose pixels are anything, or of which three in four are black.
fn images(black: bool) -> Vec<u8> {
    let byte = |at: usize| match (at * at / 7 + at / ODD.pixels()) % 1024 {
        256.. if black => 0,
        number => (number % 256) as u8,
    };
    (0..IMAGES * ODD.pixels()).map(byte).collect()
}

/// Every network with every kind of images.
fn cases() -> impl Iterator<Item = (TrainParams, Vec<u8>)> {
    let with = |params: TrainParams| [false, true].map(|black| (params.clone(), images(black)));
    networks().into_iter().flat_map(with)
}

fn fresh(params: &TrainParams) -> (Variables, Blueprint) {
    let device = nn::Device::Cpu.open().unwrap();
    let variables = Variables::initialised(device, 3, params.initialisation);
    let blueprint = Blueprint::new(params, ODD);
    Autoencoder::new(&variables, &blueprint).unwrap();
    (variables, blueprint)
}

fn manual_backward<'a>(
    params: &TrainParams,
    variables: &Variables,
    blueprint: &Blueprint,
    bytes: &'a [u8],
) -> ManualBackward<'a> {
    let loss = (params.loss, params.kl_weight);
    ManualBackward::new(blueprint, variables, loss, (bytes, 255)).unwrap()
}

/// All weights in the order of their names.
fn weights(variables: &Variables) -> Vec<f32> {
    variables.save().unwrap().into_values().flat_map(|tensor| tensor.values).collect()
}

/// Trains, by hand if there is a network for that, else by autograd.
fn descend(
    params: &TrainParams,
    (variables, blueprint): (&Variables, &Blueprint),
    bytes: &[u8],
    rows: Rows,
    plan: &Training,
    network: Option<&ManualBackward<'_>>,
) -> Result<Vec<nn::Epoch>, nn::Error> {
    let pixels = Pixels::new(variables.device(), bytes, ODD, 255).unwrap();
    let learner = |replica: &Variables| {
        let (network, pixels) = (Autoencoder::new(replica, blueprint)?, pixels.replica());
        Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
            network.loss(&pixels.gather(rows)?, params.loss, params.kl_weight, mode)
        })
    };
    let progress = &mut |_: &nn::Progress| {};
    match network {
        Some(network) => nn::train_by_hand(variables, rows, plan, progress, learner, network),
        None => nn::train(variables, rows, plan, progress, learner),
    }
}

/// Weights and losses after some steps, with gradients by hand or by autograd.
fn trained(params: &TrainParams, bytes: &[u8], hand: bool) -> (Vec<f32>, Vec<f64>) {
    let (variables, blueprint) = fresh(params);
    let network = manual_backward(params, &variables, &blueprint, bytes);
    // mini-batches of several pieces, the last one smaller
    let plan = Training { epochs: 4, batch: 40, piece: 16, ..Training::default() };
    let rows = Rows::held_out(IMAGES - 20, 20);
    let (net, network) = ((&variables, &blueprint), hand.then_some(&network));
    let epochs = descend(params, net, bytes, rows, &plan, network).unwrap();
    let losses = epochs.iter().flat_map(|epoch| [epoch.train_loss, epoch.validation_loss.unwrap()]);
    (weights(&variables), losses.collect())
}

#[test]
fn gradients_train_to_the_same_weights_as_autograd() {
    for (params, bytes) in cases() {
        let (hand, hand_losses) = trained(&params, &bytes, true);
        let (auto, losses) = trained(&params, &bytes, false);
        for (hand, auto) in hand_losses.iter().zip(&losses) {
            assert!((hand / auto - 1.0).abs() < 1e-5, "{hand_losses:?} {losses:?} {params:?}");
        }
        let apart: f32 = hand.iter().zip(&auto).map(|(hand, auto)| (hand - auto).abs()).sum();
        let apart = apart / hand.len() as f32;
        assert!(apart < 1e-6, "{apart} {params:?}");
    }
}

#[test]
fn gradients_are_those_of_autograd() {
    for (params, bytes) in cases() {
        let (variables, blueprint) = fresh(&params);
        let network = manual_backward(&params, &variables, &blueprint, &bytes);
        let before = weights(&variables);
        let mut rows: Vec<i64> = (0..50).collect();
        Stream::new(0, "shuffle 1").shuffle(&mut rows);
        let mut stream = Stream::new(0, "batch 1 0 0");
        let piece = Piece { rows: &rows, scale: 1.0 / 50.0, stream: &mut stream };
        let mut gradient = vec![f32::NAN; before.len()];
        let mut own = before.clone();
        network.reorder(&mut own, false);
        let loss = network.learn(&own, piece, &mut Scratch::default(), &mut gradient);
        network.reorder(&mut gradient, true);

        // a step of descent of length 1 takes the weights by their gradient
        let plan = Training {
            epochs: 1,
            batch: 50,
            optimiser: nn::Optimiser::Sgd { momentum: 0.0 },
            learning_rate: 1.0,
            ..Training::default()
        };
        let losses = descend(&params, (&variables, &blueprint), &bytes, Rows::all(50), &plan, None);
        let losses = losses.unwrap();
        assert!((losses[0].train_loss - loss).abs() < 1e-6, "{losses:?} {loss} {params:?}");
        let largest = gradient.iter().fold(0_f32, |most, g| most.max(g.abs()));
        for ((before, after), g) in before.iter().zip(weights(&variables)).zip(gradient) {
            let error = (before - after - g).abs();
            assert!(error < 1e-5 * largest + 1e-7, "{error} {g} {largest} {params:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let params = networks().swap_remove(0);
    for black in [false, true] {
        let bytes = images(black);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trained(&params, &bytes, true))
        };
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(one, on(5));
    }
}

#[test]
fn training_that_leaves_all_bounds_is_an_error() {
    for (params, bytes) in cases() {
        let (variables, blueprint) = fresh(&params);
        let network = manual_backward(&params, &variables, &blueprint, &bytes);
        let plan = Training { epochs: 3, batch: 40, learning_rate: 1e38, ..Training::default() };
        let net = (&variables, &blueprint);
        let error = descend(&params, net, &bytes, Rows::all(IMAGES), &plan, Some(&network));
        assert!(matches!(error, Err(nn::Error::Diverged { .. })), "{params:?} {error:?}");
    }
}

#[test]
fn networks_with_other_layers_are_left_to_autograd() {
    let bytes = images(false);
    for more in [
        json!({ "architecture": "conv", "channels": [4] }),
        json!({ "activation": "tanh", "hidden": [8] }),
        json!({ "code_activation": "gelu" }),
    ] {
        let params: TrainParams = serde_json::from_value(quick(more)).unwrap();
        let (variables, blueprint) = fresh(&params);
        let loss = (params.loss, params.kl_weight);
        assert!(
            ManualBackward::new(&blueprint, &variables, loss, (&bytes, 255)).is_none(),
            "{params:?}"
        );
    }
}
