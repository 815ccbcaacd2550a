//! Cargo, called as a newcomer would have to call it.
//!
//! Everything is built in the release profile, so that `run` and `test` share their
//! dependencies and the second command compiles only the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};

use crate::docs;

const QUICKSTART: &str = "pipelines/quickstart.toml";

/// Builds the binaries and runs `scarce run` with `arguments`, of which the first may be
/// the pipeline.
pub(crate) fn run_pipeline(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    if let Some(failed) = build_binaries(root)? {
        return Ok(failed);
    }
    let (pipeline, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (PathBuf::from(first), rest),
        _ => (root.join(QUICKSTART), arguments),
    };
    let scarce = scarce()?;
    let mut command = Command::new(&scarce);
    command.arg("run").arg(pipeline).args(rest);
    let status = command.status().with_context(|| format!("`{}`", scarce.display()))?;
    Ok(code(status))
}

/// Builds the binaries, then builds and runs the tests of every crate.
pub(crate) fn test(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    if let Some(failed) = build_binaries(root)? {
        return Ok(failed);
    }
    let status = cargo(root)
        .args(["test", "--release", "--workspace"])
        .args(arguments)
        .env("SCARCE_BIN_DIR", binaries()?)
        .status()
        .context("`cargo test`")?;
    Ok(code(status))
}

/// Builds the binaries and the benchmark, measures (`benchmark run`), and puts the tables of all that
/// was measured so far into the document.
pub(crate) fn bench(root: &Path, document: &str, arguments: &[String]) -> Result<ExitCode> {
    if let Some(failed) = build(root, &["scarce", "scarce-torch", "scarce-bench"])? {
        return Ok(failed);
    }
    let mut run = benchmark(root)?;
    let status = run.arg("run").args(arguments).status().context("`benchmark run`")?;
    if !status.success() {
        return Ok(code(status));
    }
    let tables = benchmark(root)?.args(["table", "--markdown"]).output();
    let tables = tables.context("`benchmark table`")?;
    let tables = String::from_utf8(tables.stdout).context("the tables are not UTF-8")?;
    docs::fill(root, document, |_| Ok(tables.clone()))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the binaries and the suite of attacks, and attacks; or, with `--document` alone, puts what the
/// last attack found into the document.
pub(crate) fn faults(root: &Path, document: &str, arguments: &[String]) -> Result<ExitCode> {
    if let Some(failed) = build(root, &["scarce", "scarce-torch", "scarce-faults"])? {
        return Ok(failed);
    }
    let program = binaries()?.join("attack");
    let failed = || format!("`{}`", program.display());
    let mut attack = Command::new(&program);
    attack.current_dir(root).env("SCARCE_BIN_DIR", binaries()?);
    if arguments != ["--document"] {
        return Ok(code(attack.args(arguments).status().with_context(failed)?));
    }
    let table = attack.arg("--table").output().with_context(failed)?;
    if !table.status.success() {
        bail!("{}", String::from_utf8_lossy(&table.stderr).trim());
    }
    let table = String::from_utf8(table.stdout).context("the table is not UTF-8")?;
    docs::fill(root, document, |_| Ok(table.clone()))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds `scarce` and the benchmark, compares answers with scikit-learn's (`benchmark agree`), and
/// writes the outcome into the document.
pub(crate) fn peers(root: &Path, document: &str, arguments: &[String]) -> Result<ExitCode> {
    if let Some(failed) = build(root, &["scarce", "scarce-bench"])? {
        return Ok(failed);
    }
    let mut command = benchmark(root)?;
    command.arg("agree");
    if !arguments.iter().any(|word| word.starts_with("--fixture")) {
        command.args(["--document", document]);
    }
    Ok(code(command.args(arguments).status().context("`benchmark agree`")?))
}

/// The built benchmark, to be run at the root.
fn benchmark(root: &Path) -> Result<Command> {
    let mut command = Command::new(binaries()?.join("benchmark"));
    command.current_dir(root);
    Ok(command)
}

/// The `scarce` that [`run_pipeline`] builds.
pub(crate) fn scarce() -> Result<PathBuf> {
    Ok(binaries()?.join("scarce"))
}

/// Builds `scarce` and `scarce-torch`; how Cargo failed, if it did.
fn build_binaries(root: &Path) -> Result<Option<ExitCode>> {
    build(root, &["scarce", "scarce-torch"])
}

/// Builds packages; how Cargo failed, if it did.
fn build(root: &Path, packages: &[&str]) -> Result<Option<ExitCode>> {
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    let status = cargo(root)
        .args(["build", "--release"])
        .args(packages)
        .status()
        .context("`cargo build`")?;
    Ok((!status.success()).then(|| code(status)))
}

pub(crate) fn cargo(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root);
    command
}

/// Where Cargo puts release binaries: beside this one, wherever the target folder is.
fn binaries() -> Result<PathBuf> {
    let this = std::env::current_exe().context("the path of this program")?;
    Ok(this.parent().map(Path::to_owned).unwrap_or_default())
}

pub(crate) fn code(status: ExitStatus) -> ExitCode {
    // none: ended by a signal
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
