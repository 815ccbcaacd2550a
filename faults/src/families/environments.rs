//! Surroundings in which nobody has thought of running this.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};

use scarce_tests::{Child, wrapped};

use crate::{Case, Outcome, Subject, subject::as_documented, tables::assert_same};

/// What a shell does before it becomes `scarce`, and whether the run must still do its work.
const SURROUNDINGS: &[(&str, bool)] = &[
    ("unset HOME", true),
    ("export HOME=/nowhere XDG_DATA_HOME=/nowhere XDG_CACHE_HOME=/nowhere", true),
    ("export HOME=/dev/null", true),
    ("export HOME=", true),
    ("ulimit -n 64", true),
    ("ulimit -n 16", false),
    ("ulimit -n 8", false),
    ("exec <&-", true),
    ("exec 2>&-", true),
    ("exec >&-", false),
    ("exec <&- >&- 2>&-", false),
    ("exec >/dev/full", false),
    ("exec 2>/dev/full", true),
    ("exec </dev/full", true),
    ("export LANG=C LC_ALL=C", true),
    ("export LANG=xx_YY.nothing LC_ALL=xx_YY.nothing LANGUAGE=xx", true),
    ("export LC_ALL=tr_TR.UTF-8", true),
    ("export TZ=Nowhere/Nothing", true),
    ("export TZ=:/dev/zero", true),
    ("export TMPDIR=/nowhere", true),
    ("export PATH=", true),
    ("export PATH=/nowhere:.:..:/dev/null", true),
    ("export COLUMNS=0 LINES=0", true),
    ("export COLUMNS=-1 LINES=much TERM=", true),
    ("export RUST_LOG=trace", true),
    ("export RUST_LOG='=[[}='", true),
    ("export RUST_BACKTRACE=full", true),
    ("export RUST_MIN_STACK=16777216", true),
    ("export RAYON_NUM_THREADS=0 OMP_NUM_THREADS=0", true),
    ("export RAYON_NUM_THREADS=100000", true),
    ("export SCARCE_DATA=/nowhere", true),
    ("export SCARCE_WATCH_STDIN=1", true),
    ("export CLICOLOR_FORCE=1 FORCE_COLOR=3 TERM=dumb; unset NO_COLOR", true),
    ("export ODD=$(printf '\\377\\376')", true),
    (
        "for i in $(seq 2000); do export ODD_$i=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
        true,
    ),
    ("umask 000", true),
    ("umask 077", true),
    ("umask 777", false),
    ("ulimit -s 512", true),
    ("ulimit -c 0; ulimit -t 1000", true),
    ("ulimit -v 3000000", false),
    ("ulimit -u 40", false),
    ("trap '' HUP INT TERM PIPE", true),
    ("trap '' CHLD", true),
    ("mkdir gone; cd gone; rmdir ../gone", false),
    ("nice -n 19 true; renice -n 19 $$ >/dev/null", true),
];

/// One of them in turn, or two; then a run in ordinary surroundings.
pub(super) fn attack(case: &mut Case) -> Outcome {
    if case.once_in(6) {
        return odd_names(case);
    }
    let subject = Subject::drawn(case);
    let (mut before, mut must) = *case.turn(SURROUNDINGS);
    let both;
    if case.number as usize >= SURROUNDINGS.len() && case.once_in(2) {
        let (other, other_must) = SURROUNDINGS[case.below(SURROUNDINGS.len())];
        both = format!("{before}; {other}");
        (before, must) = (&both, must && other_must);
    }
    let mut outer = Command::new("bash");
    outer.arg("-c").arg(format!("{before}\nexec \"$0\" \"$@\""));
    let answer = Child::start(wrapped(outer, &subject.command(&[]))).finish();
    let codes: &[i32] = if must { &[0] } else { &[0, 1, 2] };
    as_documented(&answer, codes);
    if answer.code == Some(0) {
        let expected = &subject.undisturbed(&[]).tables;
        assert_same(&subject.tables(), expected, before);
    }
    subject.recovers();
    Outcome::Survived
}

/// Folders and files whose names are not text, or strange text.
fn odd_names(case: &mut Case) -> Outcome {
    let subject = Subject::drawn(case);
    let names: &[&[u8]] = &[
        b"\xff",
        b"a\xc3",
        b"new\nline",
        b"tab\tand space ",
        "nai\u{308}ve".as_bytes(),
        "\u{202e}desrever".as_bytes(),
        b"quote\"'`$(x)",
        b"-rf",
        b"%s%n",
        b"a=b",
    ];
    let name = OsStr::from_bytes(names[case.below(names.len())]);
    let folder = subject.project.folder().join(name);
    fs_err::create_dir(&folder).unwrap();
    fs_err::copy(subject.project.path("pipeline.toml"), folder.join("pipeline.toml")).unwrap();
    let command = subject.project.command_in(&folder, &["run", "--json", "pipeline.toml"]);
    let answer = Child::start(command).finish();
    as_documented(&answer, if name.to_str().is_some() { &[0] } else { &[0, 2] });
    if answer.code == Some(0) {
        let found = crate::tables::tables(&folder.join("artifacts"), subject.text.name);
        assert_same(
            &found,
            &subject.undisturbed(&[]).tables,
            &format!("in a folder `{}`", name.display()),
        );
    }
    let mut command = subject.project.command(&["plan", "pipeline.toml", "--artifacts"]);
    command.arg(name);
    as_documented(&Child::start(command).finish(), &[0, 2]);
    subject.recovers();
    Outcome::Survived
}
