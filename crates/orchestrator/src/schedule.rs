//! The run: tasks become ready, run, and make others ready.

use std::{
    collections::{BTreeSet, VecDeque},
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

use jiff::Timestamp;
use petgraph::{Direction, graph::NodeIndex};
use scarce_stage::{Failure, Level};
use scarce_store::{Damage, Entry, Lookup, Usage};

use crate::{
    Orchestrator, Reason, Result, RunEvent, Summary, TaskStatus,
    assess::{Assessment, Assessor, Work, last_record},
    finish,
    ingredients::producers,
    orchestrator::say,
    resources::{Held, Request, Share},
    verified::Verified,
    views,
    worker::{Assignment, Outcome, Shared},
};

/// An artifact that is damaged again and again lies on a disk that fails.
const MOST_REPAIRS: usize = 3;

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
    requests: Vec<Request>,
    repairs: Vec<usize>,
    ready: BTreeSet<usize>,
    held: Held,
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
    let begin = (Instant::now(), Timestamp::now());
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
    run.work_off();
    let summary = finish::finish(&run, last.as_ref(), begin)?;
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
        let mut run = Self {
            shared,
            assessor,
            states: (0..n).map(|_| State::Pending).collect(),
            works: vec![None; n],
            threads: vec![None; n],
            requests: pipeline.tasks().map(request).collect(),
            repairs: vec![0; n],
            ready: BTreeSet::new(),
            held: Held::default(),
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
        // A task that does not fit does not keep smaller ones from starting.
        for index in self.ready.clone() {
            let heavy = self.ready.iter().filter(|&&index| !self.requests[index].light).count();
            let Some(share) = self.held.take(&self.requests[index], heavy, options) else {
                continue;
            };
            self.ready.remove(&index);
            let Some(work) = self.works[index].clone() else { continue };
            self.states[index] = State::Running;
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
                self.done(index, Arc::new(entry), Some(usage));
                self.advance(index);
            }
            Outcome::Reused { entry } => {
                let key = entry.manifest.key.clone();
                self.shared.emit(RunEvent::Cached { task, key });
                self.done(index, Arc::new(entry), None);
                self.advance(index);
            }
            Outcome::Failed { failure, log } => self.fail(index, failure, log),
            Outcome::DamagedInput { producer, damage } => self.repair(index, producer, damage),
            Outcome::Stopped => self.states[index] = State::Pending,
        }
    }

    fn done(&mut self, index: usize, entry: Arc<Entry>, usage: Option<Usage>) {
        let orchestrator = self.shared.orchestrator;
        let folder = self.shared.task(index).folder();
        let linked =
            views::link(&orchestrator.root, &orchestrator.whole.name, &folder, &entry.folder);
        if let Err(error) = linked {
            // Made again when the run ends; what matters is in the store.
            tracing::debug!("a view is not there yet: {error}");
        }
        self.states[index] = State::Done { entry, usage };
    }

    /// Judges what depends on a task that is done, and what depends on that if it is cached.
    fn advance(&mut self, index: usize) {
        let mut done = VecDeque::from([index]);
        while let Some(index) = done.pop_front() {
            for dependent in self.dependents(index) {
                if matches!(self.states[dependent], State::Pending) && self.assess(dependent) {
                    done.push_back(dependent);
                }
            }
        }
    }

    fn dependents(&self, index: usize) -> BTreeSet<usize> {
        let graph = &self.shared.orchestrator.pipeline.graph;
        let neighbours = graph.neighbors_directed(NodeIndex::new(index), Direction::Outgoing);
        neighbours.map(NodeIndex::index).collect()
    }

    /// Judges a task if all that it needs is there; true if its result is too.
    fn assess(&mut self, index: usize) -> bool {
        let entry = |i: usize| self.states[i].entry().cloned();
        if producers(self.shared.task(index)).any(|i| entry(i.index()).is_none()) {
            return false;
        }
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
                if let Some(damage) = work.damage() {
                    self.set_aside(index, &work, damage);
                }
                self.works[index] = Some(work);
                self.states[index] = State::Ready;
                self.ready.insert(index);
                false
            }
        }
    }

    /// Quarantines a damaged entry.
    fn set_aside(&self, index: usize, work: &Work, damage: &Damage) {
        let kind = &self.shared.task(index).kind;
        let moved = self.shared.orchestrator.store.quarantine(kind, &work.key, damage);
        let quarantine = moved.unwrap_or_else(|error| {
            say(self.shared.events, Level::Warn, format!("the damaged artifact stays: {error}"));
            None
        });
        let (task, damage) = (self.shared.reference(index), damage.clone());
        self.shared.emit(RunEvent::Damaged { task, damage, quarantine });
    }

    /// A task could not start since `producer`'s result is damaged: that is computed again first.
    fn repair(&mut self, index: usize, producer: usize, damage: Damage) {
        self.states[index] = State::Pending;
        let State::Done { entry, .. } = &self.states[producer] else {
            // Somebody else who reads it was faster.
            if matches!(self.states[producer], State::Failed { .. } | State::Skipped) {
                self.skip(index, producer);
            }
            return;
        };
        let entry = Arc::clone(entry);
        self.repairs[producer] += 1;
        if self.repairs[producer] > MOST_REPAIRS {
            let message = format!("its result was damaged {MOST_REPAIRS} times: {damage}");
            let failure = Failure::new("orchestrator::disk", message)
                .help("check the disk that the artifacts lie on");
            self.fail(producer, failure, None);
            return;
        }
        if let Err(error) = self.examine(producer, &entry) {
            self.fail(producer, error.into(), None);
            return;
        }
        self.states[producer] = State::Pending;
        if self.assess(producer) {
            self.advance(producer);
        } else if let Some(work) = &mut self.works[producer] {
            work.reasons = vec![Reason::Damaged { damage }];
        }
    }

    /// Sets an entry aside if it is damaged, and not merely another than before: a run elsewhere may
    /// have replaced it.
    fn examine(&self, index: usize, entry: &Entry) -> Result<()> {
        let store = &self.shared.orchestrator.store;
        let (kind, key) = (&entry.manifest.kind, &entry.manifest.key);
        let damage = match store.find(kind, key)? {
            Lookup::Absent => None,
            Lookup::Damaged(damage) => Some(damage),
            Lookup::Hit(entry) => store.verify(&entry)?,
        };
        if let Some(damage) = damage {
            let quarantine = store.quarantine(kind, key, &damage)?;
            let task = self.shared.reference(index);
            self.shared.emit(RunEvent::Damaged { task, damage, quarantine });
        }
        Ok(())
    }

    fn fail(&mut self, index: usize, failure: Failure, log: Option<PathBuf>) {
        let task = self.shared.reference(index);
        self.shared.emit(RunEvent::Failed { task, failure: failure.clone(), log: log.clone() });
        self.states[index] = State::Failed { failure, log };
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

    fn skip(&mut self, index: usize, because: usize) {
        self.ready.remove(&index);
        self.states[index] = State::Skipped;
        let (task, because) = (self.shared.reference(index), self.shared.reference(because));
        self.shared.emit(RunEvent::Skipped { task, because });
    }
}
