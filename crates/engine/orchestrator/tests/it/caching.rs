use scarce_orchestrator::{RunEvent, TaskStatus};

use crate::project::Project;

const CHAIN: &str = r#"
[stages.first]
kind = "source"
value = 40

[stages.second]
kind = "halve"
inputs = { truth = "first" }

[stages.third]
kind = "halve"
inputs = { truth = "second" }
"#;

const SWEEP: &str = r#"
[axes]
seed = [1, 2, 3]

[stages.rows]
kind = "source"
value = "$seed"

[stages.sum]
kind = "gather"
inputs = { all = "rows" }
collect = ["seed"]
"#;

mod a_run {
    use super::*;

    #[test]
    fn computes_everything_once_and_shows_it() {
        let project = Project::new(CHAIN);
        let first = project.run();
        assert!(first.summary.is_success());
        assert_eq!(first.counts(), (3, 0));
        assert_eq!(project.label("third"), 10);
        let second = project.run();
        assert_eq!(second.counts(), (0, 3));
        assert_eq!(second.count(|e| matches!(e, RunEvent::Cached { .. })), 3);
        assert!(project.planned().iter().all(|line| line.ends_with(": cached")));
    }

    #[test]
    fn of_a_sweep_folds_the_axis() {
        let mut project = Project::new(SWEEP);
        assert_eq!(project.run().counts(), (4, 0));
        assert_eq!(project.label("sum"), 6);
        assert_eq!(project.label("rows/seed=2"), 2);
        // One variant less: the others are there, its view goes, the sum is another.
        project.edit("[1, 2, 3]", "[1, 3]");
        assert_eq!(project.run().counts(), (1, 2));
        assert_eq!(project.label("sum"), 4);
        assert!(!project.root().join("runs/small/rows/seed=2").exists());
        // No variants: the folder becomes a link.
        project.edit("value = \"$seed\"", "value = 1");
        project.edit("seed = [1, 3]", "");
        project.edit("collect = [\"seed\"]", "");
        project.run();
        assert_eq!(project.label("rows"), 1);
        // And a folder again, without writing through the link into the store.
        let entry = project.entry("rows");
        project.toml = SWEEP.to_owned();
        project.run();
        assert_eq!(project.label("rows/seed=3"), 3);
        assert!(!entry.join("seed=3").exists());
    }

    #[test]
    fn reports_in_order() {
        let ran = Project::new(CHAIN).run();
        assert!(
            matches!(ran.events.first(), Some(RunEvent::Planned { tasks }) if tasks.len() == 3)
        );
        assert!(matches!(ran.events.last(), Some(RunEvent::Ended { .. })));
        assert_eq!(ran.count(|e| matches!(e, RunEvent::Started { .. })), 3);
        assert_eq!(ran.count(|e| matches!(e, RunEvent::Progress { done: 1, total: 2, .. })), 1);
        assert_eq!(ran.count(|e| matches!(e, RunEvent::Finished { .. })), 3);
        let line = serde_json::to_value(&ran.events[0]).unwrap();
        assert_eq!(line["event"], "planned");
        assert_eq!(line["tasks"][0]["status"], "run");
        assert_eq!(line["tasks"][0]["reasons"][0]["reason"], "never_ran");
        assert_eq!(line["tasks"][1]["status"], "depends");
    }

    #[test]
    fn accounts_for_time_and_memory() {
        let project = Project::new("[stages.a]\nkind = \"source\"\nmilliseconds = 50\n");
        project.run();
        let usage = project.record().tasks[0].usage.unwrap();
        assert!(usage.wall_seconds >= 0.05 && usage.wall_seconds < 20.0, "{usage:?}");
        assert!(usage.cpu_seconds < usage.wall_seconds, "{usage:?}");
        assert!(usage.peak_memory_bytes > 1 << 20, "{usage:?}");
    }
}

mod a_change {
    use super::*;

    #[test]
    fn reruns_what_it_reaches_and_says_why() {
        let mut project = Project::new(CHAIN);
        assert_eq!(
            project.planned(),
            ["first: never ran", "second: depends on first", "third: depends on second"]
        );
        project.run();
        project.edit("value = 40", "value = 44");
        assert_eq!(
            project.planned(),
            ["first: param value 40 → 44", "second: depends on first", "third: depends on second"]
        );
        let ran = project.run();
        assert_eq!(ran.counts(), (3, 0));
        let reasons = |event: &RunEvent| match event {
            RunEvent::Started { task, reasons, .. } if task.stage == "second" => {
                reasons[0].to_string() == "input truth changed"
            }
            _ => false,
        };
        assert_eq!(ran.count(reasons), 1);
    }

    #[test]
    fn that_comes_out_the_same_is_cut_off() {
        let mut project = Project::new(CHAIN);
        project.run();
        // 41 / 2 = 40 / 2: the second runs, the third need not.
        project.edit("value = 40", "value = 41");
        assert_eq!(project.run().counts(), (2, 1));
    }

    #[test]
    fn of_a_name_reruns_nothing() {
        let mut project = Project::new(CHAIN);
        project.run();
        project.toml = project.toml.replace("second", "renamed");
        assert_eq!(project.run().counts(), (0, 3));
        assert_eq!(project.label("renamed"), 20);
        assert!(!project.root().join("runs/small/second").exists());
    }

    #[test]
    fn taken_back_finds_the_old_result() {
        let mut project = Project::new(CHAIN);
        project.run();
        project.edit("value = 40", "value = 80");
        project.run();
        project.edit("value = 80", "value = 40");
        assert_eq!(project.run().counts(), (0, 3));
        assert_eq!(project.label("third"), 10);
    }

    #[test]
    fn of_code_or_environment_reruns() {
        let mut project = Project::new("[stages.a]\nkind = \"scripted\"\n");
        let describe = |code: &str, library: &str| {
            format!(
                r#"printf '%s' '{{"protocol":1,"kinds":[{{"kind":"scripted","summary":"s","fingerprint":"{code}","environment":{{"library":"{library}"}}}}]}}'"#
            )
        };
        let exec = r#"echo '{"event":"done"}'"#;
        let text = |code, library| {
            format!("if [ \"$1\" = describe ]; then\n{}\nelse\n{exec}\nfi", describe(code, library))
        };
        project.hosts = vec![project.script("host", &text("1", "2.0"))];
        assert_eq!(project.run().counts(), (1, 0));
        project.script("host", &text("2", "2.0"));
        assert_eq!(project.planned(), ["a: code changed"]);
        assert_eq!(project.run().counts(), (1, 0));
        project.script("host", &text("2", "2.1"));
        assert_eq!(project.planned(), ["a: environment library 2.0 → 2.1"]);
    }
}

mod a_path {
    use super::*;

    const FILE: &str = "[stages.a]\nkind = \"source\"\nfile = \"data.bin\"\n";

    #[test]
    fn counts_by_what_it_points_to() {
        let mut project = Project::new(FILE);
        fs_err::write(project.path("data.bin"), "four").unwrap();
        assert_eq!(project.run().counts(), (1, 0));
        assert_eq!(project.label("a"), 4);
        fs_err::rename(project.path("data.bin"), project.path("other.bin")).unwrap();
        project.edit("data.bin", "other.bin");
        assert_eq!(project.run().counts(), (0, 1));
        fs_err::write(project.path("other.bin"), "fives").unwrap();
        assert_eq!(project.planned(), ["a: the data behind file changed"]);
        assert_eq!(project.run().counts(), (1, 0));
        assert_eq!(project.label("a"), 5);
    }

    #[test]
    fn of_the_project_does_not_matter() {
        let keys = || {
            let project = Project::new(&format!(
                "{FILE}\n[stages.b]\nkind = \"halve\"\ninputs = {{ truth = \"a\" }}\n"
            ));
            fs_err::write(project.path("data.bin"), "four").unwrap();
            project.run();
            let keys: Vec<_> = project.record().tasks.into_iter().map(|task| task.key).collect();
            assert!(keys.iter().all(Option::is_some));
            keys
        };
        assert_eq!(keys(), keys());
    }

    #[test]
    fn to_nothing_is_an_error_that_names_stage_and_parameter() {
        let project = Project::new(FILE);
        let error = project.with(|orchestrator| orchestrator.plan()).unwrap().unwrap_err();
        let text = scarce_stage::Failure::from(error).message;
        assert!(
            text.contains("`a`") && text.contains("`file`") && text.contains("data.bin"),
            "{text}"
        );
    }
}

mod data_that_change_and_change_back {
    use super::*;

    const FILE: &str = "[stages.a]\nkind = \"source\"\nfile = \"data.bin\"\nmilliseconds = 300\n";

    /// Runs while `act` is called when the stage has begun; true when it failed.
    fn while_it_runs(project: &Project, act: &(dyn Fn() + Sync)) -> bool {
        let watch = |event: &RunEvent| {
            if matches!(event, RunEvent::Progress { .. }) {
                act();
            }
        };
        let ran = project.run_watched(&false.into(), &watch).unwrap();
        if ran.summary.is_success() {
            return false;
        }
        assert_eq!(ran.failure().code, "orchestrator::changed", "{:?}", ran.failure());
        assert!(ran.failure().message.contains("data.bin"));
        true
    }

    #[test]
    fn are_not_published_under_what_they_were_at_first() {
        let project = Project::new(FILE);
        let path = project.path("data.bin");
        fs_err::write(&path, "four").unwrap();
        let checkout_and_back = || {
            let time = path.metadata().unwrap().modified().unwrap();
            fs_err::write(&path, "another").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
            fs_err::write(&path, "four").unwrap();
            let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        };
        assert!(while_it_runs(&project, &checkout_and_back));
        assert!(!project.root().join("runs/small/a/truth.parquet").exists());
        assert!(!while_it_runs(&project, &|| {}));
        assert_eq!(project.label("a"), 4);
    }

    #[test]
    fn before_the_stage_begins_do_no_harm() {
        let project = Project::new(FILE);
        let path = project.path("data.bin");
        fs_err::write(&path, "four").unwrap();
        let watch = |event: &RunEvent| {
            if matches!(event, RunEvent::Planned { .. }) {
                fs_err::write(&path, "another").unwrap();
                fs_err::write(&path, "four").unwrap();
            }
        };
        assert!(project.run_watched(&false.into(), &watch).unwrap().summary.is_success());
        assert_eq!(project.label("a"), 4);
    }

    #[test]
    fn around_the_artifacts_change_by_no_run() {
        // The folder of the project holds the artifacts.
        let mut project = Project::new("[stages.a]\nkind = \"scripted\"\npath = \".\"\n");
        let text = r#"if [ "$1" = describe ]; then
printf '%s' '{"protocol":1,"kinds":[{"kind":"scripted","summary":"s","fingerprint":"1","params":{"type":"object","properties":{"path":{"type":"string","format":"path"}}}}]}'
else
echo '{"event":"done"}'
fi"#;
        project.hosts = vec![project.script("host", text)];
        assert_eq!(project.run().counts(), (1, 0));
        assert_eq!(project.run().counts(), (0, 1));
        fs_err::write(project.path("new.png"), "data").unwrap();
        assert_eq!(project.run().counts(), (1, 0));
    }
}

mod forcing {
    use super::*;

    #[test]
    fn runs_a_stage_again_and_cuts_off_below_it() {
        let mut project = Project::new(CHAIN);
        project.run();
        let entry = project.entry("second");
        let before = fs_err::read(entry.join("manifest.json")).unwrap();
        project.options.force = vec!["second".to_owned()];
        assert_eq!(project.planned()[1], "second: forced");
        assert_eq!(project.run().counts(), (1, 2));
        // The same bytes: the entry is the same, not a copy of it.
        assert_eq!(fs_err::read(entry.join("manifest.json")).unwrap(), before);
        project.options.force = vec!["nobody".to_owned()];
        let error = project.with(|_| ()).unwrap_err();
        assert!(error.to_string().contains("nobody"));
    }

    #[test]
    fn a_stage_that_computes_something_else_replaces_its_result_and_says_so() {
        let mut project = Project::new("[stages.a]\nkind = \"clock\"\n");
        let first = project.path("first.html");
        fs_err::write(&first, "1").unwrap();
        let text = format!(
            r#"if [ "$1" = describe ]; then
printf '%s' '{{"protocol":1,"kinds":[{{"kind":"clock","summary":"s","fingerprint":"1","outputs":[{{"name":"page","type":"page","format":"page","doc":"d"}}]}}]}}'
else
cp '{}' "$(sed 's/.*"page":"\([^"]*\)".*/\1/' "$2").html"
echo '{{"event":"done"}}'
fi"#,
            first.display()
        );
        project.hosts = vec![project.script("host", &text)];
        project.run();
        let page = project.root().join("runs/small/a/page.html");
        assert_eq!(fs_err::read_to_string(&page).unwrap(), "1");
        fs_err::write(&first, "2").unwrap();
        project.options.force = vec!["a".to_owned()];
        let ran = project.run();
        assert_eq!(ran.count(|e| matches!(e, RunEvent::Log { message, .. } if message.contains("did not compute the same"))), 1);
        assert_eq!(fs_err::read_to_string(&page).unwrap(), "2");
    }
}

mod targets {
    use super::*;

    #[test]
    fn run_only_what_they_need_and_leave_the_rest_as_it_was() {
        let mut project = Project::new(CHAIN);
        project.run();
        project.edit("value = 40", "value = 60");
        project.options.targets = vec!["second".to_owned()];
        assert_eq!(project.run().counts(), (2, 0));
        assert_eq!(project.label("second"), 30);
        assert_eq!(project.label("third"), 10, "as the run before left it");
        let record = project.record();
        assert_eq!(record.task("third", &[]).unwrap().status, TaskStatus::NotSelected);
    }
}

mod threads {
    use super::*;

    #[test]
    fn of_a_kind_that_depends_on_them_follow_from_the_plan() {
        let mut project = Project::new(
            "[axes]\nseed = [1, 2, 3]\n[stages.a]\nkind = \"fixed\"\nseed = \"$seed\"\n",
        );
        project.run();
        for seed in 1..=3 {
            assert_eq!(project.label(&format!("a/seed={seed}")), 2, "4 threads, 2 jobs");
        }
        project.toml =
            "[stages.a]\nkind = \"fixed\"\nseed = 9\n[stages.a.resources]\nthreads = 3\n"
                .to_owned();
        project.run();
        assert_eq!(project.label("a"), 3);
    }
}

mod optional_outputs {
    use super::*;

    #[test]
    fn that_are_not_written_are_recorded_as_absent() {
        let project = Project::new(SWEEP);
        project.run();
        let text = fs_err::read_to_string(project.entry("sum").join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(manifest["outputs"]["history"].is_null());
        assert_eq!(manifest["outputs"]["truth"]["rows"], 1);
    }
}
