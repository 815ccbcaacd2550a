//! A kind that asks gets to know what its inputs come from, and runs again when that changes.

use scarce_orchestrator::RunEvent;
use scarce_stage::Ancestor;

use crate::project::{Project, Ran};

const TOLD: &str = r#"
[axes]
seed = [1, 2]

[stages.aside]
kind = "source"

[stages.first]
kind = "source"
value = 40
file = "weights.bin"

[stages.second]
kind = "halve"
inputs = { truth = "first" }

[stages.many]
kind = "source"
value = "$seed"

[stages.sum]
kind = "gather"
inputs = { all = ["many", "second"] }
collect = ["seed"]

[stages.tell]
kind = "tell"
inputs = { truth = "sum" }
"#;

fn project() -> Project {
    let project = Project::new(TOLD);
    fs_err::write(project.path("weights.bin"), "").unwrap();
    project
}

/// What the stage was told; it says so in its log.
fn told(ran: &Ran) -> Vec<Ancestor> {
    let message = |event: &RunEvent| match event {
        RunEvent::Log { message, .. } => serde_json::from_str(message).ok(),
        _ => None,
    };
    ran.events.iter().find_map(message).expect("it says what it was told")
}

#[test]
fn is_all_that_is_above_in_order() {
    let project = project();
    let ran = project.run();
    assert!(ran.summary.is_success(), "{:?}", ran.summary);
    let told = told(&ran);
    let names: Vec<&str> = told.iter().map(|ancestor| ancestor.folder.as_str()).collect();
    assert_eq!(
        names,
        [
            "runs/small/first",
            "runs/small/second",
            "runs/small/many/seed=1",
            "runs/small/many/seed=2",
            "runs/small/sum"
        ]
    );
    assert_eq!(project.label("tell"), 5, "`aside` is not above");
    let [first, second, .., sum] = &told[..] else { panic!("{told:?}") };
    assert_eq!((first.kind.as_str(), &first.files[..]), ("source", &["truth.parquet".into()][..]));
    assert_eq!(first.chosen, ["file", "value"]);
    assert_eq!((&first.params["value"], &first.params["mood"]), (&40.into(), &"well".into()));
    assert_eq!(first.params["file"], "weights.bin", "no folder of this machine");
    assert_eq!((&second.reads[..], &sum.reads[..]), (&[0][..], &[1, 2, 3][..]));
}

#[test]
fn reaches_its_key_even_if_nothing_else_does() {
    let mut project = project();
    project.run();
    // 41 halved is 20 as well.
    project.edit("value = 40", "value = 41");
    let ran = project.run();
    assert_eq!(ran.counts(), (3, 4), "first, second and tell: {:?}", project.record().tasks);
    let reasons = |event: &RunEvent| match event {
        RunEvent::Started { task, reasons, .. } if task.stage == "tell" => {
            Some(reasons.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        _ => None,
    };
    assert_eq!(ran.events.iter().find_map(reasons).unwrap(), ["a stage above changed"]);
    assert_eq!(project.run().counts(), (0, 7));
    // What is not above does not matter.
    project
        .edit("[stages.aside]\nkind = \"source\"", "[stages.aside]\nkind = \"source\"\nvalue = 9");
    assert_eq!(project.run().counts(), (1, 6));
}
