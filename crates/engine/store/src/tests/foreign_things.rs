use super::*;

mod folders_that_are_links {
    use super::*;

    #[test]
    fn are_refused_and_what_they_lead_to_stays() {
        for name in [".tmp", ".locks", ".quarantine", ".failed", ".digests", ".hosts"] {
            let (root, store) = store();
            let elsewhere = root.path().join("elsewhere");
            fs_err::create_dir(&elsewhere).unwrap();
            let key = Key::of(&json!(1));
            fs_err::write(elsewhere.join(key.as_str()), "mine").unwrap();
            files::remove(&store.folder().join(name)).unwrap();
            symlink(&elsewhere, store.folder().join(name)).unwrap();
            let error = Store::open(root.path()).unwrap_err();
            assert!(matches!(error, Error::Foreign { .. }), "{error}");
            assert!(error.to_string().contains(name) && error.to_string().contains("is a link"));
            assert!(elsewhere.join(key.as_str()).exists());
        }
    }

    #[test]
    fn are_fine_for_the_whole_store() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir(root.path().join("disk")).unwrap();
        symlink("disk", root.path().join("store")).unwrap();
        let store = Store::open(root.path()).unwrap();
        publish(&store, "x", 1);
        assert!(root.path().join("disk/fake").is_dir());
    }
}

mod a_lock_file {
    use super::*;

    #[test]
    fn that_is_something_else_is_refused_and_never_waited_for() {
        let (root, store) = store();
        for name in [".lock", &format!(".locks/{}", Key::of(&json!(1)))] {
            let path = store.folder().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            let target = root.path().join("target");
            fs_err::write(&target, "mine").unwrap();
            symlink(&target, &path).unwrap();
            let error = lock_file(&path).unwrap_err();
            assert!(matches!(error, Error::Foreign { .. }), "{error}");
            fs_err::remove_file(&path).unwrap();
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            assert!(matches!(lock_file(&path), Err(Error::Foreign { .. })));
            fs_err::remove_file(&path).unwrap();
            assert_eq!(fs_err::read(&target).unwrap(), b"mine");
        }
    }

    #[test]
    fn is_for_everybody_who_may_use_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let (_root, store) = store();
        for (folder, file) in [(0o777, 0o666), (0o775, 0o664), (0o750, 0o640), (0o700, 0o600)] {
            let mode = std::fs::Permissions::from_mode(folder);
            fs_err::set_permissions(store.folder(), mode).unwrap();
            let path = store.folder().join(".lock");
            files::remove(&path).unwrap();
            drop(store.session(&mut never).unwrap().unwrap());
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, file, "{folder:o} {mode:o}");
        }
    }
}

mod a_stage_that_plays_tricks {
    use super::*;

    fn refused(trick: impl Fn(&Path), products: &[Product]) -> Error {
        let (_root, store) = store();
        let key = Key::of(&json!(1));
        let staging = store.stage(&key).unwrap();
        trick(&staging.outputs());
        let refused =
            store.publish(staging, "fake", &key, json!(1), products, Usage::default()).unwrap_err();
        assert!(matches!(store.find("fake", &key).unwrap(), Lookup::Absent));
        refused
    }

    #[test]
    fn cannot_publish_what_has_other_names_or_lies_elsewhere() {
        let page = Product::new("page", "page", Format::Page);
        let linked = |outputs: &Path| {
            let original = outputs.join("original");
            fs_err::write(&original, "<p>").unwrap();
            fs_err::hard_link(&original, outputs.join("page.html")).unwrap();
        };
        assert!(matches!(refused(linked, &[page]), Error::OutputLinked { .. }));
        for port in ["../page", "/tmp/page", "a/page"] {
            let product = Product::new(port, "page", Format::Page);
            let nothing = |outputs: &Path| {
                fs_err::create_dir(outputs.join("a")).unwrap();
                fs_err::write(outputs.join("a/page.html"), "<p>").unwrap();
                fs_err::write(outputs.join("../page.html"), "<p>").unwrap();
            };
            assert!(matches!(refused(nothing, &[product]), Error::PortName { .. }), "{port}");
        }
    }

    #[test]
    fn cannot_have_a_foreign_file_written_or_its_mode_changed() {
        let (root, store) = store();
        let key = Key::of(&json!(1));
        let mine = root.path().join("mine");
        fs_err::write(&mine, "mine").unwrap();
        let before = mine.metadata().unwrap().permissions();
        let staging = store.stage(&key).unwrap();
        fs_err::write(staging.outputs().join("page.html"), "<p>").unwrap();
        symlink(&mine, staging.outputs().join("manifest.json")).unwrap();
        fs_err::hard_link(&mine, staging.log()).unwrap();
        let page = Product::new("page", "page", Format::Page);
        store.publish(staging, "fake", &key, json!(1), &[page], Usage::default()).unwrap();
        assert_eq!(fs_err::read(&mine).unwrap(), b"mine");
        assert_eq!(mine.metadata().unwrap().permissions(), before);
    }
}
