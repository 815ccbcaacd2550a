//! Against onnxruntime and Pillow in Python: `fixtures/make_fixtures.py`.

use scarce_artifact::{Embeddings, Metric, Split};
use serde_json::json;

use super::{Bench, clothes, fixture, folder, model, with};

/// Numbers of a `.npy` file of version 1 by row; every type here is little-endian, C order.
fn npy<T, const N: usize>(name: &str, width: usize, number: fn([u8; N]) -> T) -> Vec<Vec<T>> {
    let bytes = fs_err::read(fixture(name)).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let numbers: Vec<T> = bytes[10 + header..]
        .chunks_exact(N)
        .map(|bytes| number(bytes.try_into().unwrap()))
        .collect();
    let mut rows = Vec::new();
    let mut numbers = numbers.into_iter();
    loop {
        let row: Vec<T> = numbers.by_ref().take(width).collect();
        if row.is_empty() {
            return rows;
        }
        rows.push(row);
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Ours with theirs, row by row: at least 0.999.
#[track_caller]
fn agree(found: &Embeddings, name: &str, width: usize) {
    agree_by(found, name, width, 0.999);
}

/// The same with another bound for the worst of them; half are above 0.999 in any case.
#[track_caller]
fn agree_by(found: &Embeddings, name: &str, width: usize, worst: f64) {
    let expected = npy(name, width, f32::from_le_bytes);
    assert_eq!(found.id.len(), expected.len());
    let ours = |row: usize| found.embedding.row(row);
    let cosines: Vec<f64> =
        expected.iter().enumerate().map(|(row, expected)| cosine(ours(row), expected)).collect();
    assert!(cosines.iter().all(|cosine| *cosine >= worst), "{name}: {cosines:.5?}");
    let close = cosines.iter().filter(|cosine| **cosine >= 0.999).count();
    assert!(2 * close > cosines.len(), "{name}: {cosines:.5?}");
    for (row, expected) in expected.iter().enumerate() {
        let length = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let ratio = length(ours(row)) / length(expected);
        assert!((0.98..1.02).contains(&ratio), "image {row} of {name}: length {ratio}");
    }
}

#[test]
fn photographs_through_efficientnet() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let found = bench.run(params.into()).unwrap();
    agree(&found, "lite0.npy", 1280);
    assert_eq!(found.id[..4], [0, 3, 6, 9]);
    assert_eq!(found.split[..2], [Split::Train, Split::Test]);
    assert_eq!(bench.meta().metric, Metric::Cosine);
    assert_eq!(bench.meta().origin, "pretrained");
}

#[test]
fn photographs_through_a_vision_transformer_of_whole_numbers() {
    let Some(model) = model("vit-small-saliency-int8") else { return };
    // The pixels that Pillow decodes, without loss.
    let (bench, params) = folder(&model, "lossless");
    agree(&bench.run(with(&params, json!({}))).unwrap(), "vit_cls.npy", 384);
    let patches = json!({ "output": "patch_mean" });
    agree(&bench.run(with(&params, patches.clone())).unwrap(), "vit_patch_mean.npy", 384);
    // Of JPEG two decoders make pixels that differ by one or two; activations are rounded to 256 levels by
    // the largest of each image, so that this moves many of them: a few photographs come out at 0.997.
    let (bench, params) = clothes(&model);
    agree_by(&bench.run(with(&params, json!({}))).unwrap(), "vit_cls.npy", 384, 0.996);
    agree_by(&bench.run(with(&params, patches)).unwrap(), "vit_patch_mean.npy", 384, 0.996);
}

#[test]
fn grey_pixels_of_the_table() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let pixels = npy("grey.npy", 28 * 28, |[byte]: [u8; 1]| byte);
    let names: Vec<String> = (0..pixels.len()).map(|at| at.to_string()).collect();
    let bench = Bench::new();
    bench.images(&names, Some(pixels.concat()));
    agree(&bench.run(json!({ "model": model })).unwrap(), "lite0_grey.npy", 1280);
}

#[test]
fn an_image_with_its_mirror_image() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let mut found = bench.run(with(&params, json!({ "augment": "flip" }))).unwrap();
    found.id.truncate(4);
    agree(&found, "lite0_flip.npy", 1280);
}

#[test]
fn vectors_of_length_one() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let found = bench.run(with(&params, json!({ "normalise": true }))).unwrap();
    for row in 0..found.id.len() {
        let square: f32 = found.embedding.row(row).iter().map(|x| x * x).sum();
        assert!((square - 1.0).abs() < 1e-5);
    }
}
