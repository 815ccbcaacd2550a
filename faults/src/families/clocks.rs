//! Clocks that are off, files of another time.

use std::os::unix::fs::MetadataExt;

use scarce_tests::{Child, Project, files};
use walkdir::WalkDir;

use crate::{
    Case, Outcome, Subject,
    clock::{self, YEAR},
    subject::as_documented,
    tables::{assert_same, tables},
};

/// Seconds by which a clock is off.
const SHIFTS: &[i64] = &[
    -80 * YEAR,
    -56 * YEAR,
    -YEAR,
    -3600,
    3600,
    40 * 86_400,
    20 * YEAR,
    400 * YEAR,
    7_900 * YEAR,
    9_000 * YEAR,
    200_000 * YEAR,
];

/// Times of change of a file, in seconds from 1970.
const DATES: &[i64] = &[-2_000_000_000, -1, 0, 1, 2_147_483_648, 4_294_967_296, 15_032_385_535];

/// One of three attacks in turn.
pub(super) fn attack(case: &mut Case) -> Outcome {
    match case.number % 3 {
        0 => a_clock_that_jumps(case),
        1 => files_of_another_time(case),
        _ => data_with_their_time_put_back(case),
    }
    Outcome::Survived
}

/// Every command sees another time of day.
fn a_clock_that_jumps(case: &mut Case) {
    let subject = Subject::drawn(case);
    let edit = ["--set", subject.text.edit];
    for _ in 0..case.between(2, 4) {
        let more = if case.once_in(3) { &edit[..] } else { &[] };
        let mut command = subject.command(more);
        clock::shift(&mut command, SHIFTS[case.below(SHIFTS.len())]);
        as_documented(&Child::start(command).finish(), &[0]);
        assert_same(
            &subject.tables(),
            &subject.undisturbed(more).tables,
            "with a clock that is off",
        );
        let words = case.pick(&[&["runs"][..], &["gc"], &["verify"], &["plan", "pipeline.toml"]]);
        let mut command = subject.project.command(words);
        clock::shift(&mut command, SHIFTS[case.below(SHIFTS.len())]);
        as_documented(&Child::start(command).finish(), &[0]);
    }
    subject.recovers();
}

/// Files and folders of the artifacts bear dates of the past and the future.
fn files_of_another_time(case: &mut Case) {
    let subject = Subject::drawn(case);
    subject.run(&[]).ended(0);
    let all = WalkDir::new(subject.artifacts()).sort_by_file_name().into_iter().flatten();
    for entry in all {
        if case.once_in(2) {
            clock::date(entry.path(), DATES[case.below(DATES.len())]);
        }
    }
    let entries = subject.entries();
    subject.collects(&[]).ended(0);
    subject.collects(&["--grace", "0s"]).ended(0);
    assert_eq!(subject.entries(), entries, "`gc` goes by what is recorded");
    let again = subject.is_right(&[], "with files of another time");
    assert_eq!(again.ran(), [""; 0], "what a file holds counts, not when it was written");
    subject.is_right(&["--set", subject.text.edit], "with files of another time");
    subject.recovers();
}

const VECTORS: &str = "[pipeline]\nname = \"vectors\"\n\n[stages.vectors]\n\
                       kind = \"ingest-embeddings\"\npath = \"x.npy\"\n";

/// Data change, and bear the same size and time of change as before.
fn data_with_their_time_put_back(case: &mut Case) {
    let rows = |state: usize| files::npy(&vec![vec![state as f32, 1.0]; 50]);
    let shown = |project: &Project| tables(&project.path("artifacts"), "vectors");
    let fresh = |state: usize| {
        let project = Project::with(VECTORS);
        project.write("x.npy", rows(state));
        project.run(&[]).ended(0);
        shown(&project)
    };
    let project = Project::with(VECTORS);
    let path = project.write("x.npy", rows(0));
    let date = if case.once_in(2) {
        DATES[case.below(DATES.len())]
    } else {
        fs_err::metadata(&path).unwrap().mtime()
    };
    for state in [0, 1, 2, case.below(3), case.below(3)] {
        if case.once_in(2) {
            project.write("x.npy", rows(state));
        } else {
            project.write("new.npy", rows(state));
            clock::date(&project.path("new.npy"), date);
            fs_err::rename(project.path("new.npy"), &path).unwrap();
        }
        clock::date(&path, date);
        project.run(&[]).ended(0);
        assert_same(&shown(&project), &fresh(state), &format!("state {state}, time put back"));
    }
}
