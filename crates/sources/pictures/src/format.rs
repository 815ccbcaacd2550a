//! What a file is, by its first bytes; its name says nothing.

use image::ImageFormat;

use crate::Unreadable;

/// Endings of the names that a folder is searched for. What a file *is* its content tells.
const ENDINGS: [&str; 20] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "tif", "tiff", "bmp", "dib", "gif", "ppm", "pgm",
    "pbm", "pnm", "heic", "heif", "avif", "jp2", "jxl",
];

/// Whether a file is looked at because of its name.
pub fn is_picture_name(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// The format of a picture's bytes.
///
/// # Errors
/// The bytes are no picture, or one of a format that is refused by name.
pub(crate) fn of(bytes: &[u8]) -> Result<ImageFormat, Unreadable> {
    let refused = |format, way_out| Err(Unreadable::Format { format, way_out });
    let convert = "convert it to JPEG or PNG";
    match bytes {
        [] => Err(Unreadable::Empty),
        [0x89, b'P', b'N', b'G', ..] => Ok(ImageFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Ok(ImageFormat::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(ImageFormat::WebP),
        [b'I', b'I', 42, 0, _, _, _, _, b'C', b'R', ..] => {
            refused("a raw camera file", "develop it to JPEG, PNG or TIFF")
        }
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(ImageFormat::Tiff),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(ImageFormat::Gif),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(ImageFormat::Bmp),
        [b'P', b'1'..=b'7', second, ..] if second.is_ascii_whitespace() => Ok(ImageFormat::Pnm),
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => match heif(bytes, brands) {
            Some("avif") => refused("AVIF", "convert it, for example by `avifdec a.avif a.png`"),
            Some("heic") => refused(
                "HEIC, as phones write it",
                "convert it, for example by `heif-convert a.heic a.jpg`, or have the phone write \
                 JPEG (\"most compatible\")",
            ),
            Some("crx ") => refused("a raw camera file", "develop it to JPEG, PNG or TIFF"),
            _ => refused("a film or another ISO media file", "take single pictures out of it"),
        },
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            refused("JPEG 2000", convert)
        }
        [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] | [0xff, 0x0a, ..] => refused("JPEG XL", convert),
        [b'8', b'B', b'P', b'S', ..] => refused("a Photoshop document", "export it as PNG"),
        [0, 0, 1 | 2, 0, _, 0, ..] => refused("an icon", convert),
        [b'q', b'o', b'i', b'f', ..] => refused("QOI", convert),
        [0x76, 0x2f, 0x31, 0x01, ..] => refused("OpenEXR", convert),
        [b'D', b'D', b'S', b' ', ..] => refused("a DDS texture", convert),
        [b'%', b'P', b'D', b'F', ..] => refused("a PDF document", "export its pages as PNG"),
        _ => Err(Unreadable::NotAPicture(no_picture(bytes))),
    }
}

/// The first brand of an ISO media file that names a picture format.
fn heif(bytes: &[u8], brands: &[u8]) -> Option<&'static str> {
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let brands = &brands[..brands.len().min(length.saturating_sub(8)).min(256)];
    brands.chunks_exact(4).find_map(|brand| match brand {
        b"avif" | b"avis" => Some("avif"),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some("heic"),
        b"crx " => Some("crx "),
        _ => None,
    })
}

/// What else pictures turn out to be.
fn no_picture(bytes: &[u8]) -> String {
    let start = bytes.trim_ascii_start();
    let begins = |word: &str| {
        start.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    };
    if bytes.iter().take(4096).all(|&byte| byte == 0) {
        return "it is no picture: it holds nothing but zeros".to_owned();
    }
    if begins("<!doctype html") || begins("<html") {
        return "it is a web page, as failed downloads leave it, not a picture".to_owned();
    }
    if begins("<svg") || begins("<?xml") {
        return "it is XML or SVG, which has no pixels: export it as PNG".to_owned();
    }
    if begins("version https://git-lfs") {
        return "it is a pointer of Git LFS, not the picture: run `git lfs pull`".to_owned();
    }
    if bytes.starts_with(&[0, 5, 0x16, 7]) {
        return "it is what macOS keeps beside a file, not a picture".to_owned();
    }
    let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!(
        "it is none of PNG, JPEG, WebP, TIFF, BMP, GIF and PNM: it starts with the bytes {}",
        first.join(" ")
    )
}
