use std::path::Path;

use super::*;

const ROOT: &str = r#"
[workspace]
members = ["crates/*"]
[workspace.dependencies]
house-floor = { path = "crates/floor" }
rand = { version = "0.10", features = ["std"] }
insta = "1"
"#;

const ROOM: &str = r#"
[package]
name = "house-room"
[dependencies]
house-floor.workspace = true
rand.workspace = true
[dev-dependencies]
insta.workspace = true
"#;

const LIB: &str = r#"
//! A room.
mod door;
#[cfg(any(test, feature = "tests"))]
mod either;
/// How many windows.
const WINDOWS: usize = 3;
struct Wall;
impl Wall {
    #[cfg(test)]
    fn knock() {}
}
#[cfg(test)]
mod tests;
#[cfg(all(test, unix))]
mod inline {
    fn within() {}
}
"#;

const LOCK: &str = r#"
version = 4
[[package]]
name = "house-floor"
version = "0.1.0"
[[package]]
name = "house-room"
version = "0.1.0"
dependencies = ["house-floor", "insta", "rand 0.10.4"]
[[package]]
name = "insta"
version = "1.0.0"
source = "registry+https://example.org/index"
checksum = "1111"
[[package]]
name = "rand"
version = "0.9.0"
source = "registry+https://example.org/index"
checksum = "2222"
[[package]]
name = "rand"
version = "0.10.4"
source = "registry+https://example.org/index"
checksum = "3333"
dependencies = ["rand_core"]
[[package]]
name = "rand_core"
version = "0.10.0"
source = "registry+https://example.org/index"
checksum = "4444"
"#;

/// A workspace of two crates, the room above the floor.
fn house() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "Cargo.toml", ROOT);
    write(dir.path(), "Cargo.lock", LOCK);
    write(dir.path(), "crates/room/Cargo.toml", ROOM);
    write(dir.path(), "crates/room/src/lib.rs", LIB);
    write(dir.path(), "crates/room/src/tests.rs", "mod deep;");
    write(dir.path(), "crates/room/src/tests/deep.rs", "fn knocks() {}");
    write(dir.path(), "crates/room/src/door.rs", "");
    write(dir.path(), "crates/floor/Cargo.toml", "[package]\nname = \"house-floor\"\n");
    write(dir.path(), "crates/floor/src/lib.rs", "pub fn plank() {}");
    dir
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

fn replace(root: &Path, name: &str, from: &str, to: &str) {
    let text = fs_err::read_to_string(root.join(name)).unwrap();
    assert!(text.contains(from), "`{from}` is not in `{name}`");
    write(root, name, &text.replace(from, to));
}

fn of_room(root: &Path) -> String {
    fingerprint(&root.join("crates/room")).unwrap().hex
}

/// The room's fingerprint before and after `change`.
fn around(change: impl FnOnce(&Path)) -> (String, String) {
    let dir = house();
    let before = of_room(dir.path());
    change(dir.path());
    (before, of_room(dir.path()))
}

mod changes_with {
    use super::*;

    fn assert_changed(change: impl FnOnce(&Path)) {
        let (before, after) = around(change);
        assert_ne!(before, after);
    }

    #[test]
    fn a_source_of_its_own() {
        assert_changed(|root| write(root, "crates/room/src/door.rs", "fn open() {}"));
    }

    #[test]
    fn a_constant() {
        assert_changed(|root| replace(root, "crates/room/src/lib.rs", "= 3", "= 4"));
    }

    #[test]
    fn a_source_that_is_not_rust() {
        assert_changed(|root| write(root, "crates/room/src/door.rs", "fn open( {}"));
    }

    #[test]
    fn a_module_that_is_not_for_tests_alone() {
        assert_changed(|root| write(root, "crates/room/src/either.rs", "fn both() {}"));
    }

    #[test]
    fn a_dependency() {
        assert_changed(|root| {
            replace(root, "crates/room/Cargo.toml", "rand.workspace = true", "");
        });
    }

    #[test]
    fn a_source_of_a_crate_beneath() {
        assert_changed(|root| write(root, "crates/floor/src/lib.rs", "pub fn board() {}"));
    }

    #[test]
    fn data_beside_the_sources() {
        assert_changed(|root| write(root, "crates/floor/data/wood.csv", "oak"));
    }

    #[test]
    fn a_file_that_moves() {
        assert_changed(|root| {
            fs_err::rename(
                root.join("crates/room/src/door.rs"),
                root.join("crates/room/src/gate.rs"),
            )
            .unwrap();
        });
    }

    #[test]
    fn the_checksum_of_an_external_package_far_beneath() {
        assert_changed(|root| replace(root, "Cargo.lock", "4444", "5555"));
    }

    #[test]
    fn the_features_of_an_external_package() {
        assert_changed(|root| replace(root, "Cargo.toml", "[\"std\"]", "[\"std\", \"simd\"]"));
    }
}

mod does_not_change_with {
    use super::*;

    fn assert_same(change: impl FnOnce(&Path)) {
        let (before, after) = around(change);
        assert_eq!(before, after);
    }

    #[test]
    fn the_place_of_the_clone() {
        assert_eq!(of_room(house().path()), of_room(house().path()));
    }

    #[test]
    fn its_tests() {
        assert_same(|root| write(root, "crates/room/tests/door.rs", "fn opens() {}"));
    }

    #[test]
    fn tests_among_its_sources() {
        assert_same(|root| {
            write(root, "crates/room/src/tests.rs", "mod deep; fn rings() {}");
            write(root, "crates/room/src/tests/deep.rs", "fn rings() {}");
            write(root, "crates/room/src/tests/known.json", "[1, 2]");
            replace(root, "crates/room/src/lib.rs", "fn knock()", "fn ring()");
            replace(root, "crates/room/src/lib.rs", "fn within()", "fn without()");
        });
    }

    #[test]
    fn comments_and_documentation() {
        assert_same(|root| {
            replace(root, "crates/room/src/lib.rs", "//! A room.", "//! A hall.");
            replace(root, "crates/room/src/lib.rs", "/// How many", "// How many\n/// How few");
            write(root, "crates/room/src/door.rs", "// open");
        });
    }

    #[test]
    fn what_a_manifest_says_for_development() {
        assert_same(|root| {
            let manifest = format!("{ROOM}proptest = \"1\"\n[lints]\nworkspace = true\n");
            write(root, "crates/room/Cargo.toml", &manifest);
        });
    }

    #[test]
    fn a_development_dependency() {
        assert_same(|root| replace(root, "Cargo.lock", "1111", "9999"));
    }

    #[test]
    fn another_version_of_a_package_that_others_use() {
        assert_same(|root| replace(root, "Cargo.lock", "2222", "9999"));
    }

    #[test]
    fn the_order_in_the_lock_file() {
        assert_same(|root| {
            let text = fs_err::read_to_string(root.join("Cargo.lock")).unwrap();
            let (head, packages) = text.split_once("[[package]]").unwrap();
            let mut packages: Vec<&str> = packages.split("[[package]]").collect();
            packages.reverse();
            let packages = packages.join("\n[[package]]");
            write(root, "Cargo.lock", &format!("{head}\n[[package]]{packages}"));
        });
    }

    #[test]
    fn the_mirror_that_served_a_package() {
        assert_same(|root| replace(root, "Cargo.lock", "example.org", "mirror.example.org"));
    }

    #[test]
    fn a_crate_above() {
        let dir = house();
        let floor = || fingerprint(&dir.path().join("crates/floor")).unwrap().hex;
        let before = floor();
        write(dir.path(), "crates/room/src/door.rs", "fn open() {}");
        assert_eq!(before, floor());
    }
}

#[test]
fn tells_cargo_to_watch_the_crates_and_the_lock_file() {
    let dir = house();
    let inputs = fingerprint(&dir.path().join("crates/room")).unwrap().inputs;
    for watched in ["Cargo.lock", "Cargo.toml", "crates/room/src", "crates/floor/src"] {
        assert!(inputs.contains(&dir.path().join(watched)), "{watched} is not watched");
    }
}

#[test]
fn a_manifest_that_is_not_toml_is_named() {
    let dir = house();
    write(dir.path(), "crates/floor/Cargo.toml", "[package");
    let error = fingerprint(&dir.path().join("crates/room")).unwrap_err().to_string();
    assert!(error.contains("floor") && error.contains("line 1"), "{error}");
}

#[test]
fn a_package_missing_from_the_lock_file_is_named() {
    let dir = house();
    replace(dir.path(), "Cargo.lock", "[\"rand_core\"]", "[\"rand_cores\"]");
    let error = fingerprint(&dir.path().join("crates/room")).unwrap_err();
    assert!(matches!(error, Error::NotLocked(name) if name == "rand_cores"));
}

#[test]
fn this_crate_has_one() {
    let found = fingerprint(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(found.hex.len(), 64);
}
