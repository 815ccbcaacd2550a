//! One image: decoding, colour and size.

use std::io::Cursor;

use image::{
    DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, RgbImage, imageops::FilterType,
};
use scarce_artifact::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Longest side of an image, in pixels.
pub(crate) const MAX_SIDE: u32 = 16_384;
/// Most values of one image, and most bytes that a decoder may allocate.
pub(crate) const MAX_VALUES: usize = 1 << 28;

/// Colours that images are brought to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// As the source has them; transparency is dropped.
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

/// An image in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) shape: Shape,
    /// `[height × width × channels]`.
    pub(crate) pixels: Vec<u8>,
}

/// Decodes a PNG or JPEG file. A header that promises an absurd size is refused before anything is
/// allocated for it.
pub(crate) fn decode(bytes: &[u8], name: &str) -> Result<Picture> {
    let refuse = |message: String| Error::Image { name: name.to_owned(), message };
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(refuse("it is neither PNG nor JPEG".to_owned()));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_VALUES as u64);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| refuse(error.to_string()))?;
    let channels = if image.color().has_color() { 3 } else { 1 };
    Ok(Picture::of(&image, channels))
}

impl Picture {
    /// The pixels of `image` as grey (1 channel) or RGB bytes.
    fn of(image: &DynamicImage, channels: usize) -> Self {
        let (height, width) = (image.height() as usize, image.width() as usize);
        let pixels = match channels {
            1 => image.to_luma8().into_raw(),
            _ => image.to_rgb8().into_raw(),
        };
        Self { shape: Shape { height, width, channels }, pixels }
    }

    fn into_image(self) -> Option<DynamicImage> {
        let height = u32::try_from(self.shape.height).ok()?;
        let width = u32::try_from(self.shape.width).ok()?;
        match self.shape.channels {
            1 => GrayImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageLuma8),
            3 => RgbImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageRgb8),
            _ => None,
        }
    }
}

/// What every image of a run is brought to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) size: Option<Size>,
    pub(crate) channels: Channels,
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
            _ => Ok(()),
        }
    }

    /// Brings one image to it. Sizes change by a triangle filter: bilinear where the image grows,
    /// an average over all covered pixels where it shrinks. No value leaves the source's range.
    pub(crate) fn apply(self, picture: Picture) -> Result<Picture> {
        let shape = picture.shape;
        let channels = match self.channels {
            Channels::Keep => shape.channels,
            Channels::Grey => 1,
            Channels::Rgb => 3,
        };
        let size = self.size.filter(|size| {
            (size.height as usize, size.width as usize) != (shape.height, shape.width)
        });
        if channels == shape.channels && size.is_none() {
            return Ok(picture);
        }
        let message =
            format!("{} × {} × {} bytes are no image", shape.height, shape.width, shape.channels);
        let image = picture
            .into_image()
            .ok_or_else(|| Error::request(message, "images have 1 or 3 channels"))?;
        let image = match channels {
            1 => DynamicImage::ImageLuma8(image.into_luma8()),
            _ => DynamicImage::ImageRgb8(image.into_rgb8()),
        };
        let image = match size {
            None => image,
            Some(size) => image.resize_exact(size.width, size.height, FilterType::Triangle),
        };
        Ok(Picture::of(&image, channels))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn grey(height: u32, width: u32, value: u8) -> DynamicImage {
        DynamicImage::ImageLuma8(GrayImage::from_pixel(width, height, image::Luma([value])))
    }

    pub(crate) fn rgb(height: u32, width: u32, value: [u8; 3]) -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, image::Rgb(value)))
    }

    pub(crate) fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A PNG whose header promises `side × side` RGBA pixels over a few bytes of data.
    pub(crate) fn bomb(side: u32) -> Vec<u8> {
        let mut png = encode(&grey(1, 1, 0), ImageFormat::Png);
        // The header chunk: length (4), `IHDR`, width, height, depth, colour, 3 more, CRC.
        png[16..20].copy_from_slice(&side.to_be_bytes());
        png[20..24].copy_from_slice(&side.to_be_bytes());
        png[25] = 6;
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..29]);
        png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        png
    }

    #[test]
    fn png_and_jpeg_keep_their_shape_and_colour() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let picture = decode(&encode(&grey(3, 5, 200), format), "a").unwrap();
            assert_eq!(picture.shape, Shape { height: 3, width: 5, channels: 1 });
            assert!(picture.pixels.iter().all(|&value| value.abs_diff(200) < 3));
            let picture = decode(&encode(&rgb(2, 4, [250, 10, 20]), format), "a").unwrap();
            assert_eq!(picture.shape, Shape { height: 2, width: 4, channels: 3 });
            assert!(picture.pixels[0] > 240 && picture.pixels[1] < 25);
        }
    }

    #[test]
    fn deep_and_transparent_images_become_bytes() {
        let deep = DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(
            2,
            2,
            image::Luma([0x8000_u16]),
        ));
        let picture = decode(&encode(&deep, ImageFormat::Png), "a").unwrap();
        assert_eq!(picture.pixels, [128; 4]);
        let clear = DynamicImage::ImageRgba8(image::ImageBuffer::from_pixel(
            1,
            1,
            image::Rgba([1, 2, 3, 9]),
        ));
        let picture = decode(&encode(&clear, ImageFormat::Png), "a").unwrap();
        assert_eq!(picture.pixels, [1, 2, 3]);
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        for side in [100_000, 16_000, u32::MAX / 2] {
            let error = decode(&bomb(side), "bomb.png").unwrap_err().to_string();
            assert!(error.contains("`bomb.png`"), "{error}");
        }
    }

    #[test]
    fn damaged_images_are_errors_wherever_they_are_cut_or_flipped() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let whole = encode(&rgb(16, 16, [1, 99, 200]), format);
            for length in 0..whole.len().min(60) {
                assert!(decode(&whole[..length], "a").is_err());
            }
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x55;
                let _ = decode(&damaged, "a"); // an error or other pixels, never a panic
            }
        }
        assert!(decode(b"GIF89a\x01\x00\x01\x00", "a.gif").is_err());
    }

    #[test]
    fn resizing_averages_and_stays_in_range() {
        let size = Some(Size { height: 1, width: 2 });
        let target = Target { size, channels: Channels::Keep };
        let shape = Shape { height: 2, width: 4, channels: 1 };
        let picture = Picture { shape, pixels: vec![0, 0, 16, 16, 0, 0, 16, 16] };
        let small = target.apply(picture).unwrap();
        assert_eq!(small.shape, Shape { height: 1, width: 2, channels: 1 });
        assert!(small.pixels[0] <= 4 && (12..=16).contains(&small.pixels[1]), "{small:?}");
    }

    #[test]
    fn colours_are_brought_to_one_kind() {
        let rgb =
            Picture { shape: Shape { height: 1, width: 1, channels: 3 }, pixels: vec![0, 255, 0] };
        let grey = Target { size: None, channels: Channels::Grey }.apply(rgb).unwrap();
        assert_eq!(grey.pixels.len(), 1);
        assert!((170..200).contains(&grey.pixels[0]), "{grey:?}");
        let back = Target { size: None, channels: Channels::Rgb }.apply(grey.clone()).unwrap();
        assert_eq!(back.pixels, [grey.pixels[0]; 3]);
    }

    #[test]
    fn sizes_that_make_no_image_are_refused() {
        for (height, width) in [(0, 5), (5, 0), (5, MAX_SIDE + 1)] {
            let size = Some(Size { height, width });
            assert!(Target { size, channels: Channels::Keep }.check().is_err());
        }
    }
}
