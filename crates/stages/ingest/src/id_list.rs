//! Lists of ids: in the TOML, or in a file.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use scarce_artifact::Queries;

use crate::{Error, Result, labels};

/// Ids in the order of their list, each once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IdList {
    pub(crate) ids: Vec<u32>,
    /// What lists them, for messages: `` `ids` ``, or the path.
    pub(crate) what: String,
}

impl IdList {
    /// Those that a parameter lists.
    pub(crate) fn given(ids: &[u32]) -> Self {
        Self { ids: ids.to_vec(), what: "`ids`".to_owned() }
    }

    /// Those in a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let ids = labels::read_ids(path)?.into_iter().map(|(_, id)| id).collect();
        Ok(Self { ids, what: format!("`{}`", path.display()) })
    }

    /// Those that a strategy asks for, by rank.
    pub(crate) fn queried(queries: Queries) -> Self {
        let mut ranked: Vec<(u32, u32)> = queries.rank.into_iter().zip(queries.id).collect();
        ranked.sort_unstable();
        let ids = ranked.into_iter().map(|(_, id)| id).collect();
        Self { ids, what: "the queries".to_owned() }
    }

    /// Those of `ids` or `ids_path`, whichever is set; the first so many.
    pub(crate) fn of(
        ids: Option<&[u32]>,
        path: Option<&PathBuf>,
        first: Option<u32>,
    ) -> Result<Option<Self>> {
        let listed = match (ids, path) {
            (Some(_), Some(_)) => {
                let message = "`ids` and `ids_path` are set together";
                return Err(Error::request(message, "leave one of them out"));
            }
            (Some(ids), None) => Self::given(ids),
            (None, Some(path)) => Self::read(path)?,
            (None, None) if first.is_some() => {
                let message = "`first` is set, but nothing lists ids";
                return Err(Error::request(message, "set `ids` or `ids_path`, or leave it out"));
            }
            (None, None) => return Ok(None),
        };
        listed.first(first).map(Some)
    }

    /// The first so many, if a number is given.
    pub(crate) fn first(mut self, first: Option<u32>) -> Result<Self> {
        let Some(first) = first else { return Ok(self) };
        let there = self.ids.len();
        if first as usize > there {
            let message = format!("`first = {first}`, but the list holds {there}");
            return Err(Error::TooFew { message, help: format!("ask for at most {there}") });
        }
        self.ids.truncate(first as usize);
        Ok(self)
    }

    /// Refuses an id that is listed twice, or that `problem` finds something wrong with.
    pub(crate) fn check(
        &self,
        verb: &str,
        help: &str,
        problem: impl Fn(u32) -> Option<&'static str>,
    ) -> Result<()> {
        let mut seen = HashSet::with_capacity(self.ids.len());
        for &id in &self.ids {
            let twice = (!seen.insert(id)).then_some("it is listed twice");
            if let Some(problem) = problem(id).or(twice) {
                let message = format!("{}: id {id} cannot be {verb}: {problem}", self.what);
                return Err(Error::request(message, help));
            }
        }
        Ok(())
    }
}
