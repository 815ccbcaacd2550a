//! Predicting batch by batch.

use scarce_artifact::{Classes, Predictions, Vectors};
use scarce_nn::tch::{self, Device, Kind};
use scarce_nn::{Mode, Replicas, Variables, numbers};
use scarce_stage::{Context, Failure, Port};

use crate::{
    Blueprint, Error, Network, SplitName,
    source::{Batch, Source},
};

/// Rows that pass through the network at a time.
pub(crate) const ROWS: usize = 512;

/// The output that every kind has.
pub(crate) fn predictions() -> Port {
    Port::table::<Predictions>("predictions", "Class and probabilities of every image")
}

/// A trained network, ready to be asked.
pub(crate) struct Classifier<'a> {
    blueprint: &'a Blueprint,
    classes: &'a Classes,
    device: Device,
    replicas: Replicas<Network>,
}

impl<'a> Classifier<'a> {
    /// The network of `blueprint` with these weights.
    pub(crate) fn new(
        variables: &Variables,
        blueprint: &'a Blueprint,
        classes: &'a Classes,
    ) -> Result<Self, Error> {
        let replicas = Replicas::of_threads(variables, |replica| Network::new(replica, blueprint))?;
        Ok(Self { blueprint, classes, device: variables.device(), replicas })
    }

    /// Writes `predictions` for the images of `splits`, in the order of the source.
    pub(crate) fn predict(
        &mut self,
        context: &Context,
        source: &Source,
        splits: &[SplitName],
    ) -> Result<(), Failure> {
        source.must_be(self.blueprint.input)?;
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

    fn answer(&mut self, batch: Batch) -> Result<Predictions, Error> {
        let Batch { id, split, values } = batch;
        let &mut Self { blueprint: Blueprint { learnt, input, .. }, device, .. } = self;
        let found =
            self.replicas.map(id.len().div_ceil(ROWS), |network, at| -> Result<_, Error> {
                let rows = at * ROWS..id.len().min((at + 1) * ROWS);
                let x = values.part(rows.clone()).seen(device, *input)?.range(0, rows.len())?;
                let outputs = tch::no_grad(|| network.forward(&x, &mut Mode::Applied))?;
                Ok(numbers::<f32>(&outputs.f_detach()?.f_softmax(1, Kind::Float)?)?)
            })?;
        let mut label = Vec::with_capacity(id.len());
        let mut probabilities = vec![0.0; id.len() * self.classes.len()];
        let rows = probabilities.chunks_exact_mut(self.classes.len());
        for (found, row) in found.concat().chunks_exact(learnt.len()).zip(rows) {
            label.push(learnt[largest(found)] as i32);
            for (&class, &probability) in learnt.iter().zip(found) {
                row[class] = probability;
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
