//! Folders in which stages leave, item by item, what later runs can use: `store/.memo/<kind>-<key>`.
//!
//! What lies in them is no result: nothing is lost but time when they go.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::Value;

use crate::{Key, Result, Store, files, store::Own};

/// What removing memos freed, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ForgottenMemos {
    /// Folders that nobody has used for long.
    pub memos: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Folders that stay.
    pub kept: usize,
    /// Their bytes.
    pub kept_bytes: u64,
}

impl Store {
    /// The memo of a kind for these ingredients; made if need be, and marked as used now.
    ///
    /// # Errors
    /// When it cannot be made, or the kind's name cannot be a folder's.
    pub fn memo(&self, kind: &str, ingredients: &Value) -> Result<PathBuf> {
        let key = Key::of(ingredients);
        // The same rule for names as for entries.
        self.place(kind, &key)?;
        let folder = self.own(Own::Memo).join(format!("{kind}-{key}"));
        fs_err::create_dir_all(&folder)?;
        fs_err::File::open(&folder)?.file().set_modified(SystemTime::now())?;
        Ok(folder)
    }

    /// Removes the memos that no run has been given for so long. Runs may go on meanwhile.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_memos(&self, unused: Duration, dry_run: bool) -> Result<ForgottenMemos> {
        let mut forgotten = ForgottenMemos::default();
        for folder in files::list(&self.own(Own::Memo))? {
            let metadata = fs_err::symlink_metadata(&folder)?;
            // Neither links nor anything else that somebody may have put there.
            if !metadata.is_dir() {
                continue;
            }
            let bytes = files::bytes_under(&folder);
            let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
            if age < unused {
                forgotten.kept += 1;
                forgotten.kept_bytes += bytes;
                continue;
            }
            if !dry_run {
                files::remove(&folder)?;
            }
            forgotten.memos += 1;
            forgotten.bytes += bytes;
        }
        Ok(forgotten)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn memos_of_other_ingredients_are_apart_and_go_when_nobody_has_used_them_for_long() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path()).unwrap();
        let [small, large] = [16, 32].map(|size| json!({ "size": size }));
        let (a, b) = (store.memo("embed", &small).unwrap(), store.memo("embed", &large).unwrap());
        assert_ne!(a, b);
        for memo in [&a, &b] {
            fs_err::write(memo.join("items"), [0; 100]).unwrap();
            let old = fs_err::File::open(memo).unwrap();
            old.file().set_modified(SystemTime::now() - 40 * DAY).unwrap();
        }
        assert_eq!(store.memo("embed", &small).unwrap(), a, "used again");
        let dry = store.forget_memos(30 * DAY, true).unwrap();
        assert_eq!((dry.memos, dry.bytes, dry.kept, dry.kept_bytes), (1, 100, 1, 100));
        assert!(b.exists());
        assert_eq!(store.forget_memos(30 * DAY, false).unwrap(), dry);
        assert!(a.exists() && !b.exists());
        assert_eq!(store.forget_memos(Duration::ZERO, false).unwrap().memos, 1);
        assert!(!a.exists());
        assert!(store.memo("../embed", &small).is_err());
    }
}
