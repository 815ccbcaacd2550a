//! Processes killed (SIGKILL): the run, a stage, or both.

use std::{thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use scarce_tests::{Child, descendants, eventually, is_alive};

use crate::{
    Case, Outcome, Subject,
    inject::{self, Action, Calls},
    subject::as_documented,
};

/// Killed once to three times at any moment.
pub(super) fn at_random(case: &mut Case) -> Outcome {
    attack(case, |case, subject| {
        let took = subject.undisturbed(&[]).took;
        let run = subject.start(&[]);
        thread::sleep(case.moment(took + took / 10));
        kill_some(case, run);
    });
    Outcome::Survived
}

/// Killed once to three times before a change of the file system.
pub(super) fn at_a_call(case: &mut Case) -> Outcome {
    if let Some(why) = inject::unavailable() {
        return Outcome::Skipped(why);
    }
    attack(case, |case, subject| {
        let number = case.between(1, subject.calls(Calls::Writes));
        let action = if case.once_in(2) { Action::KillAll } else { Action::KillCaller };
        inject::run(subject, Calls::Writes, number, action, &[]);
    });
    Outcome::Survived
}

/// Kills, perhaps collects garbage, and sees that nothing is lost.
fn attack(case: &mut Case, kill: impl Fn(&mut Case, &Subject)) {
    let subject = Subject::drawn(case);
    for _ in 0..case.between(1, 3) {
        kill(case, &subject);
        if case.once_in(3) {
            let before = subject.entries();
            let answer = subject.collects(&[]);
            as_documented(&answer, &[0]);
            assert_eq!(subject.entries(), before, "`gc` took away what a killed run has finished");
        }
        if case.once_in(4) {
            as_documented(&subject.project.scarce(&["runs"]), &[0]);
            as_documented(&subject.project.scarce(&["verify"]).says(&[" 0 damaged"]), &[0]);
        }
    }
    subject.recovers();
}

/// Kills the run, one of its stages, or all; sees that everything else ends.
fn kill_some(case: &mut Case, run: Child) {
    let below = descendants(run.id());
    let victims: Vec<u32> = match (case.below(3), below.is_empty()) {
        (1, false) => vec![below[case.below(below.len())]],
        (2, _) => below.iter().copied().chain([run.id()]).collect(),
        _ => vec![run.id()],
    };
    for victim in victims {
        kill(victim, Signal::KILL);
    }
    // A stage that died is a failed stage; whoever killed it too late has disturbed nothing.
    let answer = run.finish();
    if answer.code.is_some() {
        as_documented(&answer, &[0, 1]);
    }
    all_end(&below);
}

/// None of these is alive any more, soon.
pub(crate) fn all_end(processes: &[u32]) {
    eventually("every stage has ended", || {
        let alive = processes.iter().any(|&process| is_alive(process));
        if alive {
            thread::sleep(Duration::from_millis(5));
        }
        (!alive).then_some(())
    });
}

/// Sends a signal to a process that may be gone.
pub(crate) fn kill(process: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(process as i32) {
        let _ = kill_process(pid, signal);
    }
}
