use serde_json::{Value, json};

use super::{codes, labels, problems, resolve};

fn values(axis: &str) -> Vec<Value> {
    let text = format!(
        "[axes]\nx = {axis}\n[stages.a]\nkind = 'autoencoder'\ninputs.images = 'i'\nrate = '$x'\n\
         [stages.i]\nkind = 'ingest'\ndataset = 'd'"
    );
    resolve(&text).unwrap().axes[0].1.clone()
}

mod are_written {
    use super::*;

    #[test]
    fn as_lists() {
        assert_eq!(values("[1, 2.5]"), [json!(1), json!(2.5)]);
    }

    #[test]
    fn as_ranges_without_their_end() {
        assert_eq!(values("{ from = 1, to = 4 }"), [json!(1), json!(2), json!(3)]);
        assert_eq!(values("{ from = 0, to = 5, step = 2 }"), [json!(0), json!(2), json!(4)]);
        assert_eq!(values("{ from = 3, to = 0, step = -2 }"), [json!(3), json!(1)]);
    }

    #[test]
    fn as_ranges_of_fractions_that_read_well() {
        let tenths = values("{ from = 0.1, to = 0.5, step = 0.1 }");
        assert_eq!(tenths, [json!(0.1), json!(0.2), json!(0.3), json!(0.4)]);
        assert_eq!(values("{ from = 0.0, to = 1, step = 0.1 }").len(), 10);
    }
}

mod that_are_wrong {
    use super::*;

    #[test]
    fn are_each_reported() {
        insta::assert_snapshot!(problems(
            r#"
[axes]
none = []
backward = { from = 3, to = 0 }
still = { from = 0, to = 1, step = 0 }
open = { from = 0 }
typo = { from = 0, too = 1, to = 2 }
nested = [[1]]
one = 3
twice = ["a", "b", "a"]
alike = [1, "1"]
endless = { from = 0, to = 9_000_000_000_000_000_000 }
"bad name" = [1]
[stages.a]
kind = "ingest"
dataset = "x"
"#
        ));
    }

    #[test]
    fn do_not_overflow_at_the_ends_of_the_integers() {
        let range = "{ from = -9_000_000_000_000_000_000, to = 9_000_000_000_000_000_000, \
                     step = 6_000_000_000_000_000_000 }";
        let ends = [-9_000_000_000_000_000_000_i64, -3_000_000_000_000_000_000];
        let values = values(range);
        assert_eq!(values[..2], ends.map(Value::from));
        assert_eq!(values[2], json!(3_000_000_000_000_000_000_i64));
        assert_eq!(values.len(), 3);
    }
}

mod nobody_uses {
    use super::*;

    #[test]
    fn are_a_warning_and_multiply_nothing() {
        let text = "[axes]\nseed = [1, 2]\n[stages.a]\nkind = 'ingest'\ndataset = 'x'";
        let pipeline = resolve(text).unwrap();
        assert_eq!(labels(&pipeline), ["a"]);
        insta::assert_snapshot!(super::super::render(&pipeline.warnings[0]));
    }
}

mod that_a_stage_collects {
    use super::*;

    const COLLECT: &str = r#"
[axes]
seed = [0, 1]
k = [1, 3]
[stages.images]
kind = "ingest"
dataset = "x"
[stages.labels]
kind = "budget"
inputs = { images = "images", truth = "images" }
seed = "$seed"
[stages.codes]
kind = "twins"
inputs = { images = "images" }
[stages.knn]
kind = "knn"
inputs = { features = "codes.left", labels = "labels" }
"#;

    #[test]
    fn must_not_be_its_own() {
        let text = format!("{COLLECT}k = \"$k\"\ncollect = [\"k\"]");
        insta::assert_snapshot!(problems(&text));
    }

    #[test]
    fn must_enter_by_a_port_for_many() {
        let text = format!("{COLLECT}k = \"$k\"\ncollect = [\"seed\"]");
        insta::assert_snapshot!(problems(&text));
    }

    #[test]
    fn must_be_known() {
        let text = format!("{COLLECT}k = \"$k\"\ncollect = [\"sed\"]");
        insta::assert_snapshot!(problems(&text));
    }

    #[test]
    fn are_a_warning_when_nothing_varies_over_them() {
        let text = format!(
            "{COLLECT}k = 1\n[stages.report]\nkind = \"report\"\ncollect = [\"k\", \"seed\"]\n\
             inputs = {{ predictions = \"knn\", truth = \"images\" }}"
        );
        let pipeline = resolve(&text).unwrap();
        let warnings: Vec<String> = pipeline.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "no stage uses the axis `k`",
                "`report` collects `k`, but nothing wired to it varies over `k`"
            ]
        );
    }

    #[test]
    fn may_be_several_stages_deep() {
        let text = format!(
            "{COLLECT}k = \"$k\"\n[stages.by_k]\nkind = \"report\"\ncollect = [\"seed\"]\n\
             inputs = {{ predictions = \"knn\", truth = \"images\" }}\n\
             [stages.all]\nkind = \"report\"\ncollect = [\"seed\", \"k\"]\n\
             inputs = {{ predictions = [\"knn\"], truth = \"images\" }}"
        );
        let pipeline = resolve(&text).unwrap();
        let tasks =
            ["labels", "knn", "by_k", "all"].map(|s| pipeline.stage(s).unwrap().tasks.len());
        assert_eq!(tasks, [2, 4, 2, 1]);
    }
}

mod of_too_many_values {
    use super::*;

    #[test]
    fn are_refused_with_the_arithmetic() {
        insta::assert_snapshot!(problems(
            r#"
[axes]
seed = { from = 0, to = 1000 }
rate = { from = 0, to = 200 }
[stages.images]
kind = "ingest"
dataset = "x"
[stages.encoder]
kind = "autoencoder"
inputs = { images = "images" }
seed = "$seed"
rate = "$rate"
"#
        ));
    }

    /// Refused by counting: nothing of it is made.
    #[test]
    fn are_refused_at_once_however_many() {
        use std::fmt::Write;
        let mut text = String::from("[axes]\n");
        for axis in 0..6 {
            writeln!(text, "a{axis} = {{ from = 0, to = 100_000 }}").unwrap();
        }
        // Each stage alone would be allowed.
        for stage in 0..2000 {
            write!(text, "[stages.s{stage}]\nkind = 'query'\nseed = '$a{}'\n", stage % 6).unwrap();
        }
        let error = resolve(&text).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::too_many"]);
        assert!(error.to_string().contains("make 200000000, more than 100000"), "{error}");
        // 10^30 variants of one stage.
        let axes: Vec<String> = (0..6).map(|axis| format!("'$a{axis}'")).collect();
        let text = text.split("[stages").next().unwrap().to_owned()
            + "[stages.images]\nkind = 'ingest'\ndataset = 'x'\n[stages.s]\nkind = 'autoencoder'\n\
               inputs = { images = 'images' }\nlayers = ["
            + &axes.join(", ")
            + "]\n";
        let error = resolve(&text).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::too_many"]);
        for range in [
            "{ from = 0, to = 1_000_000_000_000 }",
            "{ from = -9223372036854775808, to = 9223372036854775807 }",
            "{ from = 9223372036854775807, to = -9223372036854775808, step = -1 }",
            "{ from = -1e308, to = 1e308, step = 1e-308 }",
            "{ from = 0, to = 1, step = 1e-300 }",
        ] {
            let text =
                format!("axes.seed = {range}\nstages.q = {{ kind = 'query', seed = '$seed' }}");
            let error = resolve(&text).unwrap_err();
            assert_eq!(codes(&error), ["pipeline::too_many"], "{range}");
        }
        let text =
            "rounds.r = { count = 1_000_000_000_000, stages = ['q'] }\nstages.q.kind = 'query'";
        assert_eq!(codes(&resolve(text).unwrap_err()), ["pipeline::out_of_range"]);
    }

    #[test]
    fn are_refused_when_collecting_makes_too_many_wires() {
        let text = |values: usize| {
            format!(
                r#"
[axes]
a = {{ from = 0, to = {values} }}
b = {{ from = 0, to = {values} }}
[stages.images]
kind = "ingest"
dataset = "x"
[stages.others]
kind = "autoencoder"
inputs = {{ images = "images" }}
seed = "$b"
[stages.codes]
kind = "twins"
inputs = {{ images = "images" }}
[stages.labels]
kind = "budget"
inputs = {{ images = "images", truth = "images" }}
seed = "$a"
[stages.knn]
kind = "knn"
k = 1
inputs = {{ features = "codes.left", labels = "labels" }}
[stages.truth]
kind = "reread"
inputs = {{ model = "others" }}
[stages.report]
kind = "report"
inputs = {{ predictions = "knn", truth = "truth" }}
collect = ["a"]
"#
            )
        };
        let small = resolve(&text(30)).unwrap();
        assert_eq!(small.stage("report").unwrap().tasks.len(), 30);
        let error = resolve(&text(3000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "too many wires: all inputs together take 9021001, more than 2000000"
        );
    }
}
