//! A bundle as one file: a tar archive, as any system can open it.

use std::{
    fs::File,
    io,
    path::{Component, Path},
};

use crate::error::CliError;

/// Files of a bundle, at most.
const MOST_FILES: usize = 10_000;
/// Bytes of a bundle's files together, at most: 64 GiB.
const MOST_BYTES: u64 = 64 << 30;

/// Writes the files of a folder into one; the same bytes for the same files.
pub(super) fn pack(folder: &Path, to: &File) -> Result<(), CliError> {
    let mut archive = tar::Builder::new(io::BufWriter::new(to));
    archive.mode(tar::HeaderMode::Deterministic);
    for path in super::files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        archive.append_path_with_name(&path, name)?;
    }
    archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

/// Unpacks a bundle into an empty folder: plain files below it, nothing else.
pub(crate) fn unpack(bundle: &Path, folder: &Path) -> Result<(), CliError> {
    let wrong = |message: String| CliError::Bundle { path: bundle.to_owned(), message };
    let damaged = |error: io::Error| wrong(format!("it is no bundle, or damaged: {error}"));
    let (file, _) = fs_err::File::open(bundle)?.into_parts();
    let mut archive = tar::Archive::new(io::BufReader::new(file));
    let mut left = MOST_BYTES;
    for (at, entry) in archive.entries().map_err(damaged)?.enumerate() {
        let mut entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.into_owned();
        let is_below = name.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_below || !entry.header().entry_type().is_file() {
            return Err(wrong(format!("`{}` in it is no plain file below it", name.display())));
        }
        left = left.checked_sub(entry.size()).filter(|_| at < MOST_FILES).ok_or_else(|| {
            wrong(format!("it holds more than {MOST_FILES} files or {MOST_BYTES} bytes"))
        })?;
        let to = folder.join(&name);
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let mut file = fs_err::File::create_new(&to)?;
        let copied = io::copy(&mut entry, &mut file).map_err(damaged)?;
        if copied != entry.size() {
            return Err(wrong(format!("`{}` in it is cut off", name.display())));
        }
    }
    Ok(())
}
