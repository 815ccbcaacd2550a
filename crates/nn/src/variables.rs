//! Weights by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scarce_artifact::{Model, Tensor as Saved};
use tch::nn::VarStore;
use tch::{Device, Tensor};

use crate::{Error, Stream, numbers};

/// Weights that a layer may have: beyond this somebody mistyped a size.
const MOST_WEIGHTS: usize = 1 << 30;

/// The weights of a network, which its layers ask for by name (`encoder.0.weight`).
pub struct Variables {
    store: VarStore,
    source: Source,
}

/// Where a weight's first value comes from.
enum Source {
    /// Drawn at random.
    Seed(u64),
    /// Read from a saved model.
    Model { tensors: BTreeMap<String, Saved>, stem: PathBuf },
}

impl Variables {
    /// Weights that will be drawn from `seed`, each from its own stream.
    pub fn fresh(device: Device, seed: u64) -> Self {
        // nothing here draws from libtorch's generator; should that change, it is seeded
        tch::manual_seed(seed as i64);
        Self { store: VarStore::new(device), source: Source::Seed(seed) }
    }

    /// The weights of `model`, which was read from `stem`.
    ///
    /// A layer whose weight is missing there or of another shape fails to build, before any
    /// memory is taken for it.
    pub fn of_model(device: Device, model: Model, stem: &Path) -> Self {
        let source = Source::Model { tensors: model.tensors, stem: stem.to_owned() };
        Self { store: VarStore::new(device), source }
    }

    /// Where the weights live.
    pub fn device(&self) -> Device {
        self.store.device()
    }

    /// The weight `name`; a fresh one is uniform in `±bound`.
    pub(crate) fn get(&self, name: &str, shape: &[usize], bound: f64) -> Result<Tensor, Error> {
        self.add(name, shape, true, |seed, count| {
            let mut stream = Stream::new(seed, &format!("init {name}"));
            let draw = || (2.0 * stream.uniform() - 1.0) * bound as f32;
            std::iter::repeat_with(draw).take(count).collect()
        })
    }

    /// Numbers called `name`, which are saved with the model and, if they are `learnt`, trained.
    /// Fresh ones are all `value`.
    pub(crate) fn constant(
        &self,
        name: &str,
        shape: &[usize],
        value: f32,
        learnt: bool,
    ) -> Result<Tensor, Error> {
        self.add(name, shape, learnt, |_, count| vec![value; count])
    }

    fn add(
        &self,
        name: &str,
        shape: &[usize],
        learnt: bool,
        fresh: impl FnOnce(u64, usize) -> Vec<f32>,
    ) -> Result<Tensor, Error> {
        let too_large = || Error::TooLarge { name: name.to_owned(), shape: shape.to_vec() };
        let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        let count = count.filter(|count| (1..=MOST_WEIGHTS).contains(count));
        let count = count.ok_or_else(too_large)?;
        let sizes: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let values = match &self.source {
            Source::Seed(seed) => &fresh(*seed, count),
            Source::Model { tensors, stem } => &weight(tensors, stem, name, shape)?.values,
        };
        let tensor = Tensor::f_from_slice(values)?.f_reshape(&sizes)?.f_to(self.device())?;
        let (folders, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let root = self.store.root();
        let path =
            folders.split('.').filter(|part| !part.is_empty()).fold(root, |at, part| at / part);
        Ok(path.add(leaf, tensor, learnt))
    }

    /// How many numbers there are in all weights.
    pub fn count(&self) -> usize {
        self.store.variables().values().map(Tensor::numel).sum()
    }

    /// The weights as they are now, to be saved.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn save(&self) -> Result<BTreeMap<String, Saved>, Error> {
        let mut saved = BTreeMap::new();
        for (name, tensor) in self.store.variables() {
            let values = numbers::<f32>(&tensor)?;
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            saved.insert(name, Saved { shape, values });
        }
        Ok(saved)
    }

    /// A copy to come back to.
    pub(crate) fn snapshot(&self) -> Result<Vec<(String, Tensor)>, Error> {
        let copy = |(name, tensor): (String, Tensor)| {
            let copy = tch::no_grad(|| tensor.f_detach())?.copy();
            Ok((name, copy))
        };
        self.store.variables().into_iter().map(copy).collect()
    }

    /// Back to a snapshot.
    pub(crate) fn restore(&self, snapshot: &[(String, Tensor)]) -> Result<(), Error> {
        let mut variables = self.store.variables();
        for (name, saved) in snapshot {
            if let Some(variable) = variables.get_mut(name) {
                tch::no_grad(|| variable.f_copy_(saved))?;
            }
        }
        Ok(())
    }

    pub(crate) fn store(&self) -> &VarStore {
        &self.store
    }
}

fn weight<'a>(
    tensors: &'a BTreeMap<String, Saved>,
    stem: &Path,
    name: &str,
    shape: &[usize],
) -> Result<&'a Saved, Error> {
    let wrong = |message| scarce_artifact::Error::Model { path: stem.to_owned(), message };
    let tensor = tensors.get(name).ok_or_else(|| wrong(format!("it has no weight `{name}`")))?;
    if tensor.shape != shape {
        let found = &tensor.shape;
        Err(wrong(format!("weight `{name}` has shape {found:?}, expected {shape:?}")))?;
    }
    Ok(tensor)
}
