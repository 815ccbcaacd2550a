//! Stores that cannot be written, and disks that are full.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use scarce_tests::{Child, Project, SMALL, skipped};

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
        answer.complains_of(&["cannot be written", "store::read_only"]);
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
        let scarce = project.command(&[]);
        command.arg("-c").arg("trap '' XFSZ; ulimit -f 20; exec \"$0\" \"$@\"");
        command.arg(scarce.get_program()).args(["run", "pipeline.toml"]);
        command.args(["--set", "stages.images.limit=1400", "--set", "stages.pixels.scale=raw"]);
        let answer = Child::start(like(command, &scarce)).finish();
        assert!(matches!(answer.code, Some(1 | 2)), "{answer}");
        assert!(answer.stderr.contains("large") && !answer.stderr.contains("panicked"), "{answer}");
        project.scarce(&["verify"]).ended(0).says(&["0 damaged"]);
        project.run(&[]).ended(0);
    }
}

/// The command with the folder and the variables of another one.
fn like(
    mut command: std::process::Command,
    other: &std::process::Command,
) -> std::process::Command {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = other.get_current_dir() {
        command.current_dir(folder);
    }
    command
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
    let scarce = project.command(words);
    let mut command = own(script);
    command.arg(scarce.get_program()).args(words);
    Some(Child::start(like(command, &scarce)).finish())
}
