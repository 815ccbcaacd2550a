//! The preprocessing itself.

use std::borrow::Cow;

use scarce_pictures::{Filter, Fit, Picture, Range16, Samples, resize, shortest_edge};

use super::{Middle, Recipe, Resize, Size};

/// In which order a network wants its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Colour by colour: `[3, height, width]`.
    Planes,
    /// Pixel by pixel: `[height, width, 3]`.
    Pixels,
}

/// A recipe made ready for many pictures.
pub(crate) struct Prepared {
    recipe: Recipe,
    layout: Layout,
    /// What a byte becomes, by colour.
    values: [[f32; 256]; 3],
}

impl Prepared {
    pub(crate) fn new(recipe: Recipe, layout: Layout) -> Self {
        let value = |colour: usize, byte: usize| {
            // Rescaled to a single, then normalised in singles, as the originals do.
            let scaled = (byte as f64 * recipe.rescale_factor) as f32;
            (scaled - recipe.mean[colour] as f32) / recipe.std[colour] as f32
        };
        let values = std::array::from_fn(|colour| std::array::from_fn(|byte| value(colour, byte)));
        Self { recipe, layout, values }
    }

    /// Numbers in what the network sees of one picture.
    pub(crate) fn numbers(&self) -> usize {
        let Size { height, width } = self.recipe.size();
        3 * height as usize * width as usize
    }

    /// The size that a decoder may bring a picture to, at least: width and height.
    pub(crate) fn needs(&self) -> Option<(u32, u32)> {
        self.recipe.needs()
    }

    /// Writes what the network sees of a picture, which must be in RGB bytes, into `out`, and if asked
    /// its mirror image.
    pub(crate) fn write(&self, picture: &Picture, out: &mut [f32], mirrored: Option<&mut [f32]>) {
        let resized = self.resize(picture);
        let size = self.recipe.size();
        let window = Window::of(&resized, size, self.recipe.middle);
        self.spread(&window, out, |x| x);
        if let Some(mirrored) = mirrored {
            self.spread(&window, mirrored, |x| size.width as usize - 1 - x);
        }
    }

    fn resize<'p>(&self, picture: &'p Picture) -> Cow<'p, Picture> {
        let size = (picture.width(), picture.height());
        let target = match self.recipe.resize {
            Resize::None => size,
            Resize::Exact(size) => (size.width, size.height),
            Resize::ShortestEdge(edge) => shortest_edge(size, edge),
        };
        if target == size {
            return Cow::Borrowed(picture);
        }
        Cow::Owned(as_pillow(picture, target, self.recipe.resample))
    }

    /// Spreads the bytes of a window over `out`, column `x` of which is the window's `column(x)`.
    fn spread(&self, window: &Window<'_>, out: &mut [f32], column: impl Fn(usize) -> usize) {
        let (height, width) = (window.size.height as usize, window.size.width as usize);
        for y in 0..height {
            for x in 0..width {
                let pixel = window.pixel(y, column(x));
                for (colour, &value) in pixel.iter().enumerate().take(3) {
                    let at = match self.layout {
                        Layout::Planes => (colour * height + y) * width + x,
                        Layout::Pixels => (y * width + x) * 3 + colour,
                    };
                    out[at] = self.values[colour][value as usize];
                }
            }
        }
    }
}

/// Resizes to the very bytes of Pillow: along the rows first, then along the columns, with whole bytes in
/// between, each pass with 16 more bits than the bytes have. Networks are that sensitive: a third of the
/// pixels wrong by one turns vectors by up to ten degrees.
fn as_pillow(picture: &Picture, (width, height): (u32, u32), filter: Filter) -> Picture {
    if filter == Filter::Nearest {
        return resize(picture, (width, height), filter, Fit::Stretch, [0; 3]);
    }
    let pass = |picture: &Picture, size| {
        let words = picture.bytes().unwrap_or_default().iter();
        let words = Samples::Words(words.map(|&byte| u16::from(byte) * 257).collect());
        let deep = Picture::new(picture.width(), picture.height(), picture.channels(), words);
        let deep = deep.as_ref().unwrap_or(picture);
        resize(deep, size, filter, Fit::Stretch, [0; 3]).into_bytes(Range16::FULL)
    };
    let wide = if width == picture.width() {
        Cow::Borrowed(picture)
    } else {
        Cow::Owned(pass(picture, (width, picture.height())))
    };
    if height == wide.height() { wide.into_owned() } else { pass(&wide, (width, height)) }
}

/// The middle of a picture; black where it reaches beyond it.
struct Window<'a> {
    pixels: &'a [u8],
    /// Height and width of the picture.
    whole: (i64, i64),
    size: Size,
    top: i64,
    left: i64,
}

impl<'a> Window<'a> {
    fn of(picture: &'a Picture, size: Size, middle: Middle) -> Self {
        let start = |whole: u32, part: u32| {
            let spare = i64::from(whole) - i64::from(part);
            let down = spare.div_euclid(2);
            // Half a pixel goes to the even neighbour.
            match middle {
                Middle::HalfEven => down + (spare.rem_euclid(2) & down.rem_euclid(2)),
                Middle::Down => down,
            }
        };
        let (height, width) = (picture.height(), picture.width());
        let (top, left) = (start(height, size.height), start(width, size.width));
        let whole = (i64::from(height), i64::from(width));
        Self { pixels: picture.bytes().unwrap_or_default(), whole, size, top, left }
    }

    fn pixel(&self, y: usize, x: usize) -> [u8; 3] {
        let (y, x) = (self.top + y as i64, self.left + x as i64);
        let (height, width) = self.whole;
        if !(0..height).contains(&y) || !(0..width).contains(&x) {
            return [0; 3];
        }
        let at = 3 * (y * width + x) as usize;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(resize: Resize, crop: Option<Size>, middle: Middle) -> Recipe {
        Recipe {
            resize,
            resample: Filter::Bilinear,
            crop,
            middle,
            rescale_factor: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }

    /// A picture whose pixels say where they are: row, column, 7.
    fn places(height: u32, width: u32) -> Picture {
        let pixel = |at: u32| [(at / width) as u8, (at % width) as u8, 7];
        rgb(height, width, (0..height * width).flat_map(pixel).collect())
    }

    fn rgb(height: u32, width: u32, pixels: Vec<u8>) -> Picture {
        Picture::new(width, height, 3, Samples::Bytes(pixels)).unwrap()
    }

    fn seen(recipe: Recipe, layout: Layout, picture: &Picture) -> (Vec<f32>, Vec<f32>) {
        let prepared = Prepared::new(recipe, layout);
        let mut out = vec![f32::NAN; prepared.numbers()];
        let mut mirrored = out.clone();
        prepared.write(picture, &mut out, Some(&mut mirrored));
        (out, mirrored)
    }

    #[test]
    fn both_orders_hold_the_same_numbers_and_the_mirror_is_one() {
        let crop = Some(Size { height: 2, width: 3 });
        let picture = places(2, 3);
        let (planes, mirrored) =
            seen(recipe(Resize::None, crop, Middle::Down), Layout::Planes, &picture);
        assert_eq!(planes[..6], [0., 0., 0., 1., 1., 1.]);
        assert_eq!(planes[6..12], [0., 1., 2., 0., 1., 2.]);
        assert_eq!(mirrored[6..12], [2., 1., 0., 2., 1., 0.]);
        let (pixels, _) = seen(recipe(Resize::None, crop, Middle::Down), Layout::Pixels, &picture);
        assert_eq!(pixels[..6], [0., 0., 7., 0., 1., 7.]);
    }

    #[test]
    fn half_a_pixel_is_rounded_as_the_original_rounds_it() {
        let crop = Some(Size { height: 2, width: 2 });
        let first = |side: u32, middle| {
            let (out, _) =
                seen(recipe(Resize::None, crop, middle), Layout::Pixels, &places(side, side));
            out[0]
        };
        // Python: (3 - 2) // 2, round(0.5); (5 - 2) // 2, round(1.5); (7 - 2) // 2, round(2.5)
        assert_eq!([3, 5, 7].map(|side| first(side, Middle::Down)), [0., 1., 2.]);
        assert_eq!([3, 5, 7].map(|side| first(side, Middle::HalfEven)), [0., 2., 2.]);
    }

    #[test]
    fn what_a_crop_asks_beyond_the_picture_is_black() {
        let crop = Some(Size { height: 4, width: 2 });
        let (out, _) =
            seen(recipe(Resize::None, crop, Middle::Down), Layout::Pixels, &places(2, 2));
        assert_eq!(out[..6], [0.; 6]);
        assert_eq!(out[6..12], [0., 0., 7., 0., 1., 7.]);
        assert_eq!(out[18..], [0.; 6]);
    }

    #[test]
    fn bytes_are_scaled_and_normalised() {
        let mut normalising =
            recipe(Resize::None, Some(Size { height: 1, width: 1 }), Middle::Down);
        normalising.rescale_factor = 1.0 / 255.0;
        normalising.mean = [0.5; 3];
        normalising.std = [0.25; 3];
        let picture = rgb(1, 1, vec![255, 0, 51]);
        let (out, _) = seen(normalising, Layout::Planes, &picture);
        assert_eq!(out[..2], [2.0, -2.0]);
        assert!((out[2] + 1.2).abs() < 1e-6, "{out:?}");
    }
}
