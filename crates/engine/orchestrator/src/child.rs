//! A stage's process: started in a group of its own, listened to, stopped if need be, accounted.

use std::{
    io::{self, BufReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use scarce_stage::host::WATCH_STDIN;
use scarce_store::Usage;
use wait4::Wait4;

use crate::{limit, lines};

/// Lines that may wait to be handled; a stage that prints faster is slowed down.
const BACKLOG: usize = 1024;
/// How often an interrupt is looked for.
const TICK: Duration = Duration::from_millis(50);
/// Between asking a stage to end and making it.
const GRACE: Duration = Duration::from_secs(2);
/// How long the pipes may stay open in silence after the process has ended, and how long at all:
/// enough to read what it left in them, and not what somebody else goes on writing.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_LOUD: Duration = Duration::from_secs(2);

/// What to start.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) job: &'a Path,
    /// Its working folder.
    pub(crate) folder: &'a Path,
    pub(crate) threads: usize,
    pub(crate) time_limit: Option<Duration>,
    /// Bytes.
    pub(crate) memory_limit: Option<u64>,
}

/// One line that the process printed.
pub(crate) enum Line {
    Output(Vec<u8>),
    Error(Vec<u8>),
}

/// How the process ended.
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    pub(crate) usage: Usage,
    /// We stopped it.
    pub(crate) stopped: Option<Stop>,
}

/// Why a process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupt,
    TimeLimit,
}

enum Message {
    Line(Line),
    Closed,
    Ended,
}

/// Runs `PROGRAM exec JOB` to its end and hands over what it prints, line by line.
pub(crate) fn supervise(
    start: &Start<'_>,
    interrupt: &AtomicBool,
    on_line: &mut dyn FnMut(Line),
) -> io::Result<Exit> {
    let begin = Instant::now();
    let mut child = spawn(start)?;
    // The other end of this pipe tells the host that we are alive.
    let alive = child.stdin.take();
    let group = Pid::from_raw(child.id() as i32).ok_or(io::ErrorKind::NotFound)?;
    let limit = start.memory_limit.map(|bytes| limit::hold(group, bytes)).transpose();
    if let Err(error) = &limit {
        tracing::warn!("a stage runs without its limit of memory: {error}");
    }
    let (sender, messages) = mpsc::sync_channel(BACKLOG);
    forward(child.stdout.take(), Line::Output, sender.clone());
    forward(child.stderr.take(), Line::Error, sender.clone());
    thread::spawn(move || {
        // Without reaping it: its number, and so its group, stays taken until `wait4` below.
        let _ = waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let _ = sender.send(Message::Ended);
    });
    // A limit beyond what the clock can say is none.
    let deadline = start.time_limit.and_then(|limit| begin.checked_add(limit));
    let stopped = listen(&messages, group, deadline, interrupt, on_line);
    drop(alive);
    let used = child.wait4()?;
    Ok(Exit {
        status: used.status,
        usage: Usage {
            wall_seconds: begin.elapsed().as_secs_f64(),
            cpu_seconds: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
            peak_memory_bytes: used.rusage.maxrss,
        },
        stopped,
    })
}

fn spawn(start: &Start<'_>) -> io::Result<Child> {
    let threads = start.threads.max(1).to_string();
    let mut command = Command::new(start.program);
    command.arg("exec").arg(start.job).current_dir(start.folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"] {
        command.env(name, &threads);
    }
    // Threads that spin while they wait steal the processors from other stages.
    command.env("OMP_WAIT_POLICY", "PASSIVE").env(WATCH_STDIN, "1").process_group(0);
    spawn_patiently(&mut command)
}

/// Starts a program, and waits a little while somebody is still writing it, or was when another thread
/// forked: that process has it open until it becomes a program itself.
pub(crate) fn spawn_patiently(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                thread::sleep(Duration::from_millis(2));
            }
            spawned => return spawned,
        }
    }
}

/// Hands lines over until the process has ended and its pipes are closed.
fn listen(
    messages: &Receiver<Message>,
    group: Pid,
    deadline: Option<Instant>,
    interrupt: &AtomicBool,
    on_line: &mut dyn FnMut(Line),
) -> Option<Stop> {
    let mut open = 2;
    let mut ended = None;
    let mut stopped: Option<(Stop, Instant)> = None;
    while open > 0 || ended.is_none() {
        match messages.recv_timeout(TICK) {
            Ok(Message::Line(line)) => on_line(line),
            Ok(Message::Closed) => open -= 1,
            Ok(Message::Ended) => {
                // Whatever it started and left behind would hold the pipes, and the machine.
                let _ = kill_process_group(group, Signal::KILL);
                ended = Some(Instant::now());
            }
            // Silence after the end: somebody who left the group holds the pipes.
            Err(RecvTimeoutError::Timeout) if ended.is_some_and(|at| at.elapsed() > LINGER) => {
                break;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if ended.is_some_and(|at| at.elapsed() > LINGER_LOUD) {
            break;
        }
        match stopped {
            Some((_, since)) if ended.is_none() && since.elapsed() > GRACE => {
                let _ = kill_process_group(group, Signal::KILL);
            }
            None if ended.is_none() => {
                let late = deadline.is_some_and(|deadline| Instant::now() > deadline);
                let asked = interrupt.load(Ordering::Relaxed);
                if asked || late {
                    let why = if asked { Stop::Interrupt } else { Stop::TimeLimit };
                    stopped = Some((why, Instant::now()));
                    let _ = kill_process_group(group, Signal::TERM);
                }
            }
            Some(_) | None => {}
        }
    }
    stopped.map(|(why, _)| why)
}

/// Reads lines in the background until the pipe closes or nobody listens.
fn forward(
    pipe: Option<impl Read + Send + 'static>,
    kind: fn(Vec<u8>) -> Line,
    sender: SyncSender<Message>,
) {
    thread::spawn(move || {
        let mut pipe = pipe.map(BufReader::new);
        while let Some(Ok(Some(line))) = pipe.as_mut().map(lines::next_line) {
            if sender.send(Message::Line(kind(line))).is_err() {
                return;
            }
        }
        let _ = sender.send(Message::Closed);
    });
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_program_that_is_still_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host");
        fs_err::write(&path, "#!/bin/sh\nexit 7\n").unwrap();
        fs_err::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let writer = fs_err::OpenOptions::new().append(true).open(&path).unwrap();
        let busy = Command::new(&path).spawn().unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::ExecutableFileBusy);
        let done = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            drop(writer);
        });
        let status = spawn_patiently(&mut Command::new(&path)).unwrap().wait().unwrap();
        assert_eq!(status.code(), Some(7));
        done.join().unwrap();
    }
}
