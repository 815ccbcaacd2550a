//! From the bytes of a file to a [`Picture`].

use std::{io::Cursor, sync::Mutex};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, metadata::Orientation,
};

use crate::{Picture, Unreadable, alpha, format, jpeg, tiff, upright};

/// Pixels of a picture by default, at most: 200 million.
pub const MAX_PIXELS: u64 = 200_000_000;

/// Pictures with more pixels than this are decoded one at a time, whatever the number of threads, so
/// that a few very large ones do not take the machine's memory.
const LARGE: u64 = 40_000_000;
static ONE_LARGE: Mutex<()> = Mutex::new(());

/// How pictures are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What shows through transparent pixels: red, green, blue. Behind a grey picture it is their
    /// luma.
    pub background: [u8; 3],
    /// Pictures of more pixels are refused by their header, before anything is allocated. A decoder
    /// takes up to 16 bytes a pixel of this.
    pub max_pixels: u64,
    /// Where the format allows (JPEG), decode to the smallest of a half, a quarter and an eighth of
    /// the size that is still at least so many pixels wide and high, once upright. The same picture
    /// then costs a third.
    pub at_least: Option<(u32, u32)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { background: [255; 3], max_pixels: MAX_PIXELS, at_least: None }
    }
}

/// Decodes a picture: the format by content, EXIF orientation applied, transparency composed over
/// the background, palettes, CMYK and 1-, 2- and 4-bit values expanded. Colour profiles are not
/// applied. Of several pages or frames the first is taken, with a note.
///
/// # Errors
/// [`Unreadable`] with the reason: not a picture, a format that is not read, too large, cut off,
/// damaged. Damaged bytes never panic.
pub fn decode(bytes: &[u8], options: &Options) -> Result<Picture, Unreadable> {
    let format = format::of(bytes)?;
    match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, options),
        ImageFormat::Tiff => tiff::decode(bytes, options),
        _ => {
            if format == ImageFormat::Bmp {
                refuse_overlap(bytes)?;
            }
            let (image, orientation) = pixels_of(bytes, format, options)?;
            finish(image, orientation, options)
        }
    }
}

/// The pixels as they are stored, and what turns them upright.
pub(crate) fn pixels_of(
    bytes: &[u8],
    format: ImageFormat,
    options: &Options,
) -> Result<(DynamicImage, Orientation), Unreadable> {
    contained(|| {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(options.max_pixels.saturating_mul(16).max(1 << 24));
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|error| damaged(&error))?;
        let (width, height) = decoder.dimensions();
        let _one = admit(width, height, options)?;
        let orientation = match decoder.orientation() {
            // TIFF has it among its own tags.
            Ok(found) if found != Orientation::NoTransforms => found,
            _ => {
                let exif = decoder.exif_metadata().ok().flatten();
                let xmp = decoder.xmp_metadata().ok().flatten();
                upright::orientation(exif.as_deref(), xmp.as_deref())
            }
        };
        let image = DynamicImage::from_decoder(decoder).map_err(|error| damaged(&error))?;
        Ok((image, orientation))
    })
}

/// Decoders are other people's code before hostile bytes: if one panics after all, that is one
/// picture that cannot be read.
pub(crate) fn contained<T>(work: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    scarce_artifact::contained(work).unwrap_or_else(|_| {
        Err(Unreadable::Damaged("the decoder broke down over it: convert it".to_owned()))
    })
}

/// A BMP file whose pixels are said to begin within its palette: some writers forget to count it.
fn refuse_overlap(bytes: &[u8]) -> Result<(), Unreadable> {
    let number = |at: usize, size: usize| {
        let field = bytes.get(at..at + size)?;
        Some(field.iter().rev().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)))
    };
    let palette_end = || {
        let (header, bits) = (number(14, 4)?, number(28, 2)?);
        if header < 40 || bits > 8 {
            return None;
        }
        let colours = Some(number(46, 4)?).filter(|&used| used > 0).unwrap_or(1 << bits);
        Some(14 + header + 4 * colours.min(256))
    };
    match (number(10, 4), palette_end()) {
        (Some(start), Some(end)) if start < end => {
            Err(Unreadable::Damaged("its header lets the pixels begin within the palette".into()))
        }
        _ => Ok(()),
    }
}

/// Refuses what is too large by its header; what is large waits for its turn.
pub(crate) fn admit(
    width: u32,
    height: u32,
    options: &Options,
) -> Result<Option<std::sync::MutexGuard<'static, ()>>, Unreadable> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Unreadable::Damaged(format!("it has {width} × {height} pixels")));
    }
    if pixels > options.max_pixels {
        return Err(Unreadable::TooLarge { width, height, limit: options.max_pixels });
    }
    // The lock guards nothing that a panic elsewhere could have left half done.
    let wait = || ONE_LARGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((pixels > LARGE).then(wait))
}

/// Upright and opaque.
pub(crate) fn finish(
    image: DynamicImage,
    orientation: Orientation,
    options: &Options,
) -> Result<Picture, Unreadable> {
    let mut image = alpha::compose(image, options.background)?;
    image.apply_orientation(orientation);
    Ok(Picture::of_opaque(image))
}

/// What the decoder says, in one line.
pub(crate) fn damaged(error: &ImageError) -> Unreadable {
    match error {
        ImageError::Limits(_) => Unreadable::Damaged(
            "decoding it would take more memory than `max_pixels` allows".into(),
        ),
        ImageError::IoError(inner) if inner.kind() == std::io::ErrorKind::UnexpectedEof => {
            Unreadable::CutOff("the data end early".to_owned())
        }
        ImageError::Unsupported(_) => Unreadable::Damaged(one_line(&error.to_string())),
        _ => {
            let text = one_line(&error.to_string());
            let ends_early = ["unexpected end", "unexpected eof", "end of file", "truncated"];
            if ends_early.iter().any(|word| text.to_lowercase().contains(word)) {
                Unreadable::CutOff(text)
            } else {
                Unreadable::Damaged(text)
            }
        }
    }
}

pub(crate) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}
