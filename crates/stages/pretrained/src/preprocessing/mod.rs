//! From a decoded picture to what a network expects: resize, crop, scale, normalise, as the people
//! who trained it did.
//!
//! The description is Hugging Face's `preprocessor_config.json`, timm's `pretrained_cfg` in
//! `config.json`, or parameters. What is not understood is refused: a network that sees the wrong
//! pixels answers all the same, only worse.

mod apply;
mod config;

use std::path::Path;

use scarce_pictures::Filter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    apply::{Layout, Prepared},
    config::{read, read_folder},
};
use crate::{Error, Result};

/// Longest side that a network may see.
const MAX_SIDE: u32 = 4096;

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Size {
    /// Rows of pixels.
    pub height: u32,
    /// Pixels in a row.
    pub width: u32,
}

/// What to do otherwise than the model's description says, or instead of one; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Overrides {
    /// Resize so that the shorter side has so many pixels; proportions stay.
    pub shortest_edge: Option<u32>,
    /// Resize to this size, whatever the proportions.
    pub resize: Option<Size>,
    /// Filter of the resizing.
    pub resample: Option<Filter>,
    /// Cut this size out of the middle.
    pub crop: Option<Size>,
    /// Factor that pixel values from 0 to 255 are multiplied by.
    pub rescale_factor: Option<f64>,
    /// Means of red, green and blue, after the factor; they are subtracted.
    pub mean: Option<[f64; 3]>,
    /// Standard deviations of red, green and blue, after the factor; they divide.
    pub std: Option<[f64; 3]>,
}

/// How the size of a picture changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resize {
    /// Not at all.
    None,
    /// The shorter side gets this length.
    ShortestEdge(u32),
    /// Both sides are given.
    Exact(Size),
}

/// How the half pixel is rounded where what is cut away is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Middle {
    /// Down, as Hugging Face does.
    Down,
    /// To the even neighbour, as Python's `round` in torchvision does.
    HalfEven,
}

/// Everything that happens between the decoded picture and the network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) resize: Resize,
    pub(crate) resample: Filter,
    pub(crate) crop: Option<Size>,
    pub(crate) middle: Middle,
    pub(crate) rescale_factor: f64,
    pub(crate) mean: [f64; 3],
    pub(crate) std: [f64; 3],
}

impl Recipe {
    /// The description, if there is one, with what the parameters say instead.
    pub(crate) fn of(described: Option<Self>, own: &Overrides, model: &Path) -> Result<Self> {
        let resize = match (own.shortest_edge, own.resize) {
            (Some(_), Some(_)) => {
                let message = "`shortest_edge` and `resize` are set together";
                return Err(Error::request(message, "leave one of them out"));
            }
            (Some(edge), None) => Some(Resize::ShortestEdge(edge)),
            (None, Some(size)) => Some(Resize::Exact(size)),
            (None, None) => None,
        };
        let described = match described {
            Some(described) => described,
            None => Self::of_parameters(own, resize, model)?,
        };
        let recipe = Self {
            resize: resize.unwrap_or(described.resize),
            resample: own.resample.unwrap_or(described.resample),
            crop: own.crop.or(described.crop),
            middle: described.middle,
            rescale_factor: own.rescale_factor.unwrap_or(described.rescale_factor),
            mean: own.mean.unwrap_or(described.mean),
            std: own.std.unwrap_or(described.std),
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// Without a description the parameters have to say all that cannot be guessed.
    fn of_parameters(own: &Overrides, resize: Option<Resize>, model: &Path) -> Result<Self> {
        let (Some(resize), Some(resample), Some(mean), Some(std)) =
            (resize, own.resample, own.mean, own.std)
        else {
            return Err(Error::model(
                model,
                "nothing says how pictures are prepared for this network",
                "put its `preprocessor_config.json` (or timm's `config.json`) beside it and name \
                 the folder, name that file by `preprocessor`, or set in `preprocessing` all of: \
                 `shortest_edge` or `resize`, `resample`, `mean`, `std`",
            ));
        };
        let rescale_factor = own.rescale_factor.unwrap_or(1.0 / 255.0);
        let (crop, middle) = (own.crop, Middle::Down);
        Ok(Self { resize, resample, crop, middle, rescale_factor, mean, std })
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: String, help: &str| Err(Error::request(message, help));
        let sides = match self.resize {
            Resize::None => Vec::new(),
            Resize::ShortestEdge(edge) => vec![edge],
            Resize::Exact(size) => vec![size.height, size.width],
        };
        let crop = self.crop.into_iter().flat_map(|size| [size.height, size.width]);
        if let Some(side) = sides.into_iter().chain(crop).find(|s| !(1..=MAX_SIDE).contains(s)) {
            let help = "sides of what a network sees are from 1 to 4096 pixels";
            return refuse(format!("the preprocessing asks for a side of {side} pixels"), help);
        }
        if self.crop.is_none() && !matches!(self.resize, Resize::Exact(_)) {
            let help = "give `crop = { height = …, width = … }`, or `resize` to one size";
            return refuse("the preprocessing leaves images of different sizes".to_owned(), help);
        }
        let good = |x: &f64| x.is_finite() && x.abs() < 1e6;
        let numbers = self.mean.iter().chain(&self.std).chain([&self.rescale_factor]);
        if !numbers.into_iter().all(good) || self.std.contains(&0.0) {
            let help = "`mean`, `std` and `rescale_factor` are numbers, and no `std` is 0";
            return refuse("the preprocessing divides by 0 or has no numbers".to_owned(), help);
        }
        Ok(())
    }

    /// The size that a picture needs so that nothing is lost where a decoder makes it smaller: twice
    /// what it is resized to, width and height.
    pub(crate) fn needs(&self) -> Option<(u32, u32)> {
        match self.resize {
            Resize::None => None,
            Resize::ShortestEdge(edge) => Some((2 * edge, 2 * edge)),
            Resize::Exact(size) => Some((2 * size.width, 2 * size.height)),
        }
    }

    /// The size of what the network sees.
    pub(crate) fn size(&self) -> Size {
        match (self.crop, self.resize) {
            (Some(size), _) | (None, Resize::Exact(size)) => size,
            // `check` lets none of these through.
            (None, Resize::None | Resize::ShortestEdge(_)) => Size { height: 0, width: 0 },
        }
    }
}
