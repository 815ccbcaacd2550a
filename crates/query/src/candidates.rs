//! Who may be asked for: no test images, nobody with a label.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use scarce_artifact::{Embeddings, Images, LabelSource, Labels, Split};
use scarce_stage::{Context, Failure};

use crate::{Error, Result, beliefs::Beliefs};

/// An image that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: u32,
    /// Its row among the beliefs, if there are any.
    pub(crate) row: usize,
}

/// The images with their splits, from whichever of `images` and `embeddings` is wired.
struct Roster {
    path: PathBuf,
    members: Vec<(u32, Split)>,
}

impl Roster {
    fn find(context: &Context) -> Result<Option<Self>, Failure> {
        let (path, members) = if let Some(images) = context.optional::<Images>("images")? {
            (images.path().to_owned(), images.members()?)
        } else if let Some(table) = context.optional::<Embeddings>("embeddings")? {
            (table.path().to_owned(), table.members()?)
        } else {
            return Ok(None);
        };
        Ok(Some(Self { path, members }))
    }
}

/// All candidates by ascending id: the images of `beliefs`, or all there are.
pub(crate) fn gather(
    context: &Context,
    beliefs: Option<&Beliefs>,
) -> Result<Vec<Candidate>, Failure> {
    let roster = Roster::find(context)?;
    let labelled = labelled(context)?;
    let mut rows = match (beliefs, &roster) {
        (Some(beliefs), roster) => with_splits(beliefs, roster.as_ref())?,
        (None, Some(roster)) => sorted(roster.members.iter().copied(), &roster.path)?,
        (None, None) => {
            let message = "nothing says which images there are";
            let help = "wire `images`, `embeddings`, `distributions` or `predictions`";
            return Err(Error::request(message, help).into());
        }
    };
    if beliefs.is_some() && context.wired("labels").is_empty() {
        tracing::warn!("`labels` is not wired: images that are labelled already may be asked for");
    }
    rows.retain(|(candidate, split)| *split != Split::Test && !labelled.contains(&candidate.id));
    Ok(rows.into_iter().map(|(candidate, _)| candidate).collect())
}

/// The images of the beliefs with their splits.
fn with_splits(beliefs: &Beliefs, roster: Option<&Roster>) -> Result<Vec<(Candidate, Split)>> {
    let ids = || beliefs.id.iter().copied();
    let Some(roster) = roster else {
        let Some(splits) = &beliefs.split else {
            tracing::warn!(
                "neither `images` nor `embeddings` is wired: test images cannot be told from others"
            );
            return sorted(ids().map(|id| (id, Split::Pool)), beliefs.path());
        };
        return sorted(ids().zip(splits.iter().copied()), beliefs.path());
    };
    let known: HashMap<u32, Split> = roster.members.iter().copied().collect();
    let mut members = Vec::with_capacity(beliefs.id.len());
    for (row, id) in ids().enumerate() {
        let Some(&split) = known.get(&id) else {
            return Err(Error::UnknownImage { path: beliefs.path.clone(), id });
        };
        // Whoever says that it is a test image is believed.
        let own = beliefs.split.as_ref().map(|splits| splits[row]);
        members.push((id, own.filter(|own| *own == Split::Test).unwrap_or(split)));
    }
    sorted(members.into_iter(), beliefs.path())
}

/// By ascending id, each once.
fn sorted(
    members: impl Iterator<Item = (u32, Split)>,
    path: &Path,
) -> Result<Vec<(Candidate, Split)>> {
    let mut rows: Vec<(Candidate, Split)> =
        members.enumerate().map(|(row, (id, split))| (Candidate { id, row }, split)).collect();
    rows.sort_unstable_by_key(|(candidate, _)| candidate.id);
    match rows.windows(2).find(|pair| pair[0].0.id == pair[1].0.id) {
        Some(pair) => Err(Error::RepeatedImage { path: path.to_owned(), id: pair[0].0.id }),
        None => Ok(rows),
    }
}

/// The images that somebody labelled; what a propagation says does not count.
fn labelled(context: &Context) -> Result<HashSet<u32>, Failure> {
    let mut labelled = HashSet::new();
    for input in context.inputs::<Labels>("labels")? {
        let rows = input.table.read()?;
        let given = rows.id.iter().zip(&rows.source);
        let given = given.filter(|(_, source)| **source != LabelSource::Propagated);
        labelled.extend(given.map(|(id, _)| *id));
    }
    Ok(labelled)
}
