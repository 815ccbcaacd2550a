use serde_json::from_value;

use super::*;
use crate::{Filter, Fit, Picture, Samples, centre_crop, resize, shortest_edge};

fn source() -> Picture {
    let pixels = numbers(&EXPECTED["resize"]["pixels"]);
    let bytes = pixels.into_iter().map(|value| value as u8).collect();
    Picture::new(31, 23, 3, Samples::Bytes(bytes)).unwrap()
}

#[test]
fn agrees_with_pillow_in_every_filter_and_fit() {
    let source = source();
    for case in EXPECTED["resize"]["to"].as_array().unwrap() {
        let size: (u32, u32) = from_value(case["size"].clone()).unwrap();
        let filter: Filter = from_value(case["filter"].clone()).unwrap();
        let fit: Fit = from_value(case["fit"].clone()).unwrap();
        let found = resize(&source, size, filter, fit, [10, 200, 30]);
        assert_eq!((found.width(), found.height()), size);
        let expected = numbers(&case["pixels"]);
        let off = |(a, b): (&u16, &u8)| a.abs_diff(u16::from(*b));
        let worst = expected.iter().zip(found.bytes().unwrap()).map(off).max();
        assert!(worst <= Some(1), "{filter:?} {fit:?} {size:?}: {worst:?}");
    }
}

#[test]
fn sixteen_bits_are_resized_as_eight_are() {
    let bytes = source();
    let words = bytes.bytes().unwrap().iter().map(|&byte| u16::from(byte) * 257).collect();
    let words = Picture::new(31, 23, 3, Samples::Words(words)).unwrap();
    let small = resize(&bytes, (9, 7), Filter::Bicubic, Fit::Cover, [0; 3]);
    let deep = resize(&words, (9, 7), Filter::Bicubic, Fit::Cover, [0; 3]);
    let Samples::Words(deep) = deep.into_samples() else { panic!("it is deep") };
    for (a, b) in small.bytes().unwrap().iter().zip(deep) {
        assert!((i32::from(*a) * 257 - i32::from(b)).abs() <= 257, "{a} {b}");
    }
}

#[test]
fn any_size_can_be_covered_and_contained() {
    let source = source();
    for size in [(1, 1), (1, 999), (999, 1), (7, 3), (101, 103), (333, 1000)] {
        for fit in [Fit::Cover, Fit::Contain, Fit::Stretch] {
            for filter in [Filter::Nearest, Filter::Box, Filter::Lanczos] {
                let found = resize(&source, size, filter, fit, [0; 3]);
                assert_eq!((found.width(), found.height()), size);
            }
        }
    }
}

#[test]
fn edges_and_crops_count_as_torchvision_does() {
    assert_eq!(shortest_edge((640, 480), 256), (341, 256));
    assert_eq!(shortest_edge((480, 641), 224), (224, 299));
    assert_eq!(shortest_edge((5, 5), 7), (7, 7));
    let picture = Picture::new(5, 4, 1, Samples::Bytes((0..20).collect())).unwrap();
    let middle = centre_crop(&picture, (2, 2));
    // torchvision.transforms.functional.center_crop(arange(20).reshape(1, 4, 5), 2)
    assert_eq!(middle.bytes().unwrap(), [7, 8, 12, 13]);
    let padded = centre_crop(&picture, (7, 4));
    assert_eq!(padded.bytes().unwrap()[..7], [0, 0, 1, 2, 3, 4, 0]);
}

#[test]
fn numbers_that_do_not_fit_make_no_picture() {
    assert!(Picture::new(2, 2, 3, Samples::Bytes(vec![0; 11])).is_none());
    assert!(Picture::new(0, 2, 1, Samples::Bytes(Vec::new())).is_none());
    assert!(Picture::new(1, 1, 2, Samples::Bytes(vec![0; 2])).is_none());
    assert!(Picture::new(u32::MAX, u32::MAX, 3, Samples::Words(Vec::new())).is_none());
}
