//! Many at once on one store.

use std::{thread, time::Duration};

use rustix::process::Signal;
use scarce_tests::{Answer, Child};

use super::kills::{all_end, kill};
use crate::{Case, Outcome, Subject, subject::as_documented};

/// Two to eight runs, of the same pipeline as it is or changed, with `gc` and `verify` among them.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::drawn(case);
    let edit = ["--set", subject.text.edit];
    if case.once_in(3) {
        subject.run(&[]).ended(0);
    }
    let mut runs = Vec::new();
    let mut others = Vec::new();
    for _ in 0..case.between(2, 8) {
        let more = if case.once_in(2) { &edit[..] } else { &[] };
        runs.push(subject.start(more));
        if case.once_in(2) {
            let words = case.pick(&[&["gc"][..], &["verify"], &["gc", "--grace", "0s"], &["runs"]]);
            others.push((words, Child::start(subject.project.command(words))));
        }
        thread::sleep(case.moment(Duration::from_millis(40)));
    }
    if case.once_in(3) {
        let victim = runs.remove(case.below(runs.len()));
        let below = scarce_tests::descendants(victim.id());
        kill(victim.id(), Signal::KILL);
        victim.finish();
        all_end(&below);
    }
    let answers: Vec<Answer> = runs.into_iter().map(Child::finish).collect();
    for (words, other) in others {
        let answer = other.finish();
        // A collection gives way to runs.
        let codes: &[i32] = if words[0] == "gc" { &[0, 2] } else { &[0] };
        as_documented(&answer, codes);
        if words[0] == "verify" {
            answer.says(&[" 0 damaged"]);
        }
    }
    for answer in answers {
        as_documented(&answer, &[0]);
        assert!(!answer.stdout.contains("\"event\":\"damaged\""), "{answer}");
    }
    for more in [&edit[..], &[]] {
        subject.is_right(more, "after all have ended");
    }
    subject.recovers();
    Outcome::Survived
}
