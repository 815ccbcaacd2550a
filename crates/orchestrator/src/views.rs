//! Views: links by stage and variant into the store, so that people need not know keys.

use std::{
    collections::HashSet,
    io,
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use scarce_pipeline::Task;

use crate::{Result, record};

/// Where the result of a task can be seen: `<root>/runs/<pipeline>/<stage>/[<axis>=<value>/…]`.
pub fn view(root: &Path, pipeline: &str, task: &Task) -> PathBuf {
    record::folder(root, pipeline).join(task.folder())
}

/// Points the view `folder` (relative to the pipeline's) at an entry of the store, in one step.
pub(crate) fn link(root: &Path, pipeline: &str, folder: &Path, entry: &Path) -> Result<()> {
    let base = record::folder(root, pipeline);
    let view = base.join(folder);
    let target = relative(root, &view, entry);
    if fs_err::read_link(&view).is_ok_and(|there| there == target) {
        return Ok(());
    }
    make_folders(&base, folder)?;
    let temporary = view.with_file_name(temporary_name());
    fs_err::os::unix::fs::symlink(&target, &temporary)?;
    let renamed = fs_err::rename(&temporary, &view).or_else(|_| {
        // A folder of variants from before the stage lost its axes.
        clear(&view, &HashSet::new(), Path::new(""))?;
        fs_err::rename(&temporary, &view)
    });
    if renamed.is_err() {
        let _ = fs_err::remove_file(&temporary);
    }
    Ok(renamed?)
}

/// Removes the views that are not in `keep` (paths relative to the pipeline's folder). Only links
/// and empty folders are ever removed: what people put there stays.
pub(crate) fn prune(root: &Path, pipeline: &str, keep: &HashSet<PathBuf>) -> Result<()> {
    for path in record::list(&record::folder(root, pipeline))? {
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        if name.as_os_str() != "history" {
            clear(&path, keep, &name)?;
        }
    }
    Ok(())
}

fn clear(path: &Path, keep: &HashSet<PathBuf>, relative: &Path) -> io::Result<()> {
    if keep.contains(relative) {
        return Ok(());
    }
    let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
    if metadata.is_symlink() {
        return gone(fs_err::remove_file(path));
    }
    if metadata.is_dir() {
        for entry in fs_err::read_dir(path)? {
            let entry = entry?;
            clear(&entry.path(), keep, &relative.join(entry.file_name()))?;
        }
        // Not empty: something of somebody else's, or a view that stays.
        let _ = fs_err::remove_dir(path);
    }
    Ok(())
}

/// Somebody else's removing it is as good.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folders above a view. A link among them is a view from before the stage had axes; going
/// through it would write into the store.
fn make_folders(base: &Path, folder: &Path) -> Result<()> {
    fs_err::create_dir_all(base)?;
    let mut path = base.to_owned();
    for part in folder.parent().into_iter().flat_map(Path::components) {
        path.push(part);
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(metadata) if metadata.is_symlink() => gone(fs_err::remove_file(&path))?,
            _ => {}
        }
        match fs_err::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The entry as seen from the folder that holds the view; both lie under `root`, which may move.
fn relative(root: &Path, view: &Path, entry: &Path) -> PathBuf {
    let below = view.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let up = below.map_or(0, |path| path.components().count());
    let down = entry.strip_prefix(root).unwrap_or(entry);
    std::iter::repeat_n(Component::ParentDir, up).collect::<PathBuf>().join(down)
}

fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(".view-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
