//! What may not be read or written.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

use fs_err::os::unix::fs::chown;
use scarce_tests::{Answer, Child, wrapped};
use walkdir::WalkDir;

use crate::{Case, Outcome, Subject, subject::as_documented};

/// Nobody's number on usual systems.
const USER: u32 = 60_001;

/// Takes rights on some files and folders away, asks for this and that, and puts the rights back.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::drawn(case);
    let user = match User::of(&subject) {
        Ok(user) => user,
        Err(why) => return Outcome::Skipped(why),
    };
    let edit = ["run", "pipeline.toml", "--set", subject.text.edit];
    as_documented(&user.scarce(&subject, &["run", "pipeline.toml"]), &[0]);
    let all: Vec<_> = WalkDir::new(subject.artifacts())
        .sort_by_file_name()
        .into_iter()
        .flatten()
        .filter(|entry| !entry.path_is_symlink())
        .map(walkdir::DirEntry::into_path)
        .collect();
    for _ in 0..case.between(1, 3) {
        let path = &all[case.below(all.len())];
        let mode = *case.turn(&[0o000, 0o444, 0o555, 0o200, 0o311, 0o700]);
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        if user.is_another && case.once_in(3) {
            chown(path, Some(0), Some(0)).unwrap();
        }
    }
    for _ in 0..case.between(1, 4) {
        let answer = user.scarce(
            &subject,
            case.pick(&[
                &edit[..],
                &["run", "pipeline.toml"],
                &["plan", "pipeline.toml"],
                &["verify"],
                &["gc"],
                &["gc", "--grace", "0s"],
                &["runs"],
                &["show", subject.text.name],
            ]),
        );
        as_documented(&answer, &[0, 1, 2, 3]);
    }
    user.may_again(&subject.artifacts());
    as_documented(&user.scarce(&subject, &edit), &[0]);
    as_documented(&user.scarce(&subject, &["verify"]), &[0, 3]);
    as_documented(&user.scarce(&subject, &["run", "pipeline.toml"]), &[0]);
    subject.recovers();
    Outcome::Survived
}

/// Who runs `scarce`: root may do everything, so he lends himself to nobody.
struct User {
    is_another: bool,
}

impl User {
    fn of(subject: &Subject) -> Result<Self, String> {
        let folder = subject.project.folder();
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { is_another: false });
        }
        let probe = Command::new("setpriv").arg("--version").output();
        if !probe.is_ok_and(|output| output.status.success()) {
            return Err("root may do everything, and there is no `setpriv`".to_owned());
        }
        for path in [folder, &subject.project.path("pipeline.toml")] {
            chown(path, Some(USER), Some(USER)).unwrap();
        }
        Ok(Self { is_another: true })
    }

    fn scarce(&self, subject: &Subject, words: &[&str]) -> Answer {
        let command = subject.project.command(words);
        if !self.is_another {
            return Child::start(command).finish();
        }
        let mut outer = Command::new("setpriv");
        let id = USER.to_string();
        outer.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
        Child::start(wrapped(outer, &command)).finish()
    }

    /// Gives back the rights on everything.
    fn may_again(&self, folder: &Path) {
        // Folders first: what lies in one that cannot be read is not even seen.
        loop {
            let mut changed = false;
            for entry in WalkDir::new(folder).into_iter().flatten().filter(|e| !e.path_is_symlink())
            {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                let least = if entry.file_type().is_dir() { 0o700 } else { 0o400 };
                if mode & least != least {
                    let mode = std::fs::Permissions::from_mode(mode | least);
                    fs_err::set_permissions(entry.path(), mode).unwrap();
                    changed = true;
                }
                if self.is_another {
                    fs_err::os::unix::fs::lchown(entry.path(), Some(USER), Some(USER)).unwrap();
                }
            }
            if !changed {
                return;
            }
        }
    }
}
