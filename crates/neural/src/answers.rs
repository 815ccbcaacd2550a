//! Predicting batch by batch.

use scarce_artifact::{Classes, Predictions, Vectors};
use scarce_nn::tch::{self, Device, Kind};
use scarce_nn::{Mode, numbers};
use scarce_stage::{Context, Failure, Port};

use crate::{
    Blueprint, Error, Network, SplitName,
    source::{Batch, Source},
};

/// Rows that pass through the network at a time.
const ROWS: usize = 512;

/// The output that every kind has.
pub(crate) fn predictions() -> Port {
    Port::table::<Predictions>("predictions", "Class and probabilities of every image")
}

/// A trained network, ready to be asked.
pub(crate) struct Classifier<'a> {
    pub(crate) network: &'a Network,
    pub(crate) blueprint: &'a Blueprint,
    pub(crate) classes: &'a Classes,
    pub(crate) device: Device,
}

impl Classifier<'_> {
    /// Writes `predictions` for the images of `splits`, in the order of the source.
    pub(crate) fn predict(
        &self,
        context: &Context,
        source: &Source,
        splits: &[SplitName],
    ) -> Result<(), Failure> {
        let (found, model) = (source.input()?, self.blueprint.input);
        if found != model {
            return Err(Error::Input { path: source.path().to_owned(), model, found }.into());
        }
        let mut writer = context.writer::<Predictions>("predictions", self.classes.clone())?;
        let (mut done, mut written) = (0, 0);
        for batch in source.stream()? {
            let batch = batch?;
            done += batch.id.len();
            let batch = batch.only(|split| splits.iter().any(|name| name.is(split)));
            if !batch.id.is_empty() {
                written += batch.id.len();
                writer.write(self.answer(batch)?)?;
            }
            context.progress(done as u64, source.rows() as u64, "images", "predicting");
        }
        if written == 0 {
            let splits = serde_json::to_string(splits).unwrap_or_default();
            return Err(Error::NoImages { splits }.into());
        }
        writer.finish()?;
        Ok(())
    }

    fn answer(&self, batch: Batch) -> Result<Predictions, Error> {
        let Batch { id, split, values } = batch;
        let Blueprint { learnt, input, .. } = self.blueprint;
        let seen = values.seen(self.device, *input)?;
        let mut label = Vec::with_capacity(id.len());
        let mut probabilities = vec![0.0; id.len() * self.classes.len()];
        let mut rows = probabilities.chunks_exact_mut(self.classes.len());
        for from in (0..id.len()).step_by(ROWS) {
            let x = seen.range(from, id.len().min(from + ROWS))?;
            let found = tch::no_grad(|| -> Result<_, Error> {
                let outputs = self.network.forward(&x, &mut Mode::Applied)?;
                Ok(numbers::<f32>(&outputs.f_softmax(1, Kind::Float)?)?)
            })?;
            for (found, row) in found.chunks_exact(learnt.len()).zip(&mut rows) {
                label.push(learnt[largest(found)] as i32);
                for (&class, &probability) in learnt.iter().zip(found) {
                    row[class] = probability;
                }
            }
        }
        let probabilities = Vectors::new(self.classes.len(), probabilities);
        Ok(Predictions { id, split, label, probabilities })
    }
}

/// Where the largest number is; of equals the first.
fn largest(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}
