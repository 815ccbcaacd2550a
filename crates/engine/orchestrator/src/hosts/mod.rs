//! Host programs: which there are, and which kind lives where.

mod describe;
mod search;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scarce_pipeline::Catalogue;
use scarce_stage::Description;

pub use describe::described;
pub use search::{BuiltIn, Search};

use crate::{Error, Result};

/// Where a host was found. Earlier ones win when two provide the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Named by the pipeline.
    Named,
    /// The program that runs the pipeline.
    BuiltIn,
    /// Beside it.
    Sibling,
    /// On the `PATH`.
    Path,
}

/// A program that answers as a host.
#[derive(Debug, Clone)]
pub struct Host {
    /// The program, absolute.
    pub program: PathBuf,
    /// Where it was found.
    pub rank: Rank,
    /// Its kinds.
    pub kinds: Vec<Description>,
}

/// All hosts, and the kinds that they provide.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    all: Vec<Host>,
    /// Place of the host and of the kind in it.
    kinds: BTreeMap<String, (usize, usize)>,
    /// For a kind that two hosts of the same rank provide: the other one.
    conflicts: BTreeMap<String, usize>,
    warnings: Vec<String>,
    /// Where answers are remembered.
    cache: Option<PathBuf>,
}

impl Hosts {
    /// Finds hosts and asks them what they provide; answers are remembered by the program's identity.
    ///
    /// # Errors
    /// When a host that the pipeline names does not answer. Others that do not are warnings.
    pub fn discover(search: &Search) -> Result<Self> {
        let mut hosts = Self { cache: search.cache.clone(), ..Self::default() };
        for (found, answer) in search::answers(search) {
            match answer {
                Ok(kinds) => hosts.add(Host { program: found.program, rank: found.rank, kinds }),
                Err(message) if found.rank == Rank::Named => {
                    return Err(Error::Host { program: found.program, message });
                }
                Err(message) => hosts.warnings.push(format!(
                    "`{}` is not used as a host: {message}",
                    found.program.display()
                )),
            }
        }
        Ok(hosts)
    }

    /// Adds a host that ranks no higher than those before it.
    pub fn add(&mut self, host: Host) {
        let place = self.all.len();
        for (i, description) in host.kinds.iter().enumerate() {
            let kind = &description.kind;
            let Some(&(earlier, _)) = self.kinds.get(kind) else {
                self.kinds.insert(kind.clone(), (place, i));
                continue;
            };
            let first = &self.all[earlier];
            if first.rank == host.rank {
                self.conflicts.entry(kind.clone()).or_insert(place);
            } else {
                self.warnings.push(format!(
                    "the kind `{kind}` is taken from `{}`, not from `{}`",
                    first.program.display(),
                    host.program.display()
                ));
            }
        }
        self.all.push(host);
    }

    /// All kinds, for resolving a pipeline.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.kinds.values().map(|&(host, i)| self.all[host].kinds[i].clone()))
    }

    /// The hosts in the order of their rank.
    pub fn all(&self) -> &[Host] {
        &self.all
    }

    /// What is odd: programs that do not answer, kinds that are provided twice.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The program that hosts a kind, and the kind's description.
    pub fn get(&self, kind: &str) -> Option<(&Path, &Description)> {
        let &(host, i) = self.kinds.get(kind)?;
        let host = &self.all[host];
        Some((&host.program, &host.kinds[i]))
    }

    /// Forgets what the host of a kind said of itself: it is asked again the next time.
    pub(crate) fn forget(&self, kind: &str) {
        if let Some((program, _)) = self.get(kind) {
            describe::forget(self.cache.as_deref(), program);
        }
    }

    /// Whether a kind lives in a program that does not come with the one that runs the pipeline.
    pub(crate) fn is_foreign(&self, kind: &str) -> bool {
        let host = self.kinds.get(kind).map(|&(host, _)| &self.all[host]);
        host.is_none_or(|host| matches!(host.rank, Rank::Named | Rank::Path))
    }

    /// As [`Hosts::get`], for a stage that needs the kind.
    pub(crate) fn need(&self, stage: &str, kind: &str) -> Result<(&Path, &Description)> {
        let found = self
            .get(kind)
            .ok_or_else(|| Error::NoHost { stage: stage.to_owned(), kind: kind.to_owned() })?;
        match self.conflicts.get(kind) {
            None => Ok(found),
            Some(&other) => Err(Error::TwoHosts {
                kind: kind.to_owned(),
                first: found.0.to_owned(),
                second: self.all[other].program.clone(),
            }),
        }
    }
}
