//! Pipelines with errors that nobody thought of.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use scarce_tests::{Child, Project, workspace_root, wrapped};

use crate::{Case, Outcome, subject::as_documented};

/// Longer than any answer may take, on a machine with other work.
const LONGEST: Duration = Duration::from_secs(20);
/// The most address space, in kibibytes. Most of it is reserved and never used.
const MOST: u32 = 6 << 20;

/// Values that no parameter expects.
const VALUES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999999999",
    "1e400",
    "-0.0",
    "nan",
    "inf",
    "0",
    "-1",
    "0.999999999999999999",
    "true",
    "\"\"",
    "\"$\"",
    "\"$seed\"",
    "\"$nowhere\"",
    "\"\\u0000\"",
    "\"../../../..\"",
    "\"/dev/zero\"",
    "\"/proc/self/mem\"",
    "\"/\"",
    "\"images\"",
    "[]",
    "[[]]",
    "{}",
    "[1, \"a\", 2.0]",
    "{ from = 0, to = 1000000000000 }",
    "{ from = 0, to = 10, step = 0 }",
    "1979-05-27T07:32:00Z",
    "[nan, nan]",
    "'''\n'''",
    "\"\u{202e}\u{301}\u{1f469}\u{200d}\u{1f52c}\"",
];

/// Pieces to put anywhere.
const PIECES: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "'''",
    "#",
    "=",
    ".",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "$",
    "[axes]\n",
    "[stages.images]\n",
    "[[stages]]\n",
    "[rounds.x]\ncount = 1000000\n",
    "[stages.\"\"]\n",
    "[stages.a.b.c]\n",
    "[pipeline]\nname = \"../..\"\n",
    "inputs = { images = \"images\" }\n",
    "splits = [\"train\", \"train\"]\n",
    "resources = { time = 9223372036854775807 }\n",
    "hosts = [\"/bin/true\"]\n",
];

/// A pipeline of the repository, mutated a few times: every command that only looks at it answers.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let mut files: Vec<_> = fs_err::read_dir(workspace_root().join("pipelines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut text = fs_err::read(case.turn(&files)).unwrap();
    for _ in 0..case.between(1, 4) {
        text = mutated(case, text);
    }
    let project = Project::new();
    project.write("pipeline.toml", &text);
    let mut words = vec![*case.turn(&["check", "plan", "check", "graph"]), "pipeline.toml"];
    let value = case.pick(VALUES);
    let set = format!("stages.images.{}={value}", case.pick(&["path", "limit", "dataset", "a.b"]));
    if words[0] != "graph" && case.once_in(4) {
        words.extend(["--set", &set]);
    }
    bounded(&project, &words);
    Outcome::Survived
}

/// The command ends as documented, soon, within its memory.
pub(super) fn bounded(project: &Project, words: &[&str]) {
    let mut outer = Command::new("bash");
    outer.arg("-c").arg(format!("ulimit -v {MOST}; exec \"$0\" \"$@\""));
    let begin = Instant::now();
    let answer = Child::start(wrapped(outer, &project.command(words))).finish();
    let took = begin.elapsed();
    let length = answer.stderr.len() + answer.stdout.len();
    as_documented(&answer, &[0, 2]);
    assert!(took < LONGEST, "`{words:?}` took {took:?}: {answer}");
    assert!(length < 16 << 20, "`{words:?}` has said {length} bytes");
}

fn mutated(case: &mut Case, mut text: Vec<u8>) -> Vec<u8> {
    let at = case.below(text.len() + 1);
    let lines = || text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec);
    match case.below(12) {
        0 => {
            let mut lines: Vec<_> = lines().collect();
            if !lines.is_empty() {
                lines.remove(case.below(lines.len()));
            }
            lines.concat()
        }
        1 => {
            let mut lines: Vec<_> = lines().collect();
            if !lines.is_empty() {
                let line = lines[case.below(lines.len())].clone();
                lines.insert(case.below(lines.len() + 1), line);
            }
            lines.concat()
        }
        2 => {
            let mut lines: Vec<_> = lines().collect();
            if !lines.is_empty() {
                let (a, b) = (case.below(lines.len()), case.below(lines.len()));
                lines.swap(a, b);
            }
            lines.concat()
        }
        3..=6 => {
            // the value of some key
            let mut lines: Vec<_> = lines().collect();
            let keys: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains(&b'=')).collect();
            if !keys.is_empty() {
                let line = &mut lines[keys[case.below(keys.len())]];
                let end = line.iter().position(|byte| *byte == b'=').unwrap();
                line.truncate(end + 1);
                line.extend(format!(" {}\n", case.pick(VALUES)).bytes());
            }
            lines.concat()
        }
        7 | 8 => {
            let piece = case.pick(PIECES).bytes().collect::<Vec<_>>();
            text.splice(at..at, piece);
            text
        }
        9 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << case.below(8);
            }
            text
        }
        10 => {
            text.truncate(at);
            text
        }
        _ => {
            // far too much of something
            let count = *case.turn(&[1_000, 20_000, 300_000]);
            let (before, piece, after) = *case.turn(&[
                ("x = ", "[", ""),
                ("x", ".x", " = 1\n"),
                ("x = ", "{ x = ", ""),
                ("x = \"", "a", "\"\n"),
                ("", "\n[stages.x]\n", ""),
                ("inputs = { predictions = [", "\"knn\", ", "] }\n"),
                ("#", "#", "\n"),
                ("x = ", "9", "\n"),
            ]);
            text.splice(at..at, [before, &piece.repeat(count), after].concat().into_bytes());
            text
        }
    }
}
