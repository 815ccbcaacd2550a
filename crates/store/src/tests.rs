use std::{collections::HashSet, path::Path, thread, time::Duration};

use fs_err::os::unix::fs::symlink;

use scarce_artifact::{Classes, Truth, Writer};
use scarce_stage::Format;
use serde_json::json;
use tempfile::TempDir;

use crate::*;

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

mod a_key {
    use super::*;

    #[test]
    fn depends_neither_on_the_order_of_fields_nor_on_the_spelling_of_numbers() {
        let one: serde_json::Value =
            serde_json::from_str(r#"{"b": [1.0, 2.5], "a": {"y": null, "x": "é\n"}}"#).unwrap();
        let other: serde_json::Value =
            serde_json::from_str(r#"{"a": {"x": "\u00e9\n", "y": null}, "b": [1, 25e-1]}"#)
                .unwrap();
        assert_eq!(canonical_json(&one), r#"{"a":{"x":"é\n","y":null},"b":[1,2.5]}"#);
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
        assert!(store.verify(&entry).unwrap().is_none());
        assert!(files::list(&store.own(".tmp")).unwrap().is_empty());
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
        assert!(files::list(&store.own(".tmp")).unwrap().is_empty());
    }
}

mod damage {
    use super::*;

    fn expect(store: &Store, key: &Key, what: &str) {
        match store.find("fake", key).unwrap() {
            Lookup::Damaged(damage) => assert!(damage.to_string().contains(what), "{damage}"),
            other => panic!("expected damage, found {other:?}"),
        }
    }

    #[test]
    fn is_seen_in_a_truncated_a_missing_and_a_retyped_file() {
        let (_root, store) = store();
        let entry = publish(&store, "x", 1).entry;
        let key = entry.manifest.key.clone();
        let path = entry.folder.join("truth.parquet");
        let bytes = fs_err::read(&path).unwrap();
        overwrite(&path, &bytes[..bytes.len() - 7]);
        expect(&store, &key, "bytes, not");
        overwrite(&path, &vec![0; bytes.len()]);
        expect(&store, &key, "does not begin and end as Parquet");
        fs_err::remove_file(&path).unwrap();
        expect(&store, &key, "is missing");
        symlink("/dev/zero", &path).unwrap();
        expect(&store, &key, "is not a file");
    }

    #[test]
    fn is_seen_in_the_manifest() {
        let (_root, store) = store();
        let entry = publish(&store, "x", 1).entry;
        let other = publish(&store, "y", 1).entry;
        let key = entry.manifest.key.clone();
        let path = entry.folder.join("manifest.json");
        overwrite(&path, b"{\"format\": 1");
        expect(&store, &key, "is not a manifest");
        overwrite(&path, &fs_err::read(other.folder.join("manifest.json")).unwrap());
        expect(&store, &key, "belongs to");
        fs_err::remove_file(&path).unwrap();
        expect(&store, &key, "is missing");
    }

    #[test]
    fn of_one_flipped_bit_is_seen_by_verification_and_set_aside() {
        let (_root, store) = store();
        let entry = publish(&store, "x", 1).entry;
        let key = entry.manifest.key.clone();
        let path = entry.folder.join("truth.parquet");
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[10] ^= 1;
        overwrite(&path, &bytes);
        assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Hit(_)));
        let damage = store.verify(&entry).unwrap().unwrap();
        let aside = store.quarantine("fake", &key, &damage).unwrap().unwrap();
        assert!(aside.join("truth.parquet").exists());
        let text = fs_err::read_to_string(aside.join("damage.json")).unwrap();
        assert!(text.contains("truth.parquet"), "{text}");
        assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Absent));
        assert_eq!(store.quarantine("fake", &key, &damage).unwrap(), None);
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
        assert_eq!(store.collect(&HashSet::new(), None).unwrap().entries.len(), 1);
        drop((session, second));

        // A killed run leaves its folder behind; the next one finds nobody alive.
        std::mem::forget(staging);
        assert_eq!(files::list(&store.own(".tmp")).unwrap().len(), 1);
        let _session = store.session(&mut never).unwrap().unwrap();
        assert!(files::list(&store.own(".tmp")).unwrap().is_empty());
    }
}

mod garbage {
    use super::*;

    #[test]
    fn is_what_nothing_reaches() {
        let (_root, store) = store();
        let kept = publish(&store, "kept", 1).entry;
        let lost = publish(&store, "lost", 2).entry;
        let keep = HashSet::from([("fake".to_owned(), kept.manifest.key.clone())]);
        let dry = store.collect(&keep, None).unwrap();
        assert_eq!((dry.entries.len(), dry.kept), (1, 1));
        assert!(lost.folder.exists());
        let done = store.collect(&keep, Some(&store.exclusive().unwrap())).unwrap();
        assert_eq!(done.entries, dry.entries);
        assert_eq!(done.entries[0].key, lost.manifest.key);
        assert!(done.entry_bytes >= lost.manifest.bytes());
        assert!(!lost.folder.exists());
        assert_eq!(store.list().unwrap().len(), 1);
    }
}

mod external_data {
    use super::*;

    fn settle(path: &Path) {
        let old = std::time::SystemTime::now() - Duration::from_mins(1);
        fs_err::OpenOptions::new().write(true).open(path).unwrap().set_modified(old).unwrap();
    }

    #[test]
    fn is_known_by_content_not_by_name_or_time() {
        let (root, store) = store();
        let at = |name: &str| root.path().join(name);
        fs_err::create_dir_all(at("one/cat")).unwrap();
        fs_err::create_dir_all(at("two/cat")).unwrap();
        for folder in ["one", "two"] {
            fs_err::write(at(folder).join("cat/1.png"), "cat").unwrap();
            fs_err::write(at(folder).join("b.png"), "b").unwrap();
        }
        let digest = |name: &str| store.digest_external(&at(name)).unwrap();
        assert_eq!(digest("one"), digest("two"));
        assert_eq!(digest("one/b.png"), digest("two/b.png"));
        fs_err::rename(at("two/b.png"), at("two/c.png")).unwrap();
        assert_ne!(digest("one"), digest("two"));
        let before = digest("one");
        fs_err::write(at("one/cat/1.png"), "dog").unwrap();
        settle(&at("one/cat/1.png"));
        assert_ne!(digest("one"), before);
    }

    #[test]
    fn changed_within_the_tick_of_a_clock_is_digested_again() {
        let (root, store) = store();
        let path = root.path().join("data.bin");
        fs_err::write(&path, "one").unwrap();
        let first = store.digest_external(&path).unwrap();
        assert!(!store.own(".digests").exists(), "too young to be remembered");
        fs_err::write(&path, "two").unwrap();
        assert_ne!(store.digest_external(&path).unwrap(), first);
    }

    #[test]
    fn that_is_old_enough_is_remembered() {
        let (root, store) = store();
        let path = root.path().join("data.bin");
        fs_err::write(&path, "one").unwrap();
        thread::sleep(Duration::from_millis(2100));
        let first = store.digest_external(&path).unwrap();
        let places = files::list(&store.own(".digests")).unwrap();
        assert_eq!(places.len(), 1);
        // What is remembered is what is answered.
        let text = fs_err::read_to_string(&places[0]).unwrap();
        fs_err::write(&places[0], text.replace(first.as_str(), &"0".repeat(64))).unwrap();
        assert_eq!(store.digest_external(&path).unwrap().as_str(), "0".repeat(64));
        fs_err::write(&path, "two").unwrap();
        assert_ne!(store.digest_external(&path).unwrap().as_str(), "0".repeat(64));
    }

    #[test]
    fn that_is_not_there_or_never_ends_is_refused() {
        let (root, store) = store();
        let missing = store.digest_external(&root.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
        let device = store.digest_external(Path::new("/dev/zero")).unwrap_err();
        assert!(matches!(device, Error::External { .. }));
        fs_err::create_dir(root.path().join("loop")).unwrap();
        symlink(".", root.path().join("loop/again")).unwrap();
        let endless = store.digest_external(&root.path().join("loop")).unwrap_err();
        assert!(matches!(endless, Error::External { .. }));
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
        assert_eq!(code(std::io::ErrorKind::NotFound), "store::io");
    }
}
