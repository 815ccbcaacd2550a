//! Many cases, counted.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Case, Family, Outcome,
    results::{Lost, Tally},
};

/// How long a campaign goes on.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// As many cases of each family as it asks for.
    Full,
    /// So many cases of each family.
    Cases(u64),
    /// Cases of each family in turn, in the shares in which they ask for them, until the time is over.
    Time(Duration),
    /// One case.
    One(u64),
}

/// Attacks with every family, `jobs` cases at a time, and counts; `say` hears of what is lost at once.
pub fn run(
    families: &[&'static Family],
    seed: u64,
    length: Length,
    jobs: usize,
    say: &(dyn Fn(&str) + Sync),
) -> Vec<Tally> {
    let begin = Instant::now();
    let state = Mutex::new(State {
        tallies: families.iter().map(|family| Tally::new(family)).collect(),
        begun: vec![0; families.len()],
    });
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let attack = || {
        loop {
            // Not in the head of the loop: there the lock would be held all the way through.
            let next = lock().next(families, length, begin);
            let Some((index, number)) = next else { break };
            let family = families[index];
            let came = try_case(family, seed, number);
            let mut state = lock();
            let tally = &mut state.tallies[index];
            tally.cases += 1;
            match came {
                Ok(Outcome::Survived) => tally.survived += 1,
                Ok(Outcome::Skipped(why)) => *tally.skipped.entry(why).or_default() += 1,
                Err(message) => {
                    say(&format!(
                        "lost: `--family {} --seed {seed} --case {number}`\n{message}",
                        family.name
                    ));
                    tally.lost.push(Lost { case: number, message });
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(attack);
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).tallies
}

struct State {
    tallies: Vec<Tally>,
    /// Cases of each family that were begun.
    begun: Vec<u64>,
}

impl State {
    /// The family and number of the next case: of the family that is most behind with its share.
    fn next(
        &mut self,
        families: &[&Family],
        length: Length,
        begin: Instant,
    ) -> Option<(usize, u64)> {
        let most = |family: &Family| match length {
            Length::Full => family.cases,
            Length::Cases(count) => count,
            Length::One(_) => 1,
            Length::Time(time) if begin.elapsed() < time => u64::MAX,
            Length::Time(_) => 0,
        };
        let behind = |&index: &usize| self.begun[index] * 1_000_000 / families[index].cases.max(1);
        let open = (0..families.len()).filter(|&index| self.begun[index] < most(families[index]));
        let index = open.min_by_key(behind)?;
        let number = self.begun[index];
        self.begun[index] += 1;
        Some((index, if let Length::One(number) = length { number } else { number }))
    }
}

/// Tries one case.
///
/// # Errors
/// What was lost, in the words of the assertion that failed.
pub fn try_case(family: &Family, seed: u64, number: u64) -> Result<Outcome, String> {
    listen();
    SAID.with_borrow_mut(|said| *said = Some(String::new()));
    let mut case = Case::new(family.name, seed, number);
    let came = catch_unwind(AssertUnwindSafe(|| (family.attack)(&mut case)));
    let said = SAID.take().unwrap_or_default();
    came.map_err(|_| said)
}

thread_local! {
    /// What the last panic of this thread said, while it tries a case.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics of threads that try a case are kept, not printed.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let kept = SAID.with_borrow_mut(|said| match said {
                Some(said) => {
                    *said = panic.to_string();
                    true
                }
                None => false,
            });
            if !kept {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn attack(case: &mut Case) -> Outcome {
        match case.number {
            0 => Outcome::Skipped("not today".to_owned()),
            3 => panic!("three is lost"),
            _ => Outcome::Survived,
        }
    }

    static ODD: Family = Family { name: "odd", promise: "kept", cases: 5, short: 1, attack };

    #[test]
    fn a_campaign_counts_what_is_lost_and_goes_on() {
        let said = AtomicU64::new(0);
        let say = |message: &str| {
            assert!(message.contains("--family odd --seed 7 --case 3"), "{message}");
            said.fetch_add(1, Ordering::Relaxed);
        };
        let tallies = run(&[&ODD], 7, Length::Full, 2, &say);
        let [tally] = &tallies[..] else { panic!("one family") };
        assert_eq!((tally.cases, tally.survived, tally.lost.len()), (5, 3, 1));
        assert_eq!(tally.skipped["not today"], 1);
        assert!(tally.lost[0].message.contains("three is lost"), "{tally:?}");
        assert_eq!(said.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn one_case_is_that_case() {
        let tallies = run(&[&ODD], 7, Length::One(3), 1, &|_| {});
        let [tally] = &tallies[..] else { panic!("one family") };
        assert_eq!((tally.cases, tally.lost.len()), (1, 1));
    }

    #[test]
    fn shares_are_kept() {
        static MORE: Family =
            Family { name: "more", promise: "kept", cases: 10, short: 1, attack: kept };
        static LESS: Family =
            Family { name: "less", promise: "kept", cases: 5, short: 1, attack: kept };
        fn kept(_: &mut Case) -> Outcome {
            Outcome::Survived
        }
        let families = [&MORE, &LESS];
        let mut state = State { tallies: Vec::new(), begun: vec![0; 2] };
        let length = Length::Time(Duration::from_hours(1));
        for _ in 0..300 {
            state.next(&families, length, Instant::now()).unwrap();
        }
        assert_eq!(state.begun, [200, 100]);
    }
}
