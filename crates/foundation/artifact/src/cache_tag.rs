//! Folders that say of themselves that they hold nothing but what can be made again.

use std::{io::Read, path::Path};

/// The file of the Cache Directory Tagging Specification (B. Ford, <https://bford.info/cachedir/>), which
/// backup programs know too.
pub const CACHE_TAG: &str = "CACHEDIR.TAG";

/// What the file begins with.
const SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// Whether a folder is marked as a cache, by this program or by another.
pub fn is_cache(folder: &Path) -> bool {
    let path = folder.join(CACHE_TAG);
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let Ok(mut file) = fs_err::File::open(path) else { return false };
    let mut head = [0; SIGNATURE.len()];
    file.read_exact(&mut head).is_ok() && head == *SIGNATURE
}

/// Marks a folder as a cache, unless it is marked; one that cannot be written stays as it is.
pub fn mark_as_cache(folder: &Path) {
    let path = folder.join(CACHE_TAG);
    if path.symlink_metadata().is_ok() {
        return;
    }
    let text = "\n# What lies here was made by scarce and can be made again.\n\
                # About this file: https://bford.info/cachedir/\n";
    if let Err(error) = fs_err::write(&path, [SIGNATURE, text.as_bytes()].concat()) {
        tracing::debug!("a folder is not marked as a cache: {error}");
    }
}
