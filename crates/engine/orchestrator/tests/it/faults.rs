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
            ("test_host::fail", "as asked")
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
    fn says_too_much_is_heard_at_the_beginning_and_the_end() {
        let ran = moody("wordy").run();
        let failure = ran.failure();
        assert_eq!(failure.code, "test_host::wordy");
        assert!(failure.message.starts_with("at first word"), "{}", &failure.message[..100]);
        assert!(failure.message.ends_with("and at last") && failure.message.len() < 100_000);
        assert_eq!(failure.help.as_deref(), Some("say less"));
    }

    #[test]
    fn leaves_somebody_talking_on_its_output_ends_all_the_same() {
        let ran = moody("haunted").run();
        assert!(ran.summary.is_success(), "{:?}", ran.summary);
    }

    #[test]
    fn asks_for_more_memory_than_its_limit_does_not_get_it() {
        let mut project = moody("hungry");
        project.edit("\"hungry\"\n", "\"hungry\"\nresources = { memory_limit = \"100 MiB\" }\n");
        let ran = project.run();
        let failure = ran.failure();
        assert_eq!(failure.code, "orchestrator::killed", "{failure:?}");
        assert!(failure.help.as_ref().is_some_and(|help| help.contains("memory_limit")));
        project.edit("100 MiB", "2 GiB");
        assert!(project.run().summary.is_success());
    }

    #[test]
    fn may_take_for_ever_may_do_so() {
        let mut project = moody("well");
        project.edit("\"well\"\n", "\"well\"\nresources = { time = 9223372036854775807 }\n");
        assert!(project.run().summary.is_success());
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

mod a_repair {
    use super::*;

    #[test]
    fn that_computes_something_else_computes_again_what_was_made_of_it() {
        let mut project = Project::new("");
        let file = project.path("length");
        fs_err::write(&file, [0; 40]).unwrap();
        project.toml = format!(
            r#"
[stages.top]
kind = "drift"
file = "{}"
[stages.made]
kind = "halve"
inputs = {{ truth = "top" }}
[stages.below]
kind = "halve"
inputs = {{ truth = "made" }}
[stages.last]
kind = "halve"
plus = 1
inputs = {{ truth = "top" }}
"#,
            file.display()
        );
        project.run();
        assert_eq!((project.label("below"), project.label("last")), (10, 21));
        // Only `last` has to run, and only then is it noticed that `top` is damaged: when `made` and
        // `below` have been found to be there.
        let path = project.entry("top").join("truth.parquet");
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[20] ^= 1;
        overwrite(&path, &bytes);
        fs_err::write(&file, [0; 80]).unwrap();
        project.edit("plus = 1", "plus = 2");
        let ran = project.run();
        assert!(ran.summary.is_success(), "{:?}", ran.summary);
        assert_eq!(project.label("top"), 80);
        assert_eq!((project.label("made"), project.label("below")), (40, 20));
        assert_eq!(project.label("last"), 42);
        assert_eq!(project.run().counts(), (0, 4));
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
