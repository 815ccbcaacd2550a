//! Which picture comes next.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// Every picture whose number is below this share of all numbers is in the audit sample.
const AUDIT_SHARE: f64 = 0.1;
/// No audit before so many labels that are learnt from: there is nothing to audit yet.
const AUDIT_FROM: usize = 20;
/// From then on one audit for so many labels that are learnt from.
const AUDIT_EVERY: usize = 5;
/// A skipped picture comes again after so many decisions.
const SKIP_FOR: usize = 12;
/// A picture that one tab shows is not given to another for so long.
const LEASE: Duration = Duration::from_mins(2);

/// The number by which a picture is drawn for the audit sample: uniform, and of its name alone, so that
/// pictures that are added later join at the same rate and change nothing for the others.
pub(crate) fn lot(seed: u64, name: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
    let digest = hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// The order in which pictures are asked about.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// What a stage asks for, then all others.
    order: Vec<u32>,
    /// The audit sample in its random order.
    audit: Vec<u32>,
    in_audit: HashSet<u32>,
    /// When each was skipped, in decisions.
    skipped: HashMap<u32, usize>,
    leases: HashMap<u32, (String, Instant)>,
}

impl Queue {
    /// Draws the audit sample. `taken` are pictures that something has learnt from.
    pub(crate) fn new(seed: u64, names: &[String], taken: &HashSet<u32>) -> Self {
        let most = (AUDIT_SHARE * u64::MAX as f64) as u64;
        let drawn = (0..).zip(names).map(|(place, name)| (lot(seed, name), place));
        let mut all: Vec<(u64, u32)> = drawn.collect();
        all.sort_unstable();
        let chosen = all.iter().filter(|(lot, place)| *lot < most && !taken.contains(place));
        let audit: Vec<u32> = chosen.map(|(_, place)| *place).collect();
        let in_audit: HashSet<u32> = audit.iter().copied().collect();
        // Until a stage has a better order, any: by lot.
        let rest = all.into_iter().map(|(_, place)| place).filter(|p| !in_audit.contains(p));
        Self { order: rest.collect(), audit, in_audit, ..Self::default() }
    }

    /// Whether nothing may learn from a picture.
    pub(crate) fn is_audit(&self, place: u32) -> bool {
        self.in_audit.contains(&place)
    }

    /// What a stage asks for goes first, then what the model knows least of, then the others as before.
    pub(crate) fn reorder(&mut self, wanted: &[u32], unsure: impl Fn(u32) -> Option<f32>) {
        let first: HashSet<u32> = wanted.iter().copied().collect();
        let old = std::mem::take(&mut self.order);
        let mut rest: Vec<u32> = old.into_iter().filter(|place| !first.contains(place)).collect();
        // Stable: of what nothing is known the order stays.
        rest.sort_by(|&a, &b| {
            let margin = |place| unsure(place).unwrap_or(f32::INFINITY);
            margin(a).total_cmp(&margin(b))
        });
        let wanted = wanted.iter().copied().filter(|place| !self.in_audit.contains(place));
        self.order = wanted.chain(rest).collect();
    }

    /// Puts a picture aside for a while.
    pub(crate) fn skip(&mut self, place: u32, decisions: usize) {
        self.skipped.insert(place, decisions);
    }

    /// How many are put aside.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// Forgets about a picture that is decided.
    pub(crate) fn decided(&mut self, place: u32) {
        self.skipped.remove(&place);
        self.leases.remove(&place);
    }

    /// The next `count` pictures for a tab. `keep` are those that it has fetched already: they come
    /// first, if they are still open. `learnt` and `audited` are the labels so far.
    pub(crate) fn upcoming(
        &mut self,
        tab: &str,
        keep: &[u32],
        count: usize,
        open: impl Fn(u32) -> bool,
        (mut learnt, mut audited, decisions): (usize, usize, usize),
    ) -> Vec<u32> {
        let now = Instant::now();
        self.leases.retain(|_, (_, since)| now.duration_since(*since) < LEASE);
        self.skipped.retain(|place, _| open(*place));
        let mut next: Vec<u32> = Vec::with_capacity(count);
        for &place in keep.iter().filter(|place| open(**place)).take(count) {
            if !next.contains(&place) && !self.skipped.contains_key(&place) {
                next.push(place);
                *if self.is_audit(place) { &mut audited } else { &mut learnt } += 1;
            }
        }
        while next.len() < count {
            let free = |place: &&u32| {
                let others = self.leases.get(place).is_some_and(|(holder, _)| holder != tab);
                open(**place) && !others && !next.contains(place)
            };
            let fresh = |place: &&u32| {
                let again = self.skipped.get(place).is_none_or(|at| at + SKIP_FOR <= decisions);
                free(place) && again
            };
            let due = learnt >= AUDIT_FROM && audited <= (learnt - AUDIT_FROM) / AUDIT_EVERY;
            let audit = due.then(|| self.audit.iter().find(fresh)).flatten();
            let found = audit
                .or_else(|| self.order.iter().find(fresh))
                .or_else(|| self.audit.iter().find(fresh))
                // Nothing else is left: what was skipped comes now.
                .or_else(|| self.order.iter().chain(&self.audit).find(free));
            let Some(&place) = found else { break };
            *if self.is_audit(place) { &mut audited } else { &mut learnt } += 1;
            next.push(place);
        }
        for &place in &next {
            self.leases.insert(place, (tab.to_owned(), now));
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("{at}.jpg")).collect()
    }

    fn queue(count: usize) -> Queue {
        Queue::new(1, &names(count), &HashSet::new())
    }

    #[test]
    fn the_audit_sample_is_a_tenth_and_does_not_change_when_pictures_are_added() {
        let (small, large) = (queue(4_000), queue(8_000));
        assert!((340..460).contains(&small.audit.len()), "{}", small.audit.len());
        assert!(small.audit.iter().all(|&place| large.is_audit(place)));
        assert_eq!(large.in_audit.iter().filter(|p| **p < 4_000).count(), small.audit.len());
        let taken: HashSet<u32> = small.audit[..9].iter().copied().collect();
        assert_eq!(Queue::new(1, &names(4_000), &taken).audit, small.audit[9..]);
    }

    #[test]
    fn audits_begin_after_twenty_labels_and_come_every_fifth_time() {
        let mut queue = queue(2_000);
        let mut done = HashSet::new();
        let (mut learnt, mut audited) = (0, 0);
        for _ in 0..120 {
            let counts = (learnt, audited, learnt + audited);
            let next = queue.upcoming("a", &[], 3, |place| !done.contains(&place), counts);
            done.insert(next[0]);
            if queue.is_audit(next[0]) {
                assert!(learnt >= 20);
                audited += 1;
            } else {
                learnt += 1;
            }
        }
        assert_eq!((learnt, audited), (103, 17));
    }

    #[test]
    fn what_was_fetched_stays_although_the_order_changes() {
        let mut queue = queue(100);
        let next = queue.upcoming("a", &[], 3, |_| true, (0, 0, 0));
        let wanted: Vec<u32> = queue.order.iter().rev().take(5).copied().collect();
        queue.reorder(&wanted, |_| None);
        let kept = queue.upcoming("a", &next[1..], 4, |place| place != next[0], (1, 0, 1));
        assert_eq!(kept, [next[1], next[2], wanted[0], wanted[1]]);
    }

    #[test]
    fn two_tabs_are_given_different_pictures() {
        let mut queue = queue(100);
        let one = queue.upcoming("a", &[], 3, |_| true, (0, 0, 0));
        let other = queue.upcoming("b", &[], 3, |_| true, (0, 0, 0));
        assert!(one.iter().all(|place| !other.contains(place)));
    }

    #[test]
    fn what_was_skipped_comes_again_and_nothing_is_stranded() {
        let mut queue = queue(30);
        let first = queue.upcoming("a", &[], 1, |_| true, (0, 0, 0))[0];
        queue.skip(first, 0);
        assert_ne!(queue.upcoming("a", &[], 1, |_| true, (0, 0, 1))[0], first);
        assert_eq!(queue.upcoming("a", &[], 1, |_| true, (0, 0, 12))[0], first);
        // It is the only one left.
        assert_eq!(queue.upcoming("a", &[], 2, |p| p == first, (0, 0, 1)), [first]);
        assert!(queue.upcoming("a", &[], 2, |_| false, (0, 0, 1)).is_empty());
    }

    #[test]
    fn pictures_that_the_model_wavers_over_follow_what_the_stage_asks_for() {
        let mut queue = queue(50);
        let (a, b) = (queue.order[7], queue.order[9]);
        queue.reorder(&[b], |place| Some(if place == a { 0.1 } else { 0.9 }));
        assert_eq!(queue.order[..2], [b, a]);
    }
}
