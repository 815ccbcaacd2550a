//! What a stage remembers of single items saves work and changes nothing.

use scarce_orchestrator::RunEvent;

use crate::project::{Project, Ran};

fn project(numbers: usize) -> Project {
    let project =
        Project::new("[stages.a]\nkind = \"recall\"\nscale = 1\nfile = \"numbers.bin\"\n");
    write(&project, numbers);
    project
}

fn write(project: &Project, numbers: usize) {
    fs_err::write(project.path("numbers.bin"), vec![0; numbers]).unwrap();
}

/// What the stage says of its memory.
fn said(ran: &Ran) -> String {
    assert!(ran.summary.is_success(), "{:?}", ran.summary);
    let message = |event: &RunEvent| match event {
        RunEvent::Log { message, task: Some(_), .. } => Some(message.clone()),
        _ => None,
    };
    ran.events.iter().find_map(message).unwrap_or_default()
}

#[test]
fn is_found_again_when_only_a_path_changed() {
    let mut project = project(5);
    assert_eq!(said(&project.run()), "0 of 5 known");
    write(&project, 8);
    assert_eq!(said(&project.run()), "5 of 8 known");
    assert_eq!(project.label("a"), 140, "the sum of the first eight squares");
    // Another parameter, another memory.
    project.edit("scale = 1", "scale = 2");
    assert_eq!(said(&project.run()), "0 of 8 known");
    assert_eq!(project.label("a"), 280);
}

#[test]
fn is_no_part_of_a_key_and_may_be_deleted() {
    let with = project(8);
    let key = |project: &Project| project.record().tasks[0].key.clone().unwrap();
    with.run();
    let mut again = project(5);
    again.run();
    write(&again, 8);
    assert_eq!(said(&again.run()), "5 of 8 known");
    assert_eq!(key(&with), key(&again));
    let bytes = |project: &Project| fs_err::read(project.entry("a").join("truth.parquet")).unwrap();
    assert_eq!(bytes(&with), bytes(&again));
    fs_err::remove_dir_all(again.root().join("store/.memo")).unwrap();
    assert_eq!(again.run().counts(), (0, 1));
    again.options.force = vec!["a".to_owned()];
    assert_eq!(said(&again.run()), "0 of 8 known");
    assert_eq!(bytes(&with), bytes(&again));
}

#[test]
fn that_cannot_be_kept_costs_only_time() {
    let project = project(5);
    assert_eq!(said(&project.run()), "0 of 5 known");
    for memo in fs_err::read_dir(project.root().join("store/.memo")).unwrap() {
        let memo = memo.unwrap().path();
        fs_err::remove_dir_all(&memo).unwrap();
        fs_err::write(&memo, "in the way").unwrap();
    }
    write(&project, 6);
    assert_eq!(said(&project.run()), "0 of 6 known");
}
