use scarce_artifact::digest_bytes;
use tempfile::TempDir;

use super::*;

fn name(i: usize) -> Digest {
    digest_bytes(&i.to_le_bytes())
}

fn item(i: usize) -> Vec<u8> {
    (0..i % 700).map(|k| (k * 31 + i) as u8).collect()
}

/// A folder in which earlier runs have left so many items.
fn remembered(count: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let memo = Memo::open(Some(folder.path()));
    for i in 0..count {
        assert_eq!(memo.get(&name(i)), None);
        memo.put(&name(i), &item(i));
    }
    drop(memo);
    folder
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    fs_err::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn gives_back_what_earlier_runs_have_put() {
    let folder = remembered(1000);
    assert_eq!(files(&folder).len(), 1, "a file for a run");
    let memo = Memo::open(Some(folder.path()));
    assert_eq!(memo.len(), 1000);
    for i in (0..1000).rev() {
        assert_eq!(memo.get(&name(i)), Some(item(i)), "{i}");
    }
    assert_eq!(memo.get(&name(1000)), None);
    // What is there already is not kept twice.
    memo.put(&name(7), &item(7));
    memo.put(&name(1000), &item(1000));
    memo.put(&name(1000), &item(1000));
    drop(memo);
    let memo = Memo::open(Some(folder.path()));
    assert_eq!((memo.len(), files(&folder).len()), (1001, 2));
    assert_eq!(memo.get(&name(1000)), Some(item(1000)));
}

#[test]
fn without_a_folder_remembers_nothing() {
    let memo = Memo::open(None);
    memo.put(&name(1), b"one");
    assert!(memo.is_empty() && memo.get(&name(1)).is_none());
}

#[test]
fn of_many_files_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let memo = Memo::open_limited(Some(folder.path()), 1000);
    (0..300).for_each(|i| memo.put(&name(i), &item(i)));
    drop(memo);
    assert!(files(&folder).len() > 2 * OPEN, "{}", files(&folder).len());
    let memo = Memo::open(Some(folder.path()));
    assert!((0..300).all(|i| memo.get(&name(i)) == Some(item(i))));
}

#[test]
fn serves_several_threads_and_processes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let memos = [Memo::open(Some(folder.path())), Memo::open(Some(folder.path()))];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let memo = &memos[thread % 2];
            scope.spawn(move || {
                (0..400).for_each(|i| memo.put(&name(i * (thread + 1)), &item(i * (thread + 1))));
            });
        }
    });
    drop(memos);
    let memo = Memo::open(Some(folder.path()));
    assert!((0..400).all(|i| (1..5).all(|k| memo.get(&name(i * k)) == Some(item(i * k)))));
}

#[test]
fn any_changed_byte_is_noticed_and_what_it_hit_is_put_again() {
    let folder = remembered(20);
    let path = files(&folder).remove(0);
    let whole = fs_err::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs_err::write(&path, &bytes).unwrap();
        let memo = Memo::open(Some(folder.path()));
        let missing: Vec<usize> = (0..20)
            .filter(|&i| memo.get(&name(i)).inspect(|bytes| assert_eq!(*bytes, item(i))).is_none())
            .collect();
        assert!(!missing.is_empty(), "byte {at}");
        for &i in &missing {
            memo.put(&name(i), &item(i));
        }
        drop(memo);
        let memo = Memo::open(Some(folder.path()));
        assert!((0..20).all(|i| memo.get(&name(i)) == Some(item(i))), "byte {at}");
        for file in files(&folder) {
            fs_err::remove_file(file).unwrap();
        }
    }
}

#[test]
fn a_file_that_is_cut_short_is_not_used() {
    let folder = remembered(20);
    let path = files(&folder).remove(0);
    let whole = fs_err::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7) {
        fs_err::write(&path, &whole[..length]).unwrap();
        assert!(Memo::open(Some(folder.path())).is_empty(), "{length}");
    }
}

#[test]
fn a_process_that_is_killed_leaves_nothing_that_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let memo = Memo::open(Some(folder.path()));
    memo.put(&name(1), b"one");
    std::mem::forget(memo);
    assert_eq!(files(&folder).len(), 1);
    assert!(Memo::open(Some(folder.path())).is_empty());
    // The rest of it goes when it is old.
    let part = fs_err::File::open(&files(&folder)[0]).unwrap();
    part.file().set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
    Memo::open(Some(folder.path()));
    assert!(files(&folder).is_empty());
}

#[test]
fn the_folder_may_be_deleted_at_any_time() {
    let folder = remembered(20);
    let memo = Memo::open(Some(folder.path()));
    fs_err::remove_dir_all(folder.path()).unwrap();
    assert_eq!(memo.get(&name(3)), Some(item(3)), "its file is still open");
    memo.put(&name(20), &item(20));
    fs_err::remove_dir_all(folder.path()).unwrap();
    memo.put(&name(21), &item(21));
    drop(memo);
    assert!(Memo::open(Some(folder.path())).is_empty());
}

#[test]
fn what_is_no_file_of_ours_is_left_alone() {
    let folder = remembered(3);
    let elsewhere = remembered(5);
    let link = folder.path().join("link.memo");
    fs_err::os::unix::fs::symlink(&files(&elsewhere)[0], &link).unwrap();
    fs_err::create_dir(folder.path().join("folder.memo")).unwrap();
    fs_err::write(folder.path().join("notes.memo"), "the notes of a person").unwrap();
    assert_eq!(Memo::open(Some(folder.path())).len(), 3);
    assert_eq!(files(&folder).len(), 4);
}
