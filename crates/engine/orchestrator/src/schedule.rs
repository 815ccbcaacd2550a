//! The run: tasks become ready, run, and make others ready.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Sender},
    },
    thread::{self, Scope},
    time::Instant,
};

use petgraph::{Direction, graph::NodeIndex};
use scarce_stage::{Failure, Level};
use scarce_store::{Entry, Usage};

use crate::{
    Orchestrator, Result, RunEvent, Summary, TaskStatus,
    assess::{Assessment, Assessor, Work, last_record},
    classes::Meetings,
    finish,
    ingredients::producers,
    orchestrator::say,
    ready::Ready,
    record::{self, Journal},
    repair::Repairs,
    resources::{Held, Request, Share},
    verified::Verified,
    views::Views,
    worker::{Assignment, Outcome, Shared},
};

/// Where a task stands.
pub(crate) enum State {
    /// It needs something that is not there yet.
    Pending,
    /// It can run.
    Ready,
    /// It runs.
    Running,
    /// Its result is there.
    Done { entry: Arc<Entry>, usage: Option<Usage> },
    /// It failed.
    Failed { failure: Failure, log: Option<PathBuf> },
    /// It cannot run.
    Skipped,
}

impl State {
    /// What the record says of it.
    pub(crate) fn status(&self) -> TaskStatus {
        match self {
            Self::Pending | Self::Ready | Self::Running => TaskStatus::NotReached,
            Self::Done { usage: Some(_), .. } => TaskStatus::Ran,
            Self::Done { usage: None, .. } => TaskStatus::Cached,
            Self::Failed { .. } => TaskStatus::Failed,
            Self::Skipped => TaskStatus::Skipped,
        }
    }

    pub(crate) fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Self::Done { entry, .. } => Some(entry),
            _ => None,
        }
    }
}

/// A run in progress.
pub(crate) struct Run<'a> {
    pub(crate) shared: &'a Shared<'a>,
    pub(crate) assessor: Assessor<'a>,
    pub(crate) states: Vec<State>,
    /// What is known of how to run a task; it stays for the record.
    pub(crate) works: Vec<Option<Work>>,
    /// Threads that tasks were given.
    pub(crate) threads: Vec<Option<usize>>,
    /// Of how many tasks that it reads the results are not there.
    missing: Vec<usize>,
    ready: Ready,
    pub(crate) repairs: Repairs,
    held: Held,
    meetings: Meetings,
    /// What is done, for whoever finds the run killed.
    pub(crate) journal: Option<Journal>,
    /// No new tasks are started.
    closing: bool,
}

struct Report {
    index: usize,
    share: Share,
    outcome: Outcome,
}

pub(crate) fn run(
    orchestrator: &Orchestrator<'_>,
    interrupt: &AtomicBool,
    events: &(dyn Fn(RunEvent) + Sync),
) -> Result<Summary> {
    let begin = (Instant::now(), scarce_store::now());
    let mut told = false;
    let mut waiting = || {
        if !told {
            told = true;
            say(events, Level::Info, "waiting until garbage has been collected".to_owned());
        }
        !interrupt.load(Ordering::Relaxed)
    };
    // Held to the end: nothing that this run uses is collected.
    let Some(_session) = orchestrator.store.session(&mut waiting)? else {
        return Ok(finish::never_began(orchestrator));
    };
    let last = last_record(&orchestrator.root, &orchestrator.whole.name, &|l, m| say(events, l, m));
    let mut assessor = orchestrator.assessor(last.as_ref());
    let assessments = orchestrator.assess_all(&mut assessor)?;
    events(RunEvent::Planned { tasks: orchestrator.planned(&assessments) });
    let shared = Shared { orchestrator, interrupt, events, verified: Verified::default() };
    let mut run = Run::new(&shared, assessor, assessments);
    finish::begin_journal(&mut run, begin.1);
    run.work_off();
    let summary = finish::finish(&mut run, last.as_ref(), begin)?;
    events(RunEvent::Ended { summary: summary.clone() });
    Ok(summary)
}

impl<'a> Run<'a> {
    fn new(
        shared: &'a Shared<'a>,
        assessor: Assessor<'a>,
        assessments: Vec<Option<Assessment>>,
    ) -> Self {
        let Orchestrator { pipeline, hosts, options, .. } = shared.orchestrator;
        let request = |(_, task): (_, &scarce_pipeline::Task)| {
            let needs = hosts.get(&task.kind).map_or_else(Default::default, |(_, d)| d.needs);
            let variants = pipeline.stage(&task.stage).map_or(1, |stage| stage.tasks.len());
            Request::new(task.resources, needs, variants, options)
        };
        let n = assessments.len();
        let distinct =
            |(_, task): (_, &scarce_pipeline::Task)| producers(task).collect::<HashSet<_>>().len();
        let mut run = Self {
            shared,
            assessor,
            states: (0..n).map(|_| State::Pending).collect(),
            works: vec![None; n],
            threads: vec![None; n],
            missing: pipeline.tasks().map(distinct).collect(),
            ready: Ready::new(pipeline.tasks().map(request)),
            repairs: Repairs::default(),
            held: Held::default(),
            meetings: Meetings::default(),
            journal: None,
            closing: false,
        };
        for (index, assessment) in assessments.into_iter().enumerate() {
            if let Some(assessment) = assessment {
                run.place(index, assessment);
            }
        }
        run
    }

    /// Starts what can be started and waits for reports until nothing is left.
    fn work_off(&mut self) {
        let (sender, reports) = mpsc::channel();
        thread::scope(|scope| {
            loop {
                self.start_ready(scope, &sender);
                if self.held.tasks == 0 {
                    break;
                }
                let Ok(report) = reports.recv() else { break };
                self.held.give_back(report.share);
                self.take_in(report);
            }
        });
    }

    fn start_ready<'s>(&mut self, scope: &'s Scope<'s, '_>, sender: &Sender<Report>)
    where
        'a: 's,
    {
        if self.closing || self.shared.interrupt.load(Ordering::Relaxed) {
            return;
        }
        let options = &self.shared.orchestrator.options;
        while let Some((index, share)) = self.ready.next(&mut self.held, options) {
            let Some(work) = self.works[index].clone() else {
                self.held.give_back(share);
                continue;
            };
            self.set(index, State::Running);
            self.threads[index] = Some(share.threads);
            let task = self.shared.task(index);
            let input =
                |i: NodeIndex| Some((i.index(), Arc::clone(self.states[i.index()].entry()?)));
            let inputs = producers(task).filter_map(input).collect();
            let assignment = Assignment { index, work, share, inputs };
            let (shared, sender) = (self.shared, sender.clone());
            scope.spawn(move || {
                // Without a report the run would wait for ever.
                let outcome = catch_unwind(AssertUnwindSafe(|| shared.execute(&assignment)));
                let outcome = outcome.unwrap_or_else(|_| Outcome::Failed {
                    failure: Failure::new("orchestrator::panic", "this is a bug in `scarce`"),
                    log: None,
                });
                let _ = sender.send(Report { index, share, outcome });
            });
        }
    }

    fn take_in(&mut self, report: Report) {
        let index = report.index;
        let task = self.shared.reference(index);
        match report.outcome {
            Outcome::Done { entry, usage } => {
                let key = entry.manifest.key.clone();
                self.shared.emit(RunEvent::Finished { task, key, usage });
                self.arrived(index, Arc::new(entry), Some(usage));
            }
            Outcome::Reused { entry } => {
                let key = entry.manifest.key.clone();
                self.shared.emit(RunEvent::Cached { task, key });
                self.arrived(index, Arc::new(entry), None);
            }
            // Its inputs were replaced under its hands; with those that are there now it may do.
            Outcome::Failed { .. } if self.repairs.is_outdated(index) => self.again(index),
            Outcome::Failed { failure, log } => self.fail(index, failure, log),
            Outcome::DamagedInput { producer, damage } => self.repair(index, producer, damage),
            Outcome::Replaced => self.replaced(index),
            Outcome::Stopped => self.set(index, State::Pending),
        }
    }

    /// Takes in what a process has computed.
    fn arrived(&mut self, index: usize, entry: Arc<Entry>, usage: Option<Usage>) {
        if self.repairs.is_outdated(index) {
            self.again(index);
        } else {
            self.done(index, entry, usage);
            self.advance(index);
        }
    }

    /// Judges a task once more.
    pub(crate) fn again(&mut self, index: usize) {
        self.set(index, State::Pending);
        if self.assess(index) {
            self.advance(index);
        }
    }

    /// Where a task stands now.
    pub(crate) fn set(&mut self, index: usize, state: State) {
        let (had, has) = (self.states[index].entry().is_some(), state.entry().is_some());
        if !matches!(state, State::Ready) {
            self.ready.remove(index);
        }
        self.states[index] = state;
        if had != has {
            for dependent in self.dependents(index) {
                let missing = &mut self.missing[dependent];
                *missing = if has { missing.saturating_sub(1) } else { *missing + 1 };
            }
        }
    }

    fn done(&mut self, index: usize, entry: Arc<Entry>, usage: Option<Usage>) {
        let Orchestrator { root, whole, .. } = self.shared.orchestrator;
        let folder = self.shared.task(index).folder();
        // Another run that shows something now would take our links for leftovers: then views have time
        // until the run ends.
        let shown = record::try_lock(root, &whole.name).and_then(|lock| match lock {
            Some(_lock) => Views::new(root, &whole.name).show(&folder, &entry),
            None => Ok(()),
        });
        if let Err(error) = shown {
            // Made again when the run ends; what matters is in the store.
            tracing::debug!("a view is not there yet: {error}");
        }
        let state = State::Done { entry: Arc::clone(&entry), usage };
        self.set(index, state);
        finish::note(self, index);
        self.compare(index, &entry);
        self.meet(index, &entry);
    }

    /// A stage that could not take what is there now will not be able to later.
    fn meet(&mut self, index: usize, entry: &Entry) {
        let Orchestrator { pipeline, hosts, .. } = self.shared.orchestrator;
        let Some((reader, failure)) = self.meetings.look(pipeline, hosts, index, entry) else {
            return;
        };
        if matches!(self.states[reader], State::Pending) {
            self.fail(reader, failure, None);
            self.spare(reader);
        }
    }

    /// What would be computed for nothing but a task that cannot run is not computed.
    fn spare(&mut self, because: usize) {
        let mut waiting = vec![because];
        while let Some(next) = waiting.pop() {
            let above: BTreeSet<usize> =
                producers(self.shared.task(next)).map(NodeIndex::index).collect();
            for producer in above {
                let is_lost = |index: &usize| {
                    matches!(self.states[*index], State::Failed { .. } | State::Skipped)
                };
                let is_open = matches!(self.states[producer], State::Pending | State::Ready);
                if is_open && self.dependents(producer).iter().all(is_lost) {
                    self.skip(producer, because);
                    waiting.push(producer);
                }
            }
        }
    }

    /// Judges what depends on a task that is done, and what depends on that if it is cached.
    pub(crate) fn advance(&mut self, index: usize) {
        let mut done = VecDeque::from([index]);
        while let Some(index) = done.pop_front() {
            for dependent in self.dependents(index) {
                if matches!(self.states[dependent], State::Pending) && self.assess(dependent) {
                    done.push_back(dependent);
                }
            }
        }
    }

    pub(crate) fn dependents(&self, index: usize) -> BTreeSet<usize> {
        let graph = &self.shared.orchestrator.pipeline.graph;
        let neighbours = graph.neighbors_directed(NodeIndex::new(index), Direction::Outgoing);
        neighbours.map(NodeIndex::index).collect()
    }

    /// Judges a task if all that it needs is there; true if its result is too.
    pub(crate) fn assess(&mut self, index: usize) -> bool {
        if self.missing[index] > 0 {
            return false;
        }
        let entry = |i: usize| self.states[i].entry().cloned();
        match self.assessor.assess(index, &entry) {
            Ok(assessment) => self.place(index, assessment),
            Err(error) => {
                self.fail(index, error.into(), None);
                false
            }
        }
    }

    /// Acts on a judgement; true if the result is there.
    fn place(&mut self, index: usize, assessment: Assessment) -> bool {
        match assessment {
            Assessment::Cached(entry) => {
                let (task, key) = (self.shared.reference(index), entry.manifest.key.clone());
                self.shared.emit(RunEvent::Cached { task, key });
                self.done(index, entry, None);
                true
            }
            Assessment::Run(work) => {
                self.works[index] = Some(work);
                self.set(index, State::Ready);
                self.ready.insert(index);
                false
            }
        }
    }

    pub(crate) fn fail(&mut self, index: usize, failure: Failure, log: Option<PathBuf>) {
        let task = self.shared.reference(index);
        self.shared.emit(RunEvent::Failed { task, failure: failure.clone(), log: log.clone() });
        self.set(index, State::Failed { failure, log });
        self.closing |= !self.shared.orchestrator.options.keep_going;
        let mut lost = VecDeque::from([index]);
        while let Some(next) = lost.pop_front() {
            for dependent in self.dependents(next) {
                if matches!(self.states[dependent], State::Pending | State::Ready) {
                    self.skip(dependent, index);
                    lost.push_back(dependent);
                }
            }
        }
    }

    pub(crate) fn skip(&mut self, index: usize, because: usize) {
        self.set(index, State::Skipped);
        let (task, because) = (self.shared.reference(index), self.shared.reference(because));
        self.shared.emit(RunEvent::Skipped { task, because });
    }
}
