use scarce_orchestrator::RunEvent;

use crate::project::{Project, overwrite};

fn moody(mood: &str) -> Project {
    Project::new(&format!(
        "[stages.bad]\nkind = \"source\"\nmood = \"{mood}\"\n[stages.below]\nkind = \"halve\"\ninputs = {{ truth = \"bad\" }}\n[stages.good]\nkind = \"source\"\nmilliseconds = 20\n"
    ))
}

mod a_stage_that {
    use super::*;

    #[test]
    fn fails_stops_what_depends_on_it_and_nothing_else() {
        let mut project = moody("fail");
        let ran = project.run();
        assert!(!ran.summary.is_success());
        assert_eq!((ran.summary.ran, ran.summary.failed, ran.summary.skipped), (1, 1, 1));
        let failure = ran.failure();
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("rehearsal::fail", "as asked")
        );
        assert_eq!(failure.help.as_deref(), Some("do not ask"));
        assert!(ran.summary.failures[0].log.as_ref().unwrap().exists());
        let skipped = |e: &RunEvent| matches!(e, RunEvent::Skipped { task, because } if task.stage == "below" && because.stage == "bad");
        assert_eq!(ran.count(skipped), 1);
        assert!(!project.root().join("runs/small/bad").exists());
        assert_eq!(project.planned()[0], "bad: failed last time");

        project.edit("fail", "well");
        assert_eq!(project.run().counts(), (2, 1));
    }

    #[test]
    fn fails_ends_the_run_if_so_asked() {
        let mut project = moody("fail");
        project.options.keep_going = false;
        project.options.jobs = 1;
        let ran = project.run();
        assert_eq!((ran.summary.ran, ran.summary.failed, ran.summary.not_reached), (0, 1, 1));
        assert!(!ran.summary.interrupted);
    }

    #[test]
    fn dies_is_one_failed_stage_with_its_last_words() {
        for (mood, code, words) in [
            ("panic", "orchestrator::exit", "these are my last words"),
            ("killed", "orchestrator::killed", "killed by signal 9 (perhaps out of memory)"),
            ("silent", "orchestrator::no_done", "without saying that it is done"),
            ("nothing", "orchestrator::output", "did not write `truth.parquet`"),
            ("wrong", "orchestrator::output", "`scarce.table` is `history`, not `truth`"),
        ] {
            let ran = moody(mood).run();
            let failure = ran.failure();
            assert_eq!(failure.code, code, "{mood}: {failure:?}");
            assert!(failure.message.contains(words), "{mood}: {failure:?}");
            assert_eq!((ran.summary.ran, ran.summary.skipped), (1, 1), "{mood}");
        }
    }

    #[test]
    fn is_noisy_has_it_all_in_its_log() {
        let project = moody("noisy");
        let ran = project.run();
        assert!(ran.summary.is_success());
        let log = fs_err::read_to_string(project.entry("bad").join("log.jsonl")).unwrap();
        for words in ["a library greets you", "and complains", "something is odd"] {
            assert!(log.contains(words), "{log}");
        }
        let warned = |e: &RunEvent| matches!(e, RunEvent::Log { message, .. } if message == "something is odd");
        assert_eq!(ran.count(warned), 1);
    }
}

mod damage {
    use super::*;

    const CHAIN: &str = r#"
[stages.first]
kind = "source"
value = 40
[stages.second]
kind = "halve"
inputs = { truth = "first" }
"#;

    fn truth(project: &Project, view: &str) -> std::path::PathBuf {
        project.entry(view).join("truth.parquet")
    }

    #[test]
    fn of_the_size_is_planned_for_and_computed_again() {
        let project = Project::new(CHAIN);
        project.run();
        let path = truth(&project, "first");
        let bytes = fs_err::read(&path).unwrap();
        overwrite(&path, &bytes[..bytes.len() / 2]);
        let plan = project.planned();
        assert!(
            plan[0].contains("artifact damaged: ") && plan[0].contains("bytes, not"),
            "{plan:?}"
        );
        assert!(path.exists(), "a plan changes nothing");
        let ran = project.run();
        assert_eq!(ran.counts(), (1, 1));
        let aside = ran.events.iter().find_map(|event| match event {
            RunEvent::Damaged { quarantine, .. } => quarantine.clone(),
            _ => None,
        });
        assert!(aside.unwrap().join("damage.json").exists());
        assert_eq!(fs_err::read(truth(&project, "first")).unwrap(), bytes);
    }

    #[test]
    fn of_one_bit_never_enters_a_stage() {
        let mut project = Project::new(CHAIN);
        project.run();
        let path = truth(&project, "first");
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[20] ^= 1;
        overwrite(&path, &bytes);
        // Nothing reads it: nothing is digested.
        assert_eq!(project.run().counts(), (0, 2));
        project.edit("inputs = { truth", "plus = 1\ninputs = { truth");
        let ran = project.run();
        assert_eq!(ran.counts(), (2, 0));
        assert_eq!(
            ran.count(|e| matches!(e, RunEvent::Damaged { task, .. } if task.stage == "first")),
            1
        );
        let repaired = |e: &RunEvent| match e {
            RunEvent::Started { reasons, .. } => {
                reasons[0].to_string().starts_with("artifact damaged")
            }
            _ => false,
        };
        assert_eq!(ran.count(repaired), 1);
        assert_eq!(project.label("second"), 21);
        bytes[20] ^= 1;
        assert_eq!(fs_err::read(truth(&project, "first")).unwrap(), bytes);
    }

    #[test]
    fn of_several_artifacts_at_once_is_repaired_from_the_top() {
        let mut project = Project::new(
            r#"
[axes]
seed = [1, 2]
[stages.top]
kind = "source"
value = 8
[stages.middle]
kind = "halve"
plus = "$seed"
inputs = { truth = "top" }
[stages.low]
kind = "halve"
plus = "$seed"
inputs = { truth = "middle" }
"#,
        );
        project.run();
        for view in ["top", "middle/seed=1", "middle/seed=2"] {
            let path = truth(&project, view);
            let mut bytes = fs_err::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            overwrite(&path, &bytes);
        }
        let end = project.toml.rfind("plus").unwrap();
        project.toml.replace_range(end.., "inputs = { truth = \"middle\" }\n");
        let ran = project.run();
        assert!(ran.summary.is_success(), "{:?}", ran.summary);
        assert_eq!(ran.count(|e| matches!(e, RunEvent::Damaged { .. })), 3);
        assert_eq!(project.label("low/seed=2"), 3);
    }
}

mod a_folder_that_cannot_be_written {
    use super::*;

    #[test]
    fn is_named() {
        let project = moody("well");
        fs_err::write(project.root(), "in the way").unwrap();
        let error = project.with(|_| ()).unwrap_err();
        assert!(error.to_string().contains("artifacts"), "{error}");
        assert!(miette::Diagnostic::help(&error).is_some());
    }

    #[test]
    fn fails_the_stage_and_publishes_nothing() {
        let project = moody("well");
        fs_err::create_dir_all(project.root().join("store")).unwrap();
        // Where the entries of this kind belong lies a file.
        fs_err::write(project.root().join("store/source"), "in the way").unwrap();
        let error = project.try_run(&false.into()).map(|ran| ran.summary);
        let text = match error {
            Ok(summary) => summary.failures[0].failure.message.clone(),
            Err(error) => error.to_string(),
        };
        assert!(text.contains("store/source"), "{text}");
    }
}
