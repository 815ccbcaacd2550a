use std::path::Path;

use serde_json::{Value, json};

use miette::Diagnostic;

use super::{codes, kinds::catalogue, problems, render, resolve};
use crate::{Document, Error, Overrides, Pipeline, Task};

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
                "note": "", "share": 0.5, "keep": 3, "few": 1,
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
    fn may_be_names_that_are_looked_for_below_the_data_folders() {
        let data = tempfile::tempdir().unwrap();
        let here = data.path().join("models/dino");
        fs_err::create_dir_all(&here).unwrap();
        let weights = |file: &str, path: &str| {
            let text = stage(&format!("weights = \"{path}\""));
            let document = Document::parse(Path::new(file), text).unwrap();
            let document = document.with_data(&["/nowhere".into(), data.path().to_owned()]);
            let catalogue = catalogue();
            let pipeline = Pipeline::resolve(&document, &catalogue, &Overrides::default()).unwrap();
            encoders(&pipeline)[0].paths[0].path.clone()
        };
        let elsewhere = "/house/trial.toml";
        assert_eq!(weights(elsewhere, "dino"), here);
        // What is no name, and what is nowhere, is relative to the file.
        assert_eq!(weights(elsewhere, "./dino"), Path::new("/house/dino"));
        assert_eq!(weights(elsewhere, "models/dino"), Path::new("/house/models/dino"));
        assert_eq!(weights(elsewhere, "other"), Path::new("/house/other"));
        // What lies beside the file comes first.
        let beside = data.path().join("dino");
        fs_err::create_dir(&beside).unwrap();
        let file = data.path().join("trial.toml");
        assert_eq!(weights(file.to_str().unwrap(), "dino"), beside);
    }

    #[test]
    fn may_be_absolute_or_absent() {
        let pipeline = resolve(&stage("weights = \"/w\"")).unwrap();
        assert_eq!(encoders(&pipeline)[0].params["weights"], "/w");
        let pipeline = resolve(&stage("")).unwrap();
        assert!(encoders(&pipeline)[0].paths.is_empty());
    }

    /// Problems of a stage in a folder with `images/` and `weights.bin`, which is to run.
    fn looked_for(params: &str, targets: &[&str]) -> Result<Pipeline, Error> {
        let house = tempfile::tempdir().unwrap();
        fs_err::create_dir(house.path().join("images")).unwrap();
        fs_err::write(house.path().join("images/naïve.png"), "").unwrap();
        fs_err::write(house.path().join("weights.bin"), "").unwrap();
        fs_err::os::unix::fs::symlink("nowhere", house.path().join("link")).unwrap();
        let path = house.path().join("trial.toml");
        let document = Document::parse(&path, stage(params)).unwrap();
        Pipeline::resolve_to_run(&document, &catalogue(), &Overrides::default(), targets)
    }

    #[track_caller]
    fn refused(params: &str, line: usize, words: &[&str]) {
        let error = looked_for(params, &[]).unwrap_err();
        let [problem] = error.problems() else { panic!("{error:?}") };
        assert_eq!(problem.position().map(|place| place.0), Some(line), "{problem}");
        let help = problem.help().map(|help| help.to_string()).unwrap_or_default();
        let text = format!("{} {problem} {help}", codes(&error)[0]);
        for word in words {
            assert!(text.contains(word), "`{word}` is not in: {text}");
        }
    }

    #[test]
    fn must_lead_somewhere_where_they_are_to_run() {
        assert!(looked_for("weights = \"weights.bin\"", &[]).is_ok());
        assert!(looked_for("weights = \"images\"", &[]).is_ok(), "files and folders alike");
        refused(
            "weights = \"wieghts.bin\"",
            10,
            &[
                "no_such_path",
                "`weights` of the stage `encoder`",
                "/wieghts.bin`",
                "`weights.bin`?",
            ],
        );
        refused(
            "weights = \"image/a.png\"",
            10,
            &["/image/a.png`", "there is no folder `", "did you mean `images`?"],
        );
        refused("weights = \"weights.bin/a\"", 10, &["weights.bin` is not a folder"]);
        refused("weights = \"link\"", 10, &["it is a link", "`nowhere`"]);
        let elsewhere = "/nowhere-at-all/a/b";
        refused(
            &format!("weights = \"{elsewhere}\""),
            10,
            &["there is no folder `/nowhere-at-all`"],
        );
    }

    #[test]
    fn that_look_the_same_are_told_apart() {
        // With a diaeresis of its own, as macOS hands names out.
        let words = ["did you mean `naïve.png`?", "look the same", "decomposed", "composed"];
        refused("weights = \"images/nai\u{0308}ve.png\"", 10, &words);
    }

    #[test]
    fn are_looked_for_in_axes_too() {
        let text = "weights = \"$word\"";
        let error = looked_for(text, &[]).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::no_such_path"; 2]);
        assert!(render(&error.problems()[1]).contains("`word` is `cross-entropy`"));
    }

    #[test]
    fn are_looked_for_only_where_a_run_needs_them() {
        assert!(looked_for("weights = \"nowhere\"", &["images"]).is_ok());
        assert!(looked_for("weights = \"nowhere\"", &["encoder"]).is_err());
        assert!(resolve(&stage("weights = \"nowhere\"")).is_ok(), "a drawing needs no files");
    }

    #[test]
    fn are_reported_beside_other_mistakes() {
        let error = looked_for("weights = \"nowhere\"\nlatent = 0", &[]).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::no_such_path", "pipeline::out_of_range"]);
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
    fn say_the_whole_range() {
        const BOTH: &str = "at least 1 (an integer), or more than 0 and at most 1";
        let limit = |params: &str| {
            let error = resolve(&stage(params)).unwrap_err();
            assert_eq!(codes(&error), ["pipeline::out_of_range"]);
            error.problems()[0].to_string().split_once("must be ").unwrap().1.to_owned()
        };
        assert_eq!(limit("share = 0"), "more than 0 and less than 1");
        assert_eq!(limit("share = 1.0"), "more than 0 and less than 1");
        assert_eq!(limit("keep = 0"), BOTH);
        assert_eq!(limit("keep = -0.5"), BOTH);
        assert_eq!(limit("keep = 2.5"), BOTH);
        assert_eq!(limit("few = 0"), "at least 1");
        assert_eq!(limit("few = 4294967296"), "from 1 to 4294967295");
        for fits in ["share = 0.5", "keep = 1", "keep = 7", "keep = 0.5", "few = 4294967295"] {
            assert!(resolve(&stage(fits)).is_ok(), "{fits}");
        }
    }

    #[test]
    fn are_not_finite() {
        for text in ["rate = nan", "rate = -inf", "rate = 1e999", "layers = [1, inf]"] {
            let error = resolve(&stage(text)).unwrap_err();
            assert_eq!(codes(&error), ["pipeline::invalid_value"], "{text}");
            assert_eq!(error.problems()[0].position().map(|place| place.0), Some(10), "{text}");
        }
        for argument in ["stages.encoder.rate=nan", "stages.encoder.rate=1e999"] {
            assert!(
                super::super::resolve_with(&stage(""), &super::super::set(&[argument])).is_err()
            );
        }
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
