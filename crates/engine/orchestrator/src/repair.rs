//! Results that turn out to be damaged while a run goes on are computed again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use scarce_stage::Failure;
use scarce_store::{Damage, Entry};

use crate::schedule::{Run, State};

/// An artifact that is damaged again and again lies on a disk that fails.
const MOST_REPAIRS: usize = 3;

/// What is being repaired, and whom that concerns.
#[derive(Default)]
pub(crate) struct Repairs {
    /// How often a task's result was damaged.
    counts: HashMap<usize, usize>,
    /// Results that were there and are being computed again.
    before: HashMap<usize, Arc<Entry>>,
    /// Tasks that run on results that have been replaced by others.
    outdated: HashSet<usize>,
    /// How often the inputs of a task were replaced while it ran.
    replaced: HashMap<usize, usize>,
}

impl Repairs {
    /// Whether what the task has just computed comes from inputs that are others now.
    pub(crate) fn is_outdated(&mut self, index: usize) -> bool {
        self.outdated.remove(&index)
    }
}

impl Run<'_> {
    /// A task could not start since `producer`'s result is damaged: that is computed again first.
    pub(crate) fn repair(&mut self, index: usize, producer: usize, damage: Damage) {
        self.set(index, State::Pending);
        let State::Done { entry, .. } = &self.states[producer] else {
            // Somebody else who reads it was faster.
            if matches!(self.states[producer], State::Failed { .. } | State::Skipped) {
                self.skip(index, producer);
            }
            return;
        };
        let entry = Arc::clone(entry);
        let count = self.repairs.counts.entry(producer).or_default();
        *count += 1;
        if *count > MOST_REPAIRS {
            let message = format!("its result was damaged {MOST_REPAIRS} times: {damage}");
            let failure = Failure::new("orchestrator::disk", message)
                .help("check the disk that the artifacts lie on");
            self.fail(producer, failure, None);
            return;
        }
        self.take_back(producer, entry);
        self.assessor.suspect(producer, damage);
        if self.assess(producer) {
            self.advance(producer);
        }
    }

    /// A result that was there is not; what waits for its turn with it waits for it again.
    fn take_back(&mut self, index: usize, entry: Arc<Entry>) {
        self.repairs.before.insert(index, entry);
        self.set(index, State::Pending);
        for dependent in self.dependents(index) {
            if matches!(self.states[dependent], State::Ready) {
                self.set(dependent, State::Pending);
            }
        }
    }

    /// A result is there. If it was there before and is another one now, since not every stage always
    /// computes the same, what was made of the old one does not belong to it.
    pub(crate) fn compare(&mut self, index: usize, entry: &Entry) {
        let Some(before) = self.repairs.before.remove(&index) else { return };
        if before.manifest.outputs == entry.manifest.outputs {
            return;
        }
        for dependent in self.dependents(index) {
            match &self.states[dependent] {
                State::Done { entry, .. } => {
                    let entry = Arc::clone(entry);
                    self.take_back(dependent, entry);
                }
                State::Ready => self.set(dependent, State::Pending),
                State::Running => {
                    self.repairs.outdated.insert(dependent);
                }
                State::Pending | State::Failed { .. } | State::Skipped => {}
            }
        }
    }

    /// A task has read inputs that were replaced before it ended, by this run or another: it runs again
    /// with what is there now.
    pub(crate) fn replaced(&mut self, index: usize) {
        self.repairs.is_outdated(index);
        let count = self.repairs.replaced.entry(index).or_default();
        *count += 1;
        if *count > MOST_REPAIRS {
            let message = "an input was replaced again and again while this stage was reading it";
            let failure = Failure::new("orchestrator::replaced", message)
                .help("run it again when whatever replaces it has ended");
            self.fail(index, failure, None);
        } else {
            self.again(index);
        }
    }
}
