//! Attacks scarce and prints what survived: `cargo xtask faults`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Parser;
use scarce_faults::{
    FAMILIES, Family,
    campaign::{self, Length},
    families,
    results::{Results, commit, markdown},
};

/// Attacks scarce and prints what survived
#[derive(Debug, Parser)]
#[command(name = "attack", version, max_term_width = 100)]
struct Cli {
    /// Where the draws begin; the same seed gives the same cases
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Cases of every family in turn for so many minutes
    #[arg(long, value_name = "M", conflicts_with = "cases")]
    minutes: Option<f64>,

    /// So many cases of every family [default: as many as each asks for]
    #[arg(long, value_name = "N")]
    cases: Option<u64>,

    /// Only these families
    #[arg(long, value_name = "NAME", num_args = 1..)]
    family: Vec<String>,

    /// Only this case of one family, as a lost one is named
    #[arg(long, value_name = "N", conflicts_with_all = ["cases", "minutes"])]
    case: Option<u64>,

    /// Cases at a time [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,

    /// List the families
    #[arg(long)]
    list: bool,

    /// Print the table of the last campaign of every family
    #[arg(long)]
    table: bool,

    /// Where the results go
    #[arg(long, value_name = "DIR", default_value = "artifacts/faults")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match attack(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing was lost.
fn attack(cli: &Cli) -> Result<bool> {
    if cli.table {
        println!("{}", markdown(&Results::read_all(&cli.out)?));
        return Ok(true);
    }
    let families = chosen(&cli.family)?;
    if cli.list {
        for family in families {
            println!("{:14}{}", family.name, family.promise);
        }
        return Ok(true);
    }
    let length = match (cli.case, cli.cases, cli.minutes) {
        (Some(number), ..) if families.len() == 1 => Length::One(number),
        (Some(_), ..) => bail!("`--case` is one of a family: name it with `--family`"),
        (_, Some(cases), _) => Length::Cases(cases),
        (.., Some(minutes)) => Length::Time(Duration::try_from_secs_f64(minutes * 60.0)?),
        _ => Length::Full,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let begin = Instant::now();
    let say = |message: &str| eprintln!("{message}\n");
    let tallies = campaign::run(&families, cli.seed, length, cli.jobs.unwrap_or(cores), &say);
    let words: Vec<String> = std::env::args().skip(1).collect();
    let results = Results {
        command: format!("cargo xtask faults {}", words.join(" ")).trim().to_owned(),
        seed: cli.seed,
        date: jiff::Zoned::now().strftime("%Y-%m-%d").to_string(),
        commit: commit(&scarce_tests::workspace_root()),
        minutes: begin.elapsed().as_secs_f64() / 60.0,
        families: tallies,
    };
    if !matches!(length, Length::One(_)) {
        results.write(&cli.out)?;
    }
    let nothing_lost = !results.is_lost();
    println!("{}", markdown(&[results]));
    Ok(nothing_lost)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Family>> {
    if names.is_empty() {
        return Ok(FAMILIES.iter().collect());
    }
    let family = |name: &String| match families::named(name) {
        Some(family) => Ok(family),
        None => bail!("no family is called `{name}`: `--list` lists them"),
    };
    names.iter().map(family).collect()
}
