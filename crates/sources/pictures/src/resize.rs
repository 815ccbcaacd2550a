//! Resizing and cropping, by the convolutions that Pillow uses: the filter widens where the picture
//! shrinks, so that every pixel counts (antialiasing). The arithmetic is of whole numbers with the
//! same bits on every processor.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image, images::ImageRef,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Picture, Samples};

/// How values between pixels are found; the names are Pillow's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The nearest pixel: labels and pixel art.
    Nearest,
    /// The mean of the pixels below.
    Box,
    /// A triangle.
    #[default]
    Bilinear,
    /// A raised cosine.
    Hamming,
    /// Keys' cubic with a = −0.5.
    Bicubic,
    /// Lanczos' window of three lobes.
    Lanczos,
}

/// What becomes of proportions when a picture is brought to a size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// They give way: the whole picture, squeezed or stretched.
    #[default]
    Stretch,
    /// They are kept and the size is filled: what sticks out on both sides is cut off.
    Cover,
    /// They are kept and the whole picture shows: the rest of the size is background.
    Contain,
}

/// Brings a picture to `width × height` pixels. `background` fills what [`Fit::Contain`] leaves.
#[must_use]
pub fn resize(
    picture: &Picture,
    (width, height): (u32, u32),
    filter: Filter,
    fit: Fit,
    background: [u8; 3],
) -> Picture {
    let (width, height) = (width.max(1), height.max(1));
    match fit {
        Fit::Stretch => convolve(picture, (width, height), filter, None),
        Fit::Cover => {
            let part = covering((picture.width, picture.height), (width, height));
            convolve(picture, (width, height), filter, Some(part))
        }
        Fit::Contain => {
            let inner = contained((picture.width, picture.height), (width, height));
            pad(&convolve(picture, inner, filter, None), (width, height), background)
        }
    }
}

/// The size of a picture whose shorter side becomes `edge`, as torchvision and Hugging Face count:
/// the longer side rounded down.
pub fn shortest_edge((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let long = |short: u32, long: u32| {
        (u64::from(edge) * u64::from(long) / u64::from(short.max(1))).max(1) as u32
    };
    if width <= height { (edge, long(width, height)) } else { (long(height, width), edge) }
}

/// The middle of a picture, `width × height` pixels; where the picture is smaller, the rest is
/// black, as torchvision pads it.
#[must_use]
pub fn centre_crop(picture: &Picture, (width, height): (u32, u32)) -> Picture {
    // torchvision rounds half of an odd difference to even, Python's `round`.
    let start = |from: u32, to: u32| {
        let half = (f64::from(from) - f64::from(to)) / 2.0;
        half.round_ties_even() as i64
    };
    place(
        picture,
        (width, height),
        (start(picture.width, width), start(picture.height, height)),
        [0; 3],
    )
}

/// The largest size with the proportions of `from` within `to`, as Pillow rounds it.
fn contained(from: (u32, u32), to: (u32, u32)) -> (u32, u32) {
    let (from_ratio, to_ratio) =
        (f64::from(from.0) / f64::from(from.1), f64::from(to.0) / f64::from(to.1));
    let round = |value: f64| (value.round_ties_even() as u32).max(1);
    if from_ratio > to_ratio {
        (to.0, round(f64::from(from.1) / f64::from(from.0) * f64::from(to.0)).min(to.1))
    } else {
        (round(f64::from(from.0) / f64::from(from.1) * f64::from(to.1)).min(to.0), to.1)
    }
}

/// The middle part of `from` with the proportions of `to`: left, top, width, height.
fn covering(from: (u32, u32), to: (u32, u32)) -> [f64; 4] {
    let (from_width, from_height) = (f64::from(from.0), f64::from(from.1));
    let ratio = f64::from(to.0) / f64::from(to.1);
    let (width, height) = if from_width / from_height >= ratio {
        (ratio * from_height, from_height)
    } else {
        (from_width, from_width / ratio)
    };
    // In fractions of a pixel that add up exactly, so that no part reaches beyond the picture.
    let start = |from: f64, part: f64| ((from - part).max(0.0) / 2.0 * 65_536.0).floor() / 65_536.0;
    let (left, top) = (start(from_width, width), start(from_height, height));
    [left, top, from_width - 2.0 * left, from_height - 2.0 * top]
}

fn pad(picture: &Picture, to: (u32, u32), background: [u8; 3]) -> Picture {
    let start =
        |from: u32, to: u32| -(((f64::from(to) - f64::from(from)) / 2.0).round_ties_even() as i64);
    place(picture, to, (start(picture.width, to.0), start(picture.height, to.1)), background)
}

/// A window of a picture that starts at `(left, top)` and may reach beyond it.
fn place(
    picture: &Picture,
    (width, height): (u32, u32),
    (left, top): (i64, i64),
    background: [u8; 3],
) -> Picture {
    let samples = match &picture.samples {
        Samples::Bytes(bytes) => {
            Samples::Bytes(window(bytes, picture, (width, height), (left, top), background))
        }
        Samples::Words(words) => Samples::Words(window(
            words,
            picture,
            (width, height),
            (left, top),
            background.map(|byte| u16::from(byte) * 257),
        )),
    };
    Picture { width, height, samples, notes: picture.notes.clone(), channels: picture.channels }
}

fn window<T: Copy>(
    values: &[T],
    picture: &Picture,
    (width, height): (u32, u32),
    (left, top): (i64, i64),
    background: [T; 3],
) -> Vec<T> {
    let channels = usize::from(picture.channels);
    let fill = &background[..channels.min(3)];
    let mut window = fill.repeat(width as usize * height as usize);
    // Columns that the picture and the window share, in the window.
    let from = (-left).clamp(0, i64::from(width));
    let until = (i64::from(picture.width) - left).clamp(from, i64::from(width));
    let count = (until - from) as usize * channels;
    for y in 0..i64::from(height) {
        let source = y + top;
        if count == 0 || !(0..i64::from(picture.height)).contains(&source) {
            continue;
        }
        let into = (y as usize * width as usize + from as usize) * channels;
        let out = (source as usize * picture.width as usize + (from + left) as usize) * channels;
        window[into..into + count].copy_from_slice(&values[out..out + count]);
    }
    window
}

/// First along the rows, then along the columns, with whole numbers between, as Pillow does: where a
/// filter overshoots, another order would show.
fn convolve(
    picture: &Picture,
    (width, height): (u32, u32),
    filter: Filter,
    part: Option<[f64; 4]>,
) -> Picture {
    let (whole_width, whole_height) = (f64::from(picture.width), f64::from(picture.height));
    let [left, top, part_width, part_height] =
        part.unwrap_or([0.0, 0.0, whole_width, whole_height]);
    let algorithm = match filter {
        Filter::Nearest => {
            let part = [left, top, part_width, part_height];
            return pass(picture, (width, height), ResizeAlg::Nearest, part);
        }
        Filter::Box => FilterType::Box,
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Hamming => FilterType::Hamming,
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Lanczos => FilterType::Lanczos3,
    };
    let algorithm = ResizeAlg::Convolution(algorithm);
    let rows = [left, 0.0, part_width, whole_height];
    let narrow = pass(picture, (width, picture.height), algorithm, rows);
    pass(&narrow, (width, height), algorithm, [0.0, top, f64::from(width), part_height])
}

/// Brings a part of a picture to a size.
fn pass(
    picture: &Picture,
    (width, height): (u32, u32),
    algorithm: ResizeAlg,
    [left, top, part_width, part_height]: [f64; 4],
) -> Picture {
    let same = (width, height) == (picture.width, picture.height);
    if same && part_width == f64::from(width) && part_height == f64::from(height) {
        return picture.clone();
    }
    let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false).crop(
        left,
        top,
        part_width,
        part_height,
    );
    let words_as_bytes: Vec<u8>;
    let (pixel, bytes) = match (&picture.samples, picture.channels) {
        (Samples::Bytes(bytes), 1) => (PixelType::U8, bytes.as_slice()),
        (Samples::Bytes(bytes), _) => (PixelType::U8x3, bytes.as_slice()),
        (Samples::Words(words), channels) => {
            words_as_bytes = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let pixel = if channels == 1 { PixelType::U16 } else { PixelType::U16x3 };
            (pixel, words_as_bytes.as_slice())
        }
    };
    let mut resized = Image::new(width, height, pixel);
    ImageRef::new(picture.width, picture.height, bytes, pixel)
        .ok()
        .and_then(|source| Resizer::new().resize(&source, &mut resized, &options).ok())
        .unwrap_or_else(|| unreachable!("`Picture::new` checks sizes; parts lie within"));
    let bytes = resized.into_vec();
    let samples = match &picture.samples {
        Samples::Bytes(_) => Samples::Bytes(bytes),
        Samples::Words(_) => {
            let word = |pair: &[u8]| u16::from_ne_bytes([pair[0], pair[1]]);
            Samples::Words(bytes.chunks_exact(2).map(word).collect())
        }
    };
    Picture { width, height, samples, channels: picture.channels, notes: picture.notes.clone() }
}
