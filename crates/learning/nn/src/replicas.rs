//! Networks that work side by side.

use rayon::prelude::*;

use crate::{Error, Variables};

/// Networks of the same weights, one for each thread that wants to work.
///
/// libtorch's own threads meet after every operation, which small networks spend more time on
/// than on their numbers, and results depend on how many they are. So every member works in one
/// thread, on rows of its own, and threads meet once for all of its operations.
pub struct Replicas<N>(Vec<N>);

impl<N: Send> Replicas<N> {
    /// So many members: the first built on `variables`, the others on weights in the same memory.
    ///
    /// # Errors
    /// When `build` fails.
    pub fn new(
        variables: &Variables,
        members: usize,
        build: impl Fn(&Variables) -> Result<N, Error>,
    ) -> Result<Self, Error> {
        let mut replicas = vec![build(variables)?];
        for _ in 1..members {
            replicas.push(build(&variables.replica()?)?);
        }
        Ok(Self(replicas))
    }

    /// As many members as there are threads; on a GPU, which is its own replicas, one.
    ///
    /// # Errors
    /// When `build` fails.
    pub fn of_threads(
        variables: &Variables,
        build: impl Fn(&Variables) -> Result<N, Error>,
    ) -> Result<Self, Error> {
        let members = if variables.device().is_cuda() { 1 } else { rayon::current_num_threads() };
        Self::new(variables, members, build)
    }

    /// The members in order; `map` gives item `i` to member `i` as long as there are so many.
    pub(crate) fn members(&self) -> impl Iterator<Item = &N> {
        self.0.iter()
    }

    /// Does `work` on the items `0..count`, shared out evenly, and gives the results in order.
    /// Which member works on which item must not matter.
    ///
    /// # Errors
    /// The first of the items' errors.
    pub fn map<T: Send, E: Send>(
        &mut self,
        count: usize,
        work: impl Fn(&mut N, usize) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        let members = self.0.len().min(count);
        let share = |(first, member): (usize, &mut N)| -> Result<Vec<T>, E> {
            alone();
            (first..count).step_by(members).map(|item| work(member, item)).collect()
        };
        if members <= 1 {
            return self
                .0
                .iter_mut()
                .take(members)
                .enumerate()
                .map(share)
                .next()
                .unwrap_or(Ok(Vec::new()));
        }
        let shares: Vec<Result<Vec<T>, E>> =
            self.0[..members].par_iter_mut().enumerate().map(share).collect();
        let mut shares: Vec<_> =
            shares.into_iter().map(|share| share.map(Vec::into_iter)).collect::<Result<_, E>>()?;
        Ok((0..count).filter_map(|item| shares[item % members].next()).collect())
    }
}

/// Makes libtorch work in this thread alone. It keeps the number for each thread apart.
pub(crate) fn alone() {
    tch::set_num_threads(1);
}
