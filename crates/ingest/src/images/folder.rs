//! A folder of PNG and JPEG files: flat (unlabelled) or one folder per class, with `train` and
//! `test` on top where there is a split.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsStr,
    path::{Path, PathBuf},
};

use scarce_artifact::Split;
use walkdir::{DirEntry, WalkDir};

use crate::{Error, Result, classes::in_order};

const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// An image file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageFile {
    pub(crate) path: PathBuf,
    /// Path below the root, parts joined by `/`.
    pub(crate) name: String,
    pub(crate) split: Split,
    pub(crate) label: Option<i32>,
}

/// The images of a folder, `train` before `test`, each sorted by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listing {
    /// Sorted names of the class folders; `None` where there are none.
    pub(crate) classes: Option<Vec<String>>,
    pub(crate) files: Vec<ImageFile>,
}

/// Lists a folder. Hidden files are left out; so is what is neither PNG nor JPEG, with a warning.
pub(crate) fn list(root: &Path) -> Result<Listing> {
    let parts = match folders(root)?.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test", "train"] => {
            vec![(root.join("train"), Split::Train), (root.join("test"), Split::Test)]
        }
        _ => vec![(root.to_owned(), Split::Pool)],
    };
    let mut found = Vec::new();
    let mut classes = BTreeSet::new();
    for (folder, split) in parts {
        let class_folders = folders(&folder)?;
        let files = files(root, &folder, split)?;
        refuse_strays(root, &folder, !class_folders.is_empty(), &files)?;
        classes.extend(class_folders);
        found.extend(files);
    }
    let classes = in_order(classes);
    let places: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut used = vec![false; classes.len()];
    let mut images = Vec::with_capacity(found.len());
    for (mut file, class) in found {
        if let Some(at) = class.and_then(|class| places.get(class.as_str()).copied()) {
            used[at] = true;
            file.label = Some(at as i32);
        }
        images.push(file);
    }
    for (class, _) in classes.iter().zip(&used).filter(|(_, used)| !**used) {
        tracing::warn!("the class folder `{class}` in `{}` holds no image", root.display());
    }
    Ok(Listing { classes: (!classes.is_empty()).then_some(classes), files: images })
}

/// Names of the folders in `folder`, sorted.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if is_hidden(&entry.file_name()) || !fs_err::metadata(entry.path())?.is_dir() {
            continue;
        }
        names.push(utf8(folder, &entry.file_name())?);
    }
    names.sort();
    Ok(names)
}

/// The images below `folder`, sorted by name, each with the folder of its class.
fn files(root: &Path, folder: &Path, split: Split) -> Result<Vec<(ImageFile, Option<String>)>> {
    let mut files = Vec::new();
    let mut others = 0;
    let visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(visible) {
        let entry = entry.map_err(std::io::Error::from)?;
        if !entry.file_type().is_file() {
            continue;
        }
        if !is_image(entry.path()) {
            others += 1;
            continue;
        }
        let parts = |base: &Path| -> Result<Vec<String>> {
            let below = entry.path().strip_prefix(base).unwrap_or(entry.path());
            below.iter().map(|part| utf8(folder, part)).collect()
        };
        let class = (entry.depth() > 1).then(|| parts(folder)).transpose()?;
        let class = class.and_then(|parts| parts.into_iter().next());
        let name = parts(root)?.join("/");
        files.push((ImageFile { path: entry.into_path(), name, split, label: None }, class));
    }
    if others > 0 {
        tracing::warn!(
            "{others} files in `{}` are neither PNG nor JPEG and are left out",
            folder.display()
        );
    }
    files.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(files)
}

/// Images beside the class folders have no class: most likely a mistake.
fn refuse_strays(
    root: &Path,
    folder: &Path,
    has_classes: bool,
    files: &[(ImageFile, Option<String>)],
) -> Result<()> {
    let stray = files.iter().find(|(_, class)| class.is_none());
    match stray {
        Some((file, _)) if has_classes => {
            let message = format!("the image `{}` lies beside the class folders", file.name);
            let help = format!(
                "put every image of `{}` into the folder of its class, or all of them flat into \
                 one folder without any other",
                folder.display()
            );
            Err(Error::value(root, "a folder with one folder per class", message, help))
        }
        _ => Ok(()),
    }
}

fn is_hidden(name: &OsStr) -> bool {
    // `__MACOSX` holds what unpacking a Mac's archive leaves behind.
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
}

pub(crate) fn is_image(path: &Path) -> bool {
    path.extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

fn utf8(folder: &Path, name: &OsStr) -> Result<String> {
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("the name {} is not UTF-8", name.display());
        Error::value(folder, "a file name", message, "rename the file or folder")
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use image::ImageFormat;

    use super::{
        super::picture::tests::{encode, grey},
        *,
    };

    /// A folder with a small grey PNG behind each name, and with any other file empty.
    pub(crate) fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (value, name) in names.iter().enumerate() {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            let png = encode(&grey(4, 4, (value * 10) as u8), ImageFormat::Png);
            fs_err::write(&path, if is_image(&path) { png } else { Vec::new() }).unwrap();
        }
        folder
    }

    fn rows(listing: &Listing) -> Vec<(&str, Split, Option<i32>)> {
        listing.files.iter().map(|file| (file.name.as_str(), file.split, file.label)).collect()
    }

    #[test]
    fn a_flat_folder_has_no_classes() {
        let folder = folder_of(&["b.png", "a.JPG", ".hidden.png", "notes.txt"]);
        let listing = list(folder.path()).unwrap();
        assert_eq!(listing.classes, None);
        assert_eq!(rows(&listing), [("a.JPG", Split::Pool, None), ("b.png", Split::Pool, None)]);
    }

    #[test]
    fn one_folder_per_class() {
        let folder = folder_of(&["dog/x/1.png", "cat/2.png", "cat/1.png", ".git/3.png", "l.csv"]);
        let listing = list(folder.path()).unwrap();
        assert_eq!(listing.classes.as_deref(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
        let expected = [
            ("cat/1.png", Split::Pool, Some(0)),
            ("cat/2.png", Split::Pool, Some(0)),
            ("dog/x/1.png", Split::Pool, Some(1)),
        ];
        assert_eq!(rows(&listing), expected);
    }

    #[test]
    fn train_and_test_on_top() {
        let folder = folder_of(&["test/b/1.png", "train/b/1.png", "train/a/1.png"]);
        let listing = list(folder.path()).unwrap();
        let expected = [
            ("train/a/1.png", Split::Train, Some(0)),
            ("train/b/1.png", Split::Train, Some(1)),
            ("test/b/1.png", Split::Test, Some(1)),
        ];
        assert_eq!(rows(&listing), expected);
    }

    #[test]
    fn an_image_beside_class_folders_is_named() {
        let folder = folder_of(&["a/1.png", "stray.png"]);
        let error = list(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`stray.png`"), "{error}");
    }

    #[test]
    fn a_link_that_leads_back_is_an_error() {
        let folder = folder_of(&["a/1.png"]);
        fs_err::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        assert!(list(folder.path()).is_err());
    }
}
