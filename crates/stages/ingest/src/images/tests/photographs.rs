//! Folders as they come off phones, cards and other people's disks.

use fs_err::os::unix::fs::symlink;
use scarce_pictures::folder::Validation;

use super::{made::*, *};

fn write(folder: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.path().join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
}

/// A JPEG of noise, long enough to be cut.
fn jpeg() -> Vec<u8> {
    let noise = |x: u32, y: u32| ::image::Luma([((x * 37 + y * 91 + x * y) % 251) as u8]);
    let image = ::image::GrayImage::from_fn(32, 32, noise);
    encode(&::image::DynamicImage::ImageLuma8(image), ImageFormat::Jpeg)
}

#[test]
fn the_folder_of_horrors_is_listed_in_one_go() {
    let folder = folder_of(&["01.png", "20.png", "._01.png", "Thumbs.db", ".DS_Store"]);
    let whole = jpeg();
    write(&folder, "02-cut.jpg", &whole[..whole.len() / 2]);
    write(&folder, "03-empty.png", b"");
    write(&folder, "04-page.jpg", b"<!DOCTYPE html><title>404</title>");
    write(&folder, "05-bomb.png", bomb(1_000_000));
    write(&folder, "06-phone.heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic");
    symlink("/etc/passwd", folder.path().join("07-passwd.png")).unwrap();
    symlink("gone.png", folder.path().join("08-gone.png")).unwrap();
    fs_err::write(folder.path().join("09-webp.jpg"), webp()).unwrap();
    let words = [
        "7 of 10 images",
        "`02-cut.jpg`: it is cut off",
        "`03-empty.png`: the file is empty",
        "`04-page.jpg`: it is a web page",
        "`05-bomb.png`: it has 1000000 × 1000000 pixels",
        "`06-phone.heic`: it is HEIC",
        "`07-passwd.png`: it is none of",
        "`08-gone.png`: it is a link",
        "skip_unreadable",
    ];
    let bench = Bench::new();
    let mut params = json!({ "path": folder.path(), "channels": "grey",
        "resize": { "height": 4, "width": 4 } });
    assert_failure(bench.run("ingest", params.clone()), "ingest::image", &words);
    params["skip_unreadable"] = true.into();
    let (images, meta) = run(&bench, params);
    // The others keep their ids, and the WebP is one whatever it is called.
    assert_eq!(images.id, [0, 8, 9]);
    assert_eq!(images.source, ["01.png", "09-webp.jpg", "20.png"]);
    assert_eq!(meta.left_out.len(), 7);
    assert_eq!(meta.left_out[0], (1, "02-cut.jpg".to_owned()));
}

/// `encode` in the `image` crate writes lossless WebP.
fn webp() -> Vec<u8> {
    encode(&rgb(4, 4, [9, 8, 7]), ImageFormat::WebP)
}

#[test]
fn one_bad_picture_in_a_hundred_is_left_out_by_default() {
    let names: Vec<String> = (0..199).map(|i| format!("{i:03}.png")).collect();
    let folder = folder_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    write(&folder, "100-bad.png", b"junk");
    let bench = Bench::new();
    let (images, meta) = run(&bench, json!({ "path": folder.path() }));
    assert_eq!((images.id.len(), images.id[101]), (199, 102));
    assert_eq!(meta.left_out, [(100, "100-bad.png".to_owned())]);
    let strict = json!({ "path": folder.path(), "skip_unreadable": false });
    assert_failure(bench.run("ingest", strict), "ingest::image", &["`100-bad.png`"]);
    write(&folder, "101-bad.png", b"junk");
    write(&folder, "102-bad.png", b"junk");
    let more = bench.run("ingest", json!({ "path": folder.path() }));
    assert_failure(more, "ingest::image", &["3 of 202 images"]);
}

#[test]
fn validation_goes_where_it_is_sent() {
    let folder = folder_of(&["train/a/1.png", "train/b/2.png", "val/a/3.png", "test/b/4.png"]);
    let bench = Bench::new();
    for (validation, expected) in [
        (Validation::Train, &[Split::Train, Split::Train, Split::Train, Split::Test][..]),
        (Validation::Test, &[Split::Train, Split::Train, Split::Test, Split::Test]),
        (Validation::Skip, &[Split::Train, Split::Train, Split::Test]),
    ] {
        let params = json!({ "path": folder.path(), "validation": validation });
        let (images, _) = run(&bench, params);
        assert_eq!(images.split, expected, "{validation:?}");
        let (_, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!(classes, ["a", "b"]);
    }
    write(&folder, "extra/a/5.png", png(&grey(4, 4, 1)));
    let failure = bench.run("ingest", json!({ "path": folder.path() }));
    assert_failure(failure, "pictures::layout", &["`train`", "`extra`"]);
}

mod sixteen_bits {
    use super::*;

    #[test]
    fn keep_the_range_in_use_over_the_whole_data_set() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "a.png", png(&deep(1, 3, &[0, 5, 20])));
        write(&folder, "b.png", png(&deep(1, 3, &[1, 2, 3])));
        let bench = Bench::new();
        let (images, meta) = run(&bench, json!({ "path": folder.path() }));
        // Five bits hold 20: 31 becomes 255, in both pictures.
        assert_eq!(images.pixels.values, [0, 41, 165, 8, 16, 25]);
        assert_eq!(meta.max_value, 255);
        // One with all sixteen bits changes the scale of all.
        write(&folder, "c.png", png(&deep(1, 3, &[0, 0x8000, 0xffff])));
        let (images, _) = run(&bench, json!({ "path": folder.path() }));
        assert_eq!(images.pixels.values, [0, 0, 0, 0, 0, 0, 0, 128, 255]);
    }

    #[test]
    fn are_scaled_as_told() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "a.tif", encode(&deep(1, 3, &[30_000, 30_250, 30_500]), ImageFormat::Tiff));
        let bench = Bench::new();
        let told = json!({ "path": folder.path(), "range_16bit": [30_000, 30_500] });
        assert_eq!(run(&bench, told).0.pixels.values, [0, 128, 255]);
        let (images, _) = run(&bench, json!({ "path": folder.path() }));
        assert_eq!(images.pixels.values, [233, 235, 237]);
        let upside_down = json!({ "path": folder.path(), "range_16bit": [5, 5] });
        assert_failure(bench.run("ingest", upside_down), "ingest::request", &["`range_16bit`"]);
    }
}

#[test]
fn what_hides_under_clear_pixels_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let clear = ::image::RgbaImage::from_pixel(1, 1, ::image::Rgba([1, 2, 3, 0]));
    write(&folder, "a.png", png(&::image::DynamicImage::ImageRgba8(clear)));
    let bench = Bench::new();
    assert_eq!(run(&bench, json!({ "path": folder.path() })).0.pixels.values, [255; 3]);
    let params = json!({ "path": folder.path(), "background": [10, 20, 30] });
    assert_eq!(run(&bench, params).0.pixels.values, [10, 20, 30]);
}

#[test]
fn proportions_are_kept_on_request() {
    let folder = tempfile::tempdir().unwrap();
    // Left half 0, middle 100, right 200: 8 wide, 4 high.
    let picture = ::image::GrayImage::from_fn(8, 4, |x, _| {
        ::image::Luma([[0, 100, 100, 200][x as usize / 2]])
    });
    write(&folder, "a.png", png(&::image::DynamicImage::ImageLuma8(picture)));
    let bench = Bench::new();
    let size = json!({ "height": 4, "width": 4 });
    let fit = |fit: &str| json!({ "path": folder.path(), "resize": size, "fit": fit });
    assert_eq!(run(&bench, fit("cover")).0.pixels.values, [100; 16]);
    let (contained, _) = run(&bench, fit("contain"));
    assert_eq!(contained.pixels.values[..4], [255; 4]);
    assert_eq!(contained.pixels.values[12..], [255; 4]);
    let (stretched, _) = run(&bench, fit("stretch"));
    assert_eq!(
        stretched.pixels.values,
        run(&bench, json!({ "path": folder.path(), "resize": size })).0.pixels.values
    );
    assert!(stretched.pixels.values[0] < 50 && stretched.pixels.values[3] > 150);
    let alone = json!({ "path": folder.path(), "fit": "cover" });
    assert_failure(bench.run("ingest", alone), "ingest::request", &["`resize`"]);
}

#[test]
fn the_limit_of_pixels_is_a_parameter_and_names_the_file() {
    let folder = folder_of(&["a.png"]);
    let bench = Bench::new();
    let params = json!({ "path": folder.path(), "max_pixels": 15 });
    assert_failure(
        bench.run("ingest", params),
        "ingest::image",
        &["`a.png`", "4 × 4", "`max_pixels = 15`"],
    );
    let (images, _) = run(&bench, json!({ "path": folder.path(), "max_pixels": 16 }));
    assert_eq!(images.id, [0]);
}

#[test]
fn artifacts_within_the_folder_are_no_data() {
    let folder = folder_of(&["a.png", "artifacts/runs/x/1.png"]);
    write(&folder, "artifacts/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55");
    let (images, _) = run(&Bench::new(), json!({ "path": folder.path() }));
    assert_eq!(images.source, ["a.png"]);
}
