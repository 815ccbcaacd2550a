//! Processes, looked at and ended as an operating system or an impatient person does.

use std::{
    io::{Read, Write},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::Answer;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running `scarce`. Dropping it ends it.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    pipes: Option<[thread::JoinHandle<Vec<u8>>; 2]>,
}

impl Child {
    /// Starts a command and listens to it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pipes = [listen(child.stdout.take()), listen(child.stderr.take())];
        Self { child, pipes: Some(pipes) }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not come.
    pub fn finish(mut self) -> Answer {
        let begin = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
                Ok(None) => panic!("`scarce` is still there after {PATIENCE:?}"),
                Err(error) => panic!("{error}"),
            }
        };
        let [stdout, stderr] = self.pipes.take().expect("nobody has waited before");
        let text = |thread: thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
        Output { status, stdout: text(stdout), stderr: text(stderr) }.into()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has ended already, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut text);
        }
        text
    })
}

/// Sends a signal: `INT`, `KILL`.
///
/// # Panics
/// If the process is gone.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "process {process} is not there");
}

/// Whether a process is there and has not ended.
pub fn is_alive(process: u32) -> bool {
    stat(process).is_some_and(|(_, state)| !"ZX".contains(state))
}

/// Its children, theirs, and so on, that are alive.
pub fn descendants(process: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs_err::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, stat(id)?.0)))
        .collect();
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|(_, above)| *above == parent).map(|(id, _)| id));
        next += 1;
    }
    found.remove(0);
    found.retain(|&id| is_alive(id));
    found
}

/// Parent and state, from `/proc/ID/stat`; the name in it may hold anything but ends with `)`.
fn stat(process: u32) -> Option<(u32, char)> {
    let text = fs_err::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// Says that a test is skipped, and why: past the capture that keeps the words of passing tests.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Waits for something to come true, and returns it.
///
/// # Panics
/// If it does not.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "it never came true that {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A command run by another one, as `env`, `setpriv` or `sh -c` do: its program and words come last, and
/// the folder and the variables are its own.
pub fn wrapped(mut outer: Command, inner: &Command) -> Command {
    if !inner.get_program().is_empty() {
        outer.arg(inner.get_program()).args(inner.get_args());
    }
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = inner.get_current_dir() {
        outer.current_dir(folder);
    }
    outer
}
