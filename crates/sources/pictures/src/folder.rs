//! A folder of pictures: flat (unlabelled) or one folder per class, with `train`, `validation` and
//! `test` on top where there is a split.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsStr,
    io::Read,
    path::{Path, PathBuf},
};

use fs_err::File;
use scarce_artifact::{Classes, Split, is_cache};
use unicode_normalization::UnicodeNormalization;
use walkdir::{DirEntry, WalkDir};

pub use crate::layout::Validation;
use crate::{
    Error, Result, format,
    layout::{self, Top},
};

/// Files that systems leave in folders of pictures, in small letters.
const LEFTOVERS: [&str; 3] = ["thumbs.db", "desktop.ini", "ehthumbs.db"];

/// A picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Where it is.
    pub path: PathBuf,
    /// Path below the root, parts joined by `/`: what `source` says in a table of images.
    pub name: String,
    /// Part of the data.
    pub split: Split,
    /// Index of its class, where there are class folders.
    pub label: Option<i32>,
    /// What is already known to be wrong with it: it is listed, but cannot be read.
    pub problem: Option<String>,
}

/// The pictures of a folder: what is learnt from before `test`, within each the parts in the order
/// train, validation, test, each sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Sorted names of the class folders (in Unicode's composed form, NFC); `None` where there are
    /// none.
    pub classes: Option<Vec<String>>,
    /// The files.
    pub files: Vec<PictureFile>,
}

/// A file and the name of its class folder.
type Found = (PictureFile, Option<String>);

/// Lists a folder. Looked at are files whose names end as those of pictures do, and files without
/// an ending that begin as pictures do. Left out are hidden files, what systems leave behind
/// (`Thumbs.db`, `._x.jpg`), folders with a `CACHEDIR.TAG` below the root, and with a warning that
/// counts them all other files. Links are followed; broken ones are listed with their `problem`.
///
/// # Errors
/// A folder that cannot be read, or a layout that is only half understood.
pub fn list(root: &Path, validation: Validation) -> Result<Listing> {
    let parts = layout::parts(root, &tops(root)?, validation)?;
    let mut others = 0;
    let mut found = Vec::new();
    let mut classes = BTreeSet::new();
    if parts.iter().any(|part| part.folder.is_some()) {
        refuse_strays_beside_parts(root)?;
    }
    for part in parts {
        let folder = part.folder.map_or_else(|| root.to_owned(), |name| root.join(name));
        let class_folders = folders(&folder)?;
        let files = files(root, &folder, part.split, &mut others)?;
        refuse_strays(root, &folder, !class_folders.is_empty(), &files)?;
        classes.extend(class_folders.iter().map(|name| composed(name)));
        found.push((part.split, files));
    }
    if others > 0 {
        let them = if others == 1 { "file" } else { "files" };
        tracing::warn!("{others} {them} in `{}` are no pictures and are left out", root.display());
    }
    // Stable: within a split the parts keep their order.
    found.sort_by_key(|(split, _)| *split == Split::Test);
    let classes = Classes::in_order(classes);
    let found = found.into_iter().flat_map(|(_, files)| files);
    Ok(assign(root, found, classes))
}

fn assign(root: &Path, found: impl Iterator<Item = Found>, classes: Vec<String>) -> Listing {
    let mut used = vec![false; classes.len()];
    let mut files = Vec::new();
    let places: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    for (mut file, class) in found {
        let at = class.and_then(|class| places.get(composed(&class).as_str()).copied());
        if let Some(at) = at {
            used[at] = true;
            file.label = Some(at as i32);
        }
        files.push(file);
    }
    for (class, _) in classes.iter().zip(&used).filter(|(_, used)| !**used) {
        tracing::warn!("the class folder `{class}` in `{}` holds no image", root.display());
    }
    if let [class] = &classes[..] {
        tracing::warn!(
            "`{}` holds a single class folder, `{class}`: if the classes are its folders, give the \
             path of `{class}`",
            root.display()
        );
    }
    let mut folded: BTreeMap<String, &String> = BTreeMap::new();
    for class in &classes {
        if let Some(other) = folded.insert(class.to_lowercase(), class) {
            tracing::warn!("the classes `{other}` and `{class}` differ in capital letters only");
        }
    }
    Listing { classes: (!classes.is_empty()).then_some(classes), files }
}

/// A name in Unicode's composed form: `é` as one character, however the file system has it.
fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The folders in the root, and what lies in them.
fn tops(root: &Path) -> Result<Vec<Top>> {
    let mut tops = Vec::new();
    for name in folders(root)? {
        let folder = root.join(&name);
        let mut top =
            Top { folders: folders(&folder)?, name, has_pictures: false, has_own_pictures: false };
        for entry in walk(&folder).into_iter().filter_entry(is_wanted).filter_map(Result::ok) {
            if !entry.file_type().is_dir() && is_candidate(&entry) {
                top.has_pictures = true;
                top.has_own_pictures |= entry.depth() == 1;
                if top.has_own_pictures || !top.folders.is_empty() {
                    break;
                }
            }
        }
        tops.push(top);
    }
    Ok(tops)
}

/// Names of the folders in `folder`, sorted.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in walk(folder).min_depth(1).max_depth(1).into_iter().filter_entry(is_wanted) {
        // A link that leads nowhere is no folder; `files` lists it.
        let Ok(entry) = entry else { continue };
        if !entry.file_type().is_dir() {
            continue;
        }
        let name = entry.file_name();
        names.push(name.to_str().map(str::to_owned).ok_or_else(|| {
            let message = format!("the name of the folder {} is not UTF-8", name.display());
            Error::layout(folder, message, "rename the folder")
        })?);
    }
    names.sort();
    Ok(names)
}

fn walk(folder: &Path) -> WalkDir {
    WalkDir::new(folder).follow_links(true)
}

/// The pictures below `folder`, sorted by name, each with the folder of its class.
fn files(root: &Path, folder: &Path, split: Split, others: &mut usize) -> Result<Vec<Found>> {
    let mut files: Vec<Found> = Vec::new();
    for entry in walk(folder).into_iter().filter_entry(is_wanted) {
        let (path, depth, problem) = match entry {
            Ok(entry) if entry.file_type().is_dir() => continue,
            Ok(entry) if !is_candidate(&entry) => {
                *others += usize::from(!is_leftover(entry.file_name()));
                continue;
            }
            Ok(entry) => {
                let depth = entry.depth();
                let special = (!entry.file_type().is_file()).then(|| "it is no file".to_owned());
                (entry.into_path(), depth, special)
            }
            Err(error) => match broken_link(&error)? {
                Some((path, depth, problem)) => (path, depth, Some(problem)),
                None => continue,
            },
        };
        files.push(found(root, folder, path, depth, split, problem));
    }
    files.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(files)
}

fn found(
    root: &Path,
    folder: &Path,
    path: PathBuf,
    depth: usize,
    split: Split,
    problem: Option<String>,
) -> Found {
    let parts = |base: &Path| -> Vec<String> {
        let below = path.strip_prefix(base).unwrap_or(&path);
        below.iter().map(|part| part.to_string_lossy().into_owned()).collect()
    };
    let class = (depth > 1).then(|| parts(folder)).and_then(|parts| parts.into_iter().next());
    let utf8 = path.strip_prefix(root).unwrap_or(&path).to_str().is_some();
    let problem =
        problem.or_else(|| (!utf8).then(|| "its name is not UTF-8: rename it".to_owned()));
    let name = parts(root).join("/");
    (PictureFile { path, name, split, label: None, problem }, class)
}

/// What is wrong where the walk stumbled: a link that leads nowhere is listed if its name is that of
/// a picture, a link that leads back is left out with a warning, anything else is an error.
fn broken_link(error: &walkdir::Error) -> Result<Option<(PathBuf, usize, String)>> {
    let path = error.path().unwrap_or(Path::new(""));
    if error.loop_ancestor().is_some() {
        tracing::warn!(
            "the link `{}` leads back to a folder above and is left out",
            path.display()
        );
        return Ok(None);
    }
    let is_link = fs_err::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !is_link {
        let kind = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
        return Err(std::io::Error::new(kind, error.to_string()).into());
    }
    if !format::is_picture_name(&name) {
        return Ok(None);
    }
    Ok(Some((path.to_owned(), error.depth(), "it is a link that leads nowhere".to_owned())))
}

/// Pictures beside the class folders have no class: most likely a mistake.
fn refuse_strays(root: &Path, folder: &Path, has_classes: bool, files: &[Found]) -> Result<()> {
    let stray = files.iter().find(|(_, class)| class.is_none());
    match stray {
        Some((file, _)) if has_classes => {
            let message = format!("the image `{}` lies beside the class folders", file.name);
            let help = format!(
                "put every image of `{}` into the folder of its class, or all of them flat into \
                 one folder without any other",
                folder.display()
            );
            Err(Error::layout(root, message, help))
        }
        _ => Ok(()),
    }
}

/// So do pictures beside `train` and `test`.
fn refuse_strays_beside_parts(root: &Path) -> Result<()> {
    let top = walk(root).min_depth(1).max_depth(1).into_iter().filter_entry(is_wanted);
    let stray = top.filter_map(Result::ok).find(|e| !e.file_type().is_dir() && is_candidate(e));
    stray.map_or(Ok(()), |entry| {
        let name = entry.file_name().display();
        let message = format!("the image `{name}` lies beside the folders of the splits");
        Err(Error::layout(root, message, "move it into one of them, or away"))
    })
}

/// Not hidden, not left by a system, no tool's cache.
fn is_wanted(entry: &DirEntry) -> bool {
    if entry.depth() == 0 {
        return true;
    }
    // `__MACOSX` holds what unpacking a Mac's archive leaves behind.
    let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    let left = entry.file_name() == "__MACOSX";
    let cache = entry.file_type().is_dir() && is_cache(entry.path());
    !(hidden || left || cache)
}

fn is_leftover(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    LEFTOVERS.contains(&name.as_str())
}

/// Whether a file is taken for a picture until it is read.
fn is_candidate(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    if format::is_picture_name(&name) {
        return true;
    }
    if name.contains('.') || !entry.file_type().is_file() {
        return false;
    }
    let mut first = Vec::new();
    File::open(entry.path())
        .and_then(|file| file.take(16).read_to_end(&mut first))
        .is_ok_and(|_| format::of(&first).is_ok())
}
