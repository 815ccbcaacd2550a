use std::{collections::HashSet, path::Path, thread, time::Duration};

use fs_err::os::unix::fs::symlink;

use scarce_artifact::{Classes, Truth, Writer};
use scarce_stage::Format;
use serde_json::json;
use tempfile::TempDir;

use crate::{store::Own, *};

fn store() -> (TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

fn never() -> bool {
    panic!("nobody else holds this lock")
}

fn truth(label: i32) -> Truth {
    Truth { id: vec![0, 1], label: vec![label, 0] }
}

/// Publishes a table of truths whose first label is `label` under a key made of `name`.
fn publish(store: &Store, name: &str, label: i32) -> Published {
    let ingredients = json!({ "name": name });
    let key = Key::of(&ingredients);
    let staging = store.stage(&key).unwrap();
    let path = staging.outputs().join("truth.parquet");
    Writer::<Truth>::write_all(&path, Classes::new(["a", "b", "c"]), truth(label)).unwrap();
    let mut product = Product::new("truth", "truth", Format::Table);
    product.rows = Some(2);
    store.publish(staging, "fake", &key, ingredients, &[product], Usage::default()).unwrap()
}

fn overwrite(path: &Path, bytes: &[u8]) {
    fs_err::remove_file(path).unwrap();
    fs_err::write(path, bytes).unwrap();
}

mod damage;
mod external_data;
mod foreign_things;
mod garbage;

mod a_key {
    use super::*;

    #[test]
    fn tells_an_integer_from_a_float() {
        assert_ne!(Key::of(&json!({ "components": 1 })), Key::of(&json!({ "components": 1.0 })));
    }

    #[test]
    fn depends_neither_on_the_order_of_fields_nor_on_the_spelling_of_numbers() {
        let one: serde_json::Value =
            serde_json::from_str(r#"{"b": [1.0, 2.5], "a": {"y": null, "x": "é\n"}}"#).unwrap();
        let other: serde_json::Value =
            serde_json::from_str(r#"{"a": {"x": "\u00e9\n", "y": null}, "b": [1.00, 25e-1]}"#)
                .unwrap();
        assert_eq!(canonical_json(&one), r#"{"a":{"x":"é\n","y":null},"b":[1.0,2.5]}"#);
        assert_eq!(Key::of(&one), Key::of(&other));
        assert_ne!(Key::of(&one), Key::of(&json!({ "a": 1 })));
    }

    #[test]
    fn is_thirty_two_hexadecimal_digits() {
        let key = Key::of(&json!(1));
        assert_eq!(Key::parse(key.as_str()), Some(key));
        assert_eq!(Key::parse("../../../../../../etc/passwd----"), None);
        assert!(serde_json::from_str::<Key>("\"short\"").is_err());
    }
}

mod an_entry {
    use super::*;

    #[test]
    fn is_found_with_what_was_published() {
        let (_root, store) = store();
        let published = publish(&store, "x", 1);
        let key = &published.entry.manifest.key;
        let Lookup::Hit(entry) = store.find("fake", key).unwrap() else { panic!("not found") };
        assert_eq!(entry.manifest, published.entry.manifest);
        let output = entry.output("truth").unwrap();
        assert_eq!(output.rows, Some(2));
        assert_eq!(
            output.digest,
            scarce_artifact::digest_file(&entry.folder.join("truth.parquet")).unwrap()
        );
        assert!(
            fs_err::metadata(entry.folder.join("truth.parquet")).unwrap().permissions().readonly()
        );
        assert!(store.verify(&entry).is_none());
        assert!(files::list(&store.own(Own::Temporary)).unwrap().is_empty());
    }

    #[test]
    fn of_a_kind_that_is_no_folder_name_is_refused() {
        let (_root, store) = store();
        let key = Key::of(&json!(1));
        for kind in ["../escape", "", ".tmp", "A", "a/b"] {
            assert!(matches!(store.find(kind, &key), Err(Error::KindName { .. })), "{kind}");
        }
    }

    #[test]
    fn without_an_optional_output_says_so_and_without_another_is_refused() {
        let (_root, store) = store();
        let key = Key::of(&json!(2));
        let mut product = Product::new("history", "history", Format::Table);
        let staging = store.stage(&key).unwrap();
        let refused =
            store.publish(staging, "fake", &key, json!(2), &[product.clone()], Usage::default());
        assert!(matches!(refused, Err(Error::OutputMissing { .. })));
        assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Absent));

        product.optional = true;
        let staging = store.stage(&key).unwrap();
        fs_err::write(staging.outputs().join("stray.txt"), "left by a careless host").unwrap();
        let entry = store
            .publish(staging, "fake", &key, json!(2), &[product], Usage::default())
            .unwrap()
            .entry;
        assert_eq!(entry.manifest.outputs["history"], None);
        assert!(!entry.folder.join("stray.txt").exists());
    }

    #[test]
    fn published_again_with_the_same_bytes_stays_and_with_others_is_exchanged() {
        let (_root, store) = store();
        let first = publish(&store, "x", 1);
        let again = publish(&store, "x", 1);
        assert!(!again.replaced);
        assert_eq!(again.entry.manifest.created, first.entry.manifest.created);
        let other = publish(&store, "x", 2);
        assert!(other.replaced);
        let Lookup::Hit(entry) = store.find("fake", &other.entry.manifest.key).unwrap() else {
            panic!("gone")
        };
        assert_ne!(entry.output("truth"), first.entry.output("truth"));
        assert!(files::list(&store.own(Own::Temporary)).unwrap().is_empty());
    }
}

mod a_lock {
    use super::*;

    #[test]
    fn makes_the_second_wait_for_the_first() {
        let (_root, store) = store();
        let key = Key::of(&json!(1));
        let first = store.lock(&key, &mut never).unwrap().unwrap();
        let mut asked = 0;
        let mut thrice = || {
            asked += 1;
            asked < 3
        };
        assert!(store.lock(&key, &mut thrice).unwrap().is_none());
        assert_eq!(asked, 3);
        let waiter = thread::spawn({
            let (store, key) = (store.clone(), key.clone());
            move || store.lock(&key, &mut || true).unwrap().is_some()
        });
        thread::sleep(Duration::from_millis(30));
        assert!(!waiter.is_finished());
        drop(first);
        assert!(waiter.join().unwrap());
    }

    #[test]
    fn of_a_session_keeps_garbage_and_half_written_entries() {
        let (_root, store) = store();
        publish(&store, "x", 1);
        let session = store.session(&mut never).unwrap().unwrap();
        let key = Key::of(&json!(3));
        let staging = store.stage(&key).unwrap();
        let second = store.session(&mut never).unwrap().unwrap();
        assert!(staging.outputs().exists());
        assert!(matches!(store.exclusive(), Err(Error::Busy { .. })));
        assert_eq!(store.collect(&Keep::default(), None).unwrap().entries.len(), 1);
        drop((session, second));

        // A killed run leaves its folder behind; the next one finds nobody alive.
        std::mem::forget(staging);
        assert_eq!(files::list(&store.own(Own::Temporary)).unwrap().len(), 1);
        let _session = store.session(&mut never).unwrap().unwrap();
        assert!(files::list(&store.own(Own::Temporary)).unwrap().is_empty());
    }
}

mod an_older_store {
    use super::*;

    /// As version 0.1 wrote it: a manifest of format 1, without a digest of its own.
    #[test]
    fn is_read_and_verified_and_collected() {
        let (_root, store) = store();
        let entry = publish(&store, "x", 1).entry;
        let path = entry.folder.join("manifest.json");
        let mut manifest = entry.manifest.clone();
        manifest.format = 1;
        overwrite(&path, &serde_json::to_vec_pretty(&manifest).unwrap());
        let key = manifest.key.clone();
        assert!(matches!(store.find_verified("fake", &key).unwrap(), Lookup::Hit(_)));
        assert!(check_seal(&fs_err::read(&path).unwrap()) == Seal::Absent);
        let done = store.collect(&Keep::default(), Some(&store.exclusive().unwrap())).unwrap();
        assert_eq!(done.entries.len(), 1);
    }
}

mod a_store_that_cannot_be_written {
    use super::*;

    #[test]
    fn names_the_path_and_the_way_out() {
        let root = tempfile::tempdir().unwrap();
        fs_err::write(root.path().join("store"), "in the way").unwrap();
        let error = Store::open(root.path()).unwrap_err();
        assert!(error.to_string().contains("store"), "{error}");
        assert!(miette::Diagnostic::help(&error).is_some());
    }

    #[test]
    fn and_one_that_is_full_have_codes_of_their_own() {
        let code = |kind: std::io::ErrorKind| {
            let error = Error::from(std::io::Error::from(kind));
            miette::Diagnostic::code(&error).unwrap().to_string()
        };
        assert_eq!(code(std::io::ErrorKind::StorageFull), "store::full");
        assert_eq!(code(std::io::ErrorKind::ReadOnlyFilesystem), "store::read_only");
        assert_eq!(code(std::io::ErrorKind::PermissionDenied), "store::denied");
        assert_eq!(code(std::io::ErrorKind::NotFound), "store::io");
    }
}
