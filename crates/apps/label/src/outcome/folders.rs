//! As folders of pictures.

use std::path::{Component, Path, PathBuf};

use super::{Form, Outcome, tables};
use crate::{Error, Result};

impl Outcome {
    /// The whole tree appears at once.
    pub(super) fn write_folders(&self, form: Form, to: &Path, link: bool) -> Result<()> {
        let to = std::path::absolute(to)?;
        let beside = to.parent().unwrap_or(&to);
        fs_err::create_dir_all(beside)?;
        let room = tempfile::Builder::new().prefix(".export-").tempdir_in(beside)?;
        let tree = room.path().join("tree");
        fs_err::create_dir(&tree)?;
        for (row, &place) in self.rows.iter().zip(&self.places) {
            let class = match form {
                Form::Folders => folder_name(&row.label)?,
                _ => PathBuf::new(),
            };
            let file = tree.join(class).join(inside(&row.file)?);
            if let Some(folder) = file.parent() {
                fs_err::create_dir_all(folder)?;
            }
            self.put(place, &file, link)?;
        }
        if form == Form::ImageFolder {
            let text = tables::csv(&self.rows)?;
            // `imagefolder` looks for the column `file_name`.
            let text = [&b"file_name"[..], text.strip_prefix(b"file").unwrap_or(&text)].concat();
            fs_err::write(tree.join("metadata.csv"), text)?;
        }
        fs_err::rename(&tree, &to)?;
        Ok(())
    }

    fn put(&self, place: u32, file: &Path, link: bool) -> Result<()> {
        if let Some(from) = self.gallery.file(place).filter(|_| link) {
            // A link's own target, not the link, which may be relative.
            let from = fs_err::canonicalize(from)?;
            return fs_err::hard_link(from, file).map_err(|error| {
                Error::request(format!(
                    "{error}; hard links need one file system for both: leave `--link` out to copy"
                ))
            });
        }
        Ok(fs_err::write(file, self.gallery.bytes(place)?)?)
    }
}

/// A class as the name of one folder.
fn folder_name(class: &str) -> Result<PathBuf> {
    let name = class.replace(['/', '\\'], "_");
    match Path::new(&name).components().collect::<Vec<_>>()[..] {
        [Component::Normal(_)] => Ok(name.into()),
        _ => Err(Error::request(format!(
            "`{class}` cannot be the name of a folder: rename the class"
        ))),
    }
}

/// The name of a picture as a path that does not lead outside.
fn inside(name: &str) -> Result<PathBuf> {
    let path = PathBuf::from(name);
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(path)
    } else {
        Err(Error::request(format!("`{name}` leads out of the folder")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        assert!(inside("a/b.jpg").is_ok());
        assert!(inside("../b.jpg").is_err());
        assert!(inside("/etc/passwd").is_err());
        assert_eq!(folder_name("a/b").unwrap(), PathBuf::from("a_b"));
        assert!(folder_name("..").is_err());
    }
}
