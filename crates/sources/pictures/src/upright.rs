//! Which way is up: EXIF's tag `Orientation`, else the one of XMP.

use image::metadata::Orientation;

/// The tag's number in EXIF.
const TAG: u16 = 0x0112;

/// What turns the picture upright. Metadata that say nothing, or nonsense, leave it as it is.
pub(crate) fn orientation(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
    let found = exif.and_then(of_exif).or_else(|| xmp.and_then(of_xmp));
    found.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// EXIF is a small TIFF file; some writers leave the prefix that JPEG puts before it.
fn of_exif(exif: &[u8]) -> Option<u8> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let value = crate::tiff::Directory::first(exif)?.value(TAG)?;
    u8::try_from(value).ok()
}

/// `tiff:Orientation="6"` or `<tiff:Orientation>6</tiff:Orientation>`.
fn of_xmp(xmp: &[u8]) -> Option<u8> {
    let name = b"tiff:Orientation";
    let at = memchr::memmem::find(xmp, name)? + name.len();
    let ([b'=', b'"' | b'\'', digit] | [b'>', digit, _]) = *xmp.get(at..at + 3)? else {
        return None;
    };
    digit.is_ascii_digit().then(|| digit - b'0')
}
