//! A machine that is another one when a stage runs than when its host was asked what it is.

use crate::project::{Project, test_host};

const MOVED: &str = "[stages.a]\nkind = \"moved\"\n";

/// A host of the project's own, on a machine with this device.
fn project(device: &str) -> Project {
    let mut project = Project::new(MOVED);
    let program = project.path("host");
    fs_err::copy(test_host(), &program).unwrap();
    project.hosts = vec![program];
    on(&project, device);
    project
}

fn on(project: &Project, device: &str) {
    fs_err::write(project.path("host.device"), device).unwrap();
}

fn keyed(project: &Project) -> serde_json::Value {
    let record = project.record();
    let task = record.task("a", &[]).unwrap();
    assert!(task.key.is_some(), "{task:?}");
    task.ingredients.as_ref().unwrap()["environment"]["device"].clone()
}

#[test]
fn a_result_is_never_kept_under_the_key_of_another_device() {
    let project = project("cuda");
    // The answer is remembered.
    assert_eq!(project.planned(), ["a: never ran"]);
    on(&project, "cpu");
    let ran = project.run();
    let failure = ran.failure();
    assert_eq!(failure.code, "stage::environment", "{failure:?}");
    assert!(failure.message.contains("device was `cuda` and is `cpu`"), "{failure:?}");
    assert!(!project.root().join("runs/small/a").exists());

    // The host is asked anew: as the help says, running again is all there is to do.
    assert_eq!(project.run().counts(), (1, 0));
    assert_eq!((project.label("a"), keyed(&project)), (3, "cpu".into()));

    // And back: what is kept is of the processor, so the GPU computes its own.
    on(&project, "cuda");
    assert_eq!(project.run().counts(), (0, 1), "nothing runs, so nobody notices");
    fs_err::write(project.path("host"), fs_err::read(test_host()).unwrap()).unwrap();
    assert_eq!(project.planned(), ["a: environment device cpu → cuda"]);
    assert_eq!(project.run().counts(), (1, 0));
    assert_eq!((project.label("a"), keyed(&project)), (4, "cuda".into()));
}
