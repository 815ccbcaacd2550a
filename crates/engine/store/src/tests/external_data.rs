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
    let digest = |name: &str| store.snapshot(&at(name)).unwrap().digest;
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
fn may_hold_links_that_lead_nowhere() {
    let (root, store) = store();
    let at = |name: &str| root.path().join(name);
    fs_err::create_dir_all(at("data")).unwrap();
    fs_err::write(at("data/a.png"), "a").unwrap();
    let digest = || store.snapshot(&at("data")).unwrap().digest;
    let whole = digest();
    fs_err::os::unix::fs::symlink("lost.png", at("data/b.png")).unwrap();
    let lost = digest();
    assert_ne!(lost, whole);
    fs_err::write(at("data/lost.png"), "b").unwrap();
    assert_ne!(digest(), lost, "it leads somewhere now");
}

#[test]
fn changed_within_the_tick_of_a_clock_is_digested_again() {
    let (root, store) = store();
    let path = root.path().join("data.bin");
    fs_err::write(&path, "one").unwrap();
    let first = store.snapshot(&path).unwrap();
    assert!(!store.own(Own::Digests).exists(), "too young to be remembered");
    fs_err::write(&path, "two").unwrap();
    assert_ne!(store.snapshot(&path).unwrap().digest, first.digest);
}

#[test]
fn that_is_old_enough_is_remembered() {
    let (root, store) = store();
    let path = root.path().join("data.bin");
    fs_err::write(&path, "one").unwrap();
    thread::sleep(Duration::from_millis(2100));
    let first = store.snapshot(&path).unwrap().digest;
    let places = files::list(&store.own(Own::Digests)).unwrap();
    assert_eq!(places.len(), 1);
    // What is remembered is what is answered, and what has changed on the disk is not remembered.
    let text = fs_err::read_to_string(&places[0]).unwrap();
    let spoilt = text.replace(first.as_str(), &"0".repeat(64));
    fs_err::write(&places[0], &spoilt).unwrap();
    assert_eq!(store.snapshot(&path).unwrap().digest, first);
    let mut other: serde_json::Value = serde_json::from_str(&spoilt).unwrap();
    other.as_object_mut().unwrap().remove("digest");
    fs_err::write(&places[0], crate::seal(&other, crate::Layout::Line).unwrap()).unwrap();
    assert_eq!(store.snapshot(&path).unwrap().digest.as_str(), "0".repeat(64));
    fs_err::write(&path, "two").unwrap();
    let second = store.snapshot(&path).unwrap().digest;
    assert_ne!(second.as_str(), "0".repeat(64));
    // Nobody waits for what a pipe in its place might say.
    fs_err::remove_file(&places[0]).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&places[0]).status().unwrap().success());
    assert_eq!(store.snapshot(&path).unwrap().digest, second);
}

/// Data of which nothing is remembered: they are younger than the clock is exact.
fn data() -> (TempDir, Store, std::path::PathBuf) {
    let (root, store) = store();
    let folder = root.path().join("data");
    fs_err::create_dir_all(folder.join("cat")).unwrap();
    fs_err::write(folder.join("cat/1.png"), "A").unwrap();
    (root, store, folder)
}

/// What [`Store::changes`] says after something was done to data, whose content is the same again.
#[track_caller]
fn is_noticed(to_and_fro: impl Fn(&Path)) {
    let (_root, store, folder) = data();
    let before = store.snapshot(&folder).unwrap();
    assert_eq!(store.changes(&folder, &before).unwrap(), Change::None);
    assert!(store.is_untouched(&folder, &before).unwrap());
    // A clock that ticks ten thousand times a second is not to be relied on.
    thread::sleep(Duration::from_millis(20));
    to_and_fro(&folder);
    let Change::Touched(now) = store.changes(&folder, &before).unwrap() else {
        panic!("not noticed")
    };
    assert_eq!(now.digest, before.digest);
    assert_eq!(store.changes(&folder, &now).unwrap(), Change::None);
}

#[test]
fn that_change_and_change_back_are_noticed() {
    is_noticed(|folder| {
        let path = folder.join("cat/1.png");
        let time = path.metadata().unwrap().modified().unwrap();
        fs_err::write(&path, "B").unwrap();
        fs_err::write(&path, "A").unwrap();
        let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    });
    is_noticed(|folder| {
        let (path, kept) = (folder.join("cat/1.png"), folder.with_file_name("kept"));
        fs_err::rename(&path, &kept).unwrap();
        fs_err::write(&path, "B").unwrap();
        fs_err::rename(&kept, &path).unwrap();
    });
    is_noticed(|folder| {
        fs_err::write(folder.join("cat/2.png"), "B").unwrap();
        fs_err::remove_file(folder.join("cat/2.png")).unwrap();
    });
    is_noticed(|folder| {
        let kept = folder.with_file_name("kept");
        fs_err::rename(folder, &kept).unwrap();
        fs_err::create_dir(folder).unwrap();
        fs_err::remove_dir(folder).unwrap();
        fs_err::rename(&kept, folder).unwrap();
    });
}

#[test]
fn behind_a_link_that_led_elsewhere_for_a_while_are_noticed() {
    let (root, store, folder) = data();
    let link = root.path().join("link");
    symlink(&folder, &link).unwrap();
    let path = link.join("cat");
    let before = store.snapshot(&path).unwrap();
    thread::sleep(Duration::from_millis(20));
    fs_err::remove_file(&link).unwrap();
    symlink("/nowhere", &link).unwrap();
    fs_err::remove_file(&link).unwrap();
    symlink(&folder, &link).unwrap();
    assert!(matches!(store.changes(&path, &before).unwrap(), Change::Touched(_)));
}

#[test]
fn that_change_are_told_from_those_that_are_the_same_again() {
    let (_root, store, folder) = data();
    let before = store.snapshot(&folder).unwrap();
    fs_err::write(folder.join("cat/1.png"), "B").unwrap();
    assert_eq!(store.changes(&folder, &before).unwrap(), Change::Content);
}

#[test]
fn around_the_artifacts_do_not_hold_them() {
    let root = tempfile::tempdir().unwrap();
    fs_err::write(root.path().join("1.png"), "A").unwrap();
    let bare = store().1.snapshot(root.path()).unwrap().digest;
    // In a folder of their own, or beside the images.
    for artifacts in [root.path().join("artifacts"), root.path().to_owned()] {
        let store = Store::open(&artifacts).unwrap();
        let before = store.snapshot(root.path()).unwrap();
        assert_eq!(before.digest, bare);
        publish(&store, "x", 1);
        assert!(store.is_untouched(root.path(), &before).unwrap());
        assert!(store.snapshot(&artifacts.join("store")).is_ok());
    }
    assert!(root.path().join("artifacts/CACHEDIR.TAG").exists());
    assert!(!root.path().join("CACHEDIR.TAG").exists(), "it holds images");
}

#[test]
fn that_is_not_there_or_never_ends_is_refused() {
    let (root, store) = store();
    let missing = store.snapshot(&root.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("none"), "{missing}");
    let device = store.snapshot(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(device, Error::External { .. }));
    fs_err::create_dir(root.path().join("loop")).unwrap();
    symlink(".", root.path().join("loop/again")).unwrap();
    let endless = store.snapshot(&root.path().join("loop")).unwrap_err();
    assert!(matches!(endless, Error::External { .. }));
}
