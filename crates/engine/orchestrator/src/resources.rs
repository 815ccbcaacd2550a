//! Who gets how much of the machine.

use scarce_pipeline::Resources;
use scarce_stage::Needs;

use crate::Options;

/// What running tasks hold.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) tasks: usize,
    threads: usize,
    memory: u64,
    gpu: bool,
}

/// What one task holds while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) threads: usize,
    /// Those of its threads that others do without.
    counted: usize,
    memory: u64,
    gpu: bool,
}

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// A number that does not depend on who else runs.
    pub(crate) threads: Option<usize>,
    /// It is over in a moment, so that nobody need do with fewer threads for it.
    pub(crate) light: bool,
    pub(crate) resources: Resources,
}

impl Request {
    /// Declared threads are what they are. A kind whose bytes depend on their number gets one that
    /// follows from the plan: the threads, shared by as many of its `variants` as may run at once.
    pub(crate) fn new(
        resources: Resources,
        needs: Needs,
        variants: usize,
        options: &Options,
    ) -> Self {
        let planned = options.threads / options.jobs.min(variants).max(1);
        let fixed = needs.fixed_threads.then_some(planned);
        let threads = resources.threads.or(fixed);
        let threads = threads.map(|n| n.clamp(1, options.threads.max(1)));
        Self { threads, light: needs.light && threads.is_none(), resources }
    }
}

impl Held {
    /// Whether one more task may run, if there is enough of the rest.
    pub(crate) fn has_room(&self, options: &Options) -> bool {
        self.tasks == 0 || self.tasks < options.jobs
    }

    /// A share for a task, if there is room for it while `ready` tasks that are not light wait (itself
    /// included). When nothing runs there is always room: a stage that asks for more than there is must run too.
    pub(crate) fn take(
        &mut self,
        request: &Request,
        ready: usize,
        options: &Options,
    ) -> Option<Share> {
        let alone = self.tasks == 0;
        if !self.has_room(options) {
            return None;
        }
        let free = options.threads.saturating_sub(self.threads);
        let Resources { memory, memory_limit, .. } = request.resources;
        let memory = memory.or(memory_limit).unwrap_or(0);
        let fits = options.memory.is_none_or(|all| self.memory.saturating_add(memory) <= all)
            && !(self.gpu && request.resources.gpu)
            && request.threads.is_none_or(|threads| threads <= free);
        if !alone && !fits {
            return None;
        }
        let others = options.jobs.saturating_sub(self.tasks).min(ready).max(1);
        let threads = match request.threads {
            Some(threads) => threads,
            None if request.light => 1,
            None => (free / others).max(1),
        };
        let counted = if request.light { 0 } else { threads };
        let share = Share { threads, counted, memory, gpu: request.resources.gpu };
        self.tasks += 1;
        self.threads += counted;
        self.memory = self.memory.saturating_add(memory);
        self.gpu |= share.gpu;
        Some(share)
    }

    /// Gives a share back.
    pub(crate) fn give_back(&mut self, share: Share) {
        self.tasks -= 1;
        self.threads -= share.counted;
        self.memory = self.memory.saturating_sub(share.memory);
        if share.gpu {
            self.gpu = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(jobs: usize, threads: usize) -> Options {
        Options { jobs, threads, memory: Some(100), ..Options::default() }
    }

    fn request(resources: Resources, fixed_threads: bool, variants: usize) -> Request {
        let needs = Needs { fixed_threads, ..Needs::default() };
        Request::new(resources, needs, variants, &options(4, 8))
    }

    mod fixed_threads {
        use super::*;

        #[test]
        fn follow_from_the_plan_alone() {
            let plain = Resources::default();
            assert_eq!(request(plain, true, 1).threads, Some(8));
            assert_eq!(request(plain, true, 3).threads, Some(2));
            assert_eq!(request(plain, true, 100).threads, Some(2));
            assert_eq!(request(plain, false, 100).threads, None);
            let declared = Resources { threads: Some(64), ..plain };
            assert_eq!(request(declared, true, 100).threads, Some(8));
        }
    }

    mod shares {
        use super::*;

        #[test]
        fn divide_free_threads_among_ready_tasks_up_to_the_jobs() {
            let options = options(4, 8);
            let any = request(Resources::default(), false, 1);
            let mut held = Held::default();
            let first = held.take(&any, 2, &options).unwrap();
            assert_eq!(first.threads, 4);
            let second = held.take(&any, 1, &options).unwrap();
            assert_eq!(second.threads, 4);
            // Nothing is free, but jobs are.
            let third = held.take(&any, 1, &options).unwrap();
            assert_eq!(third.threads, 1);
            held.take(&any, 1, &options).unwrap();
            assert_eq!(held.take(&any, 1, &options), None);
            held.give_back(first);
            assert!(held.take(&any, 1, &options).is_some());
        }

        #[test]
        fn of_light_tasks_cost_the_others_no_threads() {
            let options = options(4, 8);
            let light = Request::new(Resources::default(), Needs::light(), 9, &options);
            let any = request(Resources::default(), false, 1);
            let mut held = Held::default();
            let first = held.take(&light, 1, &options).unwrap();
            let second = held.take(&any, 1, &options).unwrap();
            assert_eq!((first.threads, second.threads), (1, 8));
            held.give_back(first);
            held.give_back(second);
            let declared = Resources { threads: Some(3), ..Resources::default() };
            let declared = Request::new(declared, Needs::light(), 9, &options);
            assert_eq!(held.take(&declared, 1, &options).unwrap().threads, 3);
            assert_eq!(held.take(&any, 1, &options).unwrap().threads, 5);
        }

        #[test]
        fn of_memory_and_the_gpu_are_not_exceeded_except_by_a_task_alone() {
            let options = options(4, 8);
            let large = Resources { memory: Some(150), threads: Some(1), ..Resources::default() };
            let small = Resources { memory: Some(60), threads: Some(1), gpu: true, ..large };
            let mut held = Held::default();
            let share = held.take(&request(large, false, 1), 2, &options).unwrap();
            assert_eq!(held.take(&request(small, false, 1), 1, &options), None);
            held.give_back(share);
            held.take(&request(small, false, 1), 1, &options).unwrap();
            let second = Resources { memory: Some(10), ..small };
            assert_eq!(held.take(&request(second, false, 1), 1, &options), None, "one GPU");
            let third = Resources { gpu: false, ..second };
            assert!(held.take(&request(third, false, 1), 1, &options).is_some());
        }
    }
}
