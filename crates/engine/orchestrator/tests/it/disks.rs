//! Disks that are full or cannot be written: file systems in memory, mounted where only the test
//! sees them.

use std::{path::PathBuf, process::Command, sync::atomic::AtomicBool};

use scarce_store::{Lookup, Store};

use crate::project::Project;

const FOLDER: &str = "REHEARSAL_DISK";
const PAGE: usize = 4096;

/// Runs the test `name` again with a small file system of its own; where it is, in that process.
fn disk(name: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o size=256k none "$REHEARSAL_DISK" || exit 77; exec "$@""#;
    let status = Command::new("unshare")
        .args(["-rm", "sh", "-c", mount, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) if status.code() != Some(77) && may_unshare() => panic!("{status}"),
        _ => eprintln!("skipped `{name}`: this system does not let a test mount a file system"),
    }
    None
}

fn may_unshare() -> bool {
    Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success())
}

fn project(disk: &std::path::Path) -> Project {
    let mut project = Project::new(
        "[stages.a]\nkind = \"source\"\n[stages.b]\nkind = \"halve\"\ninputs = { truth = \"a\" }\n",
    );
    project.folder = tempfile::Builder::new().disable_cleanup(true).tempdir_in(disk).unwrap();
    project
}

fn whole(store: &Store) {
    for (_, _, lookup) in store.list().unwrap() {
        let Lookup::Hit(entry) = lookup else { panic!("{lookup:?}") };
        assert!(store.verify(&entry).is_none());
    }
    let temporary = fs_err::read_dir(store.folder().join(".tmp")).into_iter().flatten();
    assert_eq!(temporary.count(), 0);
}

#[test]
fn a_full_disk_publishes_nothing_by_halves_and_says_what_to_do() {
    let Some(disk) = disk("disks::a_full_disk_publishes_nothing_by_halves_and_says_what_to_do")
    else {
        return;
    };
    let project = project(&disk);
    let store = Store::open(&project.root()).unwrap();
    let filler = disk.join("filler");
    let mut bytes = 64 * PAGE;
    while fs_err::write(&filler, vec![1; bytes]).is_err() {
        bytes -= PAGE;
    }
    // From nothing free to enough, page by page: every place where space can run out.
    let mut failures = 0;
    loop {
        fs_err::write(&filler, vec![1; bytes]).unwrap();
        let ran = project.try_run(&AtomicBool::new(false));
        whole(&store);
        let (said, help) = match ran {
            Ok(ran) if ran.summary.is_success() => break,
            Ok(ran) => (ran.failure().message.clone(), ran.failure().help.clone()),
            Err(error) => {
                let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
                (error.to_string(), help)
            }
        };
        assert!(said.contains("No space left"), "{said}");
        assert!(help.is_some_and(|help| help.contains("space")), "{said}");
        failures += 1;
        // The records of failures take space too.
        let _ = fs_err::remove_dir_all(project.root().join("runs"));
        bytes = bytes.checked_sub(PAGE).expect("256 kB are enough");
    }
    assert!(failures > 3, "{failures}");
    assert_eq!(project.label("b"), 0);
}

#[test]
fn a_disk_that_can_only_be_read_serves_what_is_there_and_refuses_the_rest() {
    let Some(disk) =
        disk("disks::a_disk_that_can_only_be_read_serves_what_is_there_and_refuses_the_rest")
    else {
        return;
    };
    let mut project = project(&disk);
    assert!(project.run().summary.is_success());
    let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap();
    assert!(remount.success());
    assert_eq!(project.run().counts(), (0, 2));
    project.edit("[stages.b]", "value = 1\n[stages.b]");
    assert_eq!(project.planned()[0], "a: param value 0 → 1");
    let error = project.try_run(&AtomicBool::new(false)).map(|ran| ran.summary);
    let said = match error {
        Ok(summary) => {
            let failure = summary.failures[0].failure.clone();
            assert_eq!(failure.code, "store::read_only");
            assert!(failure.help.is_some());
            failure.message
        }
        Err(error) => error.to_string(),
    };
    assert!(said.contains("cannot be written") && said.contains("artifacts/store"), "{said}");
}
