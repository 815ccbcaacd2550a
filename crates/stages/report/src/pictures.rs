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
        for batch in reader.batches(scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            check_width(meta, batch.pixels.width)?;
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
///
/// # Errors
/// When they cannot be written as a PNG.
pub fn data_uri(meta: &ImagesMeta, pixels: &[u8]) -> Result<String> {
    png_uri(meta.shape, stretched(meta, pixels))
}

/// How the numbers of a code are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Rows of grey cells.
    Cells {
        /// Cells on top of each other.
        rows: usize,
        /// Cells beside each other.
        columns: usize,
    },
    /// A column for each number, as high as it is large.
    Bars,
}

/// The squarest rectangle that the numbers fill: 36 are 6 × 6, 128 are 8 × 16. Numbers that fill
/// none but a strip, such as 13 or 37, are bars.
pub(crate) fn layout(width: usize) -> Layout {
    /// A longer rectangle is a strip.
    const LONGEST: usize = 4;
    let rows = (1..=width.isqrt()).rev().find(|rows| width.is_multiple_of(*rows)).unwrap_or(1);
    let columns = width / rows;
    if width > 3 && columns <= LONGEST * rows {
        Layout::Cells { rows, columns }
    } else {
        Layout::Bars
    }
}

/// A code as a picture: cells row by row, black at its lowest and white at its highest number; or
/// bars from the lowest to the highest.
pub(crate) fn code_uri(code: &[f32]) -> Result<String> {
    let low = code.iter().copied().fold(f32::INFINITY, f32::min);
    let high = code.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = if high > low { high - low } else { 1.0 };
    let share = |value: f32| (value - low) / range;
    let (height, width, pixels) = match layout(code.len()) {
        Layout::Cells { rows, columns } => {
            let shade = |&value: &f32| (share(value) * 255.0).round() as u8;
            (rows, columns, code.iter().map(shade).collect())
        }
        Layout::Bars => bars(&code.iter().map(|&value| share(value)).collect::<Vec<f32>>()),
    };
    png_uri(Shape { height, width, channels: 1 }, pixels)
}

/// White columns on black, the lowest still to be seen.
fn bars(shares: &[f32]) -> (usize, usize, Vec<u8>) {
    const HEIGHT: usize = 32;
    let (bar, gap) = if shares.len() < 24 { (3, 1) } else { (1, 0) };
    let width = (shares.len() * (bar + gap)).max(1);
    let mut pixels = vec![0; HEIGHT * width];
    for (at, share) in shares.iter().enumerate() {
        let top = HEIGHT - 1 - (share * (HEIGHT - 1) as f32).round() as usize;
        for row in top..HEIGHT {
            let left = row * width + at * (bar + gap);
            pixels[left..left + bar].fill(255);
        }
    }
    (HEIGHT, width, pixels)
}

/// Many small pictures in one, side by side in squares.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub uri: String,
    /// Pictures in a row.
    pub columns: usize,
    places: HashMap<u32, usize>,
}

impl Sheet {
    /// Reads the wanted images in one pass; `None` when there are none of them.
    pub(crate) fn read(reader: &Reader<Images>, wanted: &BTreeSet<u32>) -> Result<Option<Self>> {
        /// Pixels a side.
        const TILE: u32 = 28;
        let columns = wanted.len().isqrt().max(1);
        let mut places = HashMap::new();
        let rows = wanted.len().div_ceil(columns);
        let mut sheet = RgbImage::new(TILE * columns as u32, TILE * rows as u32);
        let meta = reader.meta();
        for batch in reader.batches(scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            check_width(meta, batch.pixels.width)?;
            for (at, &id) in batch.id.iter().enumerate().filter(|(_, id)| wanted.contains(id)) {
                let place = places.len();
                let (left, top) =
                    ((place % columns) as u32 * TILE, (place / columns) as u32 * TILE);
                let tile = picture(meta.shape, stretched(meta, batch.pixels.row(at)))?;
                // Small pictures are enlarged by the browser, which keeps their pixels sharp.
                let fits = tile.width().max(tile.height()) <= TILE;
                let tile = if fits { enlarged(&tile, TILE) } else { tile.thumbnail(TILE, TILE) };
                let (x, y) = ((TILE - tile.width()) / 2, (TILE - tile.height()) / 2);
                image::imageops::overlay(
                    &mut sheet,
                    &tile.to_rgb8(),
                    i64::from(left + x),
                    i64::from(top + y),
                );
                places.insert(id, place);
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let uri = if meta.shape.channels == 1 {
            encoded(&DynamicImage::from(sheet).to_luma8().into(), ImageFormat::Png)?
        } else {
            // Photographs are several times smaller this way.
            encoded(&sheet.into(), ImageFormat::Jpeg)?
        };
        Ok(Some(Self { uri, columns, places }))
    }

    /// Column and row of an image.
    pub(crate) fn place(&self, id: u32) -> Option<(usize, usize)> {
        self.places.get(&id).map(|place| (place % self.columns, place / self.columns))
    }
}

/// By a whole factor, so that its pixels stay squares.
fn enlarged(picture: &DynamicImage, side: u32) -> DynamicImage {
    let factor = (side / picture.width().max(picture.height()).max(1)).max(1);
    let (width, height) = (picture.width() * factor, picture.height() * factor);
    picture.resize_exact(width, height, image::imageops::FilterType::Nearest)
}

fn check_width(meta: &ImagesMeta, found: usize) -> Result<()> {
    let expected = meta.shape.pixels();
    if found == expected {
        return Ok(());
    }
    Err(Error::Width { table: "images".to_owned(), found, expected })
}

/// Values from 0 to `max_value` as 0 to 255.
fn stretched(meta: &ImagesMeta, pixels: &[u8]) -> Vec<u8> {
    let largest = u32::from(meta.max_value.max(1));
    pixels.iter().map(|&p| (u32::from(p) * 255 / largest).min(255) as u8).collect()
}

fn failed(message: String) -> Error {
    Error::Figure { what: "a picture", message }
}

fn picture(shape: Shape, pixels: Vec<u8>) -> Result<DynamicImage> {
    let side = |side: usize| u32::try_from(side).map_err(|error| failed(error.to_string()));
    let (width, height) = (side(shape.width)?, side(shape.height)?);
    let picture = match shape.channels {
        3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    picture.ok_or_else(|| failed(format!("{shape:?} is no image")))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Result<String> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).map_err(|error| failed(error.to_string()))?;
    let text = STANDARD.encode(bytes.into_inner());
    Ok(format!("data:{};base64,{text}", format.to_mime_type()))
}

fn png_uri(shape: Shape, pixels: Vec<u8>) -> Result<String> {
    let mut picture = picture(shape, pixels)?;
    if picture.width().max(picture.height()) > LARGEST {
        picture = picture.thumbnail(LARGEST, LARGEST);
    }
    encoded(&picture, ImageFormat::Png)
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
        let meta =
            ImagesMeta { shape, dataset: String::new(), max_value: 16, ..Default::default() };
        let picture = decoded(&data_uri(&meta, &[16, 8]).unwrap()).to_luma8();
        assert_eq!(picture.as_raw(), &[255, 127]);
    }

    #[test]
    fn large_pictures_are_shrunk() {
        let shape = Shape { height: 100, width: 200, channels: 3 };
        let meta =
            ImagesMeta { shape, dataset: String::new(), max_value: 255, ..Default::default() };
        let picture = decoded(&data_uri(&meta, &vec![9; shape.pixels()]).unwrap());
        assert_eq!((picture.width(), picture.height()), (96, 48));
    }

    #[test]
    fn codes_are_as_square_as_they_can_be() {
        let cells = |rows, columns| Layout::Cells { rows, columns };
        let known = [
            (36, cells(6, 6)),
            (128, cells(8, 16)),
            (168, cells(12, 14)),
            (10, cells(2, 5)),
            (4, cells(2, 2)),
            (2, Layout::Bars),
            (13, Layout::Bars),
            (22, Layout::Bars),
        ];
        for (width, expected) in known {
            assert_eq!(layout(width), expected, "{width}");
        }
    }

    #[test]
    fn a_code_of_six_is_two_rows_of_three() {
        let code = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let picture = decoded(&code_uri(&code).unwrap()).to_luma8();
        assert_eq!(picture.dimensions(), (3, 2));
        assert_eq!(picture.as_raw(), &[0, 51, 102, 153, 204, 255]);
        assert!(code_uri(&[1.0, 1.0]).is_ok());
    }

    #[test]
    fn a_code_of_two_is_two_bars() {
        let picture = decoded(&code_uri(&[0.0, 1.0]).unwrap()).to_luma8();
        assert_eq!(picture.dimensions(), (8, 32));
        let height = |x: u32| (0..32).filter(|&y| picture.get_pixel(x, y).0[0] == 255).count();
        assert_eq!([0, 3, 4, 6, 7].map(height), [1, 0, 32, 32, 0]);
    }
}
