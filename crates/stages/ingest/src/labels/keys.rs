//! Which image each row of a label file means: by name or by id.

use std::collections::HashMap;

use super::{
    MatchBy, Params,
    matching::{Match, Names},
    read::{Entry, LabelFile},
    wrong,
};
use crate::{Error, Result, classes::nearest, image_index::ImageIndex};

/// The images that labels may be for.
pub(super) struct Lookup<'a> {
    image_index: &'a ImageIndex,
    file: &'a LabelFile,
    params: &'a Params,
    rows: HashMap<u32, usize>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(
        image_index: &'a ImageIndex,
        file: &'a LabelFile,
        params: &'a Params,
    ) -> Self {
        let rows = image_index.id.iter().enumerate().map(|(row, &id)| (id, row)).collect();
        Self { image_index, file, params, rows }
    }

    /// The row of the image index that each entry means; `None` where its picture could not be read.
    pub(super) fn rows(&self) -> Result<Vec<Option<usize>>> {
        let Some(sources) = &self.image_index.source else {
            if self.params.match_by == MatchBy::Name {
                return Err(Error::request(
                    "`match_by = \"name\"`, but embeddings have no names",
                    "wire `images`, or match by id",
                ));
            }
            return self.by_id();
        };
        let names = Names::new(sources);
        match self.params.match_by {
            MatchBy::Name => self.by_name(&names, sources),
            MatchBy::Id => self.by_id(),
            MatchBy::Auto if !self.may_be_ids() => self.by_name(&names, sources),
            MatchBy::Auto => self.by_either(&names, sources),
        }
    }

    /// Whether the keys look like ids: a column `id` of whole numbers as scarce writes them. `0001`
    /// is a name.
    fn may_be_ids(&self) -> bool {
        let is_id =
            |entry: &Entry| entry.key.parse::<u32>().is_ok_and(|id| id.to_string() == entry.key);
        self.file.key_column.eq_ignore_ascii_case("id") && self.file.entries.iter().all(is_id)
    }

    /// Numbers that may be ids and may be names: where some are names and the two readings differ,
    /// only the user knows.
    fn by_either(&self, names: &Names<'_>, sources: &[String]) -> Result<Vec<Option<usize>>> {
        let mut all_named = true;
        let mut all_ids = true;
        let mut any_named = false;
        let mut differs = None;
        for entry in &self.file.entries {
            let named = match names.find(&entry.key) {
                Match::One(row) => Some(row),
                _ => None,
            };
            let by_id = entry.key.parse().ok().and_then(|id| self.rows.get(&id)).copied();
            all_named &= named.is_some();
            all_ids &= by_id.is_some();
            any_named |= named.is_some();
            if let (Some(named), Some(by_id)) = (named, by_id)
                && named != by_id
            {
                differs = differs.or(Some((entry, named, by_id)));
            }
        }
        match differs {
            Some((entry, named, by_id)) if all_ids => {
                let key = &entry.key;
                let message = format!(
                    "`{key}` may be the image called `{}`, or the image with the id {key}, which \
                     is `{}`",
                    sources[named], sources[by_id]
                );
                let help = "say which by `match_by = \"name\"` or `match_by = \"id\"`";
                Err(wrong(self.file, entry, self.params, message, help))
            }
            _ if all_named || (any_named && !all_ids) => self.by_name(names, sources),
            _ => self.by_id(),
        }
    }

    fn by_name(&self, names: &Names<'_>, sources: &[String]) -> Result<Vec<Option<usize>>> {
        let left_out: Vec<String> =
            self.image_index.left_out.iter().map(|(_, name)| name.clone()).collect();
        let left_out = Names::new(&left_out);
        let row = |entry: &Entry| match names.find(&entry.key) {
            Match::One(row) => Ok(Some(row)),
            Match::Several(one, other) => {
                let message =
                    format!("`{}` may be `{}` or `{}`", entry.key, sources[one], sources[other]);
                Err(wrong(self.file, entry, self.params, message, "write more of the path"))
            }
            Match::Nothing if left_out.find(&entry.key) != Match::Nothing => Ok(None),
            Match::Nothing => {
                let message = format!("there is no image `{}`", entry.key);
                Err(wrong(self.file, entry, self.params, message, nearest(&entry.key, sources)))
            }
        };
        self.file.entries.iter().map(row).collect()
    }

    fn by_id(&self) -> Result<Vec<Option<usize>>> {
        let row = |entry: &Entry| {
            let id: Option<u32> = entry.key.parse().ok();
            if let Some(&row) = id.and_then(|id| self.rows.get(&id)) {
                return Ok(Some(row));
            }
            if id.is_some_and(|id| self.image_index.left_out.iter().any(|(left, _)| *left == id)) {
                return Ok(None);
            }
            let help = format!("ids are whole numbers; there are {}", self.image_index.id.len());
            let message = format!("there is no id `{}`", entry.key);
            Err(wrong(self.file, entry, self.params, message, help))
        };
        self.file.entries.iter().map(row).collect()
    }
}
