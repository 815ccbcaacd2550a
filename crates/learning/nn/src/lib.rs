//! Neural networks: everything that touches libtorch, in one crate.
//!
//! Stages that learn by gradient are built from four things:
//!
//! - a [`Device`], as a parameter names it (`auto`, `cpu`, `cuda:0`), made ready by
//!   [`Device::open`];
//! - [`Variables`], the weights by name, either drawn afresh from a seed or taken from
//!   a saved [`Model`](scarce_artifact::Model);
//! - layers that read their weights from them: [`Dense`] stacks, a [`ConvStack`] that looks for
//!   patterns, [`ConvEncoder`] and [`ConvDecoder`], for images of any height, width and number of
//!   channels; and a [`Gaussian`] for what a layer says of a distribution;
//! - [`train`], the one training loop: shuffled mini-batches, an [`Optimiser`], [`Rows`] to
//!   validate on, early stopping, the best weights kept. [`train_by_hand`] is the same for small
//!   networks on a processor, whose backward pass is written by hand ([`ManualBackward`], [`MlpCpu`]): autograd,
//!   tensors and passes over memory would take much of the time.
//!
//! [`Pixels`] holds the images of a training set as bytes and hands out batches scaled to
//! `[0, 1]`; [`Augmentation`] bends them a little before each look.
//!
//! # Reproducibility
//!
//! Weights, orders of images and all noise are drawn from our own streams, one per seed and purpose, so
//! a result does not depend on libtorch's generator. libtorch never shares an operation out among
//! threads; instead each mini-batch is cut into pieces, the same on every machine, which a [`Replicas`]
//! of networks works on side by side. So on a processor the same libtorch and seed give the same
//! bytes, whatever the number of threads.
//!
//! On a GPU that is promised up to rounding only. cuDNN and cuBLAS add some sums, above all those of
//! the gradients of convolutions, in an order that is not the same each time; the bindings have no
//! switch for cuDNN's deterministic algorithms. The mode in which it chooses algorithms by a race is
//! off ([`Device::open`]). Results of the two kinds of device are never taken for each other: the
//! device is part of the keys.
//!
//! ```no_run
//! use scarce_nn::{Activation, Dense, Device, Mode, Rows, Training, Variables, tch};
//!
//! let device = Device::Cpu.open()?;
//! let variables = Variables::fresh(device, 7);
//! let numbers = || tch::Tensor::arange(8, (tch::Kind::Float, device)).view([8, 1]);
//!
//! let training = Training { epochs: 50, batch: 4, ..Training::default() };
//! let history = train(&variables, Rows::all(8), &training, &mut |_| {}, |variables| {
//!     let line = Dense::new(variables, "line", &[1, 1], Activation::None)?;
//!     let x = numbers();
//!     Ok(move |rows: &tch::Tensor, mode: &mut Mode<'_>| {
//!         let x = x.f_index_select(0, rows)?;
//!         Ok(line.forward(&x, mode)?.f_mse_loss(&(&x * 2.0), tch::Reduction::Mean)?)
//!     })
//! })?;
//! println!("loss {}", history.last().map_or(f64::NAN, |epoch| epoch.train_loss));
//! # use scarce_nn::train;
//! # Ok::<(), scarce_nn::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activation;
mod augment;
mod conv;
mod dense;
mod device;
mod error;
mod gaussian;
mod initialisation;
mod manual_backward;
mod mlp_cpu;
mod optimiser;
mod pixels;
mod planes;
mod product;
mod regularise;
mod replicas;
mod rows;
mod sparse;
mod stream;
mod training;
mod variables;
mod vector;

#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use augment::Augmentation;
pub use conv::{ConvDecoder, ConvEncoder};
pub use dense::Dense;
pub use device::{Device, LIBTORCH};
pub use error::Error;
pub use gaussian::Gaussian;
pub use initialisation::Initialisation;
pub use manual_backward::{ManualBackward, Piece};
pub use mlp_cpu::{MlpCpu, Tape, activate, has_slope, times_slope};
pub use optimiser::{Optimiser, Schedule};
pub use pixels::{Pixels, numbers};
pub use planes::{ConvStack, Padding, Planes};
pub use regularise::{BatchNorm, dropout};
pub use replicas::Replicas;
pub use rows::{EarlyStopping, Rows};
pub use stream::Stream;
pub use tch;
pub use training::{Epoch, Mode, Progress, Training, history, train, train_by_hand};
pub use variables::Variables;
pub use vector::{cross_entropy, squared_error};
