//! Fuzzing: every target for a while, under libFuzzer with the address sanitizer.
//!
//! Targets are in `fuzz/`, a workspace of its own; what they do is in `tests/fuzzing/`. A corpus grows in
//! `fuzz/corpus/TARGET` (not kept), from the seeds of `fuzz/seeds/TARGET` (kept). An input that does
//! harm is left in `fuzz/artifacts/TARGET`: mend the fault, and put the input among the seeds, where
//! `cargo test -p scarce-fuzzing` tries it from then on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::{build, say};

/// Minutes that each target gets unless asked otherwise.
const MINUTES: f64 = 5.0;
/// Memory of a target, in MiB.
const MEMORY: &str = "-rss_limit_mb=2048";
/// An input that takes longer than so many seconds is a finding.
const TIMEOUT: &str = "-timeout=20";

/// What came of a target.
#[derive(Debug, Default, Clone, PartialEq)]
struct Outcome {
    target: String,
    seconds: u64,
    executions: u64,
    /// Edges of the program's control flow that were reached.
    coverage: u64,
    findings: usize,
}

/// Fuzzes and prints a table; fails if there are findings.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let (minutes, chosen) = parse(arguments)?;
    let all = targets(root)?;
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(*name)) {
        bail!("no target is called `{unknown}`; there are {}", all.join(", "));
    }
    let chosen = if chosen.is_empty() { all } else { chosen };
    if !cargo_fuzz(root).arg("--version").output().is_ok_and(|output| output.status.success()) {
        bail!(
            "`cargo fuzz` is not there: `cargo install cargo-fuzz` installs it; libFuzzer needs a C++ \
             compiler and Linux or macOS"
        );
    }
    // The versions that are shipped are those that are fuzzed.
    fs_err::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))?;
    let mut outcomes = Vec::new();
    for target in &chosen {
        outcomes.push(fuzz(root, target, minutes)?);
    }
    println!("{}", table(&outcomes));
    let well = outcomes.iter().all(|outcome| outcome.findings == 0);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(arguments: &[String]) -> Result<(f64, Vec<String>)> {
    let (mut minutes, mut targets) = (MINUTES, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--minutes") {
            Some(rest) => {
                let text = rest.strip_prefix('=').or_else(|| words.next().map(String::as_str));
                let number = text.and_then(|text| text.parse().ok());
                minutes = number
                    .filter(|minutes: &f64| *minutes > 0.0 && minutes.is_finite())
                    .context("`--minutes` is followed by a number above 0")?;
            }
            None if word.starts_with('-') => bail!("`fuzz` does not know `{word}`"),
            None => targets.push(word.clone()),
        }
    }
    Ok((minutes, targets))
}

/// The targets, by the names of their files.
fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// `cargo fuzz`, with what its compiler flags need.
fn cargo_fuzz(root: &Path) -> Command {
    let mut command = build::cargo(root);
    // Sanitizers and coverage are unstable flags; the compiler is the stable one all the same.
    command.arg("fuzz").env("RUSTC_BOOTSTRAP", "1");
    command
}

fn fuzz(root: &Path, target: &str, minutes: f64) -> Result<Outcome> {
    let [corpus, seeds, artifacts] =
        ["corpus", "seeds", "artifacts"].map(|folder| root.join("fuzz").join(folder).join(target));
    for folder in [&corpus, &seeds, &artifacts] {
        fs_err::create_dir_all(folder)?;
    }
    let before = files(&artifacts)?;
    let seconds = (minutes * 60.0).ceil() as u64;
    say(format_args!("fuzzing `{target}` for {seconds} s"));
    let mut command = cargo_fuzz(root);
    command.args(["run", "--target-dir"]).arg(root.join("target/fuzz")).arg(target);
    command.arg(&corpus).arg(&seeds).arg("--");
    command.arg(format!("-max_total_time={seconds}")).args([MEMORY, TIMEOUT]);
    command.arg("-print_final_stats=1");
    // Inputs are files: where there is memory that looks like a disk, they lie there.
    if std::env::var_os("TMPDIR").is_none() && Path::new("/dev/shm").is_dir() {
        command.env("TMPDIR", "/dev/shm");
    }
    let mut child = command
        .stdout(Stdio::from(std::io::stderr()))
        .stderr(Stdio::piped())
        .spawn()
        .context("`cargo fuzz`")?;
    let mut outcome = Outcome { target: target.to_owned(), seconds, ..Outcome::default() };
    let (mut last, mut began) = (Vec::new(), false);
    for line in BufReader::new(child.stderr.take().context("it has no pipe")?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        began |= outcome.read(&line);
        last.push(line);
        // A finding is explained in the last lines.
        if last.len() > 40 {
            last.remove(0);
        }
    }
    let status = child.wait()?;
    outcome.findings = files(&artifacts)? - before;
    if !status.success() {
        eprintln!("{}", last.join("\n"));
        if !began {
            bail!("`cargo fuzz run {target}` failed before it began");
        }
        // A crash that left no file is a finding too.
        outcome.findings = outcome.findings.max(1);
    }
    Ok(outcome)
}

fn files(folder: &Path) -> Result<usize> {
    Ok(fs_err::read_dir(folder)?.count())
}

impl Outcome {
    /// Takes what a line of libFuzzer's says; whether it is one of its progress.
    fn read(&mut self, line: &str) -> bool {
        let number = |words: &str, label: &str| -> Option<u64> {
            words.split_once(label)?.1.split_whitespace().next()?.parse().ok()
        };
        if let Some(executions) = number(line, "stat::number_of_executed_units:") {
            self.executions = executions;
        }
        // `#4096 pulse cov: 812 ft: 1234 corp: …`
        let Some((count, rest)) =
            line.strip_prefix('#').and_then(|rest| rest.split_once(['\t', ' ']))
        else {
            return false;
        };
        let Ok(count) = count.parse::<u64>() else { return false };
        self.executions = self.executions.max(count);
        self.coverage = number(rest, "cov:").unwrap_or(self.coverage);
        true
    }
}

fn table(outcomes: &[Outcome]) -> String {
    let mut lines = vec![format!(
        "{:14}{:>9}{:>13}{:>10}{:>10}",
        "target", "seconds", "executions", "coverage", "findings"
    )];
    for Outcome { target, seconds, executions, coverage, findings } in outcomes {
        lines.push(format!("{target:14}{seconds:9}{executions:13}{coverage:10}{findings:10}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn minutes_and_targets_are_taken_in_any_order() {
        assert_eq!(parse(&[]).unwrap(), (MINUTES, vec![]));
        let expected = (0.5, words(&["idx", "npy"]));
        assert_eq!(parse(&words(&["idx", "--minutes", "0.5", "npy"])).unwrap(), expected);
        assert_eq!(parse(&words(&["--minutes=0.5", "idx", "npy"])).unwrap(), expected);
        for wrong in [&["--minutes"][..], &["--minutes", "0"], &["--jobs"]] {
            assert!(parse(&words(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_the_fuzzer_prints_is_read() {
        let mut outcome = Outcome::default();
        assert!(!outcome.read("INFO: Running with entropic power schedule (0xFF, 100)."));
        assert!(outcome.read("#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb"));
        assert!(outcome.read("#4096\tpulse  cov: 812 ft: 1234 corp: 9/32b lim: 4 exec/s: 2048"));
        assert_eq!((outcome.executions, outcome.coverage), (4096, 812));
        assert!(!outcome.read("stat::number_of_executed_units: 5000"));
        assert_eq!(outcome.executions, 5000);
        assert!(!outcome.read("#include <stdio.h>"));
    }

    #[test]
    fn every_target_has_its_binary_and_its_seeds() {
        let root = crate::workspace_root();
        let manifest = fs_err::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let targets = targets(&root).unwrap();
        assert!(targets.len() >= 10);
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(files(&root.join("fuzz/seeds").join(&target)).unwrap() > 0, "{target}");
        }
    }
}
