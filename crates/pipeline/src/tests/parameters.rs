use std::path::Path;

use serde_json::{Value, json};

use super::{problems, resolve};
use crate::{Pipeline, Task};

fn stage(params: &str) -> String {
    format!(
        "[axes]\nseed = [0, 7]\nword = [\"mse\", \"cross-entropy\"]\n\
         [stages.images]\nkind = \"ingest\"\ndataset = \"x\"\n\
         [stages.encoder]\nkind = \"autoencoder\"\ninputs = {{ images = \"images\" }}\n{params}\n"
    )
}

fn encoders(pipeline: &Pipeline) -> Vec<&Task> {
    pipeline.tasks().map(|(_, task)| task).filter(|task| task.stage == "encoder").collect()
}

fn params(text: &str) -> Value {
    let pipeline = resolve(&stage(text)).unwrap();
    Value::Object((*encoders(&pipeline)[0].params).clone())
}

mod are_settled {
    use super::*;

    #[test]
    fn with_the_defaults_of_the_schema() {
        assert_eq!(
            params(""),
            json!({
                "architecture": "linear", "latent": 64, "loss": "mse", "early_stopping": null,
                "schedule": null, "layers": [256], "rate": 0.5, "weights": null, "seed": 0,
                "note": "",
            })
        );
    }

    #[test]
    fn with_defaults_inside_tables() {
        assert_eq!(
            params("early_stopping = { patience = 5 }")["early_stopping"],
            json!({ "patience": 5, "validation": 0.25 })
        );
        assert_eq!(
            params("schedule = { kind = \"step\", every = 3 }")["schedule"],
            json!({ "kind": "step", "every": 3, "factor": 0.25 })
        );
        assert_eq!(
            params("schedule = { kind = \"constant\" }")["schedule"],
            json!({ "kind": "constant" })
        );
    }

    #[test]
    fn with_numbers_as_their_type_writes_them() {
        let settled = params("rate = 1\nlatent = 32.0\nlayers = [8.0, 4]");
        assert_eq!(settled["rate"].to_string(), "1.0");
        assert_eq!(settled["latent"].to_string(), "32");
        assert_eq!(settled["layers"].to_string(), "[8,4]");
    }

    #[test]
    fn with_axes_at_any_depth() {
        let text = stage("early_stopping = { patience = \"$seed\" }\nlayers = [16, \"$seed\"]");
        let pipeline = resolve(&text).unwrap();
        let tasks = encoders(&pipeline);
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[1].params["early_stopping"]["patience"], 7);
        assert_eq!(tasks[1].params["layers"], json!([16, 7]));
        assert_eq!(tasks[1].axes, [("seed".to_owned(), json!(7))]);
    }

    #[test]
    fn with_texts_that_begin_with_a_dollar() {
        assert_eq!(params("note = \"$$seed\"")["note"], "$seed");
        assert_eq!(params("note = \"cost: $5\"")["note"], "cost: $5");
    }

    #[test]
    fn and_shared_between_variants_that_have_the_same() {
        let text = stage("").replace("dataset = \"x\"", "dataset = \"$word\"");
        let pipeline = resolve(&text).unwrap();
        let tasks = encoders(&pipeline);
        assert_eq!(tasks.len(), 2);
        assert!(std::sync::Arc::ptr_eq(&tasks[0].params, &tasks[1].params));
    }
}

mod that_are_paths {
    use super::*;

    #[test]
    fn are_relative_to_the_file() {
        let pipeline = resolve(&stage("weights = \"./models/w.safetensors\"")).unwrap();
        let task = encoders(&pipeline)[0];
        assert_eq!(task.params["weights"], "/house/models/w.safetensors");
        assert_eq!(task.paths.len(), 1);
        assert_eq!(task.paths[0].pointer, "/weights");
        assert_eq!(task.paths[0].path, Path::new("/house/models/w.safetensors"));
    }

    #[test]
    fn may_be_absolute_or_absent() {
        let pipeline = resolve(&stage("weights = \"/w\"")).unwrap();
        assert_eq!(encoders(&pipeline)[0].params["weights"], "/w");
        let pipeline = resolve(&stage("")).unwrap();
        assert!(encoders(&pipeline)[0].paths.is_empty());
    }

    #[test]
    fn must_not_be_empty() {
        insta::assert_snapshot!(problems(&stage("weights = \"\"")));
    }
}

mod that_are_wrong {
    use super::*;

    #[test]
    fn are_all_reported_at_once() {
        insta::assert_snapshot!(problems(&stage(
            "latnet = 3\nlatent = \"many\"\nloss = \"mae\"\nrate = [1]\nkinds = 1"
        )));
    }

    #[test]
    fn point_into_tables() {
        insta::assert_snapshot!(problems(&stage(
            "early_stopping = { patience = -1, validatoin = 0.5 }\nlayers = [4, \"x\"]"
        )));
    }

    #[test]
    fn point_into_tables_with_a_header() {
        insta::assert_snapshot!(problems(&stage(
            "[stages.encoder.early_stopping]\nvalidation = 0.5"
        )));
    }

    #[test]
    fn say_which_value_of_an_axis_is_to_blame() {
        insta::assert_snapshot!(problems(&stage("architecture = \"$word\"")));
    }

    #[test]
    fn say_their_limits() {
        insta::assert_snapshot!(problems(&stage("latent = 5000\nseed = -1")));
    }

    #[test]
    fn choose_the_form_that_was_meant() {
        insta::assert_snapshot!(problems(&stage("schedule = { kind = \"stpe\", every = 3 }")));
        insta::assert_snapshot!(problems(&stage("schedule = { every = 3 }")));
        insta::assert_snapshot!(problems(&stage("schedule = { kind = \"step\" }")));
        insta::assert_snapshot!(problems(&stage("schedule = 3")));
    }

    #[test]
    fn are_missing() {
        insta::assert_snapshot!(problems("[stages.a]\nkind = \"ingest\"\n"));
    }

    #[test]
    fn name_axes_that_are_not_there() {
        insta::assert_snapshot!(problems(&stage("seed = \"$sed\"")));
    }
}
