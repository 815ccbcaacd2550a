use scarce_artifact::Metric;
use scarce_nn::tch::Tensor;
use scarce_nn::{Device, Mode, Planes, Variables};

use super::*;
use crate::views::{Sketch, Views, told_apart};

fn small(more: Value) -> Value {
    let mut params = json!({
        "channels": [4, 8], "latent": 6, "projection": 5, "epochs": 4, "batch": 20, "rivals": 10,
        "device": "cpu", "augmentation": { "rotation": 5, "scale": 0.05, "shear": 0, "shift": 0.02 },
    });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn loss_is_that_of_the_paper() {
    // four images of two views each
    let numbers: Vec<f32> = (0..8 * 3_u8).map(|at| (f32::from(at) * 1.7).sin()).collect();
    let found = told_apart(&Tensor::from_slice(&numbers).view([8, 3]), 0.5).unwrap();
    let row = |at: usize| -> Vec<f64> {
        let row: Vec<f64> = numbers[at * 3..][..3].iter().map(|&value| f64::from(value)).collect();
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        row.iter().map(|value| value / length).collect()
    };
    let alike = |a: usize, b: usize| -> f64 {
        (row(a).iter().zip(row(b)).map(|(p, q)| p * q).sum::<f64>() / 0.5).exp()
    };
    let of_view = |view: usize| {
        let rivals: f64 = (0..8).filter(|&other| other != view).map(|k| alike(view, k)).sum();
        -(alike(view, (view + 4) % 8) / rivals).ln()
    };
    let manual_backward = (0..8).map(of_view).sum::<f64>() / 8.0;
    assert!((found.double_value(&[]) - manual_backward).abs() < 1e-5);
}

#[test]
fn training_brings_views_together_and_the_same_seed_gives_the_same_bytes() {
    let trained = |seed: u64| {
        let folder = folder(ODD);
        let more = json!({ "epochs": 30, "learning_rate": 0.005, "seed": seed });
        run(folder.path(), "contrastive", small(more)).unwrap();
        let losses = history(folder.path()).train_loss;
        assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
        ["model.safetensors", "model.json"]
            .map(|name| fs_err::read(folder.path().join(name)).unwrap())
    };
    let first = trained(1);
    assert_eq!(first, trained(1));
    assert_ne!(first[0], trained(2)[0]);
}

#[test]
fn every_image_gets_the_code_of_the_saved_network() {
    let folder = folder(GREY);
    run(folder.path(), "contrastive", small(json!({}))).unwrap();
    run(folder.path(), "encode", json!({})).unwrap();
    let reader = Reader::<Embeddings>::open(&folder.path().join("embeddings.parquet")).unwrap();
    let meta = reader.meta().clone();
    assert_eq!((meta.origin.as_str(), meta.metric), ("contrastive", Metric::Cosine));
    let codes = reader.read().unwrap();
    assert_eq!((codes.id.len(), codes.embedding.width), (ROWS, 6));

    let model = Model::read(&folder.path().join("model")).unwrap();
    let sketch: Sketch = serde_json::from_value(model.card.architecture.clone()).unwrap();
    assert_eq!(sketch.planes, Planes { channels: vec![4, 8], ..sketch.planes.clone() });
    let variables = Variables::of_model(Device::Cpu.open().unwrap(), model, folder.path());
    let network = Views::new(&variables, &sketch).unwrap();
    let images = Reader::<Images>::open(&folder.path().join("images.parquet")).unwrap();
    let first: Vec<f32> =
        images.read().unwrap().pixels.row(0).iter().map(|&p| f32::from(p) / 255.0).collect();
    let code = network.code(&Tensor::from_slice(&first).view([1, -1]), &mut Mode::Applied).unwrap();
    let code: Vec<f32> = scarce_nn::numbers(&code).unwrap();
    for (a, b) in codes.embedding.row(0).iter().zip(code) {
        assert!((a - b).abs() < 1e-4, "{a} is not {b}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = folder(GREY);
    let refused = |more| run(folder.path(), "contrastive", small(more)).unwrap_err();
    assert_eq!(refused(json!({ "splits": ["pool"] })).code, "autoencoder::no_images");
    assert!(refused(json!({ "channels": [4, 4, 4, 4, 4] })).message.contains("too few"));
    run(folder.path(), "contrastive", small(json!({}))).unwrap();
    let stem = folder.path().join("model");
    let mut model = Model::read(&stem).unwrap();
    model.card.architecture["latent"] = json!("six");
    model.write(&stem).unwrap();
    let failure = run(folder.path(), "encode", json!({})).unwrap_err();
    assert_eq!(failure.code, "autoencoder::not_an_autoencoder");
}
