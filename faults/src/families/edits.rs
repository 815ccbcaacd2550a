//! Data that change while a stage reads them.

use std::{thread, time::Duration};

use scarce_tests::{Project, files};

use crate::{
    Case, Outcome,
    subject::as_documented,
    tables::{Tables, assert_same, tables},
};

/// Images and truth in files; enough of them that reading takes a while.
const OWN: &str = r#"
[pipeline]
name = "own"

[stages.images]
kind = "ingest"
path = "images.idx"
truth = "truth.idx"
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 2

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.knn]
kind = "knn"
inputs = { features = "pixels", labels = "labels" }
k = 1

[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images" }
"#;

/// Images of each state.
const COUNT: usize = 4000;

/// The images in one of two states.
fn state(letter: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0..COUNT).flat_map(|i| files::square(i % 2, i + letter * 7)).collect();
    files::idx(&[COUNT as u32, 8, 8], &pixels)
}

fn project() -> Project {
    let project = Project::with(OWN);
    let truth: Vec<u8> = (0..COUNT).map(|i| (i % 2) as u8).collect();
    project.write("truth.idx", files::idx(&[COUNT as u32], &truth));
    project.write("images.idx", state(0));
    project
}

fn shown(project: &Project) -> Tables {
    tables(&project.path("artifacts"), "own")
}

/// How the file is written anew.
fn put(project: &Project, letter: usize, by_rename: bool) {
    if by_rename {
        project.write("new.idx", state(letter));
        fs_err::rename(project.path("new.idx"), project.path("images.idx")).unwrap();
    } else {
        project.write("images.idx", state(letter));
    }
}

/// Edits to B and back to A, once or more, while a run goes on; then A and B are each what they are.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let expected: Vec<Tables> = [0, 1]
        .map(|letter| {
            let fresh = project();
            put(&fresh, letter, false);
            fresh.run(&[]).ended(0);
            shown(&fresh)
        })
        .into();
    let project = project();
    let by_rename = case.once_in(2);
    let run = project.start(&[]);
    for letter in [1, 0].into_iter().cycle().take(2 * case.between(1, 3)) {
        thread::sleep(case.moment(Duration::from_millis(60)));
        put(&project, letter, by_rename);
    }
    let answer = run.finish();
    as_documented(&answer, &[0, 1, 2]);
    if answer.code == Some(0) {
        let found = shown(&project);
        assert!(expected.contains(&found), "the run shows neither of the two states: {answer}");
    } else {
        let words = format!("{}{}", answer.stdout, answer.stderr);
        let knows = ["changed", "written, replaced or renamed", "hold still", "images.idx"];
        assert!(knows.iter().any(|word| words.contains(word)), "{answer}");
    }
    for letter in [0, 1, 0] {
        put(&project, letter, by_rename);
        project.run(&[]).ended(0);
        assert_same(&shown(&project), &expected[letter], &format!("in state {letter}"));
    }
    project.scarce(&["verify"]).ended(0).says(&[" 0 damaged"]);
    Outcome::Survived
}
