use super::{axis, codes, feeds, labels, problems, render, resolve, resolve_with, set};
use crate::{Pipeline, dot, mermaid};

/// Labels are asked for in three rounds, by two strategies.
pub(super) const ACTIVE: &str = r#"
[axes]
strategy = ["entropy", "margin"]

[rounds.active]
count = 3
stages = ["labels", "spread", "query"]

[stages.images]
kind = "ingest"
dataset = "digits"

[stages.first]
kind = "budget"
inputs = { images = "images", truth = "images" }
per_class = 4

[stages.labels]
kind = "annotate"
inputs = { truth = "images", labels = ["first", "labels"], queries = "query" }

[stages.spread]
kind = "spread"
inputs = { images = "images", labels = "labels" }

[stages.query]
kind = "query"
inputs = { distributions = "spread", labels = "labels" }
strategy = "$strategy"

[stages.curve]
kind = "curve"
inputs = { distributions = "spread" }
collect = ["round"]
"#;

/// Without the axis of strategies.
fn plain() -> String {
    ACTIVE.replace("\"$strategy\"", "\"entropy\"")
}

fn counts(pipeline: &Pipeline, stages: &[&str]) -> Vec<usize> {
    stages.iter().map(|stage| pipeline.stage(stage).unwrap().tasks.len()).collect()
}

fn is_ordered(pipeline: &Pipeline) -> bool {
    pipeline.graph.raw_edges().iter().all(|edge| edge.source() < edge.target())
}

mod run_their_stages {
    use super::*;

    #[test]
    fn once_a_round_and_in_turn() {
        let pipeline = resolve(&plain()).unwrap();
        assert!(is_ordered(&pipeline));
        assert_eq!(
            labels(&pipeline),
            [
                "images",
                "first",
                "labels [round=0]",
                "spread [round=0]",
                "query [round=0]",
                "labels [round=1]",
                "spread [round=1]",
                "query [round=1]",
                "labels [round=2]",
                "spread [round=2]",
                "query [round=2]",
                "curve",
            ]
        );
        let stages: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["images", "first", "labels", "spread", "query", "curve"]);
        assert_eq!(pipeline.stage("spread").unwrap().axes, ["round"]);
    }

    #[test]
    fn on_what_the_round_before_left() {
        let pipeline = resolve(&plain()).unwrap();
        assert_eq!(
            feeds(&pipeline, "labels [round=2]"),
            [
                "truth < images.truth",
                "labels < first.labels",
                "labels < labels [round=1].labels",
                "queries < query [round=1].queries",
            ]
        );
        assert_eq!(
            feeds(&pipeline, "query [round=2]"),
            ["distributions < spread [round=2].distributions", "labels < labels [round=2].labels"]
        );
    }

    #[test]
    fn without_those_wires_in_the_first() {
        let pipeline = resolve(&plain()).unwrap();
        let (_, first) = pipeline.tasks().find(|(_, t)| t.label() == "labels [round=0]").unwrap();
        let ports: Vec<&str> = first.inputs.iter().map(|(port, _)| port.as_str()).collect();
        // As if `queries` were not wired: a stage of the same content has the same key.
        assert_eq!(ports, ["truth", "labels"]);
        assert_eq!(
            feeds(&pipeline, "labels [round=0]"),
            ["truth < images.truth", "labels < first.labels"]
        );
    }

    #[test]
    fn for_every_value_of_the_axes_that_come_round() {
        let pipeline = resolve(ACTIVE).unwrap();
        assert!(pipeline.warnings.is_empty());
        let stages = ["images", "first", "labels", "spread", "query", "curve"];
        assert_eq!(counts(&pipeline, &stages), [1, 1, 6, 6, 6, 2]);
        assert_eq!(
            feeds(&pipeline, "labels [strategy=margin round=1]")[2..],
            [
                "labels < labels [strategy=margin round=0].labels",
                "queries < query [strategy=margin round=0].queries",
            ]
        );
        assert_eq!(
            pipeline.axes.last().unwrap(),
            &("round".to_owned(), vec![0.into(), 1.into(), 2.into()])
        );
    }

    #[test]
    fn into_folders_of_their_own() {
        let pipeline = resolve(ACTIVE).unwrap();
        let folders: Vec<String> = pipeline
            .tasks()
            .map(|(_, task)| task.folder().to_string_lossy().into_owned())
            .collect();
        assert!(folders.contains(&"query/strategy=margin/round=2".to_owned()), "{folders:?}");
    }

    #[test]
    fn that_may_ask_which_round_it_is() {
        let text = ACTIVE.replace("\"$strategy\"", "\"$strategy\"\nseed = \"$round\"");
        let pipeline = resolve(&text).unwrap();
        let tasks = pipeline.stage("query").unwrap().tasks.iter();
        let seeds = tasks.map(|&task| pipeline.graph[task].params["seed"].as_u64().unwrap());
        assert_eq!(seeds.collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    }
}

mod are_read_from_outside {
    use super::*;

    #[test]
    fn like_any_axis() {
        let text = plain().replace("collect = [\"round\"]", "");
        let pipeline = resolve(&text).unwrap();
        assert_eq!(counts(&pipeline, &["curve"]), [3]);
        assert_eq!(
            feeds(&pipeline, "curve [round=1]"),
            ["distributions < spread [round=1].distributions"]
        );
    }

    #[test]
    fn or_all_at_once() {
        let pipeline = resolve(ACTIVE).unwrap();
        assert_eq!(
            feeds(&pipeline, "curve [strategy=margin]"),
            [0, 1, 2].map(|round| {
                format!("distributions < spread [strategy=margin round={round}].distributions")
            })
        );
    }

    #[test]
    fn between_two_stages_of_a_round() {
        let text = plain().replace(
            "inputs = { images = \"images\", labels = \"labels\" }",
            "inputs = { images = \"images\", labels = \"more\" }",
        ) + "[stages.more]\nkind = \"unite\"\ninputs = { labels = [\"labels\"] }\n";
        let pipeline = resolve(&text).unwrap();
        assert!(is_ordered(&pipeline));
        assert_eq!(counts(&pipeline, &["more", "spread"]), [3, 3]);
        assert_eq!(feeds(&pipeline, "spread [round=2]")[1], "labels < more [round=2].labels");
    }
}

/// A second group, whose stages take no part in the first.
const RANDOM: &str = r#"
[rounds.random]
count = 3
stages = ["random-labels", "random-query"]
[stages.random-labels]
kind = "annotate"
inputs = { truth = "images", labels = ["first", "random-labels"], queries = "random-query" }
[stages.random-query]
kind = "query"
inputs = { labels = "random-labels" }
"#;

mod of_two_groups {
    use super::*;

    fn both(count: usize) -> String {
        let random = RANDOM.replace("count = 3", &format!("count = {count}"));
        plain().replace(
            "{ distributions = \"spread\" }",
            "{ distributions = \"spread\", labels = \"random-labels\" }",
        ) + &random
    }

    #[test]
    fn do_not_touch_each_other() {
        let text = plain() + &RANDOM.replace("count = 3", "count = 5");
        let pipeline = resolve(&text).unwrap();
        assert!(is_ordered(&pipeline));
        assert_eq!(counts(&pipeline, &["labels", "random-labels"]), [3, 5]);
        assert_eq!(
            pipeline.axes.last().map(|(name, values)| (name.as_str(), values.len())),
            Some(("round", 5))
        );
    }

    #[test]
    fn are_joined_on_the_round_when_there_are_as_many() {
        let pipeline = resolve(&both(3).replace("collect = [\"round\"]", "")).unwrap();
        assert_eq!(
            feeds(&pipeline, "curve [round=2]"),
            [
                "distributions < spread [round=2].distributions",
                "labels < random-labels [round=2].labels"
            ]
        );
    }

    #[test]
    fn cannot_be_joined_when_there_are_not() {
        insta::assert_snapshot!(problems(&both(4).replace("collect = [\"round\"]", "")));
    }

    #[test]
    fn may_be_collected_together_all_the_same() {
        let text = plain()
            + &RANDOM.replace("count = 3", "count = 2")
            + "[stages.all]\nkind = \"unite\"\ninputs = { labels = [\"labels\", \"random-labels\"] }\n\
               collect = [\"round\"]\n";
        let pipeline = resolve(&text).unwrap();
        assert_eq!(counts(&pipeline, &["all"]), [1]);
        assert_eq!(pipeline.stage("all").unwrap().collect, ["round"]);
        assert_eq!(
            feeds(&pipeline, "all"),
            [
                "labels < labels [round=0].labels",
                "labels < labels [round=1].labels",
                "labels < labels [round=2].labels",
                "labels < random-labels [round=0].labels",
                "labels < random-labels [round=1].labels",
            ]
        );
    }
}

mod selected_by_targets {
    use super::*;

    #[test]
    fn keep_what_they_need_and_nothing_else() {
        let part = resolve(&plain()).unwrap().select(&["spread"]).unwrap();
        assert!(is_ordered(&part));
        // The last round's queries are nobody's business.
        assert_eq!(counts(&part, &["labels", "spread", "query"]), [3, 3, 2]);
        assert_eq!(part.graph.node_count(), 10);
        assert_eq!(
            feeds(&part, "labels [round=1]")[2..],
            ["labels < labels [round=0].labels", "queries < query [round=0].queries"]
        );
        assert!(dot(&part, true).contains("query [round=1]"));
    }

    #[test]
    fn lose_the_wires_of_what_is_gone() {
        let once = plain().replace("count = 3", "count = 1");
        let part = resolve(&once).unwrap().select(&["labels"]).unwrap();
        let names: Vec<&str> = part.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["images", "first", "labels"]);
        assert!(!mermaid(&part, false).contains("queries"));
    }
}

mod change_from_the_command_line {
    use super::*;

    #[test]
    fn by_their_count() {
        let pipeline = resolve_with(ACTIVE, &set(&["rounds.active.count=5"])).unwrap();
        assert_eq!(counts(&pipeline, &["labels", "curve"]), [10, 2]);
    }

    #[test]
    fn like_an_axis_from_the_first_on() {
        let text = plain() + RANDOM;
        let pipeline = resolve_with(&text, &axis(&["round=0..2"])).unwrap();
        assert_eq!(counts(&pipeline, &["labels", "random-labels"]), [2, 2]);
    }

    #[test]
    fn to_nothing_that_cannot_be() {
        let refused = |overrides| render(&resolve_with(ACTIVE, &overrides).unwrap_err());
        insta::assert_snapshot!(refused(set(&["rounds.activ.count=2", "rounds.count=2"])));
        insta::assert_snapshot!(refused(axis(&["round=1..3", "round=0,1"])));
        insta::assert_snapshot!(refused(axis(&["round=0..0"])));
    }
}

mod are_drawn {
    use super::*;

    #[test]
    fn with_their_way_back_in_dot() {
        insta::assert_snapshot!(dot(&resolve(ACTIVE).unwrap(), false));
    }

    #[test]
    fn with_their_way_back_in_mermaid() {
        insta::assert_snapshot!(mermaid(&resolve(ACTIVE).unwrap(), false));
    }
}

mod that_are_wrong {
    use super::*;

    #[test]
    fn are_each_reported() {
        insta::assert_snapshot!(problems(&format!(
            "{RANDOM}{}",
            r#"
[axes]
round = [1, 2]
[rounds]
plain = 5
[rounds.none]
count = 0
stages = []
extra = 1
[rounds.half]
count = 2.5
stages = ["labls", 3]
[rounds.bare]
[rounds."a b"]
count = 2
stages = ["other", "random-query", "other"]
[stages.first]
kind = "budget"
inputs = { images = "images", truth = "images" }
seed = "$round"
[stages.other]
kind = "query"
[stages.images]
kind = "ingest"
dataset = "digits"
"#
        )));
    }

    #[test]
    fn are_not_what_the_old_word_was() {
        let error = resolve("rounds = 3\n[stages.a]\nkind = 'histories'").unwrap_err();
        assert_eq!(codes(&error), ["pipeline::wrong_type"]);
    }

    #[test]
    fn leave_an_input_open_in_the_first() {
        insta::assert_snapshot!(problems(
            r#"
[rounds.active]
count = 2
stages = ["knn", "spread", "relabel", "all"]
[stages.images]
kind = "ingest"
dataset = "digits"
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
[stages.spread]
kind = "spread"
inputs = { images = "images", labels = "relabel" }
[stages.all]
kind = "unite"
inputs = { labels = ["all"] }
"#
        ));
    }

    #[test]
    fn are_a_circle_when_the_way_back_leads_outside() {
        insta::assert_snapshot!(problems(
            &(plain()
                .replace("labels = [\"first\", \"labels\"]", "labels = [\"first\", \"more\"]")
                + "[stages.more]\nkind = \"relabel\"\ninputs = { predictions = \"knn\" }\n\
                   [stages.codes]\nkind = \"twins\"\ninputs = { images = \"images\" }\n\
                   [stages.knn]\nkind = \"knn\"\nk = 1\n\
                   inputs = { features = \"codes.left\", labels = \"labels\" }\n")
        ));
    }

    #[test]
    fn are_a_circle_when_a_round_goes_against_its_order() {
        let text = r#"
[rounds.active]
count = 2
stages = ["early", "late"]
[stages.images]
kind = "ingest"
dataset = "digits"
[stages.late]
kind = "budget"
inputs = { images = "images", truth = "images" }
[stages.between]
kind = "unite"
inputs = { labels = ["late"] }
[stages.early]
kind = "annotate"
inputs = { truth = "images", labels = ["between"] }
"#;
        insta::assert_snapshot!(problems(text));
    }

    #[test]
    fn need_what_collects_them() {
        let text = plain().replace(
            "{ distributions = \"spread\", labels = \"labels\" }",
            "{ distributions = \"spread\", labels = [\"all\"] }",
        ) + "[stages.all]\nkind = \"unite\"\ninputs = { labels = [\"labels\"] }\ncollect = [\"round\"]\n";
        insta::assert_snapshot!(problems(&text));
    }

    #[test]
    fn collect_themselves() {
        let text = plain().replace(
            "{ truth = \"images\", labels",
            "{ truth = \"images\" }\ncollect = [\"round\"]\n#",
        );
        assert_eq!(codes(&resolve(&text).unwrap_err()), ["pipeline::collects_own"]);
    }

    #[test]
    fn are_asked_for_by_others() {
        let text = plain().replace("per_class = 4", "seed = \"$round\"");
        insta::assert_snapshot!(problems(&text));
    }

    #[test]
    fn are_a_warning_when_each_is_like_the_other() {
        let text = plain().replace("[\"first\", \"labels\"], queries = \"query\"", "[\"first\"]");
        let text = text.replace("[axes]\nstrategy = [\"entropy\", \"margin\"]\n", "");
        let pipeline = resolve(&text).unwrap();
        assert_eq!(counts(&pipeline, &["labels"]), [3]);
        insta::assert_snapshot!(render(&pipeline.warnings[0]));
        // A stage that knows which round it is has something to do.
        let text = text.replace("strategy = \"entropy\"", "seed = \"$round\"");
        assert!(resolve(&text).unwrap().warnings.is_empty());
    }

    #[test]
    fn are_too_many() {
        let error = resolve_with(ACTIVE, &set(&["rounds.active.count=50000"])).unwrap_err();
        assert_eq!(codes(&error), ["pipeline::too_many"]);
        assert!(
            error.to_string().contains("2 `strategy` × 50000 `round` = 100000 of `labels`"),
            "{error}"
        );
    }
}
