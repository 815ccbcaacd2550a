//! One picture in memory.

use image::{DynamicImage, GrayImage, ImageBuffer, RgbImage};

/// Pixel values, row by row, the channels of a pixel side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// 0 to 255.
    Bytes(Vec<u8>),
    /// 0 to 65,535, as deep files hold them.
    Words(Vec<u16>),
}

impl Samples {
    /// The number of values.
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Words(words) => words.len(),
        }
    }
}

/// A picture: upright, opaque, grey or RGB, of at least one pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: u8,
    pub(crate) samples: Samples,
    pub(crate) notes: Vec<String>,
}

/// The interval of 16-bit values that is brought to 0 to 255.
///
/// One interval serves a whole data set, so that pictures stay comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range16 {
    /// Becomes 0, and so does what lies below.
    pub low: u16,
    /// Becomes 255, and so does what lies above.
    pub high: u16,
}

impl Range16 {
    /// All 16 bits.
    pub const FULL: Self = Self { low: 0, high: u16::MAX };

    /// The bits in use: 0 to the smallest 2ᵇ − 1 that holds the largest value, so that 12-bit data
    /// keeps its contrast in 16-bit files.
    pub fn of_largest(largest: u16) -> Self {
        let bits = (u16::BITS - largest.leading_zeros()).max(1);
        Self { low: 0, high: ((1_u32 << bits) - 1) as u16 }
    }

    /// A value as a byte, rounded to the nearest.
    pub fn byte(self, value: u16) -> u8 {
        let width = u32::from(self.high.saturating_sub(self.low)).max(1);
        let above = u32::from(value.clamp(self.low, self.high.max(self.low)) - self.low);
        ((above * 255 + width / 2) / width) as u8
    }
}

impl Picture {
    /// A picture of 1 or 3 channels; `None` unless there are `height × width × channels` values.
    pub fn new(width: u32, height: u32, channels: u8, samples: Samples) -> Option<Self> {
        let values = (width as usize).checked_mul(height as usize)?.checked_mul(channels.into())?;
        let fits = values > 0 && matches!(channels, 1 | 3) && samples.len() == values;
        fits.then_some(Self { width, height, channels, samples, notes: Vec::new() })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// 1 (grey) or 3 (red, green, blue).
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// `[height × width × channels]` values.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The values of an 8-bit picture.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.samples {
            Samples::Bytes(bytes) => Some(bytes),
            Samples::Words(_) => None,
        }
    }

    /// The values.
    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// What a user should know of how it was read, such as that it has several pages.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Smallest and largest value of a 16-bit picture.
    pub fn range_16bit(&self) -> Option<(u16, u16)> {
        match &self.samples {
            Samples::Bytes(_) => None,
            Samples::Words(words) => Some((*words.iter().min()?, *words.iter().max()?)),
        }
    }

    /// The same with bytes, 16-bit values scaled by `range`.
    #[must_use]
    pub fn into_bytes(self, range: Range16) -> Self {
        let samples = match self.samples {
            Samples::Words(words) => {
                Samples::Bytes(words.into_iter().map(|word| range.byte(word)).collect())
            }
            bytes @ Samples::Bytes(_) => bytes,
        };
        Self { samples, ..self }
    }

    /// The same in grey: luma with the weights of Rec. 709.
    #[must_use]
    pub fn into_grey(self) -> Self {
        self.convert(1)
    }

    /// The same in RGB; a grey picture has its value in all three channels.
    #[must_use]
    pub fn into_rgb(self) -> Self {
        self.convert(3)
    }

    fn convert(self, channels: u8) -> Self {
        if self.channels == channels {
            return self;
        }
        let notes = self.notes.clone();
        let Some(image) = self.into_image() else {
            unreachable!("`new` checks the number of values")
        };
        let image = match (channels, &image) {
            (1, DynamicImage::ImageRgb16(_)) => image.into_luma16().into(),
            (1, _) => image.into_luma8().into(),
            (_, DynamicImage::ImageLuma16(_)) => image.into_rgb16().into(),
            _ => image.into_rgb8().into(),
        };
        Self { notes, ..Self::of_opaque(image) }
    }

    /// The picture as the `image` crate has it; `None` if the number of values is wrong.
    pub fn into_image(self) -> Option<DynamicImage> {
        let (width, height) = (self.width, self.height);
        match (self.channels, self.samples) {
            (1, Samples::Bytes(bytes)) => GrayImage::from_raw(width, height, bytes).map(Into::into),
            (3, Samples::Bytes(bytes)) => RgbImage::from_raw(width, height, bytes).map(Into::into),
            (1, Samples::Words(words)) => {
                ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageLuma16)
            }
            (3, Samples::Words(words)) => {
                ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageRgb16)
            }
            _ => None,
        }
    }

    /// An image whose transparency is gone, without notes.
    pub(crate) fn of_opaque(image: DynamicImage) -> Self {
        let (width, height) = (image.width(), image.height());
        let (channels, samples) = match image {
            DynamicImage::ImageLuma8(image) => (1, Samples::Bytes(image.into_raw())),
            DynamicImage::ImageRgb8(image) => (3, Samples::Bytes(image.into_raw())),
            DynamicImage::ImageLuma16(image) => (1, Samples::Words(image.into_raw())),
            DynamicImage::ImageRgb16(image) => (3, Samples::Words(image.into_raw())),
            other if other.color().has_color() => (3, Samples::Bytes(other.into_rgb8().into_raw())),
            other => (1, Samples::Bytes(other.into_luma8().into_raw())),
        };
        Self { width, height, channels, samples, notes: Vec::new() }
    }
}
