//! Pictures and folders of them, made for tests.

use std::io::Cursor;

use ::image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};

pub(crate) fn grey(height: u32, width: u32, value: u8) -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_pixel(width, height, Luma([value])))
}

pub(crate) fn rgb(height: u32, width: u32, value: [u8; 3]) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb(value)))
}

/// Sixteen bits a value.
pub(crate) fn deep(height: u32, width: u32, values: &[u16]) -> DynamicImage {
    let pixels = ::image::ImageBuffer::from_raw(width, height, values.to_vec()).unwrap();
    DynamicImage::ImageLuma16(pixels)
}

pub(crate) fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn png(image: &DynamicImage) -> Vec<u8> {
    encode(image, ImageFormat::Png)
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

/// A folder with a small grey PNG behind each name, and with any other file empty.
pub(crate) fn folder_of(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (value, name) in names.iter().enumerate() {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        let picture = scarce_pictures::is_picture_name(name);
        let bytes = if picture { png(&grey(4, 4, (value * 10) as u8)) } else { Vec::new() };
        fs_err::write(&path, bytes).unwrap();
    }
    folder
}
