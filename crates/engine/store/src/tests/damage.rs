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
    overwrite(&path, b"{\"format\": 2");
    expect(&store, &key, "is not a manifest");
    overwrite(&path, &fs_err::read(other.folder.join("manifest.json")).unwrap());
    expect(&store, &key, "belongs to");
    fs_err::remove_file(&path).unwrap();
    expect(&store, &key, "is missing");
}

#[test]
fn is_seen_in_every_bit_of_the_manifest() {
    let (_root, store) = store();
    let entry = publish(&store, "x", 1).entry;
    let key = entry.manifest.key.clone();
    let path = entry.folder.join("manifest.json");
    let text = fs_err::read(&path).unwrap();
    for place in (0..text.len()).step_by(7) {
        let mut spoilt = text.clone();
        spoilt[place] ^= 1 << (place % 8);
        overwrite(&path, &spoilt);
        let found = store.find("fake", &key).unwrap();
        assert!(matches!(found, Lookup::Damaged(_)), "byte {place}: {found:?}");
    }
    overwrite(&path, &text);
    assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Hit(_)));
}

fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}

/// Puts something else in the place of `path`, and sees that it is damage, is set aside, and makes
/// room for the result; nothing waits for ever.
fn in_place(of: impl Fn(&Entry) -> std::path::PathBuf, put: impl Fn(&Path), what: &str) {
    let (_root, store) = store();
    let entry = publish(&store, "x", 1).entry;
    let key = entry.manifest.key.clone();
    let path = of(&entry);
    files::remove(&path).unwrap();
    put(&path);
    expect(&store, &key, what);
    assert_eq!(store.list().unwrap().len(), 1);
    let lock = store.lock(&key, &mut never).unwrap().unwrap();
    let aside = store.set_aside("fake", &lock).unwrap().unwrap();
    assert!(aside.place.symlink_metadata().is_ok());
    drop(lock);
    assert!(matches!(publish(&store, "x", 1).entry.manifest.format, 2));
    assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Hit(_)));
    let all = Keep::default();
    store.collect(&all, Some(&store.exclusive().unwrap())).unwrap();
    assert!(files::list(&store.own(Own::Quarantine)).unwrap().is_empty());
}

#[test]
fn is_an_entry_that_is_a_file_a_link_or_a_pipe() {
    let folder = |entry: &Entry| entry.folder.clone();
    in_place(folder, |path| fs_err::write(path, "in the way").unwrap(), "is not a folder");
    in_place(folder, pipe, "is not a folder");
    in_place(folder, |path| symlink("/nowhere", path).unwrap(), "is missing");
    in_place(folder, |path| fs_err::create_dir(path).unwrap(), "is missing");
}

#[test]
fn is_a_manifest_that_is_a_folder_a_link_a_pipe_or_a_device() {
    let manifest = |entry: &Entry| entry.folder.join("manifest.json");
    in_place(manifest, |path| fs_err::create_dir(path).unwrap(), "is not a file");
    in_place(manifest, pipe, "is not a file");
    in_place(manifest, |path| symlink("/dev/zero", path).unwrap(), "is not a file");
    let output = |entry: &Entry| entry.folder.join("truth.parquet");
    in_place(output, pipe, "is not a file");
}

#[test]
fn that_was_repaired_or_removed_meanwhile_is_not_set_aside() {
    let (_root, store) = store();
    let entry = publish(&store, "x", 1).entry;
    let key = entry.manifest.key.clone();
    let path = entry.folder.join("truth.parquet");
    let bytes = fs_err::read(&path).unwrap();
    overwrite(&path, b"spoilt");
    expect(&store, &key, "bytes, not");
    let lock = store.lock(&key, &mut never).unwrap().unwrap();
    overwrite(&path, &bytes);
    assert_eq!(store.set_aside("fake", &lock).unwrap(), None);
    assert!(entry.folder.exists());
    fs_err::remove_dir_all(&entry.folder).unwrap();
    assert_eq!(store.set_aside("fake", &lock).unwrap(), None);
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
    assert!(matches!(store.find_verified("fake", &key).unwrap(), Lookup::Damaged(_)));
    let lock = store.lock(&key, &mut never).unwrap().unwrap();
    let aside = store.set_aside("fake", &lock).unwrap().unwrap().place;
    assert!(aside.join("truth.parquet").exists());
    let text = fs_err::read_to_string(aside.join("damage.json")).unwrap();
    assert!(text.contains("truth.parquet"), "{text}");
    assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Absent));
    assert_eq!(store.set_aside("fake", &lock).unwrap(), None);
}
