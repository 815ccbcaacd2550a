//! Where the real data sets lie for tests.

use std::path::PathBuf;

use crate::{skipped, workspace_root};

/// The folder that holds `dataset`: in `SCARCE_TEST_DATA`, or beside the checkout. Says that the
/// test is skipped if it is nowhere.
pub fn data_with(dataset: &str) -> Option<PathBuf> {
    let named = std::env::var_os("SCARCE_TEST_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace_root().join("../shared/data"));
    if folder.join(dataset).is_dir() {
        return Some(folder);
    }
    skipped(&format!("set SCARCE_TEST_DATA to a folder with `{dataset}`"));
    None
}
