use scarce_artifact::{Embeddings, Split, Vectors};
use serde_json::{Value, json};

use crate::testing::{Bench, images, on_threads};

/// A flat cloud in three dimensions: spread 9 along (1, 1, 0), 1 along (1, −1, 0), 0 across;
/// images from `n` on are test images, far away.
fn cloud(n: u32, tests: u32) -> Embeddings {
    let place = |id: u32| {
        let (long, short) = (9.0 * (id as f32 * 0.7).sin(), (id as f32 * 2.3).cos());
        let away = if id < n { 0.0 } else { 500.0 };
        [3.0 + long + short, long - short, 5.0 + away]
    };
    Embeddings {
        id: (0..n + tests).collect(),
        split: (0..n + tests).map(|id| if id < n { Split::Pool } else { Split::Test }).collect(),
        embedding: Vectors::new(3, (0..n + tests).flat_map(place).collect()),
    }
}

fn run(bench: &Bench, params: Value) -> Embeddings {
    bench.run("pca", params, &[("features", "x")]).unwrap();
    bench.embeddings()
}

#[test]
fn coordinates_are_along_the_largest_variance_of_what_is_not_test() {
    let bench = Bench::new();
    bench.features("x", cloud(1000, 20));
    let found = run(&bench, json!({ "components": 2 }));
    assert_eq!((found.id.len(), found.embedding.width), (1020, 2));
    let model = bench.model();
    let component = &model.tensors["components"].values;
    let half = 0.5_f32.sqrt();
    for (value, expected) in component.iter().zip([half, half, 0.0, half, -half, 0.0]) {
        assert!((value.abs() - expected.abs()).abs() < 1e-2, "{component:?}");
    }
    assert!(component[2].abs() < 1e-6 && component[5].abs() < 1e-6, "the test images took part");
    // Distances within the plane stay.
    let x = cloud(1000, 0).embedding;
    let apart = |v: &Vectors<f32>, a: usize, b: usize| {
        let square = |(p, q): (&f32, &f32)| (p - q) * (p - q);
        v.row(a).iter().zip(v.row(b)).map(square).sum::<f32>().sqrt()
    };
    for other in [1, 77, 999] {
        assert!((apart(&x, 0, other) - apart(&found.embedding, 0, other)).abs() < 1e-3);
    }
    assert_eq!(bench.meta().origin, "pca");
}

#[test]
fn a_fraction_keeps_that_share_of_the_variance() {
    let bench = Bench::new();
    bench.features("x", cloud(1000, 0));
    assert_eq!(run(&bench, json!({ "components": 0.9 })).embedding.width, 1);
    assert_eq!(run(&bench, json!({ "components": 0.995 })).embedding.width, 2);
    assert_eq!(run(&bench, json!({ "components": 1 })).embedding.width, 1);
    assert_eq!(run(&bench, json!({ "components": 0.9999 })).embedding.width, 2);
    // Not the whole variance: `1` is one component, and a point must not change what is meant.
    for wrong in [json!(0.0), json!(1.0), json!(2.0), json!(1.5), json!(-0.5)] {
        let params = json!({ "components": wrong });
        let failure = bench.run("pca", params, &[("features", "x")]).unwrap_err();
        assert_eq!(failure.code, "embed::components");
    }
    for wrong in [json!(0), json!(4), json!("all")] {
        assert!(bench.run("pca", json!({ "components": wrong }), &[("features", "x")]).is_err());
    }
}

#[test]
fn whitened_components_have_variance_one() {
    let bench = Bench::new();
    bench.features("x", cloud(1000, 0));
    let found = run(&bench, json!({ "components": 2, "whiten": 1.0 }));
    for column in 0..2 {
        let square = |row: &[f32]| f64::from(row[column]).powi(2);
        let variance = found.embedding.iter_rows().map(square).sum::<f64>() / 999.0;
        assert!((variance - 1.0).abs() < 1e-4, "{variance}");
    }
}

#[test]
fn threads_change_no_byte_and_a_saved_projection_gives_the_same() {
    let bench = Bench::new();
    // More than one batch.
    bench.features("x", cloud(5000, 100));
    let params = json!({ "components": 2, "whiten": 1.0 });
    on_threads(1, || run(&bench, params.clone()));
    let one = bench.bytes();
    on_threads(3, || run(&bench, params.clone()));
    assert!(one == bench.bytes());
    bench.keep_model("fitted");
    bench.run("project", json!({}), &[("features", "x"), ("model", "fitted")]).unwrap();
    assert!(one == bench.bytes());
}

#[test]
fn images_are_projected_as_their_pixels_are() {
    let bench = Bench::new();
    bench.images("i", images(300, 16, |id, pixel| (id * (pixel + 3) % 17) as u8));
    bench.run("pixels", json!({}), &[("images", "i")]).unwrap();
    bench.features("x", bench.embeddings());
    let params = json!({ "components": 3 });
    let expected = run(&bench, params.clone());
    bench.run("pca", params.clone(), &[("images", "i")]).unwrap();
    assert_eq!(bench.embeddings(), expected);
    for wrong in [&[][..], &[("images", "i"), ("features", "x")]] {
        let failure = bench.run("pca", params.clone(), wrong).unwrap_err();
        assert_eq!(failure.code, "embed::one_input");
    }
}

#[test]
fn projections_must_fit() {
    let bench = Bench::new();
    bench.features("x", cloud(100, 0));
    run(&bench, json!({ "components": 2 }));
    bench.keep_model("fitted");
    bench.features("narrow", bench.embeddings());
    let inputs = [("features", "narrow"), ("model", "fitted")];
    let failure = bench.run("project", json!({}), &inputs).unwrap_err();
    assert_eq!(failure.code, "embed::width");
    assert!(failure.message.contains("expects 3") && failure.message.contains("have 2"));
    let mut model = bench.model();
    model.tensors.remove("mean");
    bench.write_model("fitted", &model);
    let inputs = [("features", "x"), ("model", "fitted")];
    assert_eq!(bench.run("project", json!({}), &inputs).unwrap_err().code, "artifact::model");
}

#[test]
fn a_number_that_is_not_one_is_named() {
    let bench = Bench::new();
    let mut features = cloud(100, 0);
    features.embedding.values[10] = f32::NAN;
    bench.features("x", features);
    let params = json!({ "components": 2 });
    let failure = bench.run("pca", params, &[("features", "x")]).unwrap_err();
    assert_eq!(failure.code, "artifact::value");
    assert!(failure.message.contains("row 3"), "{}", failure.message);
}

#[test]
fn numbers_that_overflow_are_named() {
    let bench = Bench::new();
    let mut cloud = cloud(100, 0);
    for value in &mut cloud.embedding.values {
        *value *= 1e30;
    }
    bench.features("x", cloud);
    let failure = bench.run("pca", json!({ "components": 2 }), &[("features", "x")]).unwrap_err();
    assert_eq!(failure.code, "embed::overflow");
    assert!(failure.message.contains("overflow"), "{}", failure.message);
    assert!(failure.help.unwrap().contains("scale them down"));
}
