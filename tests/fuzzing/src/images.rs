//! IDX, and the picture formats.

use std::io::Cursor;

use scarce_artifact::{Images, Truth};
use scarce_pictures::{Options, Samples, decode};
use serde_json::json;

use crate::bench::{Bench, assert_names};

/// Pixels of a picture at most, so that an execution stays short.
const MAX_PIXELS: u64 = 1 << 18;
/// Bytes that a packed file may unpack to.
const MAX_UNPACKED: u64 = 1 << 22;

/// Bytes as an IDX file of images, and as one of labels for three images.
pub fn idx(bytes: &[u8]) {
    as_images(bytes);
    as_truth(bytes);
}

fn as_images(bytes: &[u8]) {
    let bench = Bench::new();
    let path = bench.file("input.idx", bytes);
    let done = bench.run("ingest", json!({ "path": path, "max_unpacked": MAX_UNPACKED }));
    assert_names(&done, "input.idx");
    if done.is_ok() && bytes.starts_with(&[0, 0]) {
        let (images, _) = bench.output::<Images>("images");
        let start = 4 + 4 * usize::from(bytes[3]);
        assert_eq!(images.pixels.values, &bytes[start..], "pixels are not those of the file");
    }
}

fn as_truth(bytes: &[u8]) {
    let bench = Bench::new();
    let images =
        bench.file("images.idx", &[&[0, 0, 8, 3][..], &dims([3, 1, 1]), &[7, 8, 9]].concat());
    let truth = bench.file("truth.idx", bytes);
    let params = json!({ "path": images, "truth": truth, "max_unpacked": MAX_UNPACKED });
    let done = bench.run("ingest", params);
    assert_names(&done, "truth.idx");
    if done.is_ok() && bytes.starts_with(&[0, 0]) {
        let (truth, meta) = bench.output::<Truth>("truth");
        let names = truth.label.iter().map(|&label| meta.classes[label as usize].as_str());
        let expected: Vec<String> = bytes[8..].iter().map(u8::to_string).collect();
        assert!(names.eq(expected.iter().map(String::as_str)), "labels are not those of the file");
    }
}

fn dims(dims: [u32; 3]) -> Vec<u8> {
    dims.iter().flat_map(|dim| dim.to_be_bytes()).collect()
}

/// Bytes as a picture: decoded as it is and smaller; what comes out goes through PNG unchanged.
pub fn picture(bytes: &[u8]) {
    let options = Options { max_pixels: MAX_PIXELS, ..Options::default() };
    match decode(bytes, &options) {
        Ok(picture) => {
            let (width, height) = (picture.width(), picture.height());
            assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
            let values = width as usize * height as usize * usize::from(picture.channels());
            let found = match picture.samples() {
                Samples::Bytes(values) => values.len(),
                Samples::Words(values) => values.len(),
            };
            assert_eq!(found, values);
            let mut png = Cursor::new(Vec::new());
            let image = picture.clone().into_image().expect("the number of values is right");
            image.write_to(&mut png, image::ImageFormat::Png).unwrap();
            let again = decode(png.get_ref(), &options).expect("what was written is read");
            assert_eq!(again.samples(), picture.samples());
            assert_eq!((again.width(), again.height()), (width, height));
        }
        Err(error) => assert!(!error.to_string().trim().is_empty()),
    }
    let smaller = Options { at_least: Some((2, 2)), ..options };
    if let Ok(picture) = decode(bytes, &smaller) {
        assert!(picture.width() > 0 && picture.height() > 0);
    }
}
