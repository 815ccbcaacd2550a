//! System calls that fail, or at which somebody is killed (`helpers/inject.c`).

use std::process::Command;

use scarce_tests::{Answer, Child, wrapped};

use crate::Subject;

/// Which system calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Those that change files or folders of the project.
    Writes,
    /// Those that read them.
    Reads,
}

/// What happens at one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Whoever makes the call is killed.
    KillCaller,
    /// The program and all that it started are killed.
    KillAll,
    /// It fails with this error number.
    Fail(rustix::io::Errno),
    /// It and all later ones fail with this error number.
    FailFromThere(rustix::io::Errno),
}

/// A run in which something happens at the call of this number.
pub fn run(
    subject: &Subject,
    calls: Calls,
    number: usize,
    action: Action,
    more: &[&str],
) -> Answer {
    let action = match action {
        Action::KillCaller => "caller".to_owned(),
        Action::KillAll => "all".to_owned(),
        Action::Fail(error) => format!("once:{}", error.raw_os_error()),
        Action::FailFromThere(error) => format!("from:{}", error.raw_os_error()),
    };
    injected(subject, calls, number, &action, more)
}

/// How many calls a run makes.
pub fn count(subject: &Subject, calls: Calls) -> usize {
    injected(subject, calls, 0, "none", &[]).ended(0);
    let count = subject.project.read("count");
    count.trim().parse().unwrap_or_else(|error| panic!("{count}: {error}"))
}

/// Why nobody can do this here, if so.
pub fn unavailable() -> Option<String> {
    let mut command = Command::new(concat!(env!("OUT_DIR"), "/inject"));
    let output = command.args(["writes", "0", "none", "/nowhere", "/dev/null", "true"]).output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "the kernel stops no system calls for us: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Some(format!("no system calls can be stopped: {error}")),
    }
}

fn injected(subject: &Subject, calls: Calls, number: usize, action: &str, more: &[&str]) -> Answer {
    let mut outer = Command::new(concat!(env!("OUT_DIR"), "/inject"));
    outer.arg(match calls {
        Calls::Writes => "writes",
        Calls::Reads => "reads",
    });
    outer.arg(number.to_string()).arg(action);
    outer.arg(subject.artifacts()).arg(subject.project.path("count"));
    Child::start(wrapped(outer, &subject.command(more))).finish()
}
