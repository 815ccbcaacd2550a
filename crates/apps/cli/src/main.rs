//! The `scarce` binary: commands, progress and diagnostics at the edge; and, as a host, the stage kinds
//! that need no libtorch.
//!
//! Everything that talks to a terminal or reads the environment lives here; the libraries beneath do
//! neither. Results go to standard output, progress and logs to standard error.
#![allow(clippy::format_push_string, reason = "prose for people, put together once")]

mod args;
mod commands;
mod error;
mod output;
mod progress;
mod registry;
mod signals;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};
use scarce_orchestrator::{BuiltIn, Garbage, Hosts, Options, Orchestrator, Record, Search};
use scarce_pipeline::{Document, Overrides, Pipeline, json_schema};
use scarce_stage::host;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{
    args::{Cli, Command, Global, PipelineArgs, PredictArgs, RunArgs},
    commands::{
        bundle, check, collection, data, diff, export, graph, label, new, plan, predict, report,
        run, runs, show, stages, store, tables,
    },
    error::CliError,
    output::Output,
    progress::Progress,
};

/// Keeps freed memory for the next table or matrix: the system clears every page that it hands out, which
/// takes a tenth of the time or more where large ones come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    signals::reset();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // A stage's process: its output is protocol, not prose.
    match &cli.command {
        Command::Describe => return host::answer(&host::Request::Describe, &registry::kinds()),
        Command::Exec { job } => {
            return host::answer(&host::Request::Exec(job), &registry::kinds());
        }
        _ => {}
    }
    log_to_stderr(&cli.global);
    let mut out = Output::new(cli.global.json);
    match dispatch(cli.command, &cli.global, &mut out) {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(error, &mut out),
    }
}

/// Help and version as they are; a wrong word as the other errors, for programs too.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let message = error.render().to_string();
        let message = message.trim().trim_start_matches("error: ").to_owned();
        let mut out = Output::new(true);
        return complain(CliError::Usage { message }, &mut out);
    }
    // A reader that is gone (`scarce --help | head`) is no error.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn dispatch(command: Command, global: &Global, out: &mut Output) -> Result<u8, CliError> {
    let root = &global.artifacts;
    match command {
        Command::Run(args) => return run_or_plan(&args, global, false, out),
        Command::Plan(args) => return run_or_plan(&args, global, true, out),
        Command::Check(args) => check::run(&load(&args, global, Some(&[]))?.0, out)?,
        Command::Graph(args) => graph::run(&args, &load(&args.pipeline, global, None)?.0, out)?,
        Command::Show(args) => show::run(&args, root, out)?,
        Command::Report(args) => {
            let pipeline = named_by(&args.report, global)?;
            report::run(&args, pipeline.as_deref(), root, out)?;
        }
        Command::Runs { pipeline } => runs::run(pipeline.as_deref(), root, out)?,
        Command::Stages { kind, format } => {
            stages::run(kind.as_deref(), format, &hosts(&[], root)?.catalogue(), out)?;
        }
        Command::Tables { table, format } => tables::run(table.as_deref(), format, out)?,
        Command::Predict(args) => return predicted(&args, global, out),
        Command::Bundle(args) => {
            let (pipeline, hosts, stage) = finished(&args.run, global)?;
            let options = Options { data: data_folders(global), ..Options::default() };
            let orchestrator = Orchestrator::new(root, &pipeline, &hosts, options)?;
            bundle::run(&args, &orchestrator, stage.as_deref(), root, out)?;
        }
        Command::Diff(args) => diff::run(&args, root, out)?,
        Command::Schema => out.pretty_json(&json_schema(&hosts(&[], root)?.catalogue()))?,
        Command::Verify => store::verify(root, out)?,
        Command::Gc { dry_run, keep_runs, memo_days, grace } => {
            store::collect(root, &Garbage { keep_runs, grace, dry_run }, memo_days, out)?;
        }
        Command::Data(command) => data::run(&command, &data_folders(global), out)?,
        Command::New(args) => new::run(&args, &data_folders(global), out)?,
        Command::Export(args) if args.form.is_some() => collection::run(&args, global, out)?,
        Command::Export(args) => {
            let pipeline = named_by(&args.run, global)?;
            export::run(&args, pipeline.as_deref(), root, out)?;
        }
        Command::Label(args) => label::run(&args, global, out)?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "scarce", &mut script);
            let script = String::from_utf8_lossy(&script);
            if out.json() {
                out.print_json(&json!({ "shell": shell.to_string(), "script": script }))?;
            } else {
                out.line(script.trim_end())?;
            }
        }
        Command::Describe | Command::Exec { .. } => {}
    }
    Ok(0)
}

fn run_or_plan(
    args: &RunArgs,
    global: &Global,
    only_plan: bool,
    out: &mut Output,
) -> Result<u8, CliError> {
    let root = &global.artifacts;
    let (pipeline, hosts) = load(&args.pipeline, global, Some(&args.targets))?;
    let defaults = Options::default();
    let threads = args.threads.map_or(defaults.threads, |n| n as usize);
    let options = Options {
        jobs: args.jobs.map_or(threads, |n| n as usize),
        threads,
        memory: args.memory.or(defaults.memory),
        keep_going: args.keep_going,
        targets: args.targets.clone(),
        force: args.force.clone(),
        data: data_folders(global),
        overrides: overrides_text(&args.pipeline),
    };
    let orchestrator = Orchestrator::new(root, &pipeline, &hosts, options)?;
    if only_plan {
        plan::print(&orchestrator.plan()?, out)?;
        return Ok(0);
    }
    let progress = Progress::new(global.json, global.quiet, global.verbose);
    run::run(&orchestrator, root, &progress, out)
}

/// The pipeline, checked against all hosts; what is odd but harmless goes to standard error. Where it is
/// to run, or might, the files that `targets` read must be there; no target means all of it.
fn load(
    args: &PipelineArgs,
    global: &Global,
    targets: Option<&[String]>,
) -> Result<(Pipeline, Hosts), CliError> {
    let document = Document::read(&args.pipeline)?.with_data(&data_folders(global));
    let hosts = hosts(document.hosts(), &global.artifacts)?;
    let overrides = Overrides { set: args.set.clone(), axes: args.axis.clone() };
    let catalogue = hosts.catalogue();
    let pipeline = match targets {
        Some(targets) => Pipeline::resolve_to_run(&document, &catalogue, &overrides, targets)?,
        None => Pipeline::resolve(&document, &catalogue, &overrides)?,
    };
    for warning in &pipeline.warnings {
        show_diagnostic(warning.clone().into());
    }
    Ok((pipeline, hosts))
}

/// The name of the pipeline that a TOML file declares; `None` for anything else.
fn named_by(argument: &str, global: &Global) -> Result<Option<String>, CliError> {
    let path = PathBuf::from(argument);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Ok(None);
    }
    let args = PipelineArgs { pipeline: path, set: Vec::new(), axis: Vec::new() };
    Ok(Some(load(&args, global, None)?.0.name))
}

pub(crate) fn hosts(named: &[PathBuf], root: &Path) -> Result<Hosts, CliError> {
    let kinds = registry::kinds().iter().map(|kind| kind.description().clone()).collect();
    let builtin = BuiltIn { program: std::env::current_exe()?, kinds };
    let hosts = Hosts::discover(&Search::usual(named, builtin, root))?;
    for warning in hosts.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(hosts)
}

/// The pipeline of a finished run, as it was run last, and the stage that the argument names.
fn finished(run: &str, global: &Global) -> Result<(Pipeline, Hosts, Option<String>), CliError> {
    let plain = |pipeline: PathBuf| PipelineArgs { pipeline, set: Vec::new(), axis: Vec::new() };
    if Path::new(run).extension().is_some_and(|extension| extension == "toml") {
        let (pipeline, hosts) = load(&plain(run.into()), global, None)?;
        return Ok((pipeline, hosts, None));
    }
    let (name, stage) = match run.split_once('/') {
        Some((name, stage)) => (name, Some(stage.trim_end_matches('/').to_owned())),
        None => (run, None),
    };
    let root = &global.artifacts;
    let Some(record) = Record::last(root, name)? else {
        let known = Record::pipelines(root)?;
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(CliError::unknown(
            "pipeline that ran",
            name,
            &names,
            "`scarce runs` lists them",
        ));
    };
    let mut args = plain(record.file.clone());
    for change in &record.overrides {
        match change.split_once(' ') {
            Some(("--set", set)) => args.set.push(set.to_owned()),
            Some(("--axis", axis)) => args.axis.push(axis.to_owned()),
            _ => {}
        }
    }
    let (pipeline, hosts) = load(&args, global, None)?;
    Ok((pipeline, hosts, stage))
}

/// Makes or unpacks the bundle, and applies it.
fn predicted(args: &PredictArgs, global: &Global, out: &mut Output) -> Result<u8, CliError> {
    let root = &global.artifacts;
    let folder = tempfile::Builder::new().prefix("scarce-predict-").tempdir()?;
    let file = Path::new(&args.run);
    if file.is_file() && file.extension().is_none_or(|extension| extension != "toml") {
        bundle::unpack(Path::new(&args.run), folder.path())?;
        bundle::check(folder.path(), Path::new(&args.run))?;
    } else {
        let (pipeline, hosts, stage) = finished(&args.run, global)?;
        let options = Options { data: data_folders(global), ..Options::default() };
        let orchestrator = Orchestrator::new(root, &pipeline, &hosts, options)?;
        bundle::make(&orchestrator, stage.as_deref(), root, folder.path())?;
    }
    let file = predict::fill(folder.path(), &args.images)?;
    let (pipeline, hosts) = load(
        &PipelineArgs { pipeline: file, set: Vec::new(), axis: Vec::new() },
        global,
        Some(&[]),
    )?;
    let options = Options { data: data_folders(global), ..Options::default() };
    let orchestrator = Orchestrator::new(root, &pipeline, &hosts, options)?;
    // Standard output is for the answers.
    let progress = Progress::new(false, global.quiet, global.verbose);
    let code = run::quietly(&orchestrator, &progress)?;
    if code == 0 {
        predict::write(args, &orchestrator, out)?;
    }
    Ok(code)
}

/// What the command line changed, as it was typed.
fn overrides_text(args: &PipelineArgs) -> Vec<String> {
    let set = args.set.iter().map(|set| format!("--set {set}"));
    set.chain(args.axis.iter().map(|axis| format!("--axis {axis}"))).collect()
}

/// The folders given, or the user's data directory (XDG base directory specification).
pub(crate) fn data_folders(global: &Global) -> Vec<PathBuf> {
    if !global.data.is_empty() {
        return global.data.clone();
    }
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    base.map(|base| base.join("scarce")).into_iter().collect()
}

fn log_to_stderr(global: &Global) {
    let default = match global.verbose {
        _ if global.quiet => "error",
        0 | 1 => "warn",
        _ => "scarce=debug,warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}

/// Says what is wrong: a diagnostic on standard error, or JSON on standard output.
fn complain(error: CliError, out: &mut Output) -> ExitCode {
    let code = error.exit_code();
    if out.json() {
        let _ = out.print_json(&error.into_json());
    } else {
        show_diagnostic(error.into());
    }
    ExitCode::from(code)
}

/// On standard error. If nobody reads it (`scarce check … 2>&1 | head`) the exit code has to do.
fn show_diagnostic(report: miette::Report) {
    let _ = writeln!(std::io::stderr(), "{report:?}");
}
