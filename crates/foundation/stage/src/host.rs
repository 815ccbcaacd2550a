//! A host program: `describe` and `exec JOB.json` over a list of kinds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
};

use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Context, Event, Failure, HostDescription, Job, Kind, Level, OTHER_ENVIRONMENT, PROTOCOL,
};

/// Variable that makes the host end when its standard input closes, so that no stage outlives a
/// killed orchestrator.
pub const WATCH_STDIN: &str = "SCARCE_WATCH_STDIN";

/// What the program's arguments ask of it as a host.
pub enum Request<'a> {
    /// Print the description.
    Describe,
    /// Run the job in this file.
    Exec(&'a Path),
}

/// Answers a request on standard output. Exit code 0: done; 1: the stage failed; 2: wrong request.
pub fn answer(request: &Request<'_>, kinds: &[Kind]) -> ExitCode {
    match request {
        Request::Describe => describe(kinds),
        Request::Exec(job) => exec(job, kinds),
    }
}

/// The whole `main` of a host that is nothing else.
pub fn main(kinds: &[Kind]) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect::<Vec<_>>()[..] {
        ["describe"] => answer(&Request::Describe, kinds),
        ["exec", _] => answer(&Request::Exec(Path::new(&arguments[1])), kinds),
        _ => {
            let mut stderr = std::io::stderr();
            let _ = writeln!(stderr, "usage: HOST describe | HOST exec JOB.json");
            ExitCode::from(2)
        }
    }
}

fn describe(kinds: &[Kind]) -> ExitCode {
    let host = HostDescription {
        protocol: PROTOCOL,
        kinds: kinds.iter().map(|kind| kind.description().clone()).collect(),
    };
    let written = serde_json::to_vec(&host)
        .map_err(std::io::Error::other)
        .and_then(|text| std::io::stdout().write_all(&text));
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exec(path: &Path, kinds: &[Kind]) -> ExitCode {
    if std::env::var_os(WATCH_STDIN).is_some() {
        thread::spawn(end_with_stdin);
    }
    let job = match read_job(path) {
        Ok(job) => job,
        Err(failure) => {
            report(&mut std::io::stdout(), &Event::Failed(failure));
            return ExitCode::from(2);
        }
    };
    let (kind_name, keyed) = (job.kind.clone(), job.environment.clone());
    let context = Arc::new(Context::new(job, std::io::stdout()));
    let _ = tracing_subscriber::registry().with(EventLayer(Arc::clone(&context))).try_init();
    let result = kinds
        .iter()
        .find(|kind| kind.description().kind == kind_name)
        .ok_or_else(|| {
            Failure::new("stage::unknown_kind", format!("this host has no kind `{kind_name}`"))
        })
        .and_then(|kind| {
            same_environment(keyed.as_ref(), &kind.description().environment)?;
            kind.run(context.params(), &context)
        });
    match result {
        Ok(()) => {
            context.send(&Event::Done);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            context.send(&Event::Failed(failure));
            ExitCode::FAILURE
        }
    }
}

fn read_job(path: &Path) -> Result<Job, Failure> {
    let text = fs_err::read(path).map_err(|error| Failure::new("stage::job", error.to_string()))?;
    let job: Job = serde_json::from_slice(&text).map_err(|error| {
        Failure::new("stage::job", format!("`{}` is not a job: {error}", path.display()))
    })?;
    if job.protocol != PROTOCOL {
        let message = format!("the job speaks protocol {}, this host {PROTOCOL}", job.protocol);
        return Err(Failure::new("stage::protocol", message)
            .help("install `scarce` and its hosts in the same version"));
    }
    Ok(job)
}

/// Refuses to compute under a key that names another environment: a CPU's numbers would be kept as
/// those of a GPU.
fn same_environment(
    keyed: Option<&BTreeMap<String, String>>,
    found: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let Some(keyed) = keyed else { return Ok(()) };
    let names: BTreeSet<&String> = keyed.keys().chain(found.keys()).collect();
    let text = |value: Option<&String>| value.map_or("unset".to_owned(), |v| format!("`{v}`"));
    let differences = names.into_iter().filter(|name| keyed.get(*name) != found.get(*name));
    let differences: Vec<String> = differences
        .map(|name| {
            format!("{name} was {} and is {}", text(keyed.get(name)), text(found.get(name)))
        })
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    let message =
        format!("the machine is not the one that was planned for: {}", differences.join(", "));
    Err(Failure::new(OTHER_ENVIRONMENT, message)
        .help("run it again: results of the two are kept apart, and this host is asked anew"))
}

fn report(out: &mut impl Write, event: &Event) {
    if let Ok(text) = serde_json::to_string(event) {
        let _ = writeln!(out, "{text}");
    }
}

/// The orchestrator holds the other end of standard input; when it dies, so do we.
#[expect(clippy::exit, reason = "a watchdog thread has no other way to end the process")]
fn end_with_stdin() {
    let mut byte = [0];
    while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
    std::process::exit(130);
}

/// Turns `tracing` events into protocol events.
struct EventLayer(Arc<Context>);

impl<S: tracing::Subscriber> Layer<S> for EventLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => return,
        };
        let mut message = String::new();
        event.record(&mut Sentence(&mut message));
        // Libraries chatter below a warning; a stage's own words are kept from `info` up.
        let own = event.metadata().target().starts_with("scarce");
        if own || level >= Level::Warn {
            self.0.send(&Event::Log { level, message });
        }
    }
}

/// The message first, then the fields as `name=value`.
struct Sentence<'a>(&'a mut String);

impl Visit for Sentence<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = if field.name() == "message" {
            format!("{value:?}")
        } else {
            format!("{}={value:?}", field.name())
        };
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&text);
    }
}
