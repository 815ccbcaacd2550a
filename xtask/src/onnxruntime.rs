//! ONNX Runtime, put where `scarce` looks for it in a checkout: `.onnxruntime/lib/`.
//!
//! As with libtorch: unpacked once per user into a cache and linked into each clone from there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use scarce_wheels::{
    onnxruntime::{BYTES, FILE, LIBRARY, OWN, VERSION, fetch},
    sha256,
};

use crate::{cache, say};

/// Makes sure that there is an ONNX Runtime to run with; when it is there this takes no time. With
/// `verify` it is read and compared byte by byte.
pub(crate) fn provision(root: &Path, verify: bool) -> Result<()> {
    if std::env::var_os(OWN).map(PathBuf::from).is_some_and(|path| path.is_file()) {
        return Ok(());
    }
    let place = root.join(".onnxruntime");
    let library = place.join("lib").join(FILE);
    if is_whole(&library, verify)? {
        if verify {
            say("`.onnxruntime` is whole");
        }
        return Ok(());
    }
    if library.exists() {
        say("`.onnxruntime` is damaged: putting it right");
    }
    let cached = cache::folder(root)?.join(format!("onnxruntime-{VERSION}"));
    // `fetch` looks at every byte of what is there already
    let cached = cached.join("lib");
    fetch(&cached, &|what| say(what))
        .context("ONNX Runtime could not be put in place; `cargo xtask setup` tries again")?;
    fs_err::create_dir_all(&place)?;
    cache::link(&cached, &place.join("lib"))?;
    say(format_args!("ONNX Runtime {VERSION} is in `.onnxruntime`"));
    Ok(())
}

fn is_whole(library: &Path, verify: bool) -> Result<bool> {
    let same_size = fs_err::metadata(library).is_ok_and(|found| found.len() == BYTES);
    Ok(same_size && (!verify || sha256(library)? == LIBRARY.sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_of_that_name_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join(FILE);
        assert!(!is_whole(&library, false).unwrap());
        fs_err::write(&library, "short").unwrap();
        assert!(!is_whole(&library, false).unwrap());
        let file = fs_err::File::create(&library).unwrap();
        file.set_len(BYTES).unwrap();
        assert!(is_whole(&library, false).unwrap(), "a glance compares sizes only");
        assert!(!is_whole(&library, true).unwrap());
    }
}
