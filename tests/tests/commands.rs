//! Each command: what it prints, as text and as JSON, and how it ends.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, SMALL, files};
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

mod as_json {
    use super::*;

    /// Every word of `scarce --help`, with what it is asked. A run prints a value per line.
    const ASKED: [&[&str]; 27] = [
        &["check", "pipeline.toml"],
        &["plan", "pipeline.toml"],
        &["graph", "pipeline.toml"],
        &["graph", "pipeline.toml", "--expand", "--format", "dot"],
        &["graph", "pipeline.toml", "--format", "svg", "--output", "graph.svg"],
        &["run", "pipeline.toml"],
        &["show", "small/images"],
        &["show", "artifacts/runs/small/knn/predictions.parquet"],
        &["report", "small"],
        &["report", "small", "--output", "page.html"],
        &["report", "small", "--format", "markdown"],
        &["export", "small", "--to", "tables"],
        &["runs"],
        &["stages"],
        &["stages", "knn"],
        &["tables"],
        &["tables", "labels"],
        &["diff", "small", "small"],
        &["bundle", "small/knn", "--output", "model.scarce"],
        &["predict", "model.scarce", "new"],
        &["schema"],
        &["verify"],
        &["gc", "--dry-run"],
        &["data", "list"],
        &["data", "fetch", "digits"],
        &["new", "--images", "pictures", "--labels", "labels.csv", "--output", "mine.toml"],
        &["completions", "bash"],
    ];

    /// What is wrong with each.
    const REFUSED: [(&[&str], &str); 18] = [
        (&["rnu"], "scarce::usage"),
        (&["run"], "scarce::usage"),
        (&["run", "pipeline.toml", "--jobs", "0"], "scarce::usage"),
        (&["check", "nowhere.toml"], "pipeline::io"),
        (&["plan", "pipeline.toml", "nothing"], "pipeline::unknown_stage"),
        (&["graph", "pipeline.toml", "--set", "x=1"], "pipeline::bad_override"),
        (&["run", "pipeline.toml", "--axis", "seed=1"], "pipeline::unknown_axis"),
        (&["run", "pipeline.toml", "--force", "nothing"], "orchestrator::force"),
        (&["show", "small/nothing"], "scarce::no_table"),
        (&["show", "pipeline.toml"], "scarce::unreadable"),
        (&["report", "nothing"], "scarce::unknown"),
        (&["export", "small/nothing", "--to", "elsewhere"], "scarce::no_table"),
        (&["runs", "nothing"], "scarce::unknown"),
        (&["stages", "nothing"], "scarce::unknown"),
        (&["data", "fetch", "nothing"], "scarce::unknown"),
        (&["data", "verify", "nothing"], "scarce::unknown"),
        (&["new", "--images", "pictures", "--labels", "pictures"], "scarce::not_that"),
        (&["completions", "nothing"], "scarce::usage"),
    ];

    #[test]
    fn every_command_answers() {
        let project = ran();
        project.write("pictures/a.png", "");
        project.write("labels.csv", "file,label\n");
        for at in 0..2 {
            project.write(&format!("new/{at}.png"), files::png(8, 8, &files::square(at, at)));
        }
        for words in ASKED {
            let answer = project.scarce(&[words, &["--json"]].concat()).ended(0);
            if ["run", "predict"].contains(&words[0]) {
                assert!(answer.json_lines().len() > 1, "{answer}");
            } else {
                assert!(!answer.json().is_null(), "{words:?}: {answer}");
            }
        }
        let help = project.scarce(&["--help"]).ended(0);
        let commands = help.stdout.split("Commands:").nth(1).unwrap();
        let commands = commands.split("\n\n").next().unwrap();
        for line in
            commands.lines().filter(|line| line.starts_with("  ") && line.as_bytes()[2] != b' ')
        {
            let word = line.split_whitespace().next().unwrap();
            let asked = ASKED.iter().any(|words| words[0] == word) || word == "help";
            // It serves its page until somebody ends it.
            let asked = asked || word == "label";
            assert!(asked, "`{word}` is not asked for JSON here");
        }
    }

    #[test]
    fn every_refusal_is_a_list_of_errors_and_ends_with_2() {
        let project = ran();
        project.write("pictures/a.png", "");
        for (words, code) in REFUSED {
            let answer = project.scarce(&[words, &["--json"]].concat()).ended(2);
            let json = answer.json();
            let errors = list(&json["errors"]);
            assert!(text(&errors[0], "/code").ends_with(code), "{words:?}: {answer}");
            assert!(!text(&errors[0], "/message").is_empty(), "{words:?}: {answer}");
            assert_eq!(answer.stderr, "", "{words:?}");
            let words_of_it = project.scarce(words).ended(2).stderr;
            assert!(words_of_it.contains(code) || code == "scarce::usage", "{words_of_it}");
        }
    }

    #[test]
    fn a_drawing_is_stages_and_wires() {
        let json = Project::with(SMALL).ask("graph", &["--json"]).ended(0).json();
        assert_eq!(list(&json["stages"]).len(), 5);
        let wires = list(&json["wires"]);
        let report = wires.iter().filter(|wire| wire["to"] == "report").count();
        assert_eq!(report, 2, "{json}");
        assert!(text(&json, "/drawing").contains("flowchart"), "{json}");
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
        let project = ran();
        project.scarce(&["show", "small/nothing"]).ended(2).complains_of(&["scarce runs"]);
        project.scarce(&["show", "small/imags"]).ended(2).complains_of(&["`images`?"]);
        project.scarce(&["show", "smal/images"]).ended(2).complains_of(&["`small`?"]);
        project.scarce(&["show", "small/history"]).ended(2);
    }

    /// The length of what the footer says, at the end of a file.
    fn footer_at(bytes: &[u8]) -> usize {
        let end = bytes.len() - 8;
        let length: [u8; 4] = bytes[end..end + 4].try_into().unwrap();
        end - u32::from_le_bytes(length) as usize
    }

    /// Whatever the damage, it is an answer or an error, and never a panic (exit code 101).
    #[test]
    fn of_a_damaged_file_is_an_error_that_names_it() {
        let project = ran();
        let whole = fs_err::read(project.entry("small/images").join("images.parquet")).unwrap();
        let footer = footer_at(&whole);
        let mut damaged: Vec<Vec<u8>> = Vec::new();
        for length in
            [0, 3, 4, 8, 12, footer - 1, footer, footer + 9, whole.len() - 8, whole.len() - 1]
        {
            damaged.push(whole[..length].to_vec());
        }
        let mut flip = |at: usize, with: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= with;
            damaged.push(bytes);
        };
        // Bytes all over the footer, where offsets and sizes stand; among them are negative
        // ones (the lowest bit of a zigzag number) and those that go on for ever (the highest).
        for at in (footer..whole.len() - 4).step_by(37) {
            flip(at, 1);
            flip(at, 0x80);
        }
        // Headers of pages, and what they hold.
        for at in (4..200).step_by(17) {
            flip(at, 0xff);
        }
        let mut refused = 0;
        for (number, bytes) in damaged.iter().enumerate() {
            project.write("damaged.parquet", bytes);
            for words in [&["show", "damaged.parquet"][..], &["show", "--json", "damaged.parquet"]]
            {
                let answer = project.scarce(words);
                assert!(matches!(answer.code, Some(0 | 2)), "damage {number}: {answer}");
                assert!(!answer.stderr.contains("panicked"), "damage {number}: {answer}");
                refused += i32::from(answer.code == Some(2));
                if answer.code == Some(2) && words.len() == 2 {
                    answer.complains_of(&["damaged.parquet"]);
                }
            }
        }
        assert!(refused > 30, "{refused} of {}", 2 * damaged.len());
    }
}

mod export {
    use super::*;

    fn with_seeds() -> Project {
        let text = SMALL.replace("[stages.images]", "[axes]\nseed = [0, 1]\n\n[stages.images]");
        let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
        let project = Project::with(&(text + "collect = [\"seed\"]\n"));
        project.run(&[]).ended(0);
        project
    }

    fn files(folder: &std::path::Path, found: &mut Vec<String>, root: &std::path::Path) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            assert!(!kind.is_symlink(), "{}", path.display());
            if kind.is_dir() {
                files(&path, found, root);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
        found.sort();
    }

    fn exported(project: &Project, to: &str) -> Vec<String> {
        let (root, mut found) = (project.path(to), Vec::new());
        files(&root, &mut found, &root);
        found
    }

    #[test]
    fn copies_each_table_as_a_data_set_without_links() {
        let project = with_seeds();
        let answer = project.scarce(&["export", "small", "--to", "out/tables"]).ended(0);
        answer.says(&["out/tables/knn/predictions", "2 files"]);
        let found = exported(&project, "out/tables");
        for file in [
            "images/images/images.parquet",
            "images/truth/truth.parquet",
            "knn/predictions/seed=0/predictions.parquet",
            "knn/predictions/seed=1/predictions.parquet",
            "report/summary/summary.parquet",
        ] {
            assert!(found.contains(&file.to_owned()), "{found:?}");
        }
        assert!(found.iter().all(|file| file.ends_with(".parquet")), "{found:?}");
        let path = project.path("out/tables/knn/predictions/seed=1/predictions.parquet");
        let copy = project
            .scarce(&["show", "--json", "-n", "500", &path.to_string_lossy()])
            .ended(0)
            .json();
        assert_eq!(list(&copy["head"]), &project.rows("small/knn/seed=1/predictions.parquet"));
        assert!(!path.metadata().unwrap().permissions().readonly(), "it is the user's own");
        let beside: Vec<_> = fs_err::read_dir(project.path("out")).unwrap().collect();
        assert_eq!(beside.len(), 1, "nothing is left behind");
    }

    #[test]
    fn takes_a_stage_and_links_where_asked_to() {
        use std::os::unix::fs::MetadataExt;
        let project = with_seeds();
        project.scarce(&["export", "pipeline.toml", "--to", "all", "--link"]).ended(0);
        let words = ["export", "small/knn", "--to", "knn", "--link"];
        project.scarce(&words).ended(0);
        assert_eq!(
            exported(&project, "knn"),
            ["seed=0", "seed=1"].map(|seed| format!("knn/predictions/{seed}/predictions.parquet"))
        );
        let linked = project.path("knn/knn/predictions/seed=0/predictions.parquet");
        let stored = project.path("artifacts/runs/small/knn/seed=0/predictions.parquet");
        assert_eq!(linked.metadata().unwrap().ino(), stored.metadata().unwrap().ino());
    }

    #[test]
    fn overwrites_nothing() {
        let project = ran();
        project.write("mine/notes.txt", "mine");
        let answer = project.scarce(&["export", "small", "--to", "mine"]).ended(2);
        answer.complains_of(&["`mine` exists already", "--to"]);
        project.write("file", "mine");
        project.scarce(&["export", "small", "--to", "file"]).ended(2);
        assert_eq!(exported(&project, "mine"), ["notes.txt"]);
        assert_eq!(project.read("file"), "mine");
        fs_err::create_dir(project.path("empty")).unwrap();
        project.scarce(&["export", "small", "--to", "empty"]).ended(0);
        project.scarce(&["export", "small", "--to", "empty"]).ended(2);
    }

    #[test]
    fn of_a_damaged_table_is_refused_whole() {
        let project = ran();
        // What somebody put there is not of the run.
        let stray = project.path("artifacts/runs/small/mine=1");
        fs_err::create_dir(&stray).unwrap();
        fs_err::write(stray.join("own.parquet"), "own").unwrap();
        let table = project.entry("small/knn").join("predictions.parquet");
        let mut bytes = fs_err::read(&table).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::remove_file(&table).unwrap();
        fs_err::write(&table, bytes).unwrap();
        for more in [&[][..], &["--link"]] {
            let words = [&["export", "small", "--to", "a"], more].concat();
            project.scarce(&words).ended(3).complains_of(&["predictions.parquet` is damaged"]);
            assert!(!project.path("a").exists(), "all or nothing");
        }
        project.scarce(&["export", "small/images", "--to", "a"]).ended(0);
        assert_eq!(exported(&project, "a").len(), 2);
    }

    #[test]
    fn of_what_never_ran_is_refused() {
        let project = ran();
        project.scarce(&["export", "smal", "--to", "a"]).ended(2).complains_of(&["`small`?"]);
        project.scarce(&["export", "small/nkn", "--to", "a"]).ended(2).complains_of(&["`knn`?"]);
        project.scarce(&["export", "../store", "--to", "a"]).ended(2);
        assert!(!project.path("a").exists());
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
        let answer = project.scarce(&["verify", "--json"]).ended(3);
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
        assert_eq!(names[..3], ["digits", "mnist", "fashion-mnist"]);
        for name in ["dinov2-small", "efficientnet-lite0", "onnxruntime"] {
            assert!(names.contains(&name), "{names:?}");
        }
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
        let answer = project.scarce(&["data", "fetch", "dinov2-small", "--data", "here"]).ended(2);
        answer.complains_of(&["cannot download", "127.0.0.1:9", "here/models/dinov2-small"]);
        assert!(!project.path("here/models/dinov2-small").exists());
        project.scarce(&["data", "fetch", "dinov2-smal"]).ended(2).complains_of(&["dinov2-small"]);
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
