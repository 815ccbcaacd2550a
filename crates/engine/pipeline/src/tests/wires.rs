use super::{TEN_LABELS, codes, feeds, problems, resolve};

const BASE: &str = r#"
[stages.images]
kind = "ingest"
dataset = "x"
[stages.labels]
kind = "budget"
inputs = { images = "images", truth = "images" }
[stages.pair]
kind = "twins"
inputs = { images = "images" }
[stages.encoder]
kind = "autoencoder"
inputs = { images = "images" }
"#;

fn knn(inputs: &str) -> String {
    format!("{BASE}[stages.knn]\nkind = \"knn\"\nk = 1\ninputs = {{ {inputs} }}\n")
}

mod lead_to {
    use super::*;

    #[test]
    fn the_one_output_of_the_right_type() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        assert_eq!(
            feeds(&pipeline, "labels [seed=0]"),
            ["images < images.images", "truth < images.truth"]
        );
    }

    #[test]
    fn the_output_that_they_name() {
        let pipeline = resolve(&knn(r#"features = "pair.right", labels = "labels""#)).unwrap();
        assert_eq!(feeds(&pipeline, "knn")[0], "features < pair.right");
    }

    #[test]
    fn several_stages_where_the_port_takes_many() {
        let text = knn(r#"features = "pair.right", labels = "labels""#);
        let text = format!(
            "{text}[stages.again]\nkind = \"knn\"\nk = 2\ninputs = {{ features = \"pair.left\", labels = \"labels\" }}\n\
             [stages.report]\nkind = \"report\"\ninputs = {{ truth = \"images\", predictions = [\"again\", \"knn\"] }}\n"
        );
        let pipeline = resolve(&text).unwrap();
        assert_eq!(
            feeds(&pipeline, "report"),
            [
                "truth < images.truth",
                "predictions < again.predictions",
                "predictions < knn.predictions"
            ]
        );
    }

    #[test]
    fn an_output_that_may_not_be_written() {
        let text = knn(r#"features = "pair.right", labels = "labels", history = "encoder""#);
        assert_eq!(feeds(&resolve(&text).unwrap(), "knn")[2], "history < encoder.history");
    }

    #[test]
    fn nothing_where_the_port_is_optional() {
        let text = format!("{BASE}[stages.h]\nkind = \"histories\"\n");
        assert!(feeds(&resolve(&text).unwrap(), "h").is_empty());
    }
}

mod that_do_not_fit {
    use super::*;

    #[test]
    fn name_both_tables() {
        insta::assert_snapshot!(problems(&knn(r#"features = "images", labels = "labels""#)));
    }

    #[test]
    fn name_the_port_that_was_asked_for() {
        insta::assert_snapshot!(problems(&knn(r#"features = "images.truth", labels = "labels""#)));
    }

    #[test]
    fn list_the_choices_when_ambiguous() {
        insta::assert_snapshot!(problems(&knn(r#"features = "pair", labels = "labels""#)));
    }

    #[test]
    fn suggest_names() {
        let inputs = r#"feature = "pair.rigth", labels = "lables", features = "pair.left.right""#;
        insta::assert_snapshot!(problems(&knn(inputs)));
    }

    #[test]
    fn are_missed() {
        insta::assert_snapshot!(problems(&knn("")));
    }

    #[test]
    fn are_more_than_the_port_takes() {
        let inputs = r#"features = ["pair.left", "pair.right"], labels = ["labels", "labels"]"#;
        insta::assert_snapshot!(problems(&knn(inputs)));
    }

    #[test]
    fn are_empty() {
        let error = resolve(&knn("features = [], labels = 3")).unwrap_err();
        assert!(codes(&error).contains(&"pipeline::missing_input".to_owned()));
        assert!(codes(&error).contains(&"pipeline::wrong_type".to_owned()));
    }
}

mod in_a_circle {
    use super::*;

    #[test]
    fn are_shown_with_every_wire() {
        let text = r#"
[stages.images]
kind = "ingest"
dataset = "x"
[stages.pair]
kind = "twins"
inputs = { images = "images" }
[stages.knn]
kind = "knn"
k = 1
inputs = { features = "pair.left", labels = "relabel" }
[stages.relabel]
kind = "relabel"
inputs = { predictions = "knn" }
[stages.after]
kind = "relabel"
inputs = { predictions = "knn" }
"#;
        insta::assert_snapshot!(problems(text));
    }

    #[test]
    fn of_one_stage_are_shown() {
        let text = "[stages.self]\nkind = 'relabel'\ninputs = { predictions = 'self' }";
        let error = resolve(text).unwrap_err();
        assert!(
            error.problems().iter().any(|p| p.to_string().ends_with("self → self")),
            "{error:?}"
        );
    }
}
