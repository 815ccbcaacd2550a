//! TIFF: what its first directory says, and what the decoder must be told or kept from.

use image::{DynamicImage, ImageFormat, RgbImage};

use crate::{
    Options, Picture, Unreadable,
    decode::{finish, pixels_of},
};

const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const BITS: u16 = 258;
const PLANES: u16 = 284;
const COLOUR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const EXTRA_SAMPLES: u16 = 338;

/// The first directory of a TIFF file: a list of tags. EXIF has the same form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    bytes: &'a [u8],
    little: bool,
    big: bool,
    /// Where the number of entries stands.
    start: usize,
}

/// Where an entry's value stands.
struct Entry {
    kind: u64,
    count: u64,
    /// The value itself if it is short enough, else its offset.
    value: usize,
}

impl<'a> Directory<'a> {
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let little = match bytes.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let mut directory = Self { bytes, little, big: false, start: 0 };
        directory.big = directory.number(2, 2)? == 43;
        let first = if directory.big { directory.number(8, 8) } else { directory.number(4, 4) };
        directory.start = usize::try_from(first?).ok()?;
        Some(directory)
    }

    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let field = self.bytes.get(at..at.checked_add(size)?)?;
        let digit = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        let sum = if self.little {
            field.iter().rev().fold(0, digit)
        } else {
            field.iter().fold(0, digit)
        };
        Some(sum)
    }

    /// Bytes of the number of entries, of an entry, and of an offset.
    fn sizes(&self) -> (usize, usize, usize) {
        if self.big { (8, 20, 8) } else { (2, 12, 4) }
    }

    fn entries(&self) -> Option<usize> {
        usize::try_from(self.number(self.start, self.sizes().0)?).ok()
    }

    fn entry(&self, tag: u16) -> Option<Entry> {
        let (count, entry, offset) = self.sizes();
        // A directory has some tens of tags; damaged ones promise more than the file holds.
        let entries = self.entries()?.min(self.bytes.len() / entry);
        let at = (0..entries)
            .map(|at| self.start + count + at * entry)
            .find(|&at| self.number(at, 2) == Some(tag.into()))?;
        let kind = self.number(at + 2, 2)?;
        Some(Entry { kind, count: self.number(at + 4, offset)?, value: at + 4 + offset })
    }

    /// The first of a tag's whole numbers.
    pub(crate) fn value(&self, tag: u16) -> Option<u64> {
        let entry = self.entry(tag)?;
        let size = match entry.kind {
            1 => 1,
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let inline = entry.count.checked_mul(size)? <= self.sizes().2 as u64;
        let at = if inline { entry.value } else { self.offset(entry.value)? };
        self.number(at, size as usize)
    }

    /// All 16-bit numbers of a tag.
    fn shorts(&self, tag: u16, count: usize) -> Option<Vec<u16>> {
        let entry =
            self.entry(tag).filter(|entry| entry.kind == 3 && entry.count == count as u64)?;
        let at = self.offset(entry.value)?;
        (0..count).map(|i| Some(self.number(at + 2 * i, 2)? as u16)).collect()
    }

    fn offset(&self, at: usize) -> Option<usize> {
        usize::try_from(self.number(at, self.sizes().2)?).ok()
    }

    fn has_next(&self) -> bool {
        let (count, entry, offset) = self.sizes();
        let next = || {
            let entries = self.entries()?.checked_mul(entry)?;
            self.number(self.start.checked_add(count)?.checked_add(entries)?, offset)
        };
        next().is_some_and(|offset| offset != 0)
    }
}

pub(crate) fn decode(bytes: &[u8], options: &Options) -> Result<Picture, Unreadable> {
    let Some(directory) = Directory::first(bytes) else {
        return Err(Unreadable::CutOff("the data end within the header".to_owned()));
    };
    refuse_unknown(&directory)?;
    let mut picture = match palette(bytes, &directory) {
        Some((grey, colours)) => {
            let (image, orientation) = pixels_of(&grey, ImageFormat::Tiff, options)?;
            finish(paint(&image, &colours), orientation, options)?
        }
        None if directory.value(EXTRA_SAMPLES) == Some(1) => {
            let (image, orientation) = pixels_of(bytes, ImageFormat::Tiff, options)?;
            finish(divide_by_alpha(image), orientation, options)?
        }
        None => {
            let (image, orientation) = pixels_of(bytes, ImageFormat::Tiff, options)?;
            finish(image, orientation, options)?
        }
    };
    if directory.has_next() {
        picture.notes.push("it has several pages, of which the first is taken".to_owned());
    }
    Ok(picture)
}

/// What the decoder would read wrongly.
fn refuse_unknown(directory: &Directory<'_>) -> Result<(), Unreadable> {
    let refuse = |format| Err(Unreadable::Format { format, way_out: "save it as PNG" });
    if directory.value(FILL_ORDER) == Some(2) {
        return refuse("a TIFF file with the bits of each byte in reverse order");
    }
    if directory.value(PLANES) == Some(2) && directory.value(TILE_WIDTH).is_some() {
        return refuse("a TIFF file of tiles with separate planes of colour");
    }
    Ok(())
}

/// A picture of palette indices as a file of grey values, which the decoder reads, and the colours.
fn palette(bytes: &[u8], directory: &Directory<'_>) -> Option<(Vec<u8>, Vec<[u8; 3]>)> {
    let is_palette = directory.value(PHOTOMETRIC) == Some(3) && directory.value(BITS) == Some(8);
    let map = is_palette.then(|| directory.shorts(COLOUR_MAP, 3 * 256)).flatten()?;
    let at = directory.entry(PHOTOMETRIC).filter(|entry| entry.kind == 3)?.value;
    let mut grey = bytes.to_vec();
    let one = if directory.little { [1, 0] } else { [0, 1] };
    grey.get_mut(at..at + 2)?.copy_from_slice(&one);
    // Colours have 16 bits, of which the upper eight count; so does libtiff.
    let colour = |i: usize| [map[i], map[256 + i], map[512 + i]].map(|word| (word >> 8) as u8);
    Some((grey, (0..256).map(colour).collect()))
}

fn paint(indices: &DynamicImage, colours: &[[u8; 3]]) -> DynamicImage {
    let indices = indices.to_luma8();
    RgbImage::from_fn(indices.width(), indices.height(), |x, y| {
        let [index] = indices.get_pixel(x, y).0;
        image::Rgb(colours[usize::from(index)])
    })
    .into()
}

/// Colours that were stored multiplied by their alpha ("associated").
fn divide_by_alpha(mut image: DynamicImage) -> DynamicImage {
    match &mut image {
        DynamicImage::ImageRgba8(image) => {
            for image::Rgba([colour @ .., alpha]) in image.pixels_mut() {
                for value in colour.iter_mut().filter(|_| *alpha > 0) {
                    let (wide, alpha) = (u32::from(*value), u32::from(*alpha));
                    *value = ((wide * 255 + alpha / 2) / alpha).min(255) as u8;
                }
            }
        }
        DynamicImage::ImageRgba16(image) => {
            for image::Rgba([colour @ .., alpha]) in image.pixels_mut() {
                for value in colour.iter_mut().filter(|_| *alpha > 0) {
                    let (wide, alpha) = (u64::from(*value), u64::from(*alpha));
                    *value = ((wide * 65_535 + alpha / 2) / alpha).min(65_535) as u16;
                }
            }
        }
        _ => {}
    }
    image
}
