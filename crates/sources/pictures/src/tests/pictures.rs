use super::*;
use crate::{Options, Picture, Range16, Samples, Unreadable, decode};

fn read(name: &str) -> Picture {
    decode(&fixture(name), &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn values(picture: &Picture) -> Vec<u16> {
    match picture.samples() {
        Samples::Bytes(bytes) => bytes.iter().map(|&byte| byte.into()).collect(),
        Samples::Words(words) => words.clone(),
    }
}

#[test]
fn every_kind_of_file_is_what_pillow_reads() {
    let mut seen = 0;
    for (name, expected) in EXPECTED.as_object().unwrap() {
        if name == "resize" {
            continue;
        }
        let picture = read(name);
        assert_eq!(picture.width(), expected["width"], "{name}");
        assert_eq!(picture.height(), expected["height"], "{name}");
        assert_eq!(picture.channels(), expected["channels"].as_u64().unwrap() as u8, "{name}");
        let tolerance = expected["tolerance"].as_u64().unwrap() as u16;
        let expected = numbers(&expected["pixels"]);
        let found = values(&picture);
        let worst = expected.iter().zip(&found).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(tolerance), "{name}: {worst:?}\n{expected:?}\n{found:?}");
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn names_do_not_matter_and_content_does() {
    // `fixtures/lossless.webp` under any name is a WebP.
    assert_eq!(read("lossless.webp").width(), 7);
    for (bytes, word) in [
        (&b""[..], "empty"),
        (&[0; 64][..], "nothing but zeros"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00", "macOS"),
        (b"root:x:0:0:root:/root:/bin/bash", "72 6f 6f 74"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "raw camera"),
    ] {
        let error = decode(bytes, &Options::default()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let error = decode(&fixture("small.avif"), &Options::default()).unwrap_err();
    assert!(matches!(error, Unreadable::Format { format: "AVIF", .. }), "{error}");
}

#[test]
fn several_pages_are_noted() {
    assert!(read("pages.tif").notes()[0].contains("several pages"));
    assert!(read("deflate.tif").notes().is_empty());
}

#[test]
fn the_background_shows_through() {
    let black = Options { background: [0, 0, 0], ..Options::default() };
    let over_black = decode(&fixture("alpha.png"), &black).unwrap();
    // The first row is clear, the second opaque.
    assert!(over_black.bytes().unwrap()[..21].iter().all(|&value| value == 0));
    assert!(read("alpha.png").bytes().unwrap()[..21].iter().all(|&value| value == 255));
    assert_eq!(over_black.bytes().unwrap()[21..42], read("alpha.png").bytes().unwrap()[21..42]);
}

#[test]
fn a_file_cut_anywhere_is_refused_or_whole() {
    for name in [
        "progressive.jpg",
        "restarts.jpg",
        "orientation_6.jpg",
        "small.bmp",
        "alpha.png",
        "lossless.webp",
        "deflate.tif",
        "small.ppm",
        "frames.gif",
        "grey.jpg",
    ] {
        let whole = fixture(name);
        let expected = read(name);
        let mut refused = 0;
        for length in 0..whole.len() {
            match decode(&whole[..length], &Options::default()) {
                Err(_) => refused += 1,
                // What is missing was behind the pixels.
                Ok(picture) => assert_eq!(picture.samples(), expected.samples(), "{name} {length}"),
            }
        }
        assert!(refused > 40, "{name}: {refused} of {}", whole.len());
        if name.ends_with("jpg") {
            assert_eq!(refused, whole.len(), "{name}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    for (name, _) in EXPECTED.as_object().unwrap().iter().filter(|(name, _)| *name != "resize") {
        let whole = fixture(name);
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                let small =
                    Options { max_pixels: 1 << 16, at_least: Some((3, 3)), ..Options::default() };
                let _ = decode(&damaged, &small); // an error or other pixels
            }
        }
    }
}

#[test]
fn a_jpeg_that_goes_wrong_in_the_middle_is_not_painted_grey() {
    let mut broken = fixture("restarts.jpg");
    let scan = broken.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    // All ones are no code of Huffman's, in any JPEG file.
    for pair in broken[scan + 40..scan + 90].chunks_exact_mut(2) {
        pair.copy_from_slice(&[0xff, 0x00]);
    }
    assert!(decode(&broken, &Options::default()).is_err());
}

#[test]
fn limits_are_kept_by_the_header() {
    let options = Options { max_pixels: 34, ..Options::default() };
    for name in
        ["alpha.png", "small.bmp", "lossless.webp", "deflate.tif", "small.ppm", "palette.png"]
    {
        let error = decode(&fixture(name), &options).unwrap_err();
        assert_eq!(error, Unreadable::TooLarge { width: 7, height: 5, limit: 34 }, "{name}");
    }
    let error = decode(&fixture("grey.jpg"), &options).unwrap_err();
    assert!(error.to_string().contains("`max_pixels = 34`"), "{error}");
}

#[test]
fn a_smaller_copy_is_decoded_where_that_is_enough() {
    let whole = fixture("orientation_6.jpg");
    for (at_least, expected) in [
        ((24, 16), (24, 16)),
        ((12, 8), (12, 8)),
        ((6, 4), (6, 4)),
        ((7, 4), (12, 8)),
        ((1, 1), (3, 2)),
    ] {
        let options = Options { at_least: Some(at_least), ..Options::default() };
        let picture = decode(&whole, &options).unwrap();
        assert_eq!((picture.width(), picture.height()), expected, "{at_least:?}");
        // Upright: yellow in the lower right corner.
        let last = &picture.bytes().unwrap()[picture.bytes().unwrap().len() - 3..];
        assert!(last[0] > 180 && last[1] > 180 && last[2] < 80, "{last:?}");
    }
}

#[test]
fn sixteen_bits_keep_the_range_that_is_in_use() {
    let deep = read("deep.png");
    assert_eq!(deep.range_16bit(), Some((0, 20)));
    let bytes = deep.into_bytes(Range16::of_largest(20));
    let found = bytes.bytes().unwrap();
    // 0 to 31, five bits, over 0 to 255: no two of 21 values fall together.
    assert_eq!(found[..3], [0, 8, 16]);
    assert_eq!(found[20], 165);
    for (largest, high) in [(0, 1), (1, 1), (255, 255), (256, 511), (4095, 4095), (40_000, 65_535)]
    {
        assert_eq!(Range16::of_largest(largest).high, high);
    }
    assert_eq!(Range16::FULL.byte(0x8000), 128);
    let window = Range16 { low: 100, high: 200 };
    assert_eq!([0, 100, 150, 200, 9999].map(|value| window.byte(value)), [0, 0, 128, 255, 255]);
}
