use scarce_artifact::Tensor as Saved;

use super::*;

fn predict(
    bench: &Bench,
    inputs: &[(&str, &str)],
    output: &str,
) -> Result<(), scarce_stage::Failure> {
    bench.run("neural-predict", json!({}), inputs, output)
}

#[test]
fn networks_predict_the_same_bytes() {
    let bench = bench();
    fit(&bench, json!({ "epochs": 5, "batch_norm": true, "dropout": 0.5 }), "net").unwrap();
    predict(&bench, &[("features", "x"), ("model", "net-model")], "again").unwrap();
    let bytes = |output: &str| bench.bytes(output, "predictions.parquet");
    assert_eq!(bytes("net"), bytes("again"));
}

#[test]
fn networks_want_what_they_were_trained_on() {
    let bench = bench();
    fit(&bench, json!({ "epochs": 1 }), "net").unwrap();
    bench.features("wide", [(1, vec![0.0; 3])]);
    let failure =
        predict(&bench, &[("features", "wide"), ("model", "net-model")], "again").unwrap_err();
    assert_eq!(failure.code, "neural::input");
    assert!(
        failure.message.contains("trained on features of 2 numbers")
            && failure.message.contains("holds features of 3 numbers"),
        "{}",
        failure.message
    );
    let failure = predict(&bench, &[("model", "net-model")], "again").unwrap_err();
    assert_eq!(failure.code, "neural::inputs");
}

#[test]
fn models_that_are_damaged_or_of_another_family_are_refused() {
    let bench = bench();
    fit(&bench, json!({ "epochs": 1 }), "net").unwrap();
    let whole = bench.model("net");
    let refused = |change: &dyn Fn(&mut scarce_artifact::Model)| {
        bench.change_model("net", change);
        let inputs = [("features", "x"), ("model", "net-model")];
        let failure = predict(&bench, &inputs, "again").unwrap_err();
        bench.change_model("net", |model| *model = whole.clone());
        failure
    };
    let failure = refused(&|model| model.card.kind = "knn".to_owned());
    assert_eq!(failure.code, "neural::not_a_network");
    assert!(failure.message.contains("it is a `knn`"));
    for learnt in [json!([0, 9]), json!([2, 0]), json!([])] {
        let failure = refused(&|model| model.card.architecture["learnt"] = learnt.clone());
        assert_eq!(failure.code, "neural::not_a_network");
    }
    let failure = refused(&|model| model.card.architecture["hidden"] = json!([1_u64 << 40]));
    assert_eq!(failure.code, "nn::too_large");
    let failure = refused(&|model| {
        model
            .tensors
            .insert("dense.0.bias".to_owned(), Saved { shape: vec![1], values: vec![0.5] });
    });
    assert!(failure.message.contains("dense.0.bias"), "{}", failure.message);
    predict(&bench, &[("features", "x"), ("model", "net-model")], "again").unwrap();
}
