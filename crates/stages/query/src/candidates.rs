//! Who may be asked for: no test images, nobody with a label.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use scarce_artifact::{Embeddings, Images, LabelSource, Labels, Reader, Split};
use scarce_stage::{Context, Failure};

use crate::{Error, Result, beliefs::Beliefs};

/// An image that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: u32,
    /// Its row in the table that it comes from.
    pub(crate) row: usize,
}

/// The images with their splits, from whichever of `images` and `embeddings` is wired.
struct ImageIndex {
    members: Vec<(u32, Split)>,
}

impl ImageIndex {
    fn find(context: &Context) -> Result<Option<Self>, Failure> {
        let members = if let Some(images) = context.optional::<Images>("images")? {
            images.members()?
        } else if let Some(table) = context.optional::<Embeddings>("embeddings")? {
            table.members()?
        } else {
            return Ok(None);
        };
        Ok(Some(Self { members }))
    }
}

/// All candidates by ascending id: the images of `beliefs`, or all there are.
pub(crate) fn gather(
    context: &Context,
    beliefs: Option<&Beliefs>,
) -> Result<Vec<Candidate>, Failure> {
    let image_index = ImageIndex::find(context)?;
    let labelled = labelled(context)?;
    let mut rows = match (beliefs, &image_index) {
        (Some(beliefs), image_index) => {
            let claims = Claims::of(beliefs);
            if claims.split.is_none() && image_index.is_none() {
                tracing::warn!(
                    "neither `images` nor `embeddings` is wired: test images cannot be told from \
                     others"
                );
            }
            claims.checked(image_index.as_ref())?
        }
        (None, Some(image_index)) => sorted(image_index.members.iter().copied()),
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

/// Images that a table is about, perhaps with what it says of their splits.
struct Claims<'a> {
    path: &'a Path,
    id: &'a [u32],
    split: Option<&'a [Split]>,
}

impl<'a> Claims<'a> {
    fn of(beliefs: &'a Beliefs) -> Self {
        Self { path: beliefs.path(), id: &beliefs.id, split: beliefs.split.as_deref() }
    }

    /// By ascending id, with the splits that the image index gives them. Whoever says that something is
    /// a test image is believed.
    fn checked(&self, image_index: Option<&ImageIndex>) -> Result<Vec<(Candidate, Split)>> {
        let known: Option<HashMap<u32, Split>> =
            image_index.map(|image_index| image_index.members.iter().copied().collect());
        let mut members = Vec::with_capacity(self.id.len());
        for (row, &id) in self.id.iter().enumerate() {
            let own = self.split.map(|splits| splits[row]);
            let split = match (&known, own) {
                (None, own) => own.unwrap_or(Split::Pool),
                (Some(known), own) => match (known.get(&id), own) {
                    (Some(_), Some(Split::Test)) => Split::Test,
                    (Some(&split), _) => split,
                    (None, _) => {
                        return Err(Error::UnknownImage { path: self.path.to_owned(), id });
                    }
                },
            };
            members.push((id, split));
        }
        Ok(sorted(members.into_iter()))
    }
}

/// The rows of `embeddings` that are not for testing, by ascending id, those with a label included.
pub(crate) fn not_for_testing(
    context: &Context,
    embeddings: &Reader<Embeddings>,
) -> Result<Vec<Candidate>, Failure> {
    let image_index = match context.optional::<Images>("images")? {
        Some(images) => Some(ImageIndex { members: images.members()? }),
        None => None,
    };
    let (id, split): (Vec<u32>, Vec<Split>) = embeddings.members()?.into_iter().unzip();
    let claims = Claims { path: embeddings.path(), id: &id, split: Some(&split) };
    let rows = claims.checked(image_index.as_ref())?.into_iter();
    Ok(rows.filter(|(_, split)| *split != Split::Test).map(|(candidate, _)| candidate).collect())
}

/// By ascending id.
fn sorted(members: impl Iterator<Item = (u32, Split)>) -> Vec<(Candidate, Split)> {
    let mut rows: Vec<(Candidate, Split)> =
        members.enumerate().map(|(row, (id, split))| (Candidate { id, row }, split)).collect();
    rows.sort_unstable_by_key(|(candidate, _)| candidate.id);
    rows
}

/// The images that somebody labelled; what a propagation says does not count.
pub(crate) fn labelled(context: &Context) -> Result<HashSet<u32>, Failure> {
    let mut labelled = HashSet::new();
    for input in context.inputs::<Labels>("labels")? {
        let rows = input.table.read()?;
        let given = rows.id.iter().zip(&rows.source);
        let given = given.filter(|(_, source)| **source != LabelSource::Propagated);
        labelled.extend(given.map(|(id, _)| *id));
    }
    Ok(labelled)
}
