//! Taking turns.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::quality::Quality;

/// A turn repeats its work until it has taken so many seconds, and its fastest time counts: cores that
/// have idled through somebody else's turn take a while to get up to speed.
pub(crate) const REPEATED: f64 = 1.0;

/// What came of one turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    /// How long the work took, without reading data and judging the answer.
    pub(crate) seconds: f64,
    /// How good the answer is.
    pub(crate) quality: Quality,
}

/// One side of a comparison.
pub(crate) trait Contestant {
    /// Who it is, with the version.
    fn name(&self) -> String;

    /// Does the work once. `before` are the turns that others have just had: some works stop where a
    /// peer stopped.
    fn turn(&mut self, before: &[Turn]) -> Result<Turn>;
}

/// Our own side: a call of this process, or of the built `scarce`.
pub(crate) struct Ours<F>(pub(crate) F);

impl<F: FnMut(&[Turn]) -> Result<Turn>> Contestant for Ours<F> {
    fn name(&self) -> String {
        concat!("scarce ", env!("CARGO_PKG_VERSION")).to_owned()
    }

    fn turn(&mut self, before: &[Turn]) -> Result<Turn> {
        let begin = Instant::now();
        let mut turn = (self.0)(before)?;
        while begin.elapsed().as_secs_f64() < REPEATED {
            let again = (self.0)(before)?;
            let seconds = turn.seconds.min(again.seconds);
            turn = Turn { seconds, ..again };
        }
        Ok(turn)
    }
}

/// All turns of one side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// Who.
    pub(crate) name: String,
    /// What came of each turn.
    pub(crate) turns: Vec<Turn>,
}

impl Series {
    /// Seconds of each turn.
    pub(crate) fn seconds(&self) -> Vec<f64> {
        self.turns.iter().map(|turn| turn.seconds).collect()
    }
}

/// Lets all sides do the work in turn, `pairs` times, after a turn each that does not count if
/// `warm_up`. The last of `sides` goes last and hears what the others reached.
pub(crate) fn take_turns(
    sides: &mut [&mut dyn Contestant],
    pairs: usize,
    warm_up: bool,
    observe: &mut dyn FnMut(usize, &str, &Turn),
) -> Result<Vec<Series>> {
    let mut all: Vec<Series> = Vec::new();
    for round in usize::from(!warm_up)..=pairs {
        let mut before = Vec::new();
        for (index, side) in sides.iter_mut().enumerate() {
            let turn = side.turn(&before).with_context(|| side.name())?;
            observe(round, &side.name(), &turn);
            before.push(turn.clone());
            if round == 0 {
                continue;
            }
            match all.get_mut(index) {
                Some(series) => series.turns.push(turn),
                None => all.push(Series { name: side.name(), turns: vec![turn] }),
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Notes its turns and what it heard before them.
    struct Noted<'a>(&'static str, &'a RefCell<Vec<(&'static str, usize)>>);

    impl Contestant for Noted<'_> {
        fn name(&self) -> String {
            self.0.to_owned()
        }

        fn turn(&mut self, before: &[Turn]) -> Result<Turn> {
            let mut notes = self.1.borrow_mut();
            notes.push((self.0, before.len()));
            if notes.len() > 8 {
                anyhow::bail!("tired");
            }
            Ok(Turn { seconds: notes.len() as f64, quality: Quality::new() })
        }
    }

    #[test]
    fn sides_alternate_and_the_warm_up_does_not_count() {
        let notes = RefCell::default();
        let (mut a, mut b) = (Noted("a", &notes), Noted("b", &notes));
        let mut rounds = Vec::new();
        let series = take_turns(&mut [&mut a, &mut b], 2, true, &mut |round, name, _| {
            rounds.push((round, name.to_owned()));
        })
        .unwrap();
        let heard = [("a", 0), ("b", 1)];
        assert_eq!(*notes.borrow(), [heard, heard, heard].concat());
        assert_eq!(rounds.first(), Some(&(0, "a".to_owned())));
        assert_eq!(series[0].seconds(), [3.0, 5.0]);
        assert_eq!(series[1].seconds(), [4.0, 6.0]);
    }

    #[test]
    fn without_a_warm_up_every_turn_counts() {
        let notes = RefCell::default();
        let (mut a, mut b) = (Noted("a", &notes), Noted("b", &notes));
        let series = take_turns(&mut [&mut a, &mut b], 1, false, &mut |_, _, _| {}).unwrap();
        assert_eq!(series[1], Series { name: "b".into(), turns: vec![series[1].turns[0].clone()] });
        assert_eq!(notes.borrow().len(), 2);
    }

    #[test]
    fn a_failure_says_whose_it_is() {
        let notes = RefCell::default();
        let (mut a, mut b) = (Noted("a", &notes), Noted("b", &notes));
        let failed = take_turns(&mut [&mut a, &mut b], 5, false, &mut |_, _, _| {}).unwrap_err();
        assert_eq!(format!("{failed:#}"), "a: tired");
    }
}
