use scarce_orchestrator::{Record, collect_garbage};

use crate::project::Project;

fn project() -> Project {
    Project::new("[stages.a]\nkind = \"source\"\nvalue = 1\n")
}

fn records(project: &Project) -> usize {
    Record::all(&project.root(), "small").unwrap().len()
}

#[test]
fn a_run_with_nothing_to_do_leaves_the_record_alone() {
    let mut project = project();
    project.run();
    let path = Record::path(&project.root(), "small");
    let before = fs_err::read(&path).unwrap();
    project.run();
    assert_eq!(fs_err::read(&path).unwrap(), before);
    assert_eq!(records(&project), 1);
    project.edit("value = 1", "value = 2");
    project.run();
    assert_eq!(records(&project), 2);
    project.edit("value = 2", "value = 1");
    project.run();
    assert_eq!(records(&project), 3, "nothing ran, but the results are others");
    assert_eq!(Record::pipelines(&project.root()).unwrap(), ["small"]);
}

#[test]
fn garbage_is_what_the_runs_that_count_do_not_reach() {
    let mut project = project();
    project.run();
    let old = project.entry("a");
    project.edit("value = 1", "value = 2");
    project.run();
    let new = project.entry("a");
    let root = project.root();
    assert!(collect_garbage(&root, None, false).unwrap().entries.is_empty());
    let dry = collect_garbage(&root, Some(1), true).unwrap();
    assert_eq!((dry.entries.len(), dry.kept), (1, 1));
    assert!(dry.bytes() > 0 && old.exists());
    let done = collect_garbage(&root, Some(1), false).unwrap();
    assert_eq!(done.entries, dry.entries);
    assert!(!old.exists() && new.exists());
    assert_eq!(records(&project), 1);
    assert_eq!(project.run().counts(), (0, 1));
}

#[test]
fn a_record_that_cannot_be_read_keeps_everything() {
    let project = project();
    project.run();
    fs_err::write(Record::path(&project.root(), "small"), "{").unwrap();
    let error = collect_garbage(&project.root(), None, false).unwrap_err();
    assert!(error.to_string().contains("run.json"), "{error}");
    // A run only cannot tell why stages run.
    assert!(project.run().summary.is_success());
    assert!(collect_garbage(&project.root(), None, false).is_ok());
}

#[test]
fn views_are_links_that_survive_moving_the_folder() {
    let project = project();
    project.run();
    let notes = project.root().join("runs/small/notes.txt");
    fs_err::write(&notes, "mine").unwrap();
    fs_err::rename(project.root(), project.path("elsewhere")).unwrap();
    assert!(project.path("elsewhere/runs/small/a/truth.parquet").exists());
    fs_err::rename(project.path("elsewhere"), project.root()).unwrap();
    project.run();
    assert!(notes.exists());
}
