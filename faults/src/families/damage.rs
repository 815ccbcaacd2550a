//! Files of the artifacts that are not what they were.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Case, Outcome, Subject,
    subject::as_documented,
    tables::{assert_same, files},
};

/// One to three files of a store are damaged; whatever is asked of it then, no answer is wrong, and in
/// the end it holds what it held.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::drawn(case);
    subject.run(&[]).ended(0);
    if case.once_in(3) {
        // A record in the history, and entries that the last run does not reach.
        subject.run(&["--set", subject.text.edit]).ended(0);
        subject.run(&[]).ended(0);
    }
    let mut damaged = Vec::new();
    for _ in 0..case.between(1, 3) {
        damaged.extend(damage(case, &subject.artifacts()));
    }
    recovers(case, &subject, &damaged);
    Outcome::Survived
}

/// Whatever is asked of the store now, no answer is wrong; in the end it holds what it should.
fn recovers(case: &mut Case, subject: &Subject, damaged: &[PathBuf]) {
    let said = format!("damaged: {damaged:?}");
    for _ in 0..case.between(0, 2) {
        let answer = subject.project.scarce(case.pick(&[
            &["plan", "pipeline.toml"][..],
            &["runs"],
            &["report", subject.text.name],
            &["show", subject.text.name],
            &["gc"],
            &["gc", "--grace", "0s"],
        ]));
        as_documented(&answer, &[0, 1, 2, 3]);
    }
    if case.once_in(2) {
        let verified = subject.project.scarce(&["verify"]);
        as_documented(&verified, &[0, 3]);
        // The entries' own files; what is beside them only costs time.
        let in_entry = |path: &PathBuf| {
            let below = path.strip_prefix(subject.artifacts().join("store")).ok();
            let names: Vec<_> = below.into_iter().flat_map(Path::components).collect();
            let own =
                names.first().is_some_and(|n| n.as_os_str().to_string_lossy().starts_with('.'));
            names.len() == 3 && !own && !path.ends_with("log.jsonl")
        };
        if verified.code == Some(0) {
            let missed: Vec<_> =
                damaged.iter().filter(|path| in_entry(path) && path.exists()).collect();
            assert!(missed.is_empty(), "`verify` has missed {missed:?}: {verified}");
        }
    } else {
        // What is read is looked at byte by byte: no wrong table can come of it.
        let edit = ["--set", subject.text.edit];
        subject.run(&edit).ended(0);
        subject.project.scarce(&["verify"]);
        subject.run(&edit).ended(0);
        assert_same(&subject.tables(), &subject.undisturbed(&edit).tables, &said);
    }
    as_documented(&subject.project.scarce(&["verify"]), &[0, 3]);
    subject.is_right(&[], &said);
    subject.is_whole();
    let grace = subject.collects(&["--grace", "0s"]);
    // A record that cannot be read is kept, and with it all that it may have reached.
    as_documented(&grace, &[0, 3]);
    let again = subject.is_right(&[], &said);
    assert_eq!(again.ran(), [""; 0], "`gc` took away what the last run has made: {said}");
}

/// Damages the file whose turn it is; nothing if its damage would not show.
pub(crate) fn damage(case: &mut Case, artifacts: &Path) -> Option<PathBuf> {
    let files = files(artifacts);
    let path = files[(case.number as usize + case.below(3)) % files.len()].clone();
    let bytes = fs_err::read(&path).ok()?;
    let folder = path.parent().unwrap();
    let _ = fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o644));
    let mut spoilt = bytes.clone();
    match case.below(10) {
        0 | 1 => spoilt.truncate(case.below(bytes.len().max(1))),
        2..=4 if !bytes.is_empty() => {
            let at = case.below(bytes.len());
            spoilt[at] ^= 1 << case.below(8);
        }
        5 => {
            let more = case.between(1, 64);
            spoilt.extend(case.bytes(more));
        }
        6 if !bytes.is_empty() => {
            let at = case.below(bytes.len());
            let end = (at + 512).min(bytes.len());
            spoilt[at..end].fill(0);
        }
        7 => {
            let other = &files[case.below(files.len())];
            spoilt = fs_err::read(other).ok()?;
        }
        8 => {
            fs_err::remove_file(&path).unwrap();
            return Some(path);
        }
        _ => {
            fs_err::remove_file(&path).unwrap();
            let words = case.pick(&[&["mkfifo"][..], &["mkdir"], &["ln", "-s", "/dev/zero"]]);
            let made = Command::new(words[0]).args(&words[1..]).arg(&path).status();
            assert!(
                made.is_ok_and(|status| status.success()),
                "{words:?} in `{}`",
                folder.display()
            );
            return Some(path);
        }
    }
    fs_err::write(&path, &spoilt).unwrap();
    (spoilt != bytes).then_some(path)
}
