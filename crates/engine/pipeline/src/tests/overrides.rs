use serde_json::{Value, json};

use super::{TEN_LABELS, axis, labels, render, resolve_with, set};
use crate::Overrides;

fn refused(overrides: &Overrides) -> String {
    render(&resolve_with(TEN_LABELS, overrides).unwrap_err())
}

fn param(stage: &str, key: &str, argument: &str) -> Value {
    let pipeline = resolve_with(TEN_LABELS, &set(&[argument])).unwrap();
    let index = pipeline.stage(stage).unwrap().tasks[0];
    pipeline.graph[index].params[key].clone()
}

mod set_a_value {
    use super::*;

    #[test]
    fn of_the_type_in_the_schema() {
        assert_eq!(param("encoder", "latent", "stages.encoder.latent=64"), 64);
        assert_eq!(param("encoder", "rate", "stages.encoder.rate=1"), json!(1.0));
        assert_eq!(param("encoder", "loss", "stages.encoder.loss=cross-entropy"), "cross-entropy");
        assert_eq!(param("encoder", "note", "stages.encoder.note=12"), "12");
        assert_eq!(param("encoder", "note", "stages.encoder.note=true"), "true");
        assert_eq!(param("encoder", "note", "stages.encoder.note=\"a = b\""), "a = b");
        assert_eq!(param("encoder", "note", "stages.encoder.note=2020-01-01"), "2020-01-01");
        assert_eq!(param("encoder", "weights", "stages.encoder.weights=w"), "/house/w");
        assert_eq!(param("encoder", "layers", "stages.encoder.layers=[1, 2]"), json!([1, 2]));
    }

    #[test]
    fn inside_a_table() {
        let stopping =
            param("encoder", "early_stopping", "stages.encoder.early_stopping.patience=9");
        assert_eq!(stopping, json!({ "patience": 9, "validation": 0.25 }));
        let schedule = param("encoder", "schedule", "stages.encoder.schedule.kind=constant");
        assert_eq!(schedule, json!({ "kind": "constant" }));
    }

    #[test]
    fn in_place_of_an_axis() {
        let overrides = set(&["stages.encoder.architecture=conv"]);
        let pipeline = resolve_with(TEN_LABELS, &overrides).unwrap();
        assert_eq!(pipeline.stage("encoder").unwrap().axes, ["seed"]);
        assert_eq!(pipeline.warnings.len(), 1);
    }

    #[test]
    fn of_a_wire_or_a_name() {
        let overrides = set(&["pipeline.name=other", "stages.report.collect=[\"architecture\"]"]);
        let pipeline = resolve_with(TEN_LABELS, &overrides).unwrap();
        assert_eq!(pipeline.name, "other");
        assert_eq!(pipeline.stage("report").unwrap().axes, ["seed"]);
    }
}

mod set_nothing {
    use super::*;

    #[test]
    fn that_is_not_there() {
        insta::assert_snapshot!(refused(&set(&[
            "stages.encodr.latent=3",
            "stages.encoder.latnt=3",
            "stage.encoder.latent=3",
            "stages.encoder.latent",
            "stages.encoder=3",
            "stages.encoder.latent.deep=3",
            "axes.sed=[1]",
        ])));
    }

    #[test]
    fn that_lies_deeper_than_tables_can() {
        let deep = format!("stages.encoder.{}=1", vec!["a"; 20_000].join("."));
        let error = resolve_with(TEN_LABELS, &set(&[&deep])).unwrap_err();
        assert_eq!(error.to_string(), "the key has 20002 parts, more than 64");
        assert!(render(&error).len() < 4000);
        let nested = format!("stages.encoder.layers={}", "[".repeat(100_000));
        assert!(resolve_with(TEN_LABELS, &set(&[&nested])).is_err());
    }

    #[test]
    fn that_is_wrong() {
        insta::assert_snapshot!(refused(&set(&["stages.encoder.latent = big"])));
    }
}

mod change_an_axis {
    use super::*;

    fn values(argument: &str) -> Vec<Value> {
        let overrides = axis(&[argument]);
        let pipeline = resolve_with(TEN_LABELS, &overrides).unwrap();
        let name = argument.split('=').next().unwrap();
        pipeline.axes.iter().find(|(axis, _)| axis == name).unwrap().1.clone()
    }

    #[test]
    fn to_a_range() {
        assert_eq!(values("seed=0..2"), [json!(0), json!(1)]);
        assert_eq!(values("seed=5..7"), [json!(5), json!(6)]);
    }

    #[test]
    fn to_a_list() {
        assert_eq!(values("seed=4, 2"), [json!(4), json!(2)]);
        assert_eq!(values("architecture=conv"), [json!("conv")]);
        assert_eq!(values("architecture=\"conv\",linear"), [json!("conv"), json!("linear")]);
    }

    #[test]
    fn and_with_it_the_tasks() {
        let pipeline = resolve_with(TEN_LABELS, &axis(&["seed=8", "architecture=conv"])).unwrap();
        assert_eq!(labels(&pipeline).last().unwrap(), "report [architecture=conv]");
        assert_eq!(pipeline.graph.node_count(), 6);
    }

    #[test]
    fn that_is_there_only() {
        insta::assert_snapshot!(refused(&axis(&[
            "sed=0..3",
            "seed",
            "seed=0..x",
            "architecture=conv,vonc",
        ])));
        insta::assert_snapshot!(refused(&axis(&["seed=3..3"])));
    }
}
