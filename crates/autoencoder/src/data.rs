//! Reading images into memory: all that are learnt from, and the few that are shown.

use std::collections::{BTreeMap, BTreeSet};

use scarce_artifact::{Images, Reader, Split, batch_rows};
use scarce_nn::Stream;

use crate::{Error, SplitName};

/// The images to learn from and those to show.
pub(crate) struct Data {
    /// Images of the splits asked for, `[n, H·W·C]`.
    pub(crate) train: Vec<u8>,
    /// Images to show, in the order of their ids.
    pub(crate) samples: Samples,
}

/// A few images.
#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) id: Vec<u32>,
    /// `[n, H·W·C]`.
    pub(crate) bytes: Vec<u8>,
}

impl Data {
    /// Reads the images of `splits`, and draws `samples` images by `seed`: of the test split where
    /// there is one, since the network has not seen them.
    pub(crate) fn read(
        images: &Reader<Images>,
        splits: &[SplitName],
        samples: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let wanted = |split| splits.iter().any(|name| name.is(split));
        let mut train = Vec::new();
        // ids by whether they are to be learnt from and of which split
        let mut ids: BTreeMap<Split, Vec<u32>> = BTreeMap::new();
        for batch in batches(images)? {
            let batch = batch?;
            for (row, &split) in batch.split.iter().enumerate() {
                ids.entry(split).or_default().push(batch.id[row]);
                if wanted(split) {
                    train.extend_from_slice(batch.pixels.row(row));
                }
            }
        }
        if train.is_empty() {
            return Err(no_images(images, splits, &ids));
        }
        let unseen = ids.remove(&Split::Test);
        let shown = unseen.unwrap_or_else(|| {
            let seen = ids.into_iter().filter(|(split, _)| wanted(*split));
            seen.flat_map(|(_, ids)| ids).collect()
        });
        let samples = read_samples(images, pick(shown, samples, seed))?;
        Ok(Self { train, samples })
    }
}

fn batches(images: &Reader<Images>) -> Result<scarce_artifact::Batches<Images>, Error> {
    Ok(images.batches(batch_rows(images.meta().shape.pixels()))?)
}

fn pick(mut ids: Vec<u32>, count: usize, seed: u64) -> BTreeSet<u32> {
    Stream::new(seed, "samples").shuffle(&mut ids);
    ids.truncate(count);
    ids.into_iter().collect()
}

fn read_samples(images: &Reader<Images>, ids: BTreeSet<u32>) -> Result<Samples, Error> {
    let mut found: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for batch in batches(images)? {
        let batch = batch?;
        for (row, id) in batch.id.iter().enumerate() {
            if ids.contains(id) {
                found.insert(*id, batch.pixels.row(row).to_vec());
            }
        }
        if found.len() == ids.len() {
            break;
        }
    }
    let mut samples = Samples::default();
    for (id, bytes) in found {
        samples.id.push(id);
        samples.bytes.extend(bytes);
    }
    Ok(samples)
}

fn no_images(
    images: &Reader<Images>,
    splits: &[SplitName],
    ids: &BTreeMap<Split, Vec<u32>>,
) -> Error {
    let list = |names: Vec<String>| match names.len() {
        0 => "none".to_owned(),
        _ => names.join(", "),
    };
    let wanted = splits.iter().map(|name| format!("`{name:?}`").to_lowercase()).collect();
    let found = ids.keys().map(|split| format!("`{}`", split.as_str())).collect();
    Error::NoImages { path: images.path().to_owned(), wanted: list(wanted), found: list(found) }
}
