//! Signals that ask for an end, terminals and pipes that close.

use std::{
    io::Read,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use scarce_tests::{descendants, eventually, is_alive, wrapped};

use super::kills::{all_end, kill};
use crate::{Case, Outcome, Subject, subject::as_documented};

/// A signal, a terminal that is closed, or an output that nobody reads, at any moment; then a rerun.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::drawn(case);
    let took = subject.undisturbed(&[]).took;
    let when = case.moment(took + took / 10);
    match case.below(5) {
        0 => signal(case, &subject, Signal::INT, when),
        1 => signal(case, &subject, Signal::TERM, when),
        2 => signal(case, &subject, Signal::HUP, when),
        3 => closed_pipes(case, &subject),
        _ => {
            if let Err(why) = closed_terminal(&subject, when) {
                return Outcome::Skipped(why);
            }
        }
    }
    subject.recovers();
    Outcome::Survived
}

/// To the run alone, or as a terminal does to all of its group; perhaps twice, as impatient people do.
fn signal(case: &mut Case, subject: &Subject, signal: Signal, when: Duration) {
    let run = subject.start(&[]);
    thread::sleep(when);
    let below = descendants(run.id());
    kill(run.id(), signal);
    if case.once_in(3) {
        for &process in &below {
            kill(process, signal);
        }
    }
    if case.once_in(3) {
        thread::sleep(Duration::from_millis(10));
        kill(run.id(), signal);
    }
    let answer = run.finish();
    // Before the program has said what it does with signals, they end it.
    if answer.code.is_some() {
        as_documented(&answer, &[0, 1, 130]);
    }
    all_end(&below);
}

/// Whoever read the events or the messages goes away.
fn closed_pipes(case: &mut Case, subject: &Subject) {
    let mut command = subject.command(&[]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}"));
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    if let Some(out) = out.as_mut() {
        let mut some = vec![0; case.below(2000)];
        let _ = out.read_exact(&mut some);
    }
    let which = case.below(3);
    if which != 1 {
        out.take();
    }
    if which != 0 {
        err.take();
    }
    // What stays open is read: a pipe that is full would be another attack.
    let readers = [out.map(read_on), err.map(read_on)];
    let code = eventually("the run ends", || child.try_wait().unwrap());
    let said: Vec<String> = readers.into_iter().flatten().map(|r| r.join().unwrap()).collect();
    assert!(!said.iter().any(|text| text.contains("panicked at")), "{said:?}");
    let documented = code.code().is_none_or(|code| [0, 1, 2, 130].contains(&code));
    assert!(documented, "{code:?}: {said:?}");
}

fn read_on(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The terminal in which the run goes on is closed: `script` gives it one, and is killed.
fn closed_terminal(subject: &Subject, when: Duration) -> Result<(), String> {
    let mut run = subject.command(&[]);
    run.env("TERM", "xterm");
    let mut outer = Command::new("script");
    outer.args(["--quiet", "--return", "--command"]);
    let words = std::iter::once(run.get_program()).chain(run.get_args());
    let quoted = words.map(|word| format!("'{}'", word.to_string_lossy())).collect::<Vec<_>>();
    outer.arg(format!("exec {}", quoted.join(" "))).arg("/dev/null");
    let mut outer = wrapped(outer, &without_words(run));
    outer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut script = match outer.spawn() {
        Ok(child) => child,
        Err(error) => return Err(format!("`script` cannot be started: {error}")),
    };
    thread::sleep(when);
    let below = descendants(script.id());
    kill(script.id(), Signal::KILL);
    script.wait().unwrap();
    all_end(&below);
    assert!(!is_alive(script.id()));
    Ok(())
}

/// A command of which only the folder and the variables are of interest.
fn without_words(command: Command) -> Command {
    let mut bare = Command::new("");
    if let Some(folder) = command.get_current_dir() {
        bare.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bare.env(name, value),
            None => bare.env_remove(name),
        };
    }
    bare
}
