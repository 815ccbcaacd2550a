//! What is told of an epoch's losses.

use tch::{Kind, Tensor};

use super::READ_EVERY;
use crate::{Error, numbers};

/// The mean losses of an epoch's mini-batches, read off the device a few at a time.
pub(super) struct Losses {
    epoch: usize,
    /// What was not read yet: parts of the mean loss of a mini-batch, and its rows.
    unread: Vec<(Vec<Tensor>, usize)>,
    /// Mini-batches that were read.
    read: usize,
    sum: f64,
    rows: usize,
}

impl Losses {
    pub(super) fn new(epoch: usize) -> Self {
        Self { epoch, unread: Vec::with_capacity(READ_EVERY), read: 0, sum: 0.0, rows: 0 }
    }

    /// Notes the mean loss of so many rows, given as a sum.
    pub(super) fn note(&mut self, parts: Vec<Tensor>, rows: usize) -> Result<(), Error> {
        self.unread.push((parts, rows));
        if self.unread.len() >= READ_EVERY { self.read() } else { Ok(()) }
    }

    fn read(&mut self) -> Result<(), Error> {
        let parts: Vec<&Tensor> = self.unread.iter().flat_map(|(parts, _)| parts).collect();
        if parts.is_empty() {
            return Ok(());
        }
        let values: Vec<f64> = numbers(&Tensor::f_stack(&parts, 0)?.f_to_kind(Kind::Double)?)?;
        let mut values = values.into_iter();
        for (parts, rows) in self.unread.drain(..) {
            self.read += 1;
            let loss: f64 = values.by_ref().take(parts.len()).sum();
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch: self.epoch, step: self.read, loss });
            }
            self.sum += loss * rows as f64;
            self.rows += rows;
        }
        Ok(())
    }

    /// Mean over all rows.
    pub(super) fn mean(mut self) -> Result<f64, Error> {
        self.read()?;
        Ok(self.sum / self.rows as f64)
    }
}
