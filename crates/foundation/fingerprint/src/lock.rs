//! `Cargo.lock`: which external packages lie beneath a crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::Error;
use crate::manifest::read_toml;

/// A package that Cargo has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Name and version; the source too where no checksum tells packages apart.
    pub(crate) id: String,
    /// What the registry vouches for; empty for a path or git package.
    pub(crate) checksum: String,
    name: String,
    version: String,
    source: String,
    /// As the lock file writes them: `name`, `name version` or `name version (source)`.
    dependencies: Vec<String>,
}

/// The lock file, by package name.
pub(crate) struct Lock(BTreeMap<String, Vec<Package>>);

impl Lock {
    /// Reads the lock file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let table = read_toml(path)?;
        let entries = table.get("package").and_then(toml::Value::as_array);
        let mut by_name: BTreeMap<String, Vec<Package>> = BTreeMap::new();
        for package in entries.into_iter().flatten().filter_map(package) {
            by_name.entry(package.name.clone()).or_default().push(package);
        }
        Ok(Self(by_name))
    }

    /// Every package beneath the direct dependencies `wanted` of the workspace's crate
    /// `member`, those included.
    ///
    /// The lock file lists a member's development dependencies with the others,
    /// hence `wanted`; for packages from a registry it lists none.
    pub(crate) fn beneath<'a>(
        &self,
        member: &str,
        wanted: impl Iterator<Item = &'a String>,
    ) -> Result<Vec<Package>, Error> {
        let not_locked = || Error::NotLocked(member.to_owned());
        let member = self.0.get(member).and_then(|found| found.first()).ok_or_else(not_locked)?;
        let wanted: BTreeSet<&str> = wanted.map(String::as_str).collect();
        let mut waiting: Vec<&Package> = Vec::new();
        for reference in &member.dependencies {
            if wanted.contains(reference.split(' ').next().unwrap_or_default()) {
                waiting.push(self.find(reference)?);
            }
        }
        let mut seen = BTreeMap::new();
        while let Some(package) = waiting.pop() {
            if seen.insert(&package.id, package).is_none() {
                for reference in &package.dependencies {
                    waiting.push(self.find(reference)?);
                }
            }
        }
        Ok(seen.into_values().cloned().collect())
    }

    fn find(&self, reference: &str) -> Result<&Package, Error> {
        let mut parts = reference.split(' ');
        let name = parts.next().unwrap_or_default();
        let version = parts.next();
        let source = parts.next().map(|source| source.trim_matches(['(', ')']));
        self.0
            .get(name)
            .into_iter()
            .flatten()
            .find(|package| {
                version.is_none_or(|version| package.version == version)
                    && source.is_none_or(|source| package.source == source)
            })
            .ok_or_else(|| Error::NotLocked(reference.to_owned()))
    }
}

fn package(entry: &toml::Value) -> Option<Package> {
    let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let (name, version) = (text("name")?, text("version")?);
    // a mirror may serve the same package: with a checksum, where it came from is no matter
    let checksum = text("checksum").unwrap_or_default();
    let source = text("source").unwrap_or_default();
    let id = match checksum.as_str() {
        "" => format!("{name} {version} {source}"),
        _ => format!("{name} {version}"),
    };
    let dependencies = entry.get("dependencies").and_then(toml::Value::as_array);
    let dependencies = dependencies.into_iter().flatten();
    let dependencies = dependencies.filter_map(|item| item.as_str().map(str::to_owned)).collect();
    Some(Package { id, checksum, name, version, source, dependencies })
}
