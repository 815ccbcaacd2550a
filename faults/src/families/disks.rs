//! Disks that are full or broken.

use std::process::Command;

use rustix::io::Errno;
use scarce_tests::{Answer, Child, wrapped};

use crate::{
    Case, Outcome, Subject,
    inject::{self, Action, Calls},
    subject::as_documented,
};

/// A call that fails, or a limit on the size of files; perhaps after some work was done; then a rerun.
pub(super) fn attack(case: &mut Case) -> Outcome {
    if let Some(why) = inject::unavailable() {
        return Outcome::Skipped(why);
    }
    let subject = Subject::drawn(case);
    if case.once_in(4) {
        subject.run(&["--set", subject.text.edit]).ended(0);
    }
    let answer = match case.below(9) {
        0 => limited(&subject, case.between(1, 200)),
        // What is read cannot be: the disk is going.
        1 | 2 => {
            let number = case.between(1, subject.calls(Calls::Reads));
            inject::run(&subject, Calls::Reads, number, failing(case, Errno::IO), &[])
        }
        _ => {
            let error =
                *case.turn(&[Errno::NOSPC, Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS]);
            let number = case.between(1, subject.calls(Calls::Writes));
            inject::run(&subject, Calls::Writes, number, failing(case, error), &[])
        }
    };
    as_documented(&answer, &[0, 1, 2, 3]);
    if answer.code == Some(0) {
        // Then it did what it says.
        let expected = &subject.undisturbed(&[]).tables;
        crate::tables::assert_same(
            &subject.tables(),
            expected,
            "after a run that said all is well",
        );
    }
    subject.project.scarce(&["verify"]).ended(0).says(&[" 0 damaged"]);
    subject.recovers();
    Outcome::Survived
}

fn failing(case: &mut Case, error: Errno) -> Action {
    if case.once_in(2) { Action::Fail(error) } else { Action::FailFromThere(error) }
}

/// No file may be larger than so many kibibytes.
fn limited(subject: &Subject, kibibytes: usize) -> Answer {
    let mut outer = Command::new("bash");
    outer.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\""));
    Child::start(wrapped(outer, &subject.command(&[]))).finish()
}
