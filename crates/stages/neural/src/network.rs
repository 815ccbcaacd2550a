//! The network, its description, and the model that is saved of both.

use std::{fmt, path::Path};

use scarce_artifact::{Classes, Model, ModelCard, Shape};
use scarce_nn::tch::Tensor;
use scarce_nn::{self as nn, Activation, ConvStack, Dense, Mode, Planes, Variables};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The model families on the cards: networks that see features, and images.
const FAMILIES: [&str; 2] = ["mlp", "cnn"];

/// What a network sees of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// So many numbers.
    Features {
        /// Numbers per image.
        width: usize,
    },
    /// Its pixels.
    Images(Shape),
}

impl Input {
    /// The shape of the images, if it is images.
    pub(crate) fn shape(self) -> Option<Shape> {
        match self {
            Self::Features { .. } => None,
            Self::Images(shape) => Some(shape),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Features { width } => write!(f, "features of {width} numbers"),
            Self::Images(Shape { height, width, channels }) => {
                write!(f, "images of {height} × {width} ")?;
                match channels {
                    1 => write!(f, "grey"),
                    3 => write!(f, "RGB"),
                    n => write!(f, "with {n} channels"),
                }
            }
        }
    }
}

/// Everything about a network but its weights. It is what a saved model's card holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// What it sees.
    pub input: Input,
    /// The convolutions before the fully connected layers, if it sees images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planes: Option<Planes>,
    /// Widths of the hidden fully connected layers.
    pub hidden: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// Whether batches are normalised before each activation.
    pub batch_norm: bool,
    /// Share of numbers dropped after each hidden fully connected layer while it learns.
    pub dropout: f64,
    /// The classes that it tells apart, one per output, as indices into the class names.
    pub learnt: Vec<usize>,
}

impl Blueprint {
    /// Reads it off a saved model; `path` names the model in messages.
    ///
    /// # Errors
    /// When the model is of another family or the card makes no sense.
    pub fn of_card(card: &ModelCard, path: &Path) -> Result<Self, Error> {
        let wrong = |message| Error::NotANetwork { path: path.to_owned(), message };
        if !FAMILIES.contains(&card.kind.as_str()) {
            return Err(wrong(format!("it is a `{}`", card.kind)));
        }
        let blueprint: Self = serde_json::from_value(card.architecture.clone())
            .map_err(|error| wrong(error.to_string()))?;
        let classes = card.classes.len();
        let sorted = blueprint.learnt.is_sorted_by(|a, b| a < b);
        if !sorted || blueprint.learnt.last().is_none_or(|&last| last >= classes) {
            return Err(wrong(format!("its outputs are not classes of the {classes} it names")));
        }
        Ok(blueprint)
    }

    /// How many numbers the last layer sees.
    ///
    /// # Errors
    /// When the images are too small for the convolutions.
    pub fn features(&self) -> Result<usize, Error> {
        if let Some(&last) = self.hidden.last() {
            return Ok(last);
        }
        Ok(match (self.input, &self.planes) {
            (Input::Images(shape), Some(planes)) => planes.width(shape)?,
            (Input::Images(shape), None) => shape.pixels(),
            (Input::Features { width }, _) => width,
        })
    }

    /// The model to save; `origin` says what its features are.
    ///
    /// # Errors
    /// When the weights cannot be read from the device.
    pub fn model(
        &self,
        variables: &Variables,
        classes: &Classes,
        preprocessing: serde_json::Value,
    ) -> Result<Model, Error> {
        let card = ModelCard {
            kind: FAMILIES[usize::from(self.planes.is_some())].to_owned(),
            classes: classes.classes.clone(),
            architecture: serde_json::json!(self),
            preprocessing,
        };
        Ok(Model { card, tensors: variables.save()? })
    }
}

/// A classifier.
pub struct Network {
    planes: Option<ConvStack>,
    dense: Dense,
}

impl Network {
    /// Builds it, with weights named `planes.LAYER.…` and `dense.LAYER.…`.
    ///
    /// # Errors
    /// When the images are too small for the convolutions, a weight is too large or the saved model
    /// has another.
    pub fn new(variables: &Variables, blueprint: &Blueprint) -> Result<Self, nn::Error> {
        let &Blueprint { input, activation, batch_norm, dropout, .. } = blueprint;
        let (width, planes) = match (input, &blueprint.planes) {
            (Input::Features { width }, _) => (width, None),
            (Input::Images(shape), None) => (shape.pixels(), None),
            (Input::Images(shape), Some(planes)) => {
                let mut stack = ConvStack::new(variables, "planes", shape, planes, activation)?;
                if batch_norm {
                    stack = stack.with_batch_norm(variables, "planes")?;
                }
                (planes.width(shape)?, Some(stack))
            }
        };
        let Blueprint { hidden, learnt, .. } = blueprint;
        let widths: Vec<usize> =
            [width].iter().chain(hidden).chain(&[learnt.len()]).copied().collect();
        let mut dense = Dense::new(variables, "dense", &widths, activation)?;
        if batch_norm {
            dense = dense.with_batch_norm(variables, "dense")?;
        }
        Ok(Self { planes, dense: dense.with_dropout(dropout) })
    }

    /// `x: [n, d]` to one number per class that it tells apart, `[n, learnt]`; their softmax are
    /// the probabilities.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, nn::Error> {
        let x = self.before_dense(x, mode)?;
        self.dense.forward(&x, mode)
    }

    /// `x: [n, d]` to the numbers that the last layer sees, `[n, width]`, see
    /// [`Blueprint::features`].
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn features(&self, x: &Tensor) -> Result<Tensor, nn::Error> {
        let mut mode = Mode::Applied;
        let x = self.before_dense(x, &mut mode)?;
        self.dense.hidden(&x, &mut mode)
    }

    fn before_dense(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, nn::Error> {
        match &self.planes {
            Some(planes) => planes.forward(x, mode),
            None => Ok(x.shallow_clone()),
        }
    }
}
