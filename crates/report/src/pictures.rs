//! Pictures as PNG data URIs, so that the page needs no other file.

use std::{
    collections::{BTreeSet, HashMap},
    io::Cursor,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use scarce_artifact::{Images, ImagesMeta, Reader, Shape};

use crate::{Error, Result};

/// Larger pictures are shrunk to this many pixels a side.
const LARGEST: u32 = 96;

/// The pictures that the page shows, by image.
#[derive(Debug, Default)]
pub(crate) struct Album {
    uris: HashMap<u32, String>,
    sources: HashMap<u32, String>,
}

impl Album {
    /// Reads the wanted images in one pass.
    pub(crate) fn read(reader: &Reader<Images>, wanted: &BTreeSet<u32>) -> Result<Self> {
        let mut album = Self::default();
        if wanted.is_empty() {
            return Ok(album);
        }
        let meta = reader.meta();
        for batch in reader.batches(scarce_artifact::BATCH_ROWS)? {
            let batch = batch?;
            if batch.pixels.width != meta.shape.pixels() {
                let (found, expected) = (batch.pixels.width, meta.shape.pixels());
                return Err(Error::Width { table: "images".to_owned(), found, expected });
            }
            for (at, id) in batch.id.iter().enumerate().filter(|(_, id)| wanted.contains(id)) {
                album.uris.insert(*id, data_uri(meta, batch.pixels.row(at))?);
                album.sources.insert(*id, batch.source[at].clone());
            }
        }
        Ok(album)
    }

    /// The picture of an image, if images are wired.
    pub(crate) fn uri(&self, id: u32) -> Option<&str> {
        self.uris.get(&id).map(String::as_str)
    }

    /// File name or index of an image.
    pub(crate) fn source(&self, id: u32) -> Option<&str> {
        self.sources.get(&id).map(String::as_str)
    }
}

/// An image's bytes as a PNG data URI; values are stretched from `max_value` to 255.
pub(crate) fn data_uri(meta: &ImagesMeta, pixels: &[u8]) -> Result<String> {
    let largest = u32::from(meta.max_value.max(1));
    let stretched: Vec<u8> =
        pixels.iter().map(|&p| (u32::from(p) * 255 / largest).min(255) as u8).collect();
    png_uri(meta.shape, stretched)
}

/// A code as a square of grey cells, row by row, darkest at its lowest and lightest at its highest
/// number; cells left over are black.
pub(crate) fn code_uri(code: &[f32]) -> Result<String> {
    let root = code.len().isqrt();
    let side = if root * root == code.len() { root } else { root + 1 };
    let low = code.iter().copied().fold(f32::INFINITY, f32::min);
    let high = code.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = if high > low { high - low } else { 1.0 };
    let mut pixels: Vec<u8> =
        code.iter().map(|&value| ((value - low) / range * 255.0).round() as u8).collect();
    pixels.resize(side * side, 0);
    png_uri(Shape { height: side, width: side, channels: 1 }, pixels)
}

fn png_uri(shape: Shape, pixels: Vec<u8>) -> Result<String> {
    let failed = |message: String| Error::Figure { what: "a picture", message };
    let side = |side: usize| u32::try_from(side).map_err(|error| failed(error.to_string()));
    let (width, height) = (side(shape.width)?, side(shape.height)?);
    let picture = match shape.channels {
        3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    let mut picture = picture.ok_or_else(|| failed(format!("{shape:?} is no image")))?;
    if width.max(height) > LARGEST {
        picture = picture.thumbnail(LARGEST, LARGEST);
    }
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| failed(error.to_string()))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(uri: &str) -> DynamicImage {
        let bytes = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        image::load_from_memory(&bytes).unwrap()
    }

    #[test]
    fn pixels_are_stretched_to_the_full_range() {
        let shape = Shape { height: 1, width: 2, channels: 1 };
        let meta = ImagesMeta { shape, dataset: String::new(), max_value: 16 };
        let picture = decoded(&data_uri(&meta, &[16, 8]).unwrap()).to_luma8();
        assert_eq!(picture.as_raw(), &[255, 127]);
    }

    #[test]
    fn large_pictures_are_shrunk() {
        let shape = Shape { height: 100, width: 200, channels: 3 };
        let meta = ImagesMeta { shape, dataset: String::new(), max_value: 255 };
        let picture = decoded(&data_uri(&meta, &vec![9; shape.pixels()]).unwrap());
        assert_eq!((picture.width(), picture.height()), (96, 48));
    }

    #[test]
    fn a_code_of_five_fills_a_square_of_nine() {
        let picture = decoded(&code_uri(&[0.0, 1.0, 2.0, 3.0, 4.0]).unwrap()).to_luma8();
        assert_eq!(picture.dimensions(), (3, 3));
        assert_eq!(picture.as_raw()[..5], [0, 64, 128, 191, 255]);
        assert!(code_uri(&[1.0, 1.0]).is_ok());
    }
}
