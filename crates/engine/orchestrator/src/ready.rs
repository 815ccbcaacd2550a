//! Tasks that can run, and which of them is next.

use std::collections::BTreeSet;

use crate::{
    Options,
    resources::{Held, Request, Share},
};

/// Tasks that can run, in groups that ask for the same: there are few of those, however many tasks.
pub(crate) struct Ready {
    groups: Vec<Group>,
    /// The group of every task.
    of: Vec<usize>,
    /// How many that can run are not over in a moment.
    heavy: usize,
}

struct Group {
    request: Request,
    tasks: BTreeSet<usize>,
}

impl Ready {
    /// Nobody can run yet. `requests` are what the tasks will ask for.
    pub(crate) fn new(requests: impl Iterator<Item = Request>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut of = Vec::new();
        for request in requests {
            // Neighbours are variants of one stage.
            let place = groups.iter().rposition(|group| group.request == request);
            of.push(place.unwrap_or(groups.len()));
            if place.is_none() {
                groups.push(Group { request, tasks: BTreeSet::new() });
            }
        }
        Self { groups, of, heavy: 0 }
    }

    /// A task can run.
    pub(crate) fn insert(&mut self, index: usize) {
        let group = &mut self.groups[self.of[index]];
        if group.tasks.insert(index) && !group.request.light {
            self.heavy += 1;
        }
    }

    /// A task cannot, or no longer.
    pub(crate) fn remove(&mut self, index: usize) {
        let group = &mut self.groups[self.of[index]];
        if group.tasks.remove(&index) && !group.request.light {
            self.heavy -= 1;
        }
    }

    /// Takes out the first task for which there is room, with its share. One that does not fit does
    /// not keep smaller ones from starting.
    pub(crate) fn next(&mut self, held: &mut Held, options: &Options) -> Option<(usize, Share)> {
        if !held.has_room(options) {
            return None;
        }
        let first = |(place, group): (usize, &Group)| Some((*group.tasks.first()?, place));
        let mut firsts: Vec<_> = self.groups.iter().enumerate().filter_map(first).collect();
        firsts.sort_unstable();
        for (index, place) in firsts {
            if let Some(share) = held.take(&self.groups[place].request, self.heavy, options) {
                self.remove(index);
                return Some((index, share));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use scarce_pipeline::Resources;
    use scarce_stage::Needs;

    use super::*;

    #[test]
    fn is_worked_off_in_order_past_what_does_not_fit() {
        let options = Options { jobs: 3, threads: 3, memory: Some(100), ..Options::default() };
        let asks = |memory| {
            let resources = Resources { memory: Some(memory), ..Resources::default() };
            Request::new(resources, Needs::default(), 1, &options)
        };
        let mut ready = Ready::new([80, 80, 80, 10, 10].map(asks).into_iter());
        let mut held = Held::default();
        assert!(ready.next(&mut held, &options).is_none());
        for index in [4, 2, 1, 0, 3] {
            ready.insert(index);
        }
        ready.remove(1);
        let mut next =
            || ready.next(&mut held, &options).map(|(index, share)| (index, share.threads));
        assert_eq!(next(), Some((0, 1)));
        assert_eq!(next(), Some((3, 1)));
        assert_eq!(next(), Some((4, 1)), "and not 2, for which there is no memory");
        assert_eq!(next(), None);
    }

    /// Looking at every task that waits whenever one starts would take hours here.
    #[test]
    fn costs_no_more_for_each_task_the_more_there_are() {
        let options = Options { jobs: 2, threads: 2, memory: Some(100), ..Options::default() };
        let asks = |i: usize| {
            // Most do not fit beside the one that runs.
            let resources = Resources { memory: Some(60 + (i % 3) as u64), ..Resources::default() };
            Request::new(resources, Needs::default(), 1, &options)
        };
        let count = 200_000;
        let mut ready = Ready::new((0..count).map(asks));
        let mut held = Held::default();
        (0..count).for_each(|index| ready.insert(index));
        for expected in 0..count {
            let (index, share) = ready.next(&mut held, &options).unwrap();
            assert_eq!(index, expected);
            assert!(ready.next(&mut held, &options).is_none());
            held.give_back(share);
        }
    }
}
