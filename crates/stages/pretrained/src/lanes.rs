//! Work in order: chunks are produced one after the other, worked on by several threads, and come
//! out in the order in which they went in, a bounded number of them in memory at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

/// Chunks that wait for a thread, for each thread.
const WAITING: usize = 2;

/// Runs `work` on what `produce` hands to its argument, on so many threads; `consume` gets the
/// results in order, on the calling thread. The first error in order of the chunks ends everything.
///
/// `produce` is told by `false` that nobody wants more.
///
/// # Errors
/// The first of `produce`, `work` or `consume`, in the order of the chunks.
pub(crate) fn run<T: Send, R: Send, E: Send>(
    threads: usize,
    produce: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<(), E> + Send,
    work: impl Fn(T) -> Result<R, E> + Sync,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.max(1);
    let stopped = AtomicBool::new(false);
    let (give, take) = mpsc::sync_channel::<(usize, T)>(WAITING * threads);
    let take = Mutex::new(take);
    let (hand_in, results) = mpsc::sync_channel::<(usize, Result<R, E>)>(WAITING * threads);
    thread::scope(|scope| {
        let (stopped, take, work) = (&stopped, &take, &work);
        let producer = scope.spawn(move || {
            let mut next = 0;
            produce(&mut |item| {
                let wanted = !stopped.load(Ordering::Relaxed) && give.send((next, item)).is_ok();
                next += 1;
                wanted
            })
        });
        for _ in 0..threads {
            let hand_in = hand_in.clone();
            scope.spawn(move || {
                loop {
                    let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((number, item)) = next else { return };
                    // What was produced is taken all the same, so that its producer never waits.
                    if !stopped.load(Ordering::Relaxed)
                        && hand_in.send((number, work(item))).is_err()
                    {
                        stopped.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        drop(hand_in);
        let outcome = in_order(results, &mut consume);
        stopped.store(true, Ordering::Relaxed);
        let produced = producer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        outcome.and(produced)
    })
}

/// Hands on what comes in any order, by number from 0. Dropping `results` tells the threads to end.
fn in_order<R, E>(
    results: mpsc::Receiver<(usize, Result<R, E>)>,
    consume: &mut impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, result) in results {
        early.insert(number, result);
        while let Some(result) = early.remove(&next) {
            consume(result?)?;
            next += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(threads: usize, until: usize, bad: usize) -> (Vec<usize>, Result<(), usize>) {
        let mut out = Vec::new();
        let outcome = run(
            threads,
            |give| {
                for item in 0..until {
                    if !give(item) {
                        break;
                    }
                }
                Ok(())
            },
            |item| if item % 1000 == bad { Err(item) } else { Ok(item * item) },
            |square| {
                out.push(square);
                Ok(())
            },
        );
        (out, outcome)
    }

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let (out, outcome) = squares(threads, 500, 1000);
            assert_eq!(outcome, Ok(()));
            assert!(out.iter().enumerate().all(|(at, &square)| square == at * at));
            assert_eq!(out.len(), 500);
        }
    }

    #[test]
    fn the_first_error_in_order_ends_it_and_nobody_waits_for_ever() {
        for threads in [1, 2, 7] {
            let (out, outcome) = squares(threads, 5000, 300);
            assert_eq!(outcome, Err(300));
            assert_eq!(out.len(), 300);
        }
        let failing = |give: &mut dyn FnMut(usize) -> bool| {
            give(1);
            Err("the source broke")
        };
        assert_eq!(run(2, failing, Ok, |_| Ok(())), Err("the source broke"));
        let endless = |give: &mut dyn FnMut(usize) -> bool| {
            while give(1) {}
            Ok(())
        };
        assert_eq!(run(2, endless, Ok, |_| Err("the disk is full")), Err("the disk is full"));
    }
}
