//! What every image of a run is brought to: colour, size, bytes.

use image::{DynamicImage, imageops::FilterType};
use scarce_artifact::Shape;
use scarce_pictures::{Filter, Fit, Options, Picture, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Longest side of an image in a table, in pixels.
pub(crate) const MAX_SIDE: u32 = 16_384;
/// Most values of one image in a table.
pub(crate) const MAX_VALUES: usize = 1 << 28;
/// Pictures are decoded to at least so many times the size that is wanted, where decoding can scale:
/// what is left to the filter then looks as if all had been (Pillow's `reducing_gap`).
const REDUCING_GAP: u32 = 2;

/// Colours that images are brought to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// As the source has them.
    #[default]
    Keep,
    /// One channel: luma with the weights of Rec. 709.
    Grey,
    /// Red, green, blue; a grey image has the same value in all three.
    Rgb,
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Rows of pixels.
    #[schemars(range(min = 1, max = MAX_SIDE))]
    pub height: u32,
    /// Pixels in a row.
    #[schemars(range(min = 1, max = MAX_SIDE))]
    pub width: u32,
}

/// The shape of an image in a table.
pub(crate) fn shape_of(picture: &Picture) -> Shape {
    Shape {
        height: picture.height() as usize,
        width: picture.width() as usize,
        channels: usize::from(picture.channels()),
    }
}

/// An image of bytes whose number its shape tells.
pub(crate) fn of_bytes(shape: Shape, pixels: Vec<u8>) -> Result<Picture> {
    let side = |side: usize| u32::try_from(side).unwrap_or(0);
    let channels = u8::try_from(shape.channels).unwrap_or(0);
    let (width, height) = (side(shape.width), side(shape.height));
    Picture::new(width, height, channels, Samples::Bytes(pixels)).ok_or_else(|| {
        let message =
            format!("{} × {} × {} bytes are no image", shape.height, shape.width, shape.channels);
        Error::request(message, "images have 1 or 3 channels")
    })
}

/// What every image of a run is brought to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) size: Option<Size>,
    pub(crate) fit: Fit,
    pub(crate) channels: Channels,
    pub(crate) background: [u8; 3],
    pub(crate) max_pixels: u64,
}

impl Target {
    /// Refuses sizes that make no image.
    pub(crate) fn check(self) -> Result<()> {
        let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
        match self.size {
            Some(Size { height, width }) if !fits(height) || !fits(width) => {
                let message = format!("`resize` is {height} × {width}");
                Err(Error::request(message, format!("give sides from 1 to {MAX_SIDE} pixels")))
            }
            None if self.fit != Fit::Stretch => {
                let help = "set `resize = { height = …, width = … }`, or leave `fit` out";
                Err(Error::request("`fit` is set without `resize`", help))
            }
            _ => Ok(()),
        }
    }

    /// How pictures are decoded for it.
    pub(crate) fn decoding(self) -> Options {
        let at_least = self.size.map(|Size { height, width }| {
            (width.saturating_mul(REDUCING_GAP), height.saturating_mul(REDUCING_GAP))
        });
        Options { background: self.background, max_pixels: self.max_pixels, at_least }
    }

    /// Brings one image of bytes to it. No value leaves the source's range.
    pub(crate) fn apply(self, picture: Picture) -> Picture {
        let picture = match self.channels {
            Channels::Keep => picture,
            Channels::Grey => picture.into_grey(),
            Channels::Rgb => picture.into_rgb(),
        };
        let Some(Size { height, width }) = self.size else { return picture };
        if (width, height) == (picture.width(), picture.height()) {
            return picture;
        }
        match self.fit {
            Fit::Stretch => stretch(picture, width, height),
            fit => scarce_pictures::resize(
                &picture,
                (width, height),
                Filter::Bilinear,
                fit,
                self.background,
            ),
        }
    }
}

/// By a triangle in floating point: bilinear where the image grows, an average over all covered
/// pixels where it shrinks. Within one value of `Filter::Bilinear`, and what tables that were made
/// before `fit` hold, to the byte.
fn stretch(picture: Picture, width: u32, height: u32) -> Picture {
    let image =
        picture.into_image().map(|image| image.resize_exact(width, height, FilterType::Triangle));
    let resized = match image {
        Some(DynamicImage::ImageLuma8(image)) => {
            Picture::new(width, height, 1, Samples::Bytes(image.into_raw()))
        }
        Some(image) => Picture::new(width, height, 3, Samples::Bytes(image.into_rgb8().into_raw())),
        None => None,
    };
    resized.unwrap_or_else(|| unreachable!("a picture has the values that its size says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(size: Option<Size>, channels: Channels) -> Target {
        let (fit, background) = (Fit::Stretch, [255; 3]);
        Target { size, fit, channels, background, max_pixels: scarce_pictures::MAX_PIXELS }
    }

    #[test]
    fn resizing_averages_and_stays_in_range() {
        let shape = Shape { height: 2, width: 4, channels: 1 };
        let picture = of_bytes(shape, vec![0, 0, 16, 16, 0, 0, 16, 16]).unwrap();
        let small = target(Some(Size { height: 1, width: 2 }), Channels::Keep).apply(picture);
        assert_eq!(shape_of(&small), Shape { height: 1, width: 2, channels: 1 });
        let bytes = small.bytes().unwrap();
        assert!(bytes[0] <= 4 && (12..=16).contains(&bytes[1]), "{small:?}");
    }

    #[test]
    fn colours_are_brought_to_one_kind() {
        let rgb = of_bytes(Shape { height: 1, width: 1, channels: 3 }, vec![0, 255, 0]).unwrap();
        let grey = target(None, Channels::Grey).apply(rgb);
        // 0.7152 × 255
        assert_eq!(grey.bytes(), Some(&[182][..]));
        let back = target(None, Channels::Rgb).apply(grey);
        assert_eq!(back.bytes(), Some(&[182; 3][..]));
    }

    #[test]
    fn sizes_that_make_no_image_are_refused() {
        for (height, width) in [(0, 5), (5, 0), (5, MAX_SIDE + 1)] {
            assert!(target(Some(Size { height, width }), Channels::Keep).check().is_err());
        }
    }
}
