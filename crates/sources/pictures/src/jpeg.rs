//! JPEG: complete or refused, smaller while decoding where that is enough.
//!
//! Two decoders, each for what it does best. `zune-jpeg` is the faster one at full size, and its
//! strict mode refuses data that contradict themselves, where its ordinary mode paints the rest of
//! the picture grey. `jpeg-decoder` can leave out the higher frequencies, and gives a second opinion
//! on what the first refuses: it passes over harmless oddities, not over damage.

use image::{DynamicImage, GrayImage, RgbImage, metadata::Orientation};
use jpeg_decoder::PixelFormat;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use crate::{
    Options, Picture, Unreadable,
    decode::{admit, contained, finish, one_line},
    upright,
};

pub(crate) fn decode(bytes: &[u8], options: &Options) -> Result<Picture, Unreadable> {
    refuse_cut_off(bytes)?;
    let (image, orientation) = contained(|| pixels(bytes, options))?;
    finish(image, orientation, options)
}

fn pixels(bytes: &[u8], options: &Options) -> Result<(DynamicImage, Orientation), Unreadable> {
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), lenient);
    let refused = |error: zune_jpeg::errors::DecodeErrors| {
        Unreadable::Damaged(format!("it is damaged: {}", one_line(&error.to_string())))
    };
    decoder.decode_headers().map_err(refused)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let (width, height) = (width as u32, height as u32);
    let _one = admit(width, height, options)?;
    let orientation =
        upright::orientation(decoder.exif().map(Vec::as_slice), decoder.xmp().map(Vec::as_slice));
    let wanted = options.at_least.map(|(wide, high)| match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (high, wide),
        _ => (wide, high),
    });
    let scale = wanted.and_then(|wanted| scale(width, height, wanted));
    if let Some(image) = scale.and_then(|scale| second(bytes, (width, height), scale)) {
        return Ok((image, orientation));
    }
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let space = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    let strict = lenient.set_strict_mode(true).jpeg_set_out_colorspace(space);
    let whole = JpegDecoder::new_with_options(ZCursor::new(bytes), strict).decode();
    let image = match whole {
        Ok(pixels) if grey => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Ok(pixels) => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Err(error) => match second(bytes, (width, height), 1) {
            Some(image) => Some(image),
            None => return Err(refused(error)),
        },
    };
    let wrong = || Unreadable::Damaged("it has another size than its header says".to_owned());
    Ok((image.ok_or_else(wrong)?, orientation))
}

/// The largest of 8, 4 and 2 by which the sides may be divided.
fn scale(width: u32, height: u32, wanted: (u32, u32)) -> Option<u32> {
    let enough =
        |scale: u32| width.div_ceil(scale) >= wanted.0 && height.div_ceil(scale) >= wanted.1;
    [8, 4, 2].into_iter().find(|&scale| enough(scale))
}

/// The picture by the other decoder, its sides divided by `scale` straight from the coefficients of
/// the cosine transform; `None` where this decoder gives up too, and for CMYK.
fn second(bytes: &[u8], size: (u32, u32), scale: u32) -> Option<DynamicImage> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let side = |length: u32| u16::try_from(length.div_ceil(scale)).ok();
    let (width, height) = decoder.scale(side(size.0)?, side(size.1)?).ok()?;
    let pixels = decoder.decode().ok()?;
    let (width, height) = (u32::from(width), u32::from(height));
    match decoder.info()?.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(Into::into),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(Into::into),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}

/// Walks from marker to marker, as decoders do not tell when they make up the rest of a picture.
fn refuse_cut_off(bytes: &[u8]) -> Result<(), Unreadable> {
    const WITHIN: &str = "the file ends within a segment";
    const INCOMPLETE: &str = "the compressed data end before the picture is complete";
    let cut_off = |message: &str| Err(Unreadable::CutOff(message.to_owned()));
    let mut at = 2;
    let mut seen_scan = false;
    loop {
        let Some(rest) = bytes.get(at..) else { return cut_off(WITHIN) };
        // Compressed data hold 0xff only before 0 and in markers; between segments decoders skip
        // what is no marker.
        let Some(mark) = memchr::memchr(0xff, rest) else {
            return cut_off(if seen_scan { INCOMPLETE } else { WITHIN });
        };
        at += mark + 1;
        match bytes.get(at) {
            None => return cut_off(INCOMPLETE),
            // Fill bytes; escaped data, restarts, a start within the data.
            Some(0xff) => {}
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(0xd9) if seen_scan => return Ok(()),
            Some(0xd9) => return cut_off("it holds no picture data"),
            Some(&marker) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else { return cut_off(WITHIN) };
                seen_scan |= marker == 0xda;
                at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}
