//! Work on several row groups at a time.

use rayon::prelude::*;

/// Most row groups that are in memory at a time, whatever the number of threads.
const MOST: usize = 8;

/// How many of `groups` row groups are worked on at a time. One alone does not start the threads.
pub(crate) fn at_once(groups: usize) -> usize {
    if groups > 1 { rayon::current_num_threads().min(MOST) } else { 1 }
}

/// Does all the work, each piece by a thread, and returns what came of it in the same order.
pub(crate) fn side_by_side<T: Send, R: Send>(
    work: Vec<T>,
    each: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    if work.len() > 1 {
        work.into_par_iter().map(each).collect()
    } else {
        work.into_iter().map(each).collect()
    }
}
