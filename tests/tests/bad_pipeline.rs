//! Pipelines that say something else than was meant: the line, a caret, and what was probably meant.
//! Nothing runs.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Answer, Project, SMALL};

/// `check` refuses the pipeline with these words; so does `run`, and nothing has run.
#[track_caller]
fn refused(text: &str, words: &[&str]) -> (Project, Answer) {
    let project = Project::with(text);
    let answer = project.ask("check", &[]).ended(2).complains_of(words);
    let run = project.ask("run", &[]).ended(2);
    assert_eq!(run.stderr, answer.stderr);
    assert!(!project.path("artifacts/runs").exists());
    (project, answer)
}

#[track_caller]
fn edited(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replace(from, to)
}

mod toml {
    use super::*;

    #[test]
    fn that_is_malformed_is_shown_with_its_line() {
        let text = edited("per_class = 2", "per_class = ");
        let (_, answer) = refused(&text, &["pipeline.toml:14", "pipeline::syntax"]);
        insta::assert_snapshot!("malformed_toml", answer.stderr);
    }

    #[test]
    fn that_is_not_text_is_refused() {
        let project = Project::new();
        project.write("pipeline.toml", b"\xff\xfe\x00");
        project.ask("check", &[]).ended(2).complains_of(&["UTF-8"]);
    }

    #[test]
    fn that_is_not_there_is_named() {
        let project = Project::new();
        project.ask("run", &[]).ended(2).complains_of(&["pipeline.toml"]);
    }

    #[test]
    fn that_is_empty_says_what_a_stage_is() {
        refused("[pipeline]\nname = \"x\"\n", &["no stage", "[stages.images]"]);
    }
}

mod an_unknown_name {
    use super::*;

    #[test]
    fn of_a_parameter_suggests_the_nearest() {
        let text = edited("per_class = 2", "per_clas = 2");
        let (_, answer) = refused(&text, &["pipeline.toml:14", "`per_clas`", "`per_class`"]);
        insta::assert_snapshot!("unknown_key", answer.stderr);
    }

    #[test]
    fn of_a_kind_suggests_the_nearest() {
        let text = edited("kind = \"knn\"", "kind = \"knm\"");
        let (_, answer) = refused(&text, &["there is no kind `knm`", "`knn`"]);
        insta::assert_snapshot!("unknown_kind", answer.stderr);
    }

    #[test]
    fn of_an_axis_suggests_the_nearest() {
        let text = edited("per_class = 2", "per_class = 2\nseed = \"$sed\"");
        let text = text.replace("[stages.images]", "[axes]\nseed = [0, 1]\n\n[stages.images]");
        let (_, answer) = refused(&text, &["there is no axis `sed`", "seed"]);
        insta::assert_snapshot!("unknown_axis", answer.stderr);
    }

    #[test]
    fn of_a_stage_suggests_the_nearest() {
        refused(&edited("features = \"pixels\"", "features = \"pixel\""), &["`pixel`", "`pixels`"]);
    }

    #[test]
    fn of_a_port_suggests_the_nearest() {
        refused(
            &edited("features = \"pixels\"", "feature = \"pixels\""),
            &["`feature`", "`features`"],
        );
    }

    #[test]
    fn of_a_target_suggests_the_nearest() {
        let project = Project::with(SMALL);
        project.ask("run", &["pixel"]).ended(2).complains_of(&["`pixel`", "`pixels`"]);
    }

    #[test]
    fn on_the_command_line_is_shown_there() {
        let project = Project::with(SMALL);
        let answer = project.ask("check", &["--set", "stages.knn.kk=3"]).ended(2);
        answer.complains_of(&["--set", "`kk`"]);
        let answer = project.ask("check", &["--axis", "seeds=0..3"]).ended(2);
        answer.complains_of(&["`seeds`"]);
    }
}

mod a_wire {
    use super::*;

    #[test]
    fn that_goes_in_a_circle_is_shown_with_its_path() {
        let text = SMALL.to_owned()
            + "[stages.a]\nkind = \"propagate-neighbours\"\ninputs = { features = \"pixels\", labels = \"b\" }\n\
               [stages.b]\nkind = \"propagate-neighbours\"\ninputs = { features = \"pixels\", labels = \"a\" }\n";
        let (_, answer) = refused(&text, &["circle", "a", "b", "pipeline::cycle"]);
        insta::assert_snapshot!("cycle", answer.stderr);
    }

    #[test]
    fn between_two_tables_names_both() {
        let text = edited("features = \"pixels\"", "features = \"labels\"");
        let (_, answer) = refused(&text, &["embeddings", "labels", "pipeline::mismatch"]);
        insta::assert_snapshot!("wrong_port_type", answer.stderr);
    }

    #[test]
    fn that_is_missing_is_named() {
        let text =
            edited("{ features = \"pixels\", labels = \"labels\" }", "{ features = \"pixels\" }");
        refused(&text, &["input `labels` of `knn`", "not wired"]);
    }
}

mod a_value {
    use super::*;

    #[test]
    fn of_another_type_says_which_it_takes() {
        refused(&edited("k = 1", "k = \"one\""), &["`k`", "integer", "pipeline::wrong_type"]);
    }

    #[test]
    fn out_of_range_says_the_range() {
        refused(&edited("k = 1", "k = 0"), &["`k` is 0", "pipeline::out_of_range"]);
        refused(&edited("test_fraction = 0.25", "test_fraction = 1.5"), &["1.5"]);
    }

    #[test]
    fn beyond_32_bits_is_refused_with_its_line() {
        let text = edited("limit = 200", "limit = 4294967296");
        refused(&text, &["pipeline.toml:8", "`limit` is 4294967296", "from 1 to 4294967295"]);
        assert!(
            Project::with(&edited("limit = 200", "limit = 4294967295")).ask("check", &[]).code
                == Some(0)
        );
    }

    #[test]
    fn that_is_no_number_is_refused_with_its_line() {
        for value in ["nan", "inf", "-inf", "1e999"] {
            let text = edited("test_fraction = 0.25", &format!("test_fraction = {value}"));
            refused(&text, &["pipeline.toml:9", "finite"]);
        }
    }

    #[test]
    fn that_leads_nowhere_is_refused_with_its_line() {
        let text = edited("dataset = \"digits\"", "path = \"picturs\"");
        let project = Project::with(&text);
        project.write("pictures/a.png", "");
        let words = ["pipeline.toml:7", "/picturs`", "`pictures`?", "no_such_path"];
        for command in ["check", "plan", "run"] {
            project.ask(command, &[]).ended(2).complains_of(&words);
        }
        assert!(!project.path("artifacts/runs").exists());
        project.ask("graph", &[]).ended(0);
        // What nobody asks for need not be there yet.
        let later = "[stages.later]\nkind = \"ingest\"\npath = \"answers\"\n";
        let project = Project::with(&format!("{SMALL}{later}"));
        project.ask("run", &["knn"]).ended(0);
        project.ask("run", &["later"]).ended(2).complains_of(&["/answers`"]);
    }

    #[test]
    fn that_is_none_of_the_choices_suggests_one() {
        let text = edited("k = 1", "weights = \"distant\"");
        refused(&text, &["`distance`", "pipeline::unknown_choice"]);
    }
}

mod several_mistakes {
    use super::*;

    #[test]
    fn are_told_at_once_and_as_json() {
        let text = edited("k = 1", "kk = 1").replace("per_class", "perclass");
        let (project, _) = refused(&text, &["`kk`", "`perclass`"]);
        let errors = project.ask("check", &["--json"]).ended(2).json();
        let errors = errors["errors"].as_array().unwrap().clone();
        let lines: Vec<_> = errors.iter().map(|error| error["line"].as_u64().unwrap()).collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(lines.contains(&14) && lines.contains(&23), "{errors:?}");
        assert!(errors.iter().all(|error| error["code"] == "pipeline::unknown_key"), "{errors:?}");
    }
}
