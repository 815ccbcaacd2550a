//! Weights by name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use scarce_artifact::{Model, Tensor as Saved};
use tch::{Device, Tensor};

use crate::{Error, Initialisation, Stream, numbers};

/// Weights that a layer may have: beyond this somebody mistyped a size.
const MOST_WEIGHTS: usize = 1 << 30;

/// The weights of a network, which its layers ask for by name (`encoder.0.weight`). A layer that
/// asks for a name a second time gets the same weight again.
pub struct Variables {
    device: Device,
    source: Source,
    known: RefCell<BTreeMap<String, Tensor>>,
}

/// Where a weight's first value comes from.
enum Source {
    /// Drawn at random.
    Fresh { seed: u64, initialisation: Initialisation },
    /// Drawn at random, but for those of a saved model whose names begin so.
    Begun { seed: u64, tensors: BTreeMap<String, Saved>, stem: PathBuf, prefix: String },
    /// Read from a saved model.
    Model { tensors: BTreeMap<String, Saved>, stem: PathBuf },
    /// These, most of them in the same memory as another network's.
    Replica(BTreeMap<String, Tensor>),
}

impl Variables {
    /// Weights that will be drawn from `seed`, each from its own stream, within ±1/√in.
    pub fn fresh(device: Device, seed: u64) -> Self {
        Self::initialised(device, seed, Initialisation::default())
    }

    /// Weights that will be drawn from `seed`, each from its own stream.
    pub fn initialised(device: Device, seed: u64, initialisation: Initialisation) -> Self {
        // nothing here draws from libtorch's generator; should that change, it is seeded
        tch::manual_seed(seed as i64);
        Self::new(device, Source::Fresh { seed, initialisation })
    }

    /// Weights that will be drawn from `seed`, but for those whose names begin with `prefix`: they start
    /// as they are in `model`, which was read from `stem`.
    ///
    /// A layer of such a name whose weight is missing there or of another shape fails to build.
    pub fn begun(device: Device, seed: u64, model: Model, stem: &Path, prefix: &str) -> Self {
        let tensors = model.tensors;
        let (stem, prefix) = (stem.to_owned(), prefix.to_owned());
        Self::new(device, Source::Begun { seed, tensors, stem, prefix })
    }

    /// The weights of `model`, which was read from `stem`.
    ///
    /// A layer whose weight is missing there or of another shape fails to build, before any
    /// memory is taken for it.
    pub fn of_model(device: Device, model: Model, stem: &Path) -> Self {
        Self::new(device, Source::Model { tensors: model.tensors, stem: stem.to_owned() })
    }

    fn new(device: Device, source: Source) -> Self {
        Self { device, source, known: RefCell::default() }
    }

    /// Variables for a second network of the same layers, whose weights lie in the same memory
    /// and whose gradients are its own. What is not trained is its own as well, as layers change it
    /// while they work. The two may work in different threads, as long as nobody changes the
    /// weights meanwhile.
    pub(crate) fn replica(&self) -> Result<Self, Error> {
        let mut replicas = BTreeMap::new();
        for (name, weight) in self.known.borrow().iter() {
            let replica = weight.f_detach()?;
            let learnt = weight.requires_grad();
            let replica = if learnt { replica.set_requires_grad(true) } else { replica.copy() };
            replicas.insert(name.clone(), replica);
        }
        Ok(Self::new(self.device, Source::Replica(replicas)))
    }

    /// Where the weights live.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The weight `name.weight` of this shape and the bias `name.bias`, one number per output, of a
    /// layer each of whose outputs is made of `fan.0` inputs, and whose inputs each reach `fan.1`
    /// outputs.
    pub(crate) fn layer(
        &self,
        name: &str,
        shape: &[usize],
        outputs: usize,
        fan: (usize, usize),
    ) -> Result<(Tensor, Tensor), Error> {
        let initialisation = match self.source {
            Source::Fresh { initialisation, .. } => initialisation,
            Source::Begun { .. } | Source::Model { .. } | Source::Replica(_) => {
                Initialisation::default()
            }
        };
        let weight = format!("{name}.weight");
        let weight = self.uniform(&weight, shape, initialisation.of_weights(fan.0, fan.1))?;
        let bias = format!("{name}.bias");
        let bias = match initialisation.of_biases(fan.0) {
            Some(bound) => self.uniform(&bias, &[outputs], bound)?,
            None => self.constant(&bias, &[outputs], 0.0, true)?,
        };
        Ok((weight, bias))
    }

    /// Numbers called `name`, to be trained; fresh ones are uniform in `±bound`.
    fn uniform(&self, name: &str, shape: &[usize], bound: f64) -> Result<Tensor, Error> {
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
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.shallow_clone());
        }
        let on_device = |values: &[f32]| -> Result<Tensor, Error> {
            let sizes: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
            let tensor = Tensor::f_from_slice(values)?.f_reshape(&sizes)?.f_to(self.device)?;
            Ok(tensor.set_requires_grad(learnt))
        };
        let tensor = match &self.source {
            Source::Begun { tensors, stem, prefix, .. } if name.starts_with(prefix.as_str()) => {
                on_device(&weight(tensors, stem, name, shape)?.values)?
            }
            Source::Fresh { seed, .. } | Source::Begun { seed, .. } => {
                on_device(&fresh(*seed, count))?
            }
            Source::Model { tensors, stem } => {
                on_device(&weight(tensors, stem, name, shape)?.values)?
            }
            Source::Replica(replicas) => {
                let missing = || Error::Parameter(format!("there is no weight `{name}`"));
                replicas.get(name).ok_or_else(missing)?.shallow_clone()
            }
        };
        self.known.borrow_mut().insert(name.to_owned(), tensor.shallow_clone());
        Ok(tensor)
    }

    /// How many numbers there are in all weights.
    pub fn count(&self) -> usize {
        self.known.borrow().values().map(Tensor::numel).sum()
    }

    /// The weights as they are now, to be saved.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn save(&self) -> Result<BTreeMap<String, Saved>, Error> {
        let mut saved = BTreeMap::new();
        for (name, tensor) in self.known.borrow().iter() {
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            saved.insert(name.clone(), Saved { shape, values: numbers::<f32>(tensor)? });
        }
        Ok(saved)
    }

    /// The weights that are trained, in the order of their names.
    pub(crate) fn learnt(&self) -> Vec<Tensor> {
        self.that(Tensor::requires_grad)
    }

    /// Where the numbers of a weight that is trained lie when all such weights are put one behind the
    /// other in the order of [`learnt`](Self::learnt), and its shape.
    pub(crate) fn place(&self, name: &str) -> Option<(Range<usize>, Vec<usize>)> {
        let mut from = 0;
        for (known, weight) in self.known.borrow().iter() {
            let count = if weight.requires_grad() { weight.numel() } else { 0 };
            if known == name && count > 0 {
                let shape = weight.size().iter().map(|&size| size as usize).collect();
                return Some((from..from + count, shape));
            }
            from += count;
        }
        None
    }

    /// What is saved with the weights but not trained, in the order of the names.
    pub(crate) fn observed(&self) -> Vec<Tensor> {
        self.that(|one| !one.requires_grad())
    }

    fn that(&self, fits: impl Fn(&Tensor) -> bool) -> Vec<Tensor> {
        let known = self.known.borrow();
        known.values().filter(|one| fits(one)).map(Tensor::shallow_clone).collect()
    }

    /// A copy of all weights to come back to, in the order of their names.
    pub(crate) fn snapshot(&self) -> Result<Vec<Tensor>, Error> {
        let copy = |tensor: &Tensor| Ok(tensor.f_detach()?.copy());
        self.known.borrow().values().map(copy).collect()
    }

    /// Back to a snapshot.
    pub(crate) fn restore(&self, snapshot: &[Tensor]) -> Result<(), Error> {
        for (weight, saved) in self.known.borrow().values().zip(snapshot) {
            tch::no_grad(|| weight.shallow_clone().f_copy_(saved))?;
        }
        Ok(())
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
