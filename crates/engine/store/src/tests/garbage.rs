use super::*;

#[test]
fn is_what_nothing_reaches() {
    let (_root, store) = store();
    let kept = publish(&store, "kept", 1).entry;
    let lost = publish(&store, "lost", 2).entry;
    let reached = HashSet::from([("fake".to_owned(), kept.manifest.key.clone())]);
    let keep = Keep { reached, ..Keep::default() };
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

#[test]
fn waits_for_a_while_unless_it_is_known_to_be_given_up() {
    let (_root, store) = store();
    let entry = publish(&store, "young", 1).entry;
    let alone = store.exclusive().unwrap();
    let grace = Duration::from_hours(1);
    let mut keep = Keep { grace, ..Keep::default() };
    let done = store.collect(&keep, Some(&alone)).unwrap();
    assert_eq!((done.entries.len(), done.young, done.kept), (0, 1, 1));
    keep.given_up.insert(("fake".to_owned(), entry.manifest.key.clone()));
    assert_eq!(store.collect(&keep, Some(&alone)).unwrap().entries.len(), 1);
}

#[test]
fn is_nothing_that_bears_another_name() {
    let (_root, store) = store();
    publish(&store, "x", 1);
    let mine = [".tmp/notes", ".locks/notes", ".failed/notes", ".quarantine/notes"];
    let mine = mine.iter().chain(&["Unknown Kind", "fake/notes", "notes"]);
    let mine: Vec<_> = mine.map(|name| store.folder().join(name)).collect();
    for path in &mine {
        fs_err::create_dir_all(path.join("deep")).unwrap();
    }
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(store.foreign().unwrap().len(), 3, "{:?}", store.foreign());
    drop(store.session(&mut never).unwrap());
    let done = store.collect(&Keep::default(), Some(&store.exclusive().unwrap())).unwrap();
    assert_eq!((done.entries.len(), done.left.len()), (1, 7), "{:?}", done.left);
    assert!(mine.iter().all(|path| path.join("deep").exists()));
}

#[test]
fn is_what_killed_processes_left_beside_what_they_wrote() {
    let (root, store) = store();
    let folder = root.path().join("runs/small");
    let place = folder.join("run.json");
    write_atomic(&place, b"{}", Durability::Process).unwrap();
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let old = std::time::SystemTime::now() - Duration::from_hours(1);
    let leave = |name: String| {
        let path = folder.join(name);
        fs_err::write(&path, "half").unwrap();
        let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
        path
    };
    let left = leave(format!(".run.json.{}-0", gone.id()));
    let other = leave(format!(".other.json.{}-7", gone.id()));
    let alive = leave(format!(".run.json.{}-900", std::process::id()));
    let mine = leave(".run.json.mine".to_owned());
    write_atomic(&place, b"{}", Durability::Process).unwrap();
    assert!(!left.exists() && other.exists() && alive.exists() && mine.exists());
    assert_eq!(sweep(&folder, None), 4);
    assert!(!other.exists() && alive.exists() && mine.exists());
    drop(store);
}
