//! Transparent pixels over a background.

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};

use crate::Unreadable;

/// The image without transparency. Where it is opaque no value changes; 16-bit images stay deep.
pub(crate) fn compose(
    image: DynamicImage,
    background: [u8; 3],
) -> Result<DynamicImage, Unreadable> {
    let luma = {
        let [red, green, blue] = background.map(u32::from);
        // Rec. 709, as `Picture::into_grey` weighs colours.
        ((2126 * red + 7152 * green + 722 * blue) / 10_000) as u8
    };
    let deep = |byte: u8| u16::from(byte) * 257;
    Ok(match image {
        DynamicImage::ImageRgba8(image) => over_rgb(&image, background, 255).into(),
        DynamicImage::ImageRgba16(image) => {
            DynamicImage::ImageRgb16(over_rgb(&image, background.map(deep), 65_535))
        }
        DynamicImage::ImageLumaA8(image) => over_grey(&image, luma, 255).into(),
        DynamicImage::ImageLumaA16(image) => {
            DynamicImage::ImageLuma16(over_grey(&image, deep(luma), 65_535))
        }
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
            let way_out = "save it with 8 or 16 bits a channel";
            return Err(Unreadable::Format {
                format: "a picture of floating-point values",
                way_out,
            });
        }
        opaque => opaque,
    })
}

/// A value over what lies behind it, rounded to the nearest.
fn blend<T: Copy + Into<u64> + TryFrom<u64>>(value: T, behind: T, alpha: T, opaque: u64) -> T {
    let (front, back, alpha) = (value.into(), behind.into(), alpha.into());
    let sum = front * alpha + back * (opaque - alpha);
    // A mean of two values of `T` fits.
    T::try_from((sum + opaque / 2) / opaque).unwrap_or(value)
}

fn over_rgb<T>(
    image: &ImageBuffer<Rgba<T>, Vec<T>>,
    background: [T; 3],
    opaque: u64,
) -> ImageBuffer<Rgb<T>, Vec<T>>
where
    T: image::Primitive + Into<u64> + TryFrom<u64>,
    Rgb<T>: image::Pixel<Subpixel = T>,
    Rgba<T>: image::Pixel<Subpixel = T>,
{
    ImageBuffer::from_fn(image.width(), image.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *image.get_pixel(x, y);
        let [behind_red, behind_green, behind_blue] = background;
        Rgb([
            blend(red, behind_red, alpha, opaque),
            blend(green, behind_green, alpha, opaque),
            blend(blue, behind_blue, alpha, opaque),
        ])
    })
}

fn over_grey<T>(
    image: &ImageBuffer<LumaA<T>, Vec<T>>,
    background: T,
    opaque: u64,
) -> ImageBuffer<Luma<T>, Vec<T>>
where
    T: image::Primitive + Into<u64> + TryFrom<u64>,
    Luma<T>: image::Pixel<Subpixel = T>,
    LumaA<T>: image::Pixel<Subpixel = T>,
{
    ImageBuffer::from_fn(image.width(), image.height(), |x, y| {
        let LumaA([value, alpha]) = *image.get_pixel(x, y);
        Luma([blend(value, background, alpha, opaque)])
    })
}
