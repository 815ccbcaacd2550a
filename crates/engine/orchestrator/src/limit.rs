//! Holding a process to so much memory.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::machine;

/// A limit that is in force until dropped.
pub(crate) struct Limit {
    /// A control group of its own.
    group: Option<PathBuf>,
}

/// Holds a process that has just been started, and what it starts, to so many bytes: with a control
/// group, which counts what is really used, where this process may make one; else by its data
/// segment (`RLIMIT_DATA`), which counts what it asks for.
pub(crate) fn hold(process: Pid, bytes: u64) -> io::Result<Limit> {
    for (parent, file) in machine::parents() {
        match group(&parent, file, process, bytes) {
            Ok(group) => return Ok(Limit { group: Some(group) }),
            Err(error) => tracing::debug!("no control group for a stage: {error}"),
        }
    }
    let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    prlimit(Some(process), Resource::Data, limit)?;
    Ok(Limit { group: None })
}

/// A new group below `parent` with this process in it.
fn group(parent: &Path, file: &str, process: Pid, bytes: u64) -> io::Result<PathBuf> {
    sweep(parent);
    let number = process.as_raw_nonzero();
    let group = parent.join(format!("scarce-{}-{number}", std::process::id()));
    fs_err::create_dir(&group)?;
    let made = existing(&group.join(file), &bytes.to_string())
        .and_then(|()| existing(&group.join("cgroup.procs"), &number.to_string()));
    if let Err(error) = made {
        let _ = fs_err::remove_dir(&group);
        return Err(error);
    }
    // Otherwise it would be slow instead of stopped. Not every system counts swap.
    let _ = existing(&group.join("memory.swap.max"), "0");
    let _ = existing(&group.join("memory.memsw.limit_in_bytes"), &bytes.to_string());
    Ok(group)
}

/// Writes to a file that must be there: in a folder that only looks like a group nothing is made.
fn existing(path: &Path, text: &str) -> io::Result<()> {
    use io::Write;
    fs_err::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Groups of runs that were killed; one with a process in it cannot be removed.
fn sweep(parent: &Path) {
    for entry in fs_err::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let mut words = name.to_str().unwrap_or_default().split('-');
        let owner = (words.next() == Some("scarce")).then(|| words.next()).flatten();
        let dead = |owner: &str| !Path::new("/proc").join(owner).exists();
        if owner.is_some_and(|owner| owner.parse::<u32>().is_ok() && dead(owner)) {
            let _ = fs_err::remove_dir(entry.path());
        }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            // It is empty when the process has been waited for and left nobody behind.
            let _ = fs_err::remove_dir(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Child, Command, ExitStatus, Stdio},
    };

    use super::*;

    /// A process that keeps all that it is given: there is no end of a line in it.
    fn keeper() -> Child {
        let mut command = Command::new("tail");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn feed(mut child: Child, mebibytes: usize) -> ExitStatus {
        let mut pipe = child.stdin.take().unwrap();
        for _ in 0..mebibytes {
            if pipe.write_all(&vec![b'x'; 1 << 20]).is_err() {
                break;
            }
        }
        drop(pipe);
        child.wait().unwrap()
    }

    fn pid(child: &Child) -> Pid {
        Pid::from_raw(child.id() as i32).unwrap()
    }

    #[test]
    fn a_process_does_not_get_more_than_its_limit() {
        let child = keeper();
        let limit = hold(pid(&child), 64 << 20).unwrap();
        let group = limit.group.clone();
        assert!(!feed(child, 200).success());
        drop(limit);
        assert!(group.is_none_or(|group| !group.exists()));
        let child = keeper();
        let _limit = hold(pid(&child), 1 << 30).unwrap();
        assert!(feed(child, 200).success());
    }

    #[test]
    fn nor_without_a_control_group() {
        let child = keeper();
        let limit = Rlimit { current: Some(64 << 20), maximum: Some(64 << 20) };
        prlimit(Some(pid(&child)), Resource::Data, limit).unwrap();
        assert!(!feed(child, 200).success());
    }

    #[test]
    fn a_folder_that_is_no_group_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = keeper();
        assert!(group(folder.path(), "memory.max", pid(&child), 1 << 30).is_err());
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
