//! Stores that earlier versions have written.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

use scarce_tests::fixture;
use walkdir::WalkDir;

use super::damage;
use crate::{Case, Outcome, Subject, pipelines, subject::as_documented};

/// What is done to the fixture's manifests and records.
const CHANGES: &[Change] = &[
    Change::None,
    Change::Unsealed,
    Change::Later,
    Change::Earlier,
    Change::MoreFields,
    Change::Damaged,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// As it was written (format 2).
    None,
    /// As format 1 was: without digests of their own.
    Unsealed,
    /// A format that nobody knows yet.
    Later,
    /// A format that was never there.
    Earlier,
    /// Fields that this version does not know.
    MoreFields,
    /// One file of it is damaged besides.
    Damaged,
}

/// A run, `verify`, `runs` and `gc` on a store that is kept as a fixture (`tests/fixtures/stores`), as it
/// is or as another version would have written it.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::of(pipelines::ALL[0], &["--jobs", "2", "--threads", "2"]);
    let from = fixture("stores/format-2").join("artifacts");
    let copied = Command::new("cp").arg("-a").arg(&from).arg(subject.project.folder()).status();
    assert!(copied.is_ok_and(|status| status.success()), "{}", from.display());
    let change = *case.turn(CHANGES);
    for file in WalkDir::new(subject.artifacts()).into_iter().flatten() {
        let name = file.file_name();
        if file.file_type().is_file() && (name == "manifest.json" || name == "run.json") {
            rewrite(file.path(), change);
        }
    }
    if change == Change::Damaged {
        damage::damage(case, &subject.artifacts());
    }
    let words = case.pick(&[&["runs"][..], &["verify"], &["plan", "pipeline.toml"], &["gc"]]);
    as_documented(&subject.project.scarce(words), &[0, 3]);
    if matches!(change, Change::None | Change::Unsealed) {
        let verified = subject.project.scarce(&["verify"]).ended(0);
        verified.says(&["5 artifacts read, 0 damaged"]);
        subject.project.scarce(&["runs"]).ended(0).says(&["small"]);
    }
    // What a later version has written is not this one's to judge; a run makes its own.
    subject.project.scarce(&["verify"]);
    subject.is_right(&[], &format!("{change:?}"));
    subject.is_right(&["--set", subject.text.edit], &format!("{change:?}"));
    subject.is_right(&[], &format!("{change:?}"));
    subject.is_whole();
    Outcome::Survived
}

fn rewrite(path: &Path, change: Change) {
    let text = fs_err::read_to_string(path).unwrap();
    // `{"digest":"…",` and then the text that it is the digest of
    let (_, rest) = text.split_once(',').unwrap();
    let with_format = |format: &str| {
        // the first one: a manifest's ingredients have a format of their own
        let space = if rest.contains("\"format\": 2") { " " } else { "" };
        let from = format!("\"format\":{space}2");
        assert!(rest.contains(&from), "{rest}");
        rest.replacen(&from, &format!("\"format\":{space}{format}"), 1)
    };
    let text = match change {
        Change::None | Change::Damaged => return,
        Change::Unsealed => format!("{{{}", with_format("1")),
        Change::Later => sealed(&with_format("3")),
        Change::Earlier => sealed(&with_format("0")),
        Change::MoreFields => sealed(&format!("\"news\":[{{\"a\":null}}],{rest}")),
    };
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    fs_err::write(path, text).unwrap();
}

/// As `seal` of the store does.
fn sealed(rest: &str) -> String {
    format!("{{\"digest\":\"{}\",{rest}", blake3::hash(rest.as_bytes()).to_hex())
}
