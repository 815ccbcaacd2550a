//! Manifests: the workspace, and the crates beneath a crate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::Error;

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    /// Direct dependencies from outside the workspace: package name, and what is asked of it.
    pub(crate) external: BTreeMap<String, String>,
    internal: Vec<PathBuf>,
}

/// The workspace around a crate.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    dependencies: Table,
}

impl Workspace {
    /// The nearest workspace at or above `crate_dir`.
    pub(crate) fn around(crate_dir: &Path) -> Result<Self, Error> {
        for dir in crate_dir.ancestors() {
            let path = dir.join("Cargo.toml");
            if !path.is_file() {
                continue;
            }
            if let Some(workspace) = read_toml(&path)?.get("workspace") {
                let dependencies = workspace.get("dependencies").and_then(Value::as_table);
                let dependencies = dependencies.cloned().unwrap_or_default();
                return Ok(Self { root: dir.to_owned(), dependencies });
            }
        }
        Err(Error::NoWorkspace(crate_dir.to_owned()))
    }

    /// The crate in `dir` and every crate of the workspace beneath it, each once.
    pub(crate) fn crates_beneath(&self, dir: &Path) -> Result<Vec<Crate>, Error> {
        let mut found: BTreeMap<String, Crate> = BTreeMap::new();
        let mut waiting = vec![dir.to_owned()];
        while let Some(dir) = waiting.pop() {
            let krate = self.read_crate(&dir)?;
            if !found.contains_key(&krate.name) {
                waiting.extend(krate.internal.iter().cloned());
                found.insert(krate.name.clone(), krate);
            }
        }
        Ok(found.into_values().collect())
    }

    fn read_crate(&self, dir: &Path) -> Result<Crate, Error> {
        let path = dir.join("Cargo.toml");
        let manifest = read_toml(&path)?;
        let missing = |what: &str| Error::Manifest { path: path.clone(), what: what.to_owned() };
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .ok_or_else(|| missing("no `package.name`"))?
            .to_owned();
        let mut krate =
            Crate { name, dir: dir.to_owned(), external: BTreeMap::new(), internal: Vec::new() };
        for (key, wanted) in dependencies(&manifest) {
            let inherited = wanted.get("workspace").is_some();
            let shared = if inherited {
                let shared = self.dependencies.get(key);
                Some(shared.ok_or_else(|| {
                    missing(&format!("`{key}` is not in the workspace's dependencies"))
                })?)
            } else {
                None
            };
            let base = if inherited { self.root.as_path() } else { dir };
            let stated = shared.unwrap_or(wanted);
            if let Some(path) = stated.get("path").and_then(Value::as_str) {
                krate.internal.push(base.join(path));
            } else {
                let package = stated.get("package").and_then(Value::as_str).unwrap_or(key);
                krate.external.insert(package.to_owned(), format!("{wanted} {stated}"));
            }
        }
        Ok(krate)
    }
}

/// `[dependencies]` and `[target.….dependencies]`.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let of_targets = targets.into_iter().flatten().filter_map(|(_, t)| t.get("dependencies"));
    let tables = manifest.get("dependencies").into_iter().chain(of_targets);
    tables.filter_map(Value::as_table).flatten().collect()
}

/// The TOML file at `path`.
pub(crate) fn read_toml(path: &Path) -> Result<Table, Error> {
    let text = fs_err::read_to_string(path)?;
    text.parse().map_err(|source| Error::Toml { path: path.to_owned(), source })
}

/// A manifest as text in a fixed order, without what changes nothing in what is built: dependencies for
/// development, lints, and what the crate says of itself.
pub(crate) fn of_what_is_built(text: &str) -> Option<String> {
    let mut manifest: Table = text.parse().ok()?;
    for key in ["dev-dependencies", "lints", "badges", "bench", "test", "example"] {
        manifest.remove(key);
    }
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        for key in ["description", "version", "license", "publish", "rust-version"] {
            package.remove(key);
        }
    }
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let Value::Table(target) = target {
                target.remove("dev-dependencies");
            }
        }
    }
    Some(manifest.to_string())
}
