//! What a run may use of the machine, and what it makes of odd surroundings.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};

use scarce_tests::{Child, Project, SMALL, fixture, wrapped};

/// Two stages that wait a second, each with these resources.
fn two(resources: &str) -> Project {
    let stage = |name: &str| {
        format!(
            "[stages.{name}]\nkind = \"patient\"\nseconds = 1\ntext = \"{name}\"\n\
             resources = {{ {resources} }}\n"
        )
    };
    let host = fixture("scarce-patient");
    let host = host.to_string_lossy();
    let head = format!("[pipeline]\nname = \"small\"\nhosts = [{host:?}]\n");
    Project::with(&[head, stage("a"), stage("b")].concat())
}

/// Whether the second stage began before the first had ended.
fn at_once(project: &Project, more: &[&str]) -> bool {
    let run = project.run(&[&["--threads", "4"], more].concat()).ended(0);
    let order: Vec<&str> = run
        .events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .filter(|event| ["started", "finished"].contains(event))
        .collect();
    assert_eq!(order.len(), 4, "{order:?}");
    order[..2] == ["started", "started"]
}

mod memory {
    use super::*;

    #[test]
    fn that_stages_declare_is_shared_out() {
        let large = "memory = \"20 GiB\"";
        assert!(!at_once(&two(large), &["--memory", "24GiB"]));
        assert!(at_once(&two(large), &["--memory", "48 GiB"]));
        assert!(!at_once(&two("memory_limit = \"20 GiB\""), &["--memory", "24GiB"]));
    }

    #[test]
    fn is_that_of_the_machine_unless_said_otherwise() {
        let text = fs_err::read_to_string("/proc/meminfo").unwrap();
        let total = text.lines().find(|line| line.starts_with("MemTotal:")).unwrap();
        let kibibytes: u64 = total.split_whitespace().nth(1).unwrap().parse().unwrap();
        let most = format!("memory = {}", kibibytes * 1024 / 10 * 6);
        assert!(!at_once(&two(&most), &[]));
        assert!(at_once(&two("memory = \"1 MiB\""), &[]));
    }

    #[test]
    fn is_a_size() {
        let project = Project::with(SMALL);
        for wrong in ["much", "0", "-1", "4 gigs"] {
            let answer = project.ask("run", &[&format!("--memory={wrong}")]).ended(2);
            answer.complains_of(&["--memory", "24GiB"]);
        }
    }
}

#[test]
fn more_threads_than_any_machine_has_are_refused() {
    let project = Project::with(SMALL);
    for option in ["--threads", "--jobs"] {
        let answer = project.ask("run", &[option, "4294967295"]).ended(2);
        answer.complains_of(&[option, "1024"]);
        project.ask("plan", &[option, "1024"]).ended(0);
    }
}

#[test]
fn a_parent_that_ignores_the_end_of_its_children_does_no_harm() {
    let project = Project::with(SMALL);
    let mut ignoring = Command::new("env");
    ignoring.arg("--ignore-signal=CHLD");
    let ignoring = wrapped(ignoring, &project.command(&["run", "pipeline.toml"]));
    Child::start(ignoring).finish().ended(0).complains_of(&["5 ran"]);
}

#[test]
fn a_name_that_records_cannot_hold_is_refused_before_anything_runs() {
    let project = Project::with(SMALL);
    let mut command = project.command(&["run", "pipeline.toml", "--artifacts"]);
    command.arg(OsStr::from_bytes(b"arti\xFFfacts"));
    Child::start(command).finish().ended(2).complains_of(&["artifacts", "UTF-8"]);
    let name = OsStr::from_bytes(b"pi\xFFpe.toml");
    fs_err::rename(project.path("pipeline.toml"), project.folder().join(name)).unwrap();
    let mut command = project.command(&["run"]);
    command.arg(name);
    Child::start(command).finish().ended(2).complains_of(&["UTF-8"]);
    assert!(!project.path("artifacts/store/ingest").exists());
}
