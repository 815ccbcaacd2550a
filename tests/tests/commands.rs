//! Each command: what it prints, as text and as JSON, and how it ends.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, SMALL};
use serde_json::Value;

fn ran() -> Project {
    let project = Project::with(SMALL);
    project.run(&[]).ended(0);
    project
}

#[track_caller]
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

#[track_caller]
fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

mod usage {
    use super::*;

    #[test]
    fn a_wrong_word_ends_with_2() {
        let project = Project::new();
        project.scarce(&["rnu"]).ended(2).complains_of(&["rnu", "run"]);
        project.scarce(&["run"]).ended(2).complains_of(&["PIPELINE"]);
        project.scarce(&["run", "x.toml", "--jobs", "0"]).ended(2);
    }

    #[test]
    fn help_and_version_end_with_0() {
        let project = Project::new();
        let help = project.scarce(&["--help"]).ended(0);
        help.says(&["run", "plan", "verify", "gc", "completions", "Exit codes"]);
        project.scarce(&["run", "--help"]).ended(0).says(&["--force", "--keep-going"]);
        project.scarce(&["--version"]).ended(0).says(&["scarce 0."]);
    }
}

mod a_reader_that_is_gone {
    use super::*;

    /// A pipe whose other end is closed.
    fn nobody() -> std::io::PipeWriter {
        std::io::pipe().unwrap().1
    }

    #[test]
    fn of_results_is_no_error() {
        let project = ran();
        for words in [
            &["stages"][..],
            &["schema"],
            &["show", "small/images"],
            &["run", "pipeline.toml"],
            &["run", "pipeline.toml", "--json", "--force", "knn"],
            &["completions", "bash"],
            &["--help"],
        ] {
            let output = project.command(words).stdout(nobody()).output().unwrap();
            let words_of_it = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{words:?}: {words_of_it}");
        }
    }

    #[test]
    fn of_complaints_leaves_the_exit_code() {
        let project = ran();
        let code = |words: &[&str]| {
            project.command(words).stderr(nobody()).output().unwrap().status.code()
        };
        assert_eq!(code(&["check", "nowhere.toml"]), Some(2));
        assert_eq!(code(&["run", "pipeline.toml", "--set", "stages.knn.k=3"]), Some(0));
        assert_eq!(code(&["run", "pipeline.toml", "--set", "stages.knn.k=3000"]), Some(1));
    }
}

mod run {
    use super::*;

    /// Two stages that fail, one below, and one beside them.
    const FAILING: &str = "[stages.too-many]\nkind = \"knn\"\nk = 5000\n\
        inputs = { features = \"pixels\", labels = \"labels\" }\n\
        [stages.below]\nkind = \"report\"\n\
        inputs = { predictions = [\"too-many\"], truth = \"images\" }\n";

    #[test]
    fn prints_the_figures_and_where_the_page_is() {
        let answer = ran().ask("run", &[]).ended(0);
        answer.says(&["knn", "accuracy", "artifacts/runs/small/report/page.html"]);
    }

    #[test]
    fn quietly_says_nothing_else() {
        let answer = ran().ask("run", &["-q"]).ended(0);
        assert_eq!(answer.stderr, "");
    }

    #[test]
    fn as_json_begins_with_the_plan_and_ends_with_the_summary() {
        let run = Project::with(SMALL).run(&[]).ended(0);
        assert_eq!(run.events[0]["event"], "planned");
        assert_eq!(list(&run.events[0]["tasks"]).len(), 5);
        let last = run.events.last().unwrap();
        assert_eq!(last["event"], "ended");
        assert_eq!(last["summary"]["ran"], 5);
        assert_eq!(run.answer.stderr, "");
    }

    #[test]
    fn goes_on_beside_a_failure_and_says_what_was_skipped() {
        let project = Project::with(&format!("{SMALL}{FAILING}"));
        let run = project.run(&[]).ended(1);
        assert_eq!(run.tasks("failed"), ["too-many"]);
        assert_eq!(run.tasks("skipped"), ["below"]);
        assert!(run.ran().contains(&"report".to_owned()), "{}", run.answer);
        let text = project.ask("run", &[]).ended(1);
        text.complains_of(&["failed  too-many", "`k` is 5000", "log", "1 failed, 1 skipped"]);
        project.ask("run", &["-v"]).ended(1).complains_of(&["below (needs too-many)"]);
    }

    #[test]
    fn stops_at_a_failure_when_asked_to() {
        let chain = "[stages.a]\nkind = \"pca\"\ninputs = { images = \"images\" }\n\
            [stages.b]\nkind = \"kmeans\"\ninputs = { features = \"a\" }\nclusters = 3\n";
        let project = Project::with(&format!("{SMALL}{FAILING}{chain}"));
        let run = project.run(&["--keep-going=false", "--jobs", "1"]).ended(1);
        assert_eq!(run.tasks("failed"), ["too-many"]);
        let not_reached = run.events.last().unwrap()["summary"]["not_reached"].as_u64();
        assert!(not_reached > Some(0), "{}", run.answer);
    }
}

mod check {
    use super::*;

    #[test]
    fn says_what_the_pipeline_is() {
        let project = Project::with(SMALL);
        project.ask("check", &[]).ended(0).says(&["small: 5 stages, 5 tasks", "budget"]);
        let json = project.ask("check", &["--json"]).ended(0).json();
        assert_eq!(json["tasks"], 5);
        assert_eq!(text(&json, "/stages/0/kind"), "ingest");
        assert!(!project.path("artifacts/runs").exists());
    }
}

mod plan {
    use super::*;

    #[test]
    fn is_text_and_json() {
        let project = ran();
        project.ask("plan", &[]).ended(0).says(&["cached", "5 cached, 0 to run"]);
        let json = project.ask("plan", &["--json", "--set", "stages.knn.k=2"]).ended(0).json();
        let knn = list(&json["tasks"]).iter().find(|task| task["task"]["stage"] == "knn").unwrap();
        assert_eq!(knn["status"], "run");
        assert_eq!(knn["reasons"][0]["reason"], "param");
        assert_eq!(knn["reasons"][0]["from"], 1);
        assert_eq!(knn["reasons"][0]["to"], 2);
    }
}

mod graph {
    use super::*;

    #[test]
    fn is_drawn_in_three_languages() {
        let project = Project::with(SMALL);
        let mermaid = project.ask("graph", &[]).ended(0);
        mermaid.says(&["flowchart", "images", "-->", "knn"]);
        let dot = project.ask("graph", &["--format", "dot"]).ended(0);
        dot.says(&["digraph", "images", "->"]);
        let svg = project.ask("graph", &["-f", "svg", "-o", "graph.svg"]).ended(0);
        assert_eq!(svg.stdout, "");
        let svg = project.read("graph.svg");
        assert!(svg.contains("<svg") && svg.contains("</svg>") && svg.contains("knn"), "{svg}");
    }

    #[test]
    fn expands_variants() {
        let text = SMALL.replace("[stages.images]", "[axes]\nseed = [0, 1]\n\n[stages.images]");
        let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
        let project = Project::with(&(text + "collect = [\"seed\"]\n"));
        let count = |more: &[&str]| {
            let words = [&["--format", "dot"], more].concat();
            project.ask("graph", &words).ended(0).stdout.matches("->").count()
        };
        assert!(count(&["--expand"]) > count(&[]));
    }
}

mod show {
    use super::*;

    #[test]
    fn prints_schema_statistics_and_rows() {
        let project = ran();
        let images = project.scarce(&["show", "small/images/images.parquet"]);
        assert_eq!(images.code, Some(0), "{images}");
        images.says(&["images, ", "id", "pixels", "shape"]);
        let both = project.scarce(&["show", "small/images", "-n", "2"]).ended(0);
        both.says(&["images.parquet", "truth.parquet"]);
    }

    #[test]
    fn knows_every_table_as_json() {
        let project = Project::with(&format!(
            "{SMALL}[stages.clusters]\nkind = \"kmeans\"\ninputs = {{ features = \"pixels\" }}\nclusters = 4\n"
        ));
        project.run(&[]).ended(0);
        for (table, columns) in [
            ("images/images", &["id", "split", "source", "pixels"][..]),
            ("images/truth", &["id", "label"]),
            ("labels/labels", &["id", "label", "source", "confidence"]),
            ("pixels/embeddings", &["id", "split", "embedding"]),
            ("knn/predictions", &["id", "split", "label", "probabilities"]),
            (
                "clusters/clusters",
                &["id", "cluster", "distance", "percentile", "is_representative"],
            ),
            ("clusters/centroids", &["cluster", "centroid", "size", "representative"]),
            ("report/metrics", &["stage", "split", "metric", "class", "value"]),
            ("report/summary", &["stage", "metric", "mean", "n"]),
        ] {
            let path = format!("artifacts/runs/small/{table}.parquet");
            let json = project.scarce(&["show", "--json", "-n", "3", &path]).ended(0).json();
            let names: Vec<_> = list(&json["columns"]).iter().map(|c| text(c, "/name")).collect();
            for column in columns {
                assert!(names.contains(column), "{table}: {names:?}");
            }
            let rows = json["rows"].as_u64().unwrap();
            assert_eq!(list(&json["head"]).len() as u64, rows.min(3), "{table}");
            let name = table.split('/').nth(1).unwrap();
            assert_eq!(json["metadata"]["table"], name, "{json}");
        }
    }

    #[test]
    fn of_what_is_not_there_says_where_to_look() {
        ran().scarce(&["show", "small/nothing"]).ended(2).complains_of(&["scarce runs"]);
    }
}

mod runs {
    use super::*;

    #[test]
    fn are_listed_the_last_first() {
        let project = ran();
        project.run(&["--set", "stages.knn.k=2"]).ended(0);
        project.scarce(&["runs"]).ended(0).says(&["small", "done", "stages.knn.k=2"]);
        let json = project.scarce(&["runs", "small", "--json"]).ended(0).json();
        assert_eq!(list(&json).len(), 2);
        assert_eq!(text(&json, "/0/run/overrides/0"), "--set stages.knn.k=2");
        assert!(text(&json, "/0/run/started") > text(&json, "/1/run/started"));
    }

    #[test]
    fn of_a_pipeline_that_never_ran_are_an_error() {
        ran().scarce(&["runs", "smal"]).ended(2).complains_of(&["`small`"]);
        Project::new().scarce(&["runs"]).ended(0).says(&["no run"]);
    }
}

mod the_store {
    use super::*;

    #[test]
    fn is_verified() {
        let project = ran();
        project.scarce(&["verify"]).ended(0).says(&["5 artifacts read, 0 damaged"]);
        let json = project.scarce(&["verify", "--json"]).ended(0).json();
        assert_eq!(json["artifacts"], 5);
        let page = project.entry("small/report").join("page.html");
        fs_err::remove_file(&page).unwrap();
        let answer = project.scarce(&["verify", "--json"]).ended(1);
        assert!(answer.stdout.contains("page.html"), "{answer}");
        project.scarce(&["verify"]).ended(0).says(&["4 artifacts read, 0 damaged"]);
    }

    #[test]
    fn is_tidied_of_what_no_run_reaches() {
        let project = ran();
        for _ in 0..2 {
            project.scarce(&["gc"]).ended(0).says(&["in 0 artifacts", " in 5"]);
        }
        project.run(&["--set", "stages.knn.k=2"]).ended(0);
        let dry =
            project.scarce(&["gc", "--dry-run", "--keep-runs", "1", "--json"]).ended(0).json();
        let mut kinds: Vec<_> = list(&dry["entries"]).iter().map(|e| text(e, "/kind")).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["knn", "report"]);
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0], "a dry run deletes nothing");

        project.run(&["--set", "stages.knn.k=2"]).ended(0);
        project.scarce(&["gc", "--keep-runs", "1"]).ended(0).says(&[
            "freed",
            "in 2 artifacts",
            " in 5",
        ]);
        assert_eq!(project.run(&["--set", "stages.knn.k=2"]).ended(0).ran(), [""; 0]);
        assert_eq!(project.run(&[]).ended(0).ran(), ["knn", "report"]);
    }

    #[test]
    fn of_nobody_is_empty_and_fine() {
        let project = Project::new();
        project.scarce(&["verify"]).ended(0).says(&["0 artifacts"]);
        project.scarce(&["gc"]).ended(0).says(&["freed 0"]);
    }
}

mod data {
    use super::*;

    #[test]
    fn is_listed_and_verified() {
        let project = Project::new();
        project.scarce(&["data", "list"]).ended(0).says(&["digits", "built in", "mnist"]);
        let json = project.scarce(&["data", "list", "--json", "--data", "here"]).ended(0).json();
        let names: Vec<_> = list(&json).iter().map(|data| text(data, "/name")).collect();
        assert_eq!(names, ["digits", "mnist", "fashion-mnist"]);
        project.scarce(&["data", "verify", "digits"]).ended(0);
        project.scarce(&["data", "fetch", "digits"]).ended(0).says(&["built in"]);
        project.scarce(&["data", "fetch", "mnits"]).ended(2).complains_of(&["`mnist`"]);
    }

    #[test]
    fn that_is_not_what_it_should_be_is_found() {
        let project = Project::new();
        project.write("here/mnist/train-labels-idx1-ubyte", "nonsense");
        let answer = project.scarce(&["data", "verify", "mnist", "--data", "here"]).ended(2);
        answer.complains_of(&["train-labels-idx1-ubyte", "delete the file"]);
    }

    #[test]
    fn that_cannot_be_downloaded_says_how_to_get_it() {
        let mut project = Project::new();
        // Nobody listens there.
        project.set("SCARCE_MIRROR", "http://127.0.0.1:9");
        let answer = project.scarce(&["data", "fetch", "mnist", "--data", "here"]).ended(2);
        answer.complains_of(&["cannot download", "127.0.0.1:9", "help"]);
    }
}

mod completions {
    use super::*;

    #[test]
    fn are_scripts_of_their_shells() {
        let project = Project::new();
        for (shell, word) in
            [("bash", "complete -F"), ("zsh", "#compdef scarce"), ("fish", "complete -c scarce")]
        {
            let script =
                project.scarce(&["completions", shell]).ended(0).says(&[word, "keep-going"]);
            if shell == "bash" {
                let path = project.write("scarce.bash", &script.stdout);
                let status = std::process::Command::new("bash").arg("-n").arg(path).status();
                assert!(status.is_ok_and(|status| status.success()));
            }
        }
    }
}

mod new {
    use super::*;

    #[test]
    fn writes_a_pipeline_once() {
        let project = Project::new();
        project.write("pictures/a.png", "");
        project.write("labels.csv", "file,label\n");
        let words = ["new", "--images", "pictures", "--labels", "labels.csv", "-o", "mine.toml"];
        project.scarce(&words).ended(0).says(&["scarce run mine.toml"]);
        let text = project.read("mine.toml");
        assert!(text.contains("path = \"pictures\"") && text.contains("# 1."), "{text}");
        project.scarce(&["check", "mine.toml"]).ended(0);
        project.scarce(&words).ended(2).complains_of(&["`mine.toml` exists already"]);
        let missing = ["new", "--images", "nowhere", "--labels", "labels.csv", "-o", "b.toml"];
        project.scarce(&missing).ended(2).complains_of(&["nowhere"]);
    }
}
