//! What is not understood is refused, by name and with a way out.

use serde_json::json;

use super::{Bench, clothes, fixture, model, photographs, with};

#[track_caller]
fn refusal(bench: &Bench, params: serde_json::Value) -> String {
    let failure = bench.run(params).unwrap_err();
    format!("{}: {} {}", failure.code, failure.message, failure.help.unwrap_or_default())
}

#[test]
fn an_output_that_is_not_there() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let said = refusal(&bench, with(&params, json!({ "output": "embedding" })));
    assert!(said.contains("pretrained::model") && said.contains("features, logits"), "{said}");
}

#[test]
fn a_size_that_the_network_does_not_take() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let size = json!({ "crop": { "height": 192, "width": 192 } });
    let said = refusal(&bench, with(&params, json!({ "preprocessing": size })));
    assert!(said.contains("224 × 224") && said.contains("192 × 192"), "{said}");
}

#[test]
fn a_network_without_a_description() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let file = model.join("model.onnx");
    let said = refusal(&bench, with(&params, json!({ "model": file })));
    assert!(said.contains("preprocessor_config.json") && said.contains("`preprocessor`"), "{said}");
    let described =
        json!({ "model": file, "preprocessor": model.join("preprocessor_config.json") });
    bench.run(with(&params, described)).unwrap();
    let from_file = bench.bytes();
    bench.run(params.into()).unwrap();
    assert_eq!(bench.bytes(), from_file);
}

#[test]
fn a_gpu_without_cuda() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    let said = refusal(&bench, with(&params, json!({ "device": "cuda:0" })));
    assert!(said.contains("pretrained::runtime") && said.contains("ORT_DYLIB_PATH"), "{said}");
}

#[test]
fn a_picture_that_is_not_in_the_source() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    bench.images(&["elsewhere.jpg".to_owned()], None);
    let said = refusal(&bench, params.into());
    assert!(said.contains("`elsewhere.jpg`"), "{said}");
}

#[test]
fn a_picture_that_cannot_be_decoded_is_named() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let folder = tempfile::tempdir().unwrap();
    let names = photographs();
    for name in &names {
        fs_err::copy(fixture("clothes").join(name), folder.path().join(name)).unwrap();
    }
    fs_err::write(folder.path().join(&names[13]), b"\xff\xd8\xff nonsense").unwrap();
    let bench = Bench::new();
    bench.images(&names, None);
    let said = refusal(&bench, json!({ "model": model, "path": folder.path() }));
    assert!(said.contains(&names[13]) && said.contains("skip_unreadable"), "{said}");
}

#[test]
fn a_file_that_is_no_network() {
    let bench = Bench::new();
    bench.images(&photographs(), None);
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("model.onnx"), "<html>").unwrap();
    let config = r#"{"size": {"height": 8, "width": 8}, "resample": 2,
        "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}"#;
    fs_err::write(folder.path().join("preprocessor_config.json"), config).unwrap();
    let said = refusal(&bench, json!({ "model": folder.path() }));
    assert!(said.contains("no ONNX model"), "{said}");
}
