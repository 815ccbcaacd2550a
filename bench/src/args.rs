//! What a person may type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Turns of each side, unless asked otherwise.
const PAIRS: usize = 5;
/// The same for cases whose turns take long.
const HEAVY_PAIRS: usize = 3;

/// Measures scarce beside its peers: the same work on the same data, in turn.
#[derive(Debug, Parser)]
#[command(name = "benchmark", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure, print a table, and keep what was measured as Parquet
    Run(Options),
    /// Print the tables of what was measured before
    Table(TableOptions),
    /// List the works and their cases
    List,
    /// Compare answers with scikit-learn's, case by case; ends with 1 if any differs
    Agree(AgreeOptions),
}

/// What to measure, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Works, or cases of them such as `k-means/iteration-100` [default: all]
    pub(crate) works: Vec<String>,

    /// Turns of each side [default: 5, and 3 where a turn takes long]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: Option<u32>,

    /// Threads of each side [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: Option<u32>,

    /// One turn of each side, and nothing whose turns take long
    #[arg(long)]
    pub(crate) quick: bool,

    /// Where the results go
    #[arg(long, value_name = "DIR", default_value = "artifacts/bench")]
    pub(crate) out: PathBuf,

    /// Where data sets lie [default: `SCARCE_TEST_DATA`, ../shared/data, the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Vec<PathBuf>,
}

impl Options {
    /// Turns of each side in a case.
    pub(crate) fn pairs(&self, heavy: bool) -> usize {
        match (self.runs, self.quick) {
            (Some(runs), _) => runs as usize,
            (None, true) => 1,
            (None, false) if heavy => HEAVY_PAIRS,
            (None, false) => PAIRS,
        }
    }

    /// Threads of each side.
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, |threads| threads as usize)
    }
}

/// Which tables to print.
#[derive(Debug, Clone, Args)]
pub(crate) struct TableOptions {
    /// Works [default: all]
    pub(crate) works: Vec<String>,

    /// As Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Where the results are
    #[arg(long, value_name = "DIR", default_value = "artifacts/bench")]
    pub(crate) out: PathBuf,
}

/// Where the outcome of the comparison goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct AgreeOptions {
    /// Write the outcome into this Markdown file
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,

    /// Write small cases and scikit-learn's answers into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "document")]
    pub(crate) fixture: Option<PathBuf>,

    /// Print every case
    #[arg(long)]
    pub(crate) verbose: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        let words = ["benchmark", "run"].iter().chain(words);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn turns_follow_from_what_was_asked_for() {
        let plain = options(&[]);
        assert_eq!((plain.pairs(false), plain.pairs(true)), (5, 3));
        assert_eq!(options(&["--quick"]).pairs(false), 1);
        assert_eq!(options(&["--quick", "--runs", "4"]).pairs(true), 4);
        assert!(plain.threads() >= 1);
        assert_eq!(options(&["k-means", "--threads", "7"]).threads(), 7);
        assert_eq!(options(&["k-means", "parquet"]).works, ["k-means", "parquet"]);
    }

    #[test]
    fn no_turns_and_no_threads_are_refused() {
        for words in [["--runs", "0"], ["--threads", "0"], ["--runs", "many"]] {
            let words = ["benchmark", "run"].iter().chain(&words);
            assert!(Cli::try_parse_from(words).is_err());
        }
    }
}
