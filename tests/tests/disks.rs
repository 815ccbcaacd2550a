//! Stores that cannot be written, and disks that are full.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use scarce_tests::{Child, Project, SMALL, skipped, wrapped};

mod a_store_that_cannot_be_written {
    use super::*;

    #[test]
    fn below_a_file_is_refused() {
        let project = Project::with(SMALL);
        project.write("taken", "");
        let answer = project.ask("run", &["--artifacts", "taken/artifacts"]).ended(2);
        answer.complains_of(&["taken", "help"]);
    }

    #[test]
    fn on_a_file_system_that_takes_nothing_is_refused() {
        let project = Project::with(SMALL);
        let answer = project.ask("run", &["--artifacts", "/proc/scarce"]).ended(2);
        answer.complains_of(&["/proc/scarce", "help"]);
    }

    #[test]
    fn without_permission_is_refused() {
        let project = Project::with(SMALL);
        let locked = project.path("locked");
        fs_err::create_dir(&locked).unwrap();
        fs_err::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        if fs_err::write(locked.join("probe"), "").is_ok() {
            skipped("this user may write into a read-only folder");
            return;
        }
        let answer = project.ask("run", &["--artifacts", "locked"]).ended(2);
        answer.complains_of(&["permission denied", "locked", "store::denied"]);
    }

    #[test]
    fn that_was_written_before_still_answers() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        let mounted = "mount -t tmpfs none /mnt && cp -a . /mnt/it && mount -o remount,ro /mnt \
                       && cd /mnt/it && exec \"$0\" \"$@\"";
        let Some(answer) = in_own_mounts(&project, mounted, &["plan", "pipeline.toml"]) else {
            return;
        };
        let answer = answer.ended(0);
        answer.says(&["5 cached, 0 to run"]);
        let words = ["run", "pipeline.toml", "--set", "stages.knn.k=3"];
        let answer = in_own_mounts(&project, mounted, &words).unwrap().ended(1);
        answer.complains_of(&["cannot be written", "store::read_only"]);
    }
}

mod a_full_disk {
    use super::*;

    #[test]
    fn fails_with_a_word_on_space_and_loses_nothing() {
        let script = "mount -t tmpfs -o size=128k none /mnt && cp pipeline.toml /mnt && cd /mnt \
                      && \"$0\" \"$@\"; code=$?; cp -a /mnt \"$KEEP\"; exit $code";
        let mut project = Project::with(SMALL);
        let keep = project.path("keep").to_string_lossy().into_owned();
        project.set("KEEP", &keep);
        let words = ["run", "pipeline.toml", "--set", "stages.images.limit=1400"];
        let Some(answer) = in_own_mounts(&project, script, &words) else { return };
        assert!(matches!(answer.code, Some(1 | 2)), "{answer}");
        let answer = answer.complains_of(&["space"]);
        assert!(!answer.stderr.contains("panicked"), "{answer}");
        // What was there before the disk was full is whole, and with room the run goes on from it.
        let kept = project.path("keep");
        let command = project.command_in(&kept, &["verify"]);
        Child::start(command).finish().ended(0).says(&["0 damaged"]);
        Child::start(project.command_in(&kept, &words)).finish().ended(0);
    }

    /// A limit on the size of files stands in for a disk where nobody may mount one.
    #[test]
    fn or_a_limit_on_files_is_a_failed_stage() {
        let project = Project::with(SMALL);
        let mut command = std::process::Command::new("bash");
        command.arg("-c").arg("trap '' XFSZ; ulimit -f 20; exec \"$0\" \"$@\"");
        let limit = ["--set", "stages.images.limit=1400", "--set", "stages.pixels.scale=raw"];
        let scarce = project.command(&[&["run", "pipeline.toml"][..], &limit].concat());
        let answer = Child::start(wrapped(command, &scarce)).finish();
        assert!(matches!(answer.code, Some(1 | 2)), "{answer}");
        assert!(answer.stderr.contains("large") && !answer.stderr.contains("panicked"), "{answer}");
        project.scarce(&["verify"]).ended(0).says(&["0 damaged"]);
        project.run(&[]).ended(0);
    }
}

/// Folders that several people use. Only root can be two people.
mod a_store_of_two_users {
    use std::path::Path;

    use fs_err::os::unix::fs::chown;

    use super::*;

    const ONE: u32 = 60_001;
    const OTHER: u32 = 60_002;

    fn mode(path: &Path, mode: u32) {
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A project that everybody may write in; `None`, said aloud, for all but root.
    fn shared() -> Option<Project> {
        let project = Project::with(SMALL);
        if chown(project.path("pipeline.toml"), Some(ONE), Some(ONE)).is_err() {
            skipped("only root can be two users");
            return None;
        }
        mode(&project.path(""), 0o777);
        Some(project)
    }

    /// Runs `scarce` as a user, with a mask for what it makes.
    fn as_user(project: &Project, user: u32, umask: &str, words: &[&str]) -> scarce_tests::Answer {
        let scarce = project.command(words);
        let id = user.to_string();
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "sh", "-c"]);
        command.arg(format!("umask {umask}; exec \"$0\" \"$@\""));
        Child::start(wrapped(command, &scarce)).finish()
    }

    const RUN: &[&str] = &["run", "pipeline.toml"];

    #[test]
    fn is_used_by_both() {
        let Some(project) = shared() else { return };
        as_user(&project, ONE, "0", RUN).ended(0);
        let answer = as_user(&project, OTHER, "0", &[RUN, &["--set", "stages.knn.k=3"]].concat());
        answer.ended(0).complains_of(&["2 ran, 3 cached"]);
        as_user(&project, ONE, "0", &["verify"]).ended(0).says(&["7 artifacts read, 0 damaged"]);
        as_user(&project, ONE, "0", &["gc"]).ended(0);
    }

    /// Without a session the owner's `gc` would take away what the other is at work on.
    #[test]
    fn is_not_used_without_a_session() {
        let Some(project) = shared() else { return };
        as_user(&project, ONE, "0", RUN).ended(0);
        let lock = project.path("artifacts/store/.lock");
        mode(&lock, 0o600);
        let answer = as_user(&project, OTHER, "0", &[RUN, &["--set", "stages.knn.k=3"]].concat());
        answer.ended(2).complains_of(&["permission denied", ".lock", "store::denied"]);
        as_user(&project, ONE, "0", &["verify"]).ended(0).says(&["5 artifacts read"]);
    }

    #[test]
    fn with_a_lock_that_can_only_be_read_is_used() {
        let Some(project) = shared() else { return };
        as_user(&project, ONE, "0", RUN).ended(0);
        mode(&project.path("artifacts/store/.lock"), 0o444);
        as_user(&project, OTHER, "0", &[RUN, &["--set", "stages.knn.k=3"]].concat()).ended(0);
    }

    #[test]
    fn bears_with_what_root_left_in_it() {
        let Some(project) = shared() else { return };
        as_user(&project, ONE, "22", RUN).ended(0);
        let left = project.path("artifacts/store/.tmp/0123456789abcdef0123456789abcdef-1-0");
        fs_err::create_dir_all(left.join("work")).unwrap();
        fs_err::write(left.join("work/job.json"), "{}").unwrap();
        mode(&left, 0o700);
        as_user(&project, ONE, "22", &[RUN, &["--set", "stages.knn.k=3"]].concat()).ended(0);
        let answer = as_user(&project, ONE, "22", &["gc"]).ended(0);
        answer.says(&["left alone", "0123456789abcdef0123456789abcdef-1-0"]);
        assert!(left.exists());
    }

    #[test]
    fn says_of_what_cannot_be_read_that_it_cannot_be_read() {
        let Some(project) = shared() else { return };
        let text = SMALL.replace("dataset = \"digits\"", "path = \"secret\"");
        project.write("pipeline.toml", text);
        project.write("secret", "pixels");
        mode(&project.path("secret"), 0o600);
        let answer = as_user(&project, ONE, "22", RUN).ended(2);
        let answer = answer.complains_of(&["permission denied", "secret", "`images`"]);
        assert!(!answer.stderr.contains("cannot be written"), "{answer}");
    }
}

/// Runs a shell script that may mount things, with `scarce` and its words as `$0` and `$@`; `None`,
/// said aloud, where nobody may.
fn in_own_mounts(project: &Project, script: &str, words: &[&str]) -> Option<scarce_tests::Answer> {
    let own = |script: &str| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    let probe = own("mount -t tmpfs none /mnt").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skipped("nobody may mount a file system here");
        return None;
    }
    Some(Child::start(wrapped(own(script), &project.command(words))).finish())
}
