//! What the folders on top of a data set mean: splits, classes, or neither.

use std::path::Path;

use scarce_artifact::Split;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What becomes of the images of a folder `validation` (`val`, `valid`, `dev`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// They may be learnt from, as those of `train`.
    #[default]
    Train,
    /// They are held out, as those of `test`.
    Test,
    /// They are left out.
    Skip,
}

/// The part of a data set that a folder's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Train,
    Validation,
    Test,
}

impl Role {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "val" | "valid" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// A folder within the one that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Top {
    pub(crate) name: String,
    /// Names of the folders within, sorted.
    pub(crate) folders: Vec<String>,
    /// Whether pictures lie below it, at any depth.
    pub(crate) has_pictures: bool,
    /// Whether pictures lie directly in it.
    pub(crate) has_own_pictures: bool,
}

/// A folder that is listed, and the split of what lies below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Name below the root; `None` is the root itself.
    pub(crate) folder: Option<String>,
    pub(crate) split: Split,
}

const UNDERSTOOD: &str = "understood are: all pictures in one folder; one folder per class; and \
                          either of them within `train`, `validation` and `test`";

/// The parts of a data set.
///
/// # Errors
/// A layout that is only half understood.
pub(crate) fn parts(root: &Path, tops: &[Top], validation: Validation) -> Result<Vec<Part>> {
    refuse_splits_below(root, tops)?;
    let roles: Vec<(Role, &Top)> =
        tops.iter().filter_map(|top| Some((Role::of(&top.name)?, top))).collect();
    let whole = || Ok(vec![Part { folder: None, split: Split::Pool }]);
    if roles.is_empty() {
        return whole();
    }
    let others: Vec<&Top> =
        tops.iter().filter(|top| Role::of(&top.name).is_none() && top.has_pictures).collect();
    if !others.is_empty() {
        // `train` between `bus` and `car` is a class: its pictures lie right in it, as theirs do.
        let flat = |top: &Top| top.has_own_pictures && top.folders.is_empty();
        let is_class = roles.len() == 1 && tops.iter().filter(|top| top.has_pictures).all(flat);
        if is_class {
            tracing::warn!(
                "the folder `{}` beside {} is taken for a class",
                roles[0].1.name,
                names(&others)
            );
            return whole();
        }
        let message = format!(
            "{} may be parts of the data set, but {} lie beside them",
            names(&roles.iter().map(|(_, top)| *top).collect::<Vec<_>>()),
            names(&others)
        );
        return Err(Error::layout(root, message, UNDERSTOOD));
    }
    split(root, roles, validation)
}

fn split(root: &Path, mut roles: Vec<(Role, &Top)>, validation: Validation) -> Result<Vec<Part>> {
    roles.sort_by_key(|(role, _)| *role);
    if let Some(pair) = roles.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message = format!("`{}` and `{}` mean the same part", pair[0].1.name, pair[1].1.name);
        return Err(Error::layout(root, message, "merge the two folders, or rename one"));
    }
    let there = |role: Role| roles.iter().any(|(found, top)| *found == role && top.has_pictures);
    if !there(Role::Train) {
        let found = names(&roles.iter().map(|(_, top)| *top).collect::<Vec<_>>());
        let message = format!("there is {found}, but no `train` with pictures to learn from");
        let help = "give the path of the folder inside to take all its pictures as one pool, or \
                    add `train`";
        return Err(Error::layout(root, message, help));
    }
    let tests = there(Role::Test) || (there(Role::Validation) && validation == Validation::Test);
    let learnt = if tests { Split::Train } else { Split::Pool };
    let mut parts = Vec::new();
    for (role, top) in roles {
        let split = match (role, validation) {
            (Role::Train, _) => learnt,
            (Role::Test, _) | (Role::Validation, Validation::Test) => Split::Test,
            (Role::Validation, Validation::Train) => {
                tracing::warn!(
                    "the pictures in `{}` join `train`; set `validation` to hold them out or to \
                     leave them out",
                    top.name
                );
                learnt
            }
            (Role::Validation, Validation::Skip) => continue,
        };
        parts.push(Part { folder: Some(top.name.clone()), split });
    }
    Ok(parts)
}

/// `cat/train`, `cat/test`, and a folder that holds nothing but the data set.
fn refuse_splits_below(root: &Path, tops: &[Top]) -> Result<()> {
    for top in tops.iter().filter(|top| top.has_pictures) {
        let mut roles: Vec<Role> = top.folders.iter().filter_map(|name| Role::of(name)).collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.len() < 2 {
            continue;
        }
        let message = format!(
            "within `{}` there are `{}`, which would become part of one class",
            top.name,
            top.folders.join("`, `")
        );
        let help = format!(
            "give the path `{}`, if that is the data set; {UNDERSTOOD}",
            root.join(&top.name).display()
        );
        return Err(Error::layout(root, message, help));
    }
    Ok(())
}

fn names(tops: &[&Top]) -> String {
    let mut listed: Vec<&str> = tops.iter().take(8).map(|top| top.name.as_str()).collect();
    if tops.len() > listed.len() {
        listed.push("…");
    }
    format!("`{}`", listed.join("`, `"))
}
