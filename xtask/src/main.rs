//! Chores: `cargo xtask setup | run | test | experiments | frontier | guide | bench | peers | faults | fuzz`.
//!
//! `run` and `test` are all that a newcomer needs: each provisions libtorch and ONNX Runtime, builds,
//! and goes. `setup` provisions only, after which plain `cargo build`, `cargo test` and
//! `cargo run` work. Everything is a no-op when it is done already, and a repair when
//! it was interrupted.
//!
//! What a chore does goes to stderr; stdout belongs to the program that it runs.

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod build;
mod cache;
mod docs;
mod fuzz;
mod guide;
mod libtorch;
mod onnxruntime;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Chores of the scarce workspace

Usage: cargo xtask <COMMAND>

Commands:
  setup [--verify]       put libtorch and ONNX Runtime in place; --verify reads back every
                         byte of them
  run [PIPELINE] [ARGS]  set up, build, and run a pipeline (pipelines/quickstart.toml);
                         ARGS go to `scarce run`
  test [ARGS]            set up, build, and test everything; ARGS go to `cargo test`
  experiments [ARGS]     run the published experiments and put their results into
                         docs/experiments.md; ARGS go to `scarce run`, or --no-run
                         puts the results of the last runs there
  frontier [ARGS]        the same for the studies of few labels and docs/frontier.md
  guide                  write what the program says of its kinds and tables into
                         docs/guide
  bench [ARGS]           measure scarce beside its peers and put the tables into
                         docs/benchmarks.md; ARGS go to `benchmark run`
  faults [ARGS]          attack scarce and print what survived; ARGS go to `attack`, or
                         --document puts what the last attack found into
                         docs/reliability.md
  peers [ARGS]           compare scarce's answers with scikit-learn's, case by case, and write
                         docs/agreement.md; 1 if any differs; ARGS go to `benchmark agree`
  fuzz [--minutes M] [TARGET…]
                         fuzz every target, or these, for M minutes each (5), and print a table
                         of executions, coverage and findings; 1 if there are findings

Environment:
  LIBTORCH=DIR            use the libtorch in DIR
  LIBTORCH_USE_PYTORCH=1  use the PyTorch of the active Python environment
  SCARCE_WHEELS=DIR       take the wheels from DIR instead of downloading them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match chore(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore(arguments: &[String]) -> Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    let root = workspace_root();
    match command {
        "setup" => {
            let verify = match rest {
                [] => false,
                [flag] if flag == "--verify" => true,
                [other, ..] => bail!("`setup` does not know `{other}`\n\n{USAGE}"),
            };
            libtorch::provision(&root, verify)?;
            onnxruntime::provision(&root, verify)?;
            Ok(ExitCode::SUCCESS)
        }
        "run" => {
            provision(&root)?;
            build::run_pipeline(&root, rest)
        }
        "test" => {
            provision(&root)?;
            build::test(&root, rest)
        }
        "experiments" | "frontier" => {
            provision(&root)?;
            docs::regenerate(&root, &format!("docs/{command}.md"), rest)
        }
        "bench" => {
            provision(&root)?;
            build::bench(&root, "docs/benchmarks.md", rest)
        }
        "guide" => {
            provision(&root)?;
            guide::write(&root)
        }
        "faults" => {
            provision(&root)?;
            build::faults(&root, "docs/reliability.md", rest)
        }
        "peers" => {
            provision(&root)?;
            build::peers(&root, "docs/agreement.md", rest)
        }
        "fuzz" => fuzz::run(&root, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no chore is called `{other}`\n\n{USAGE}"),
    }
}

/// What building and running need. Nothing builds without libtorch; without ONNX Runtime only stages
/// of kind `pretrained` do not run.
fn provision(root: &Path) -> Result<()> {
    libtorch::provision(root, false)?;
    if let Err(error) = onnxruntime::provision(root, false) {
        say(format_args!("going on without ONNX Runtime: {error:#}"));
    }
    Ok(())
}

fn workspace_root() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.parent().unwrap_or(crate_dir).to_owned()
}

/// Says on stderr what is being done.
fn say(message: impl std::fmt::Display) {
    eprintln!("{:>10}  {message}", "set-up");
}
