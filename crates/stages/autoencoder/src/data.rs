//! Reading images into memory: those to learn from or to validate on, and the few that are shown.

use std::collections::{BTreeMap, BTreeSet};

use scarce_artifact::{Images, Reader, Split, batch_rows};
use scarce_nn::{Rows, Stream};

use crate::{EarlyStopping, Error, SplitName, TrainParams};

/// The share of the images that is set aside where nothing else is said.
const VALIDATION: f64 = 0.05;

/// The images to learn from, to validate on, and to show.
pub(crate) struct Data {
    /// Images of the splits to learn from, then those of the split to validate on:
    /// `[n, H·W·C]`.
    pub(crate) bytes: Vec<u8>,
    /// Which of them are for what.
    pub(crate) rows: Rows,
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
    /// Reads the images that the parameters name, and draws some to show by the seed: of the test
    /// split where there is one, since the network has not learnt from them.
    pub(crate) fn read(images: &Reader<Images>, params: &TrainParams) -> Result<Self, Error> {
        let TrainParams { splits, samples, seed, .. } = params;
        let held_out = held_out(params)?;
        let wanted = |split| splits.iter().any(|name| name.is(split));
        let (mut train, mut validation) = (Vec::new(), Vec::new());
        // ids by split
        let mut ids: BTreeMap<Split, Vec<u32>> = BTreeMap::new();
        for batch in batches(images) {
            let batch = batch?;
            for (row, &split) in batch.split.iter().enumerate() {
                ids.entry(split).or_default().push(batch.id[row]);
                if wanted(split) {
                    train.extend_from_slice(batch.pixels.row(row));
                } else if held_out.is_some_and(|name| name.is(split)) {
                    validation.extend_from_slice(batch.pixels.row(row));
                }
            }
        }
        if train.is_empty() {
            return Err(no_images(images, splits, &ids));
        }
        if let Some(name) = held_out.filter(|_| validation.is_empty()) {
            return Err(no_images(images, &[name], &ids));
        }
        let width = images.meta().shape.pixels();
        let rows = rows(params, train.len() / width, validation.len() / width)?;
        train.append(&mut validation);
        let unseen = ids.remove(&Split::Test);
        let shown = unseen.unwrap_or_else(|| {
            let seen = ids.into_iter().filter(|(split, _)| wanted(*split));
            seen.flat_map(|(_, ids)| ids).collect()
        });
        let samples = read_samples(images, pick(shown, *samples, *seed))?;
        Ok(Self { bytes: train, rows, samples })
    }
}

/// The images of `splits`, to learn from: `[n, H·W·C]`.
pub(crate) fn of_splits(images: &Reader<Images>, splits: &[SplitName]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut ids: BTreeMap<Split, Vec<u32>> = BTreeMap::new();
    for batch in batches(images) {
        let batch = batch?;
        for (row, &split) in batch.split.iter().enumerate() {
            ids.entry(split).or_default();
            if SplitName::any(splits, split) {
                bytes.extend_from_slice(batch.pixels.row(row));
            }
        }
    }
    if bytes.is_empty() {
        return Err(no_images(images, splits, &ids));
    }
    Ok(bytes)
}

/// The split that is validated on, if it is a split.
fn held_out(params: &TrainParams) -> Result<Option<SplitName>, Error> {
    let stopping = params.early_stopping.unwrap_or_default();
    let Some(split) = stopping.validation_split else { return Ok(None) };
    if stopping.validation.is_some() {
        let message = "has both `validation` and `validation_split`".to_owned();
        return Err(Error::Validation { message, help: "leave one of them out" });
    }
    if params.splits.contains(&split) {
        let name = format!("{split:?}").to_lowercase();
        let message = format!("validates on the split `{name}`, which `splits` learns from");
        let help = "take it out of `splits`, or set a share aside: `validation = 0.05`";
        return Err(Error::Validation { message, help });
    }
    Ok(Some(split))
}

/// Which of `train` images, followed by `validation` images, are for what.
fn rows(params: &TrainParams, train: usize, validation: usize) -> Result<Rows, Error> {
    match params.early_stopping {
        None => Ok(Rows::all(train)),
        Some(EarlyStopping { validation_split: Some(_), .. }) => {
            Ok(Rows::held_out(train, validation))
        }
        Some(EarlyStopping { validation, .. }) => {
            let share = validation.unwrap_or(VALIDATION);
            Ok(Rows::set_aside(train, share, params.seed)?)
        }
    }
}

fn batches(images: &Reader<Images>) -> scarce_artifact::Batches<Images> {
    images.batches(batch_rows(images.meta().shape.pixels()))
}

fn pick(mut ids: Vec<u32>, count: usize, seed: u64) -> BTreeSet<u32> {
    Stream::new(seed, "samples").shuffle(&mut ids);
    ids.truncate(count);
    ids.into_iter().collect()
}

fn read_samples(images: &Reader<Images>, ids: BTreeSet<u32>) -> Result<Samples, Error> {
    let mut found: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for batch in batches(images) {
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
