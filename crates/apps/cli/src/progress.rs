//! What a person or program sees while a run goes on, all on standard error (JSON: standard output).

use std::{
    collections::HashMap,
    io::{IsTerminal, Write},
    sync::Mutex,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use scarce_orchestrator::{RunEvent, TaskRef};
use scarce_stage::{Failure, Level};

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(120);

/// Takes events from any thread and shows them.
pub(crate) struct Progress {
    mode: Mode,
    /// Messages below this level are left to the log files.
    level: Level,
    state: Mutex<State>,
}

enum Mode {
    /// Bars that move, with lines scrolling above them.
    Terminal(MultiProgress),
    /// A line per event that matters.
    Lines,
    /// Every event as JSON on standard output.
    Json,
}

#[derive(Default)]
struct State {
    total: usize,
    ended: usize,
    bars: HashMap<usize, ProgressBar>,
    overall: Option<ProgressBar>,
}

impl State {
    /// Takes what is left off the terminal.
    fn close(&mut self) {
        for (_, bar) in self.bars.drain() {
            bar.finish_and_clear();
        }
        if let Some(overall) = self.overall.take() {
            overall.finish_and_clear();
        }
    }
}

impl Progress {
    /// Bars on a terminal, lines elsewhere, JSON for programs.
    pub(crate) fn new(json: bool, quiet: bool, verbose: u8) -> Self {
        let mode = match json {
            true => Mode::Json,
            false if std::io::stderr().is_terminal() && !quiet => {
                Mode::Terminal(MultiProgress::new())
            }
            false => Mode::Lines,
        };
        let level = match verbose {
            _ if quiet => Level::Error,
            0 => Level::Warn,
            1 => Level::Info,
            _ => Level::Debug,
        };
        Self { mode, level, state: Mutex::default() }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: &RunEvent) {
        if matches!(self.mode, Mode::Json) {
            if let Ok(text) = serde_json::to_string(event) {
                // A reader that is gone does not stop the run.
                let _ = writeln!(std::io::stdout().lock(), "{text}");
            }
            return;
        }
        let Ok(mut state) = self.state.lock() else { return };
        match event {
            RunEvent::Planned { tasks } => state.total = tasks.len(),
            RunEvent::Cached { .. } => self.ended(&mut state, None, ""),
            RunEvent::Waiting { task, .. } => {
                self.line(&format!(
                    "{:>8}  {} (the same is being computed already)",
                    "waiting", task.label
                ));
            }
            RunEvent::Started { task, reasons, .. } => {
                let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                self.started(&mut state, task, &why.join(", "));
            }
            RunEvent::Progress { task, done, total, unit, message } => {
                if let Some(bar) = state.bars.get(&task.index) {
                    set_position(bar, *done, *total, unit, message);
                }
            }
            RunEvent::Log { task, level, message } => {
                if *level >= self.level {
                    let place = task.as_ref().map_or("scarce", |task| task.label.as_str());
                    self.line(&format!("{:>8}  {place}: {message}", level_word(*level)));
                }
            }
            RunEvent::Finished { task, usage, .. } => {
                let text = format!("{:>8}  {}", seconds(usage.wall_seconds), task.label);
                self.ended(&mut state, Some(task), &text);
            }
            RunEvent::Failed { task, failure, log } => {
                let mut text = failure_text(&task.label, failure);
                if let Some(log) = log {
                    text += &format!("\n{:>8}  {}", "log", log.display());
                }
                self.ended(&mut state, Some(task), "");
                self.always(&text);
            }
            RunEvent::Skipped { task, because } => {
                // One failure may skip hundreds: the last line counts them.
                self.ended(&mut state, Some(task), "");
                if self.level <= Level::Info {
                    self.line(&format!(
                        "{:>8}  {} (needs {})",
                        "skipped", task.label, because.label
                    ));
                }
            }
            RunEvent::Damaged { task, damage, quarantine } => {
                let mut text =
                    format!("{:>8}  {}: {damage}; computing it again", "damaged", task.label);
                if let Some(place) = quarantine {
                    text += &format!("\n{:>8}  the damaged files are in {}", "", place.display());
                }
                self.always(&text);
            }
            RunEvent::Ended { .. } => state.close(),
        }
    }

    /// The last line of a run.
    pub(crate) fn conclude(&self, text: &str) {
        self.line(text);
    }

    fn started(&self, state: &mut State, task: &TaskRef, why: &str) {
        if let Mode::Terminal(bars) = &self.mode {
            if state.overall.is_none() {
                let overall = bars.add(ProgressBar::new(state.total as u64));
                overall.set_style(style("{prefix:>8}  {wide_bar:.green} {pos}/{len}"));
                overall.set_prefix("stages");
                overall.set_position(state.ended as u64);
                state.overall = Some(overall);
            }
            let bar = bars.insert_from_back(1, ProgressBar::new_spinner());
            bar.set_style(style("{spinner:>8}  {prefix} {msg:.dim}"));
            bar.set_prefix(task.label.clone());
            bar.set_message(why.to_owned());
            bar.enable_steady_tick(TICK);
            state.bars.insert(task.index, bar);
        } else if self.level <= Level::Info {
            self.line(&format!("{:>8}  {} ({why})", "start", task.label));
        }
    }

    /// A task is off the board, one way or another.
    fn ended(&self, state: &mut State, task: Option<&TaskRef>, text: &str) {
        state.ended += 1;
        if let Some(bar) = task.and_then(|task| state.bars.remove(&task.index)) {
            bar.finish_and_clear();
        }
        if let Some(overall) = &state.overall {
            overall.set_position(state.ended as u64);
        }
        if !text.is_empty() {
            self.line(text);
        }
    }

    /// A line unless silence was asked for.
    fn line(&self, text: &str) {
        if self.level < Level::Error {
            self.always(text);
        }
    }

    fn always(&self, text: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        };
        match &self.mode {
            Mode::Terminal(bars) => bars.suspend(write),
            _ => write(),
        }
    }
}

/// Templates are fixed text: a wrong one shows as the default style, not as a failure.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn set_position(bar: &ProgressBar, done: u64, total: u64, unit: &str, message: &str) {
    if total > 0 && bar.length() != Some(total) {
        bar.set_length(total);
        bar.set_style(style("{spinner:>8}  {prefix} {bar:20} {pos}/{len} {msg:.dim}"));
    }
    bar.set_position(done);
    bar.set_message(format!("{unit} {message}"));
}

/// A failure as lines: what, and the way out.
pub(crate) fn failure_text(label: &str, failure: &Failure) -> String {
    let mut text = format!("{:>8}  {label}: {} [{}]", "failed", failure.message, failure.code);
    if let Some(help) = &failure.help {
        text += &format!("\n{:>8}  {help}", "help");
    }
    text
}

/// Seconds as people read them.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 100.0 => format!("{s:.1} s"),
        s => format!("{:.0}m{:02.0}s", (s / 60.0).floor(), s % 60.0),
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "note",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}
