//! Views: folders by stage and variant with links to the files of the store, so that people need not
//! know keys.
//!
//! The folders are real and only the files are links, since readers of partitioned data sets do not go
//! through links to folders; and of an entry only its outputs are shown, since some readers open
//! whatever lies beside a table.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use scarce_pipeline::Task;
use scarce_store::Entry;

use crate::{Error, Result, record};

/// Where the result of a task can be seen: `<root>/runs/<pipeline>/<stage>/[<axis>=<value>/…]`.
pub fn view(root: &Path, pipeline: &str, task: &Task) -> PathBuf {
    record::folder(root, pipeline).join(task.folder())
}

/// The views of one pipeline.
pub(crate) struct Views<'a> {
    root: &'a Path,
    /// `<root>/runs/<pipeline>`
    base: PathBuf,
}

impl<'a> Views<'a> {
    pub(crate) fn new(root: &'a Path, pipeline: &str) -> Self {
        Self { root, base: record::folder(root, pipeline) }
    }

    /// Makes the view `folder` (relative to the pipeline's) show the outputs of an entry of the store:
    /// each by one step, and nothing else of the store. What people put there stays.
    ///
    /// # Errors
    /// [`Error::InTheWay`] when somebody's file or link is where a view belongs.
    pub(crate) fn show(&self, folder: &Path, entry: &Entry) -> Result<()> {
        let view = self.base.join(folder);
        let outputs = entry.manifest.outputs.values().flatten().flat_map(|output| &output.files);
        let names: HashSet<OsString> = outputs.map(|file| OsString::from(&file.name)).collect();
        if names.is_empty() && view.symlink_metadata().is_err() {
            return Ok(());
        }
        self.make_folders(folder)?;
        for name in &names {
            self.link(&view.join(name), &entry.folder.join(name))?;
        }
        for path in record::list(&view)? {
            let shown = path.file_name().is_some_and(|name| names.contains(name));
            if !shown {
                // An entry with other outputs, or folders of variants from before the stage lost its
                // axes.
                self.clear(&path, &HashSet::new(), Path::new(""))?;
            }
        }
        Ok(())
    }

    /// Removes the views that are not in `keep` (paths relative to the pipeline's folder). Only links
    /// into the store, and folders that held nothing else, are ever removed.
    pub(crate) fn prune(&self, keep: &HashSet<PathBuf>) -> Result<()> {
        for path in record::list(&self.base)? {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            if name.as_os_str() != "history" {
                self.clear(&path, keep, &name)?;
            }
        }
        Ok(())
    }

    /// Whether something was removed.
    fn clear(&self, path: &Path, keep: &HashSet<PathBuf>, relative: &Path) -> io::Result<bool> {
        if keep.contains(relative) {
            return Ok(false);
        }
        let Ok(metadata) = path.symlink_metadata() else { return Ok(false) };
        if metadata.is_symlink() && self.leads_into_store(path) {
            gone(fs_err::remove_file(path))?;
            return Ok(true);
        }
        let mut removed = false;
        if metadata.is_dir() {
            for entry in fs_err::read_dir(path)? {
                let entry = entry?;
                removed |= self.clear(&entry.path(), keep, &relative.join(entry.file_name()))?;
            }
            // Where nothing of ours was, it is somebody else's folder, empty or not; and not empty: it
            // holds something of somebody else's, or a view that stays.
            removed &= removed && fs_err::remove_dir(path).is_ok();
        }
        Ok(removed)
    }

    /// Points a link at a file of the store, in one step.
    fn link(&self, link: &Path, file: &Path) -> Result<()> {
        let target = self.relative(link, file);
        match link.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => {
                if fs_err::read_link(link).is_ok_and(|there| there == target) {
                    return Ok(());
                }
                if !self.leads_into_store(link) {
                    return Err(Error::InTheWay { path: link.to_owned() });
                }
            }
            Ok(metadata) if metadata.is_dir() => {
                self.clear(link, &HashSet::new(), Path::new(""))?;
                if link.symlink_metadata().is_ok() {
                    return Err(Error::InTheWay { path: link.to_owned() });
                }
            }
            Ok(_) => return Err(Error::InTheWay { path: link.to_owned() }),
            Err(_) => {}
        }
        let temporary = link.with_file_name(temporary_name());
        fs_err::os::unix::fs::symlink(&target, &temporary)?;
        let renamed = fs_err::rename(&temporary, link);
        if renamed.is_err() {
            let _ = fs_err::remove_file(&temporary);
        }
        Ok(renamed?)
    }

    /// Makes the folders of a view. A link into the store among them is a view of an older version, or
    /// from before the stage had axes: going through it would write into the store.
    fn make_folders(&self, folder: &Path) -> Result<()> {
        fs_err::create_dir_all(&self.base)?;
        let mut path = self.base.clone();
        for part in folder.components() {
            path.push(part);
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => continue,
                Ok(metadata) if metadata.is_symlink() && self.leads_into_store(&path) => {
                    gone(fs_err::remove_file(&path))?;
                }
                Ok(_) => return Err(Error::InTheWay { path }),
                Err(_) => {}
            }
            match fs_err::create_dir(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a link leads to a place in the store, be there something or not.
    fn leads_into_store(&self, link: &Path) -> bool {
        let Ok(target) = fs_err::read_link(link) else { return false };
        let from = link.parent().unwrap_or(&self.base).join(target);
        let mut place = PathBuf::new();
        for part in from.components() {
            match part {
                Component::ParentDir => {
                    place.pop();
                }
                Component::CurDir => {}
                part => place.push(part),
            }
        }
        place.starts_with(self.root.join("store"))
    }

    /// The file as seen from the folder that holds the link; both lie under the root, which may move.
    fn relative(&self, link: &Path, file: &Path) -> PathBuf {
        let below = link.parent().and_then(|folder| folder.strip_prefix(self.root).ok());
        let up = below.map_or(0, |path| path.components().count());
        let down = file.strip_prefix(self.root).unwrap_or(file);
        std::iter::repeat_n(Component::ParentDir, up).collect::<PathBuf>().join(down)
    }
}

/// Somebody else's removing it is as good.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(".view-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
