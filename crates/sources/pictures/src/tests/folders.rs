use std::os::unix::ffi::OsStrExt;

use fs_err::os::unix::fs::symlink;
use scarce_artifact::Split;

use super::*;
use crate::folder::{Listing, Validation, list};

/// A folder with these files, each holding a picture if its name is one.
fn folder_of(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        let picture = crate::is_picture_name(name);
        fs_err::write(&path, if picture { fixture("small.ppm") } else { b"text".to_vec() })
            .unwrap();
    }
    folder
}

fn listed(names: &[&str]) -> Result<Listing, String> {
    list(folder_of(names).path(), Validation::Train).map_err(|error| {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        format!("{error} {}", help.unwrap_or_default())
    })
}

fn rows(listing: &Listing) -> Vec<(&str, Split, Option<i32>)> {
    listing.files.iter().map(|file| (file.name.as_str(), file.split, file.label)).collect()
}

#[test]
fn flat_it_has_no_classes() {
    let listing = listed(&["b.png", "a.JPG", ".hidden.png", "notes.txt"]).unwrap();
    assert_eq!(listing.classes, None);
    assert_eq!(rows(&listing), [("a.JPG", Split::Pool, None), ("b.png", Split::Pool, None)]);
}

#[test]
fn one_folder_per_class() {
    let names = ["dog/x/1.png", "cat/2.png", "cat/1.png", ".git/3.png", "l.csv"];
    let listing = listed(&names).unwrap();
    assert_eq!(listing.classes.as_deref(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
    let expected = [
        ("cat/1.png", Split::Pool, Some(0)),
        ("cat/2.png", Split::Pool, Some(0)),
        ("dog/x/1.png", Split::Pool, Some(1)),
    ];
    assert_eq!(rows(&listing), expected);
}

#[test]
fn what_systems_and_tools_leave_behind_is_left_out() {
    let names = [
        "a/1.png",
        "a/._1.png",
        "a/Thumbs.db",
        ".DS_Store",
        "__MACOSX/a/1.png",
        "a/desktop.ini",
        "artifacts/store/x.png",
        "artifacts/CACHEDIR.TAG",
        "b/2.webp",
    ];
    let folder = folder_of(&names);
    let tag = b"Signature: 8a477f597d28d172789f06886806bc55\n# a cache";
    fs_err::write(folder.path().join("artifacts/CACHEDIR.TAG"), tag).unwrap();
    let listing = list(folder.path(), Validation::Train).unwrap();
    assert_eq!(
        rows(&listing),
        [("a/1.png", Split::Pool, Some(0)), ("b/2.webp", Split::Pool, Some(1))]
    );
    // The folder itself may be somebody's cache.
    let cache = list(&folder.path().join("artifacts"), Validation::Train).unwrap();
    assert_eq!(cache.files.len(), 1);
}

mod splits {
    use super::*;

    #[test]
    fn go_by_the_usual_names() {
        for [train, validation, test] in [
            ["train", "validation", "test"],
            ["Train", "Val", "Test"],
            ["training", "valid", "testing"],
            ["TRAIN", "dev", "TEST"],
        ] {
            let name = |part: &str, file: &str| format!("{part}/{file}.png");
            let names = [
                name(test, "b/1"),
                name(train, "b/1"),
                name(train, "a/1"),
                name(validation, "a/9"),
            ];
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let folder = folder_of(&names);
            for (choice, split) in [
                (Validation::Train, Some(Split::Train)),
                (Validation::Test, Some(Split::Test)),
                (Validation::Skip, None),
            ] {
                let listing = list(folder.path(), choice).unwrap();
                assert_eq!(listing.classes.as_deref().map(<[_]>::len), Some(2), "{train}");
                let find = |name: &str| listing.files.iter().find(|file| file.name == name);
                assert_eq!(find(names[3]).map(|file| file.split), split, "{validation}");
                assert_eq!(find(names[0]).map(|file| file.split), Some(Split::Test));
                assert_eq!(
                    find(names[2]).map(|file| (file.split, file.label)),
                    Some((Split::Train, Some(0)))
                );
                // What is learnt from comes first.
                assert!(listing.files.is_sorted_by_key(|file| file.split == Split::Test));
            }
        }
    }

    #[test]
    fn alone_or_with_validation_train_is_a_pool() {
        let alone = listed(&["train/cat/1.png", "train/dog/1.png"]).unwrap();
        assert_eq!(alone.classes.as_deref(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
        assert!(alone.files.iter().all(|file| file.split == Split::Pool));
        let both = listed(&["train/cat/1.png", "val/cat/2.png"]).unwrap();
        assert!(both.files.iter().all(|file| file.split == Split::Pool));
        // Folders of other things beside them are no part of the data.
        let listing = listed(&["train/1.png", "test/2.png", "labels/1.txt"]).unwrap();
        assert_eq!(
            rows(&listing),
            [("train/1.png", Split::Train, None), ("test/2.png", Split::Test, None)]
        );
    }

    #[test]
    fn that_are_half_understood_are_refused_with_what_was_seen() {
        for (names, words) in [
            (&["train/1.png", "test/1.png", "extra/1.png"][..], &["`train`", "`extra`"][..]),
            (&["train/a/1.png", "more/a/1.png"], &["`train`", "`more`"]),
            (&["test/a/1.png"], &["`test`", "no `train`"]),
            (&["val/a/1.png", "test/a/1.png"], &["no `train`"]),
            (&["train/1.png", "Train/1.png"], &["`Train`", "`train`"]),
            (&["train/1.png", "val/1.png", "valid/2.png"], &["`val`", "`valid`"]),
            (&["cat/train/1.png", "cat/test/1.png", "dog/train/1.png"], &["`cat`", "`train`"]),
            (&["data/train/a/1.png", "data/test/a/1.png"], &["give the path", "data"]),
            (&["train/a/1.png", "test/a/1.png", "stray.png"], &["`stray.png`"]),
            (&["a/1.png", "stray.png"], &["`stray.png`", "beside the class folders"]),
        ] {
            let error = listed(names).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{names:?}: {error}");
            }
        }
    }

    #[test]
    fn a_train_among_vehicles_is_a_class() {
        let listing = listed(&["bus/1.png", "car/1.png", "train/1.png"]).unwrap();
        assert_eq!(listing.classes.map(|classes| classes.len()), Some(3));
        assert!(listing.files.iter().all(|file| file.split == Split::Pool));
    }
}

mod names {
    use super::*;

    #[test]
    fn of_classes_may_hold_anything() {
        let names =
            ["a, b/1.png", "\"quoted\"/1.png", "🐱/1.png", "NA/1.png", "Cat/1.png", "cat/1.png"];
        let listing = listed(&names).unwrap();
        let expected = ["\"quoted\"", "Cat", "NA", "a, b", "cat", "🐱"].map(str::to_owned);
        assert_eq!(listing.classes.as_deref(), Some(&expected[..]));
        assert!(listing.files.iter().all(|file| file.label.is_some()));
    }

    #[test]
    fn of_classes_are_the_same_composed_or_decomposed() {
        let listing = listed(&["train/caf\u{e9}/1.png", "test/cafe\u{301}/1.png"]).unwrap();
        assert_eq!(listing.classes.as_deref(), Some(&["caf\u{e9}".to_owned()][..]));
        // Files keep the name that they have on the disk.
        assert_eq!(listing.files[1].name, "test/cafe\u{301}/1.png");
        assert_eq!(listing.files[1].label, Some(0));
    }

    #[test]
    fn without_an_ending_are_looked_into() {
        let folder = folder_of(&["b.png", "README"]);
        fs_err::write(folder.path().join("0a3f"), fixture("small.ppm")).unwrap();
        let listing = list(folder.path(), Validation::Train).unwrap();
        assert_eq!(rows(&listing), [("0a3f", Split::Pool, None), ("b.png", Split::Pool, None)]);
    }

    #[test]
    fn that_are_not_utf8_are_listed_with_their_problem() {
        let folder = folder_of(&["b.png"]);
        let name = std::ffi::OsStr::from_bytes(b"a\xff.png");
        fs_err::write(folder.path().join(name), fixture("small.ppm")).unwrap();
        let listing = list(folder.path(), Validation::Train).unwrap();
        let problem = listing.files[0].problem.as_deref();
        assert!(problem.is_some_and(|problem| problem.contains("UTF-8")), "{problem:?}");
    }
}

#[test]
fn broken_links_are_listed_and_loops_left_out() {
    let folder = folder_of(&["a/2.png"]);
    symlink("nowhere.png", folder.path().join("a/1.png")).unwrap();
    symlink("nowhere", folder.path().join("a/notes")).unwrap();
    symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    let listing = list(folder.path(), Validation::Train).unwrap();
    assert_eq!(listing.files.len(), 2, "{listing:?}");
    assert_eq!(listing.files[0].name, "a/1.png");
    assert!(listing.files[0].problem.as_deref().unwrap().contains("leads nowhere"));
    assert_eq!(listing.files[1].problem, None);
}
