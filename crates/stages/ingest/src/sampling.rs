//! Which rows of a source are taken, and into which split.

use scarce_artifact::Split;
use scarce_numeric::random;

use crate::{Error, Result};

/// How a source is thinned out and split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampling {
    /// Rows to keep of each split.
    pub(crate) limit: Option<u32>,
    /// Share of the rows to hold out where the source has no test split.
    pub(crate) test_fraction: f64,
    /// Names the random streams.
    pub(crate) seed: u64,
}

impl Sampling {
    /// For each row of the source its split, or `None` where the row is left out. The order of the
    /// source is kept.
    pub(crate) fn choose(&self, official: &[Split]) -> Result<Vec<Option<Split>>> {
        if u32::try_from(official.len()).is_err() {
            let rows = official.len();
            let message = format!("the source holds {rows} rows; ids end at {}", u32::MAX);
            return Err(Error::request(message, "divide the source"));
        }
        let splits = self.hold_out(official)?;
        Ok(self.thin_out(&splits))
    }

    /// Gives some rows of an unsplit source to the test split.
    fn hold_out(&self, official: &[Split]) -> Result<Vec<Split>> {
        let fraction = self.test_fraction;
        if !(0.0..1.0).contains(&fraction) {
            let message = format!("`test_fraction` is {fraction}");
            return Err(Error::request(message, "give a number from 0 to below 1"));
        }
        if fraction == 0.0 {
            return Ok(official.to_vec());
        }
        if official.iter().any(|&split| split != Split::Pool) {
            return Err(Error::request(
                "`test_fraction` is set, but the source has splits of its own",
                "leave `test_fraction` out",
            ));
        }
        let n = official.len();
        let held_out = (n as f64 * fraction).round() as usize;
        if held_out == 0 || held_out == n {
            let message =
                format!("`test_fraction = {fraction}` of {n} rows leaves one split empty");
            return Err(Error::request(message, "choose another fraction"));
        }
        let mut splits = vec![Split::Train; n];
        let order = random::permutation(n, &mut random::stream(self.seed, "test split", 0));
        for &row in &order[..held_out] {
            splits[row] = Split::Test;
        }
        Ok(splits)
    }

    /// Keeps the first `limit` rows of each split after a shuffle.
    fn thin_out(&self, splits: &[Split]) -> Vec<Option<Split>> {
        let Some(limit) = self.limit else {
            return splits.iter().copied().map(Some).collect();
        };
        let mut kept = vec![None; splits.len()];
        for (item, split) in [Split::Train, Split::Test, Split::Pool].into_iter().enumerate() {
            let mut rows: Vec<usize> =
                (0..splits.len()).filter(|&row| splits[row] == split).collect();
            random::shuffle(&mut rows, &mut random::stream(self.seed, "limit", item as u64));
            for &row in rows.iter().take(limit as usize) {
                kept[row] = Some(split);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(limit: Option<u32>, test_fraction: f64) -> Sampling {
        Sampling { limit, test_fraction, seed: 3 }
    }

    fn count(chosen: &[Option<Split>], split: Option<Split>) -> usize {
        chosen.iter().filter(|&&found| found == split).count()
    }

    #[test]
    fn without_wishes_every_row_keeps_its_split() {
        let official = [Split::Train, Split::Train, Split::Test];
        let chosen = sampling(None, 0.0).choose(&official).unwrap();
        assert_eq!(chosen, official.map(Some));
    }

    #[test]
    fn a_fraction_is_held_out_and_the_limit_counts_per_split() {
        let chosen = sampling(None, 0.25).choose(&[Split::Pool; 100]).unwrap();
        assert_eq!(count(&chosen, Some(Split::Test)), 25);
        assert_eq!(count(&chosen, Some(Split::Train)), 75);
        let thin = sampling(Some(10), 0.25).choose(&[Split::Pool; 100]).unwrap();
        assert_eq!(count(&thin, Some(Split::Test)), 10);
        assert_eq!(count(&thin, Some(Split::Train)), 10);
        // Who is kept stays in its split.
        assert!(thin.iter().zip(&chosen).all(|(thin, full)| thin.is_none() || thin == full));
    }

    #[test]
    fn a_larger_limit_keeps_what_a_smaller_one_kept() {
        let few = sampling(Some(5), 0.0).choose(&[Split::Pool; 50]).unwrap();
        let more = sampling(Some(9), 0.0).choose(&[Split::Pool; 50]).unwrap();
        assert!(few.iter().zip(&more).all(|(few, more)| few.is_none() || more.is_some()));
        assert_eq!(count(&few, Some(Split::Pool)), 5);
    }

    #[test]
    fn wishes_that_cannot_be_met_are_refused() {
        assert!(sampling(None, 0.5).choose(&[Split::Train, Split::Test]).is_err());
        assert!(sampling(None, 1.0).choose(&[Split::Pool; 4]).is_err());
        assert!(sampling(None, f64::NAN).choose(&[Split::Pool; 4]).is_err());
        assert!(sampling(None, 0.01).choose(&[Split::Pool; 4]).is_err());
    }
}
