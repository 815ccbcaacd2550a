use super::*;

#[test]
fn tells_apart_what_no_line_does() {
    let bench = bench();
    fit(&bench, json!({ "hidden": [] }), "line").unwrap();
    assert!(right(&bench, "line") < 75, "{}", right(&bench, "line"));
    for more in [
        json!({ "learning_rate": 0.01 }),
        json!({ "hidden": [32, 32, 32, 32], "learning_rate": 0.003 }),
        json!({ "batch_norm": true }),
        json!({ "dropout": 0.2, "activation": "gelu", "learning_rate": 0.01 }),
        json!({ "optimiser": "sgd", "learning_rate": 0.1 }),
        json!({ "optimiser": "adamw", "weight_decay": 0.1, "learning_rate": 0.01 }),
        json!({ "loss": "generalised-cross-entropy", "learning_rate": 0.01 }),
    ] {
        let mut params = json!({ "hidden": [64], "epochs": 300 });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fit(&bench, params, "net").unwrap();
        let losses = bench.history("net").train_loss;
        assert!(losses[losses.len() - 1] < 0.5 * losses[0], "{more}: {losses:?}");
        assert!(right(&bench, "net") >= 90, "{more}: {}", right(&bench, "net"));
    }
}

#[test]
fn of_the_same_seed_gives_the_same_bytes_whatever_the_order_of_the_labels() {
    let bench = bench();
    let files = ["model.safetensors", "model.json", "history.parquet", "predictions.parquet"];
    let bytes = |seed: u64| {
        let params = json!({
            "seed": seed, "epochs": 3, "batch": 16, "dropout": 0.3, "batch_norm": true,
            "early_stopping": {},
        });
        fit(&bench, params, "net").unwrap();
        files.map(|file| bench.bytes("net", file))
    };
    let first = bytes(1);
    assert_eq!(first, bytes(1));
    assert_ne!(first[0], bytes(2)[0]);
    let labels: Vec<(u32, i32)> = (0..300).step_by(2).map(|id| (id, circle(id).1)).rev().collect();
    bench.labels("y", &CLASSES, &labels);
    assert_eq!(first, bytes(1));
}

#[test]
fn never_sees_the_label_of_a_test_image() {
    let bench = bench();
    let params = json!({ "epochs": 3 });
    fit(&bench, params.clone(), "net").unwrap();
    let before = bench.bytes("net", "model.safetensors");
    let labels = (0..300).step_by(2).chain(1000..1050).map(|id| (id, circle(id).1));
    bench.labels("y", &CLASSES, &labels.collect::<Vec<_>>());
    fit(&bench, params, "net").unwrap();
    assert_eq!(before, bench.bytes("net", "model.safetensors"));
}

#[test]
fn sets_validation_aside_stops_early_and_keeps_the_best() {
    let bench = bench();
    let stopping = json!({ "patience": 3, "validation": 0.2 });
    let params = json!({
        "epochs": 300, "learning_rate": 0.3, "hidden": [16], "early_stopping": stopping, "seed": 3,
    });
    fit(&bench, params.clone(), "early").unwrap();
    let losses: Vec<f64> = bench.history("early").validation_loss.into_iter().flatten().collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let epoch = losses.iter().position(|&loss| loss == best).unwrap() + 1;
    assert_eq!(losses.len(), epoch + 3, "{losses:?}");
    // training for as many epochs gives the weights that were kept
    let mut shorter = params;
    shorter["epochs"] = json!(epoch);
    fit(&bench, shorter, "short").unwrap();
    assert_eq!(bench.model("short").tensors, bench.model("early").tensors);
}

#[test]
fn weighs_by_confidence_where_it_should() {
    let bench = bench();
    // the wrong labels are not trusted
    let labels: Vec<(u32, i32, f32)> = (0..300)
        .map(|id| {
            let (label, wrong) = (circle(id).1, id % 3 == 0);
            (id, if wrong { 2 - label } else { label }, if wrong { 0.0 } else { 0.5 })
        })
        .collect();
    bench.labels_with("y", &CLASSES, &labels);
    let params = json!({ "hidden": [64], "epochs": 300, "learning_rate": 0.01 });
    fit(&bench, params.clone(), "even").unwrap();
    let mut weighted = params.clone();
    weighted["weight_by_confidence"] = json!(true);
    fit(&bench, weighted, "weighted").unwrap();
    assert!(right(&bench, "weighted") >= 90 && right(&bench, "even") < 90);
    // labels that count for nothing are as good as none, and equal weights as good as no weights
    let trusted: Vec<(u32, i32, f32)> = labels.into_iter().filter(|label| label.2 > 0.0).collect();
    bench.labels_with("y", &CLASSES, &trusted);
    fit(&bench, params, "trusted").unwrap();
    assert_eq!(bench.predictions("weighted").label, bench.predictions("trusted").label);
}

#[test]
fn that_diverges_says_what_to_do() {
    let bench = bench();
    let params = json!({ "learning_rate": 1e30, "epochs": 9, "batch": 8 });
    let failure = fit(&bench, params, "net").unwrap_err();
    assert_eq!(failure.code, "nn::diverged");
    assert!(failure.help.unwrap().contains("learning_rate"));
}

#[test]
fn refuses_what_cannot_be_meant() {
    let bench = bench();
    let code = |params| fit(&bench, params, "net").unwrap_err().code;
    assert_eq!(code(json!({ "hiden": [3] })), "stage::params");
    assert_eq!(code(json!({ "hidden": [1_u64 << 50] })), "nn::too_large");
    assert_eq!(code(json!({ "device": "cuda:99" })), "nn::no_such_device");
    assert_eq!(code(json!({ "batch_norm": true, "batch": 1 })), "nn::parameter");
    assert_eq!(code(json!({ "splits": ["pool"], "epochs": 1 })), "neural::no_images");
    let smoothed = json!({ "loss": "generalised-cross-entropy", "label_smoothing": 0.1 });
    assert_eq!(code(smoothed), "neural::smoothing");
}

#[test]
fn needs_labels_that_tell_something() {
    let bench = bench();
    bench.labels("y", &CLASSES, &[(0, 2), (4, 2)]);
    let failure = fit(&bench, json!({}), "net").unwrap_err();
    assert_eq!(failure.code, "neural::one_class");
    assert!(failure.message.contains("all 2 labelled images are of the class `outside`"));
    bench.labels("y", &CLASSES, &[(1000, 2), (1001, 0)]);
    assert_eq!(fit(&bench, json!({}), "net").unwrap_err().code, "artifact::no_labelled");
    bench.labels("y", &CLASSES, &[(0, 2), (1, 0)]);
    let failure = fit(&bench, json!({ "early_stopping": {} }), "net").unwrap_err();
    assert_eq!(failure.code, "nn::too_few");
    assert!(failure.message.contains("each class must keep one image"), "{}", failure.message);
    bench.labels_with("y", &CLASSES, &[(0, 2, 0.0), (1, 0, 0.0)]);
    let failure = fit(&bench, json!({ "weight_by_confidence": true }), "net").unwrap_err();
    assert_eq!(failure.code, "neural::no_confidence");
}
