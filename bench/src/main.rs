//! Measures scarce beside its peers: the same work on the same data, in turn, in one run.
//!
//! `cargo xtask bench` builds the binaries and calls this program. A *work* ([`works`]) is something
//! that scarce and others can do, such as k-means; its *cases* are sizes or ways of it. For each case
//! the peers and scarce take turns (A B A B …) on the same machine with the same number of threads, so
//! that whatever else the machine does falls on both; a ratio is that of two neighbouring turns. Every
//! turn also says how good its answer is, and the table shows both, so that no ratio is bought with a
//! worse answer. A work that nobody else does is measured alone.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`works`] | the works, one file each |
//! | [`contest`] | taking turns |
//! | [`peer`] | talking to a peer's process, which stays alive between its turns |
//! | [`environment`] | private Python environments, `target/bench/peers/NAME`, pinned |
//! | [`data`] | real data, and the same numbers as `.npy` for the peers |
//! | [`results`] | what was measured, as Parquet: `artifacts/bench/WORK/CASE.parquet` |
//! | [`table`], [`statistics`], [`quality`] | what people see |
//!
//! Whether the answers are the same is another question: `benchmark agree` (`cargo xtask peers`) asks it
//! several hundred times ([`agreement`]).
//!
//! The kernels are called in this process; pipelines run through the built `scarce`, as people run it.

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod agreement;
mod args;
mod contest;
mod data;
mod environment;
mod machine;
mod npy;
mod peer;
mod quality;
mod results;
mod scarce;
mod session;
mod statistics;
mod table;
mod works;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::{
    args::{Command, Options, TableOptions},
    session::Session,
};

/// As in `scarce`, whose kernels are measured here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match args::Cli::parse().command {
        Command::Run(options) => run(options),
        Command::Table(options) => print_tables(&options),
        Command::List => {
            list();
            Ok(true)
        }
        Command::Agree(options) => agreement::compare(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what was asked for; one work that fails does not keep others from being measured.
fn run(options: Options) -> Result<bool> {
    let chosen = works::chosen(&options.works, options.quick)?;
    let mut session = Session::new(options)?;
    let mut well = true;
    for choice in &chosen {
        if let Err(error) = (choice.work.run)(&mut session, choice) {
            well = false;
            eprintln!("error: `{}`: {error:#}", choice.work.name);
        }
    }
    for (work, results) in session.measured() {
        println!("\n{}\n\n{}", work.title, table::text(results));
    }
    Ok(well)
}

fn print_tables(options: &TableOptions) -> Result<bool> {
    for choice in works::chosen(&options.works, false)? {
        let results = results::of_work(&options.out, choice.work)?;
        if results.is_empty() {
            continue;
        }
        if options.markdown {
            println!("## {}\n\n{}\n", choice.work.title, table::markdown(&results));
        } else {
            println!("\n{}\n\n{}", choice.work.title, table::text(&results));
        }
    }
    Ok(true)
}

fn list() {
    for work in works::ALL {
        println!("{}  {}", work.name, work.title);
        for case in work.cases {
            let heavy = if case.heavy { " (heavy)" } else { "" };
            println!("  {}/{}  {}{heavy}", work.name, case.name, case.title);
        }
    }
}

/// Says on standard error what is being done.
fn say(message: impl std::fmt::Display) {
    eprintln!("{:>10}  {message}", "bench");
}
