//! Asking a host what it provides, and remembering the answer.

use std::{
    collections::HashSet,
    env,
    io::Read,
    os::unix::{ffi::OsStrExt, fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::process::{Pid, Signal, kill_process_group};
use scarce_artifact::{digest_bytes, digest_file};
use scarce_stage::{Description, HostDescription, PROTOCOL};
use scarce_store::{Durability, Layout, seal, unseal, write_atomic};
use serde::{Deserialize, Serialize};

use crate::{child::spawn_patiently, outputs};

/// No description is longer.
const LONGEST: u64 = 32 << 20;

/// A program that did not answer is asked again after a day: perhaps the machine was too busy.
const SILENCE: Duration = Duration::from_hours(24);

/// An answer, and whose.
#[derive(Serialize, Deserialize)]
struct Remembered {
    identity: Identity,
    kinds: Vec<Description>,
    /// When it was asked and kept silent, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silent: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Mute {
    /// None came in time.
    Silent(String),
    /// It was none.
    Wrong(String),
}

impl From<String> for Mute {
    fn from(message: String) -> Self {
        Self::Wrong(message)
    }
}

impl Mute {
    pub(super) fn message(self) -> String {
        match self {
            Self::Silent(message) | Self::Wrong(message) => message,
        }
    }
}

/// What tells one program from another without reading it.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    path: PathBuf,
    bytes: u64,
    inode: u64,
    changed: (i64, i64),
    /// Where its libraries come from.
    libraries: Option<String>,
    tool: String,
}

fn identity(program: &Path) -> Option<Identity> {
    let metadata = fs_err::metadata(program).ok()?;
    let variable = |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    Some(Identity {
        path: program.to_owned(),
        bytes: metadata.len(),
        inode: metadata.ino(),
        changed: (metadata.mtime(), metadata.mtime_nsec()),
        libraries: variable("LD_LIBRARY_PATH"),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn place(cache: &Path, program: &Path) -> PathBuf {
    let name = digest_bytes(program.as_os_str().as_bytes());
    cache.join(format!("{}.json", &name.as_str()[..32]))
}

/// What the program said the last time, if it is still the same program.
pub(super) fn recall(cache: Option<&Path>, program: &Path) -> Option<Vec<Description>> {
    let remembered = remembered(cache?, program)?;
    remembered.silent.is_none().then_some(remembered.kinds)
}

/// Whether the program, still the same, kept silent not long ago: asking again would take as long.
pub(super) fn was_silent(cache: Option<&Path>, program: &Path) -> bool {
    let silent = cache.and_then(|cache| remembered(cache, program)?.silent);
    silent.is_some_and(|at| seconds().abs_diff(at) < SILENCE.as_secs())
}

fn remembered(cache: &Path, program: &Path) -> Option<Remembered> {
    let text = scarce_store::read_file(&place(cache, program)).ok()?;
    // A flipped bit would be another default of a parameter, or another fingerprint of the code.
    let remembered: Remembered = unseal(&text, "a description", |_| false).ok()?;
    (remembered.identity == identity(program)?).then_some(remembered)
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Keeps an answer; a folder that cannot be written only costs time.
pub(super) fn remember(cache: Option<&Path>, program: &Path, kinds: &[Description]) {
    keep(cache, program, kinds.to_vec(), None);
}

/// Keeps that there was none.
pub(super) fn remember_silence(cache: Option<&Path>, program: &Path) {
    keep(cache, program, Vec::new(), Some(seconds()));
}

fn keep(cache: Option<&Path>, program: &Path, kinds: Vec<Description>, silent: Option<u64>) {
    let (Some(cache), Some(identity)) = (cache, identity(program)) else { return };
    let remembered = Remembered { identity, kinds, silent };
    let Ok(text) = seal(&remembered, Layout::Line) else { return };
    if let Err(error) = write_atomic(&place(cache, program), &text, Durability::Process) {
        tracing::debug!("a host's description is not remembered: {error}");
    }
}

/// Removes what is remembered of a program.
pub(super) fn forget(cache: Option<&Path>, program: &Path) {
    let Some(cache) = cache else { return };
    if let Err(error) = fs_err::remove_file(place(cache, program)) {
        tracing::debug!("a host's description is not forgotten: {error}");
    }
}

/// Runs `PROGRAM describe`.
pub(super) fn ask(program: &Path, timeout: Duration) -> Result<Vec<Description>, Mute> {
    Ok(described(program, &output(program, timeout)?)?)
}

/// The kinds that a program provides, from what its `describe` printed: a
/// [`HostDescription`] of this version's protocol whose kinds make sense. A kind without a fingerprint
/// gets one of the program's bytes.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn described(program: &Path, text: &[u8]) -> Result<Vec<Description>, String> {
    // The protocol's number comes first: another version may say the rest in another way.
    #[derive(Deserialize)]
    struct Head {
        protocol: u32,
    }
    let wrong = |error: serde_json::Error| {
        format!("what `describe` printed is not a host's description: {error}")
    };
    let head: Head = serde_json::from_slice(text).map_err(wrong)?;
    if head.protocol != PROTOCOL {
        return Err(format!(
            "it speaks protocol {}, this program {PROTOCOL}; install both in the same version",
            head.protocol
        ));
    }
    let host: HostDescription = serde_json::from_slice(text).map_err(wrong)?;
    check(program, host.kinds)
}

/// A host's kinds, if they make sense; code without a fingerprint is known by the program itself.
fn check(program: &Path, mut kinds: Vec<Description>) -> Result<Vec<Description>, String> {
    let mut names = HashSet::new();
    for description in &mut kinds {
        if !names.insert(description.kind.clone()) {
            return Err(format!("it describes the kind `{}` twice", description.kind));
        }
        outputs::check_ports(description)?;
        if description.fingerprint.is_empty() {
            let digest = digest_file(program).map_err(|error| error.to_string())?;
            description.fingerprint = format!("program {digest}");
        }
    }
    Ok(kinds)
}

/// The standard output of `PROGRAM describe`.
fn output(program: &Path, timeout: Duration) -> Result<Vec<u8>, Mute> {
    let mut command = Command::new(program);
    command.arg("describe").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    let mut child =
        spawn_patiently(&mut command).map_err(|error| format!("it cannot be started: {error}"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    // Whoever closes its output has answered.
    let Ok(text) = stdout.recv_timeout(timeout) else {
        stop(&child);
        let _ = child.wait();
        let message = format!("it did not answer `describe` within {} s", timeout.as_secs_f32());
        return Err(Mute::Silent(message));
    };
    let status = finish(&mut child)?;
    if status.success() {
        return Ok(text);
    }
    let said = stderr.recv_timeout(Duration::from_millis(200)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let colon = if last.is_empty() { "" } else { ": " };
    Err(Mute::Wrong(format!("`describe` ended with {status}{colon}{last}")))
}

/// Waits a little for a program that has closed its output; it has nothing more to do.
fn finish(child: &mut Child) -> Result<ExitStatus, String> {
    for _ in 0..200 {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.to_string()),
        }
    }
    stop(child);
    child.wait().map_err(|error| error.to_string())
}

fn stop(child: &Child) {
    if let Some(pid) = Pid::from_raw(child.id() as i32) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Reads to the end in the background.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(LONGEST).read_to_end(&mut text);
        }
        let _ = sender.send(text);
    });
    receiver
}
