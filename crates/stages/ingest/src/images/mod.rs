//! The kind `ingest`: images from wherever they are into the `images` and `truth` tables.

mod digits;
mod encoded;
mod idx;
mod params;
mod parquet;
mod picture;
mod sink;

#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use scarce_artifact::{Images, Shape, Split, Truth};
use scarce_pictures::{Picture, Source as Pictures, folder};
use scarce_stage::{Context, Description, Failure, Learns, Memo, Port, Stage};

use self::{
    idx::Idx,
    params::Taken,
    parquet::RawColumn,
    sink::{Row, Sink},
};
pub use self::{
    params::{Params, RawShape},
    picture::{Channels, Size},
};
use crate::{
    Error, Result,
    classes::{Labelling, census, named_classes},
    columns::{self, Table},
    datasets::{self, Dataset},
    stream,
};

/// The kind `ingest`.
pub(crate) struct Ingest;

impl Stage for Ingest {
    type Params = Params;

    fn describe() -> Description {
        Description::new("ingest", "Images from a known data set, IDX, a folder or Parquet")
            .doc(include_str!("ingest.md"))
            .learns(Learns::nothing())
            // A picture that was decoded once for these is not decoded again.
            .with_memo_of(&["resize", "fit", "background", "channels", "max_pixels"])
            .output(Port::table::<Images>("images", "Every image, as bytes of one shape"))
            .output(
                Port::table::<Truth>("truth", "The true classes, where the source has them")
                    .optional(),
            )
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        params.target().check()?;
        match source(&params)? {
            Source::Digits => from_digits(&params, context),
            Source::Known(dataset) => from_dataset(dataset, &params, context),
            Source::Idx(path) => from_idx_pair(path, &params, context),
            Source::Folder(path) => from_folder(path, &params, context),
            Source::Parquet(path) => from_parquet(path, &params, context),
        }
    }
}

/// Where the images are.
enum Source<'a> {
    Digits,
    Known(Dataset),
    Idx(&'a Path),
    Folder(&'a Path),
    Parquet(&'a Path),
}

fn source(params: &Params) -> Result<Source<'_>> {
    match (params.dataset, params.path.as_deref()) {
        (None, None) => Err(Error::request(
            "neither `dataset` nor `path` says where the images are",
            "set `dataset = \"digits\"`, `\"mnist\"` or `\"fashion-mnist\"`, or `path` to images \
             of your own",
        )),
        (Some(Dataset::Digits), _) => {
            params.refuse_all_but("the built-in digits", &[])?;
            Ok(Source::Digits)
        }
        (Some(dataset), _) => {
            params.refuse_all_but(&format!("the data set {dataset}"), &["path"])?;
            Ok(Source::Known(dataset))
        }
        (None, Some(path)) if fs_err::metadata(path)?.is_dir() => {
            let allowed = [
                "path",
                "validation",
                "skip_unreadable",
                "background",
                "range_16bit",
                "max_pixels",
            ];
            params.refuse_all_but("a folder of images", &allowed)?;
            Ok(Source::Folder(path))
        }
        (None, Some(path)) => file_source(path, params),
    }
}

/// What a file is by its first bytes.
fn file_source<'a>(path: &'a Path, params: &Params) -> Result<Source<'a>> {
    let first = stream::first_bytes(path, 8)?;
    if first.starts_with(columns::MAGIC) {
        let allowed = [
            "path",
            "image_column",
            "label_column",
            "split_column",
            "name_column",
            "shape",
            "classes",
            "skip_unreadable",
            "background",
            "range_16bit",
            "max_pixels",
        ];
        params.refuse_all_but("a Parquet file", &allowed)?;
        return Ok(Source::Parquet(path));
    }
    if idx::looks_like(&first) {
        let allowed = ["path", "truth", "test_path", "test_truth", "max_unpacked", "classes"];
        params.refuse_all_but("an IDX file", &allowed)?;
        return Ok(Source::Idx(path));
    }
    let found = match first[..] {
        [] => "empty",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, ..] => {
            "a single image: give the folder that it lies in"
        }
        _ => "neither IDX nor Parquet",
    };
    Err(Error::Format { path: path.to_owned(), found: found.to_owned() })
}

fn from_digits(params: &Params, context: &Context) -> Result<(), Failure> {
    let digits = digits::digits()?;
    let chosen = params.choose(&vec![Split::Pool; digits.len()])?;
    let classes = Dataset::Digits.known().class_names();
    let expected = chosen.iter().flatten().count();
    let mut sink =
        Sink::new(context, Dataset::Digits.name(), digits::MAX_VALUE, Some(classes), expected);
    for (row, ((picture, label), taken)) in digits.into_iter().zip(chosen).enumerate() {
        let Some(taken) = taken else { continue };
        let row = Row { taken, source: row.to_string(), label: Some(i32::from(label)) };
        sink.push(row, &params.target().apply(picture))?;
    }
    sink.finish(Path::new(digits::NAME))
}

/// A pair of IDX files.
struct IdxPart {
    split: Split,
    images: Idx,
    labels: Option<Vec<u8>>,
}

impl IdxPart {
    fn new(split: Split, images: Idx, labels: Option<Idx>) -> Result<Self> {
        let Some(labels) = labels else { return Ok(Self { split, images, labels: None }) };
        let values = labels.labels()?;
        if values.len() != images.rows() {
            return Err(Error::Counts {
                images: images.path().to_owned(),
                image_count: images.rows(),
                labels: labels.path().to_owned(),
                label_count: values.len(),
            });
        }
        Ok(Self { split, images, labels: Some(values) })
    }
}

fn from_dataset(dataset: Dataset, params: &Params, context: &Context) -> Result<(), Failure> {
    let [train, train_labels, test, test_labels] =
        datasets::provide(dataset, params.path.as_deref(), context.data(), &mut |progress| {
            context.progress(progress.done, progress.total.unwrap_or(0), "bytes", progress.file);
        })?;
    // The checksum has vouched for the content.
    let part = |split, images: &PathBuf, labels: &PathBuf| {
        IdxPart::new(split, Idx::trusted(images)?, Some(Idx::trusted(labels)?))
    };
    let parts =
        [part(Split::Train, &train, &train_labels)?, part(Split::Test, &test, &test_labels)?];
    let classes = dataset.known().class_names();
    from_idx(&parts, dataset.name(), Some(classes), params, context)
}

fn from_idx_pair(path: &Path, params: &Params, context: &Context) -> Result<(), Failure> {
    let inspect = |path: &Path| Idx::inspect(path, params.max_unpacked);
    let also = |path: &Option<PathBuf>| path.as_deref().map(inspect).transpose();
    let split = if params.test_path.is_some() { Split::Train } else { Split::Pool };
    let mut parts = vec![IdxPart::new(split, inspect(path)?, also(&params.truth)?)?];
    match (also(&params.test_path)?, also(&params.test_truth)?) {
        (Some(images), labels) => parts.push(IdxPart::new(Split::Test, images, labels)?),
        (None, None) => {}
        (None, Some(_)) => {
            let help = "set `test_path` to the test images";
            return Err(Error::request("`test_truth` is set without `test_path`", help).into());
        }
    }
    let labels: Vec<Option<i64>> = parts
        .iter()
        .filter_map(|part| part.labels.as_ref())
        .flatten()
        .map(|&l| Some(l.into()))
        .collect();
    let labelled = parts.iter().any(|part| part.labels.is_some());
    let named = params.truth.as_deref().or(params.test_truth.as_deref()).unwrap_or(path);
    let labelling = Labelling::of_numbers(&labels, &params.classes, named)?;
    let classes = labelled.then_some(labelling.classes);
    from_idx(&parts, "own", classes, params, context)
}

fn from_idx(
    parts: &[IdxPart],
    dataset: &str,
    classes: Option<Vec<String>>,
    params: &Params,
    context: &Context,
) -> Result<(), Failure> {
    let splits: Vec<Split> =
        parts.iter().flat_map(|part| std::iter::repeat_n(part.split, part.images.rows())).collect();
    let chosen = params.choose(&splits)?;
    let expected = chosen.iter().flatten().count();
    let mut sink = Sink::new(context, dataset, u8::MAX, classes, expected);
    let mut rest = chosen.as_slice();
    for part in parts {
        let (chosen, behind) = rest.split_at(part.images.rows());
        rest = behind;
        // Nothing is unpacked beyond the last image that is wanted.
        let wanted = chosen.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for (row, picture) in part.images.pictures()?.take(wanted).enumerate() {
            let picture = picture?;
            let Some(taken) = chosen[row] else { continue };
            let source = match part.split {
                Split::Pool => row.to_string(),
                split => format!("{}/{row}", split.as_str()),
            };
            let label = part.labels.as_ref().map(|labels| i32::from(labels[row]));
            sink.push(Row { taken, source, label }, &params.target().apply(picture))?;
        }
    }
    sink.finish(parts.first().map_or(Path::new(""), |part| part.images.path()))
}

fn from_folder(path: &Path, params: &Params, context: &Context) -> Result<(), Failure> {
    let listing = folder::list(path, params.validation).map_err(Error::from)?;
    let splits: Vec<Split> = listing.files.iter().map(|file| file.split).collect();
    if splits.is_empty() {
        let help = "looked for are .jpg, .png, .webp, .tif, .bmp, .gif and .ppm".to_owned();
        return Err(Error::Empty { path: path.to_owned(), what: "image", help }.into());
    }
    let chosen = params.choose(&splits)?;
    let labels: Vec<Option<i32>> = listing.files.iter().map(|file| file.label).collect();
    let expected = chosen.iter().flatten().count();
    let mut sink = Sink::new(context, "own", u8::MAX, listing.classes.clone(), expected);
    let pictures = Pictures::of_listing(path, listing);
    let memo = Memo::open(context.memo());
    encoded::ingest(&pictures, &chosen, |row| labels[row], params, &memo, &mut sink)?;
    sink.finish(path)
}

fn from_parquet(path: &Path, params: &Params, context: &Context) -> Result<(), Failure> {
    let table = Table::open(path)?;
    let (splits, words) = census(
        &table,
        path,
        params.split_column.as_deref(),
        params.label_column.as_deref(),
        &params.image_column,
    )?;
    let names = named_classes(&table, params.label_column.as_deref(), &params.classes);
    let labelling = words.map(|words| Labelling::of(&words, names, path)).transpose()?;
    let chosen = params.choose(&splits)?;
    let expected = chosen.iter().flatten().count();
    let (classes, labels) =
        labelling.map_or((None, None), |found| (Some(found.classes), Some(found.labels)));
    let label = |row: usize| labels.as_ref().and_then(|labels| *labels.get(row)?);
    let mut sink = Sink::new(context, "own", u8::MAX, classes, expected);
    if let Some(shape) = params.raw_shape()? {
        from_raw(&table, shape, &chosen, label, params, &mut sink)?;
    } else {
        let pictures = Pictures::open(path, &params.source_options()).map_err(Error::from)?;
        let memo = Memo::open(context.memo());
        encoded::ingest(&pictures, &chosen, label, params, &memo, &mut sink)?;
    }
    sink.finish(path)
}

/// Parquet of pixels that are not encoded.
fn from_raw(
    table: &Table<'_>,
    shape: Shape,
    chosen: &[Option<Taken>],
    label: impl Fn(usize) -> Option<i32>,
    params: &Params,
    sink: &mut Sink<'_>,
) -> Result<(), Failure> {
    let mut wanted = vec![params.image_column.as_str()];
    wanted.extend(params.name_column.as_deref());
    for batch in table.batches(&wanted, parquet::BATCH_ROWS)? {
        let batch = batch?;
        let images = RawColumn::new(&batch, &params.image_column, shape)?;
        let names = params.name_column.as_deref().map(|column| batch.words(column)).transpose()?;
        let names = names.map(columns::Words::into_text);
        let rows: Vec<(usize, Taken)> = (0..batch.rows())
            .filter_map(|row| Some((row, (*chosen.get(batch.first_row + row)?)?)))
            .collect();
        let apply = |&(row, _): &(usize, Taken)| -> Result<Picture> {
            Ok(params.target().apply(images.picture(row)?))
        };
        let pictures: Vec<Result<Picture>> = rows.par_iter().map(apply).collect();
        for (&(row, taken), picture) in rows.iter().zip(pictures) {
            let at = batch.first_row + row;
            let name = names.as_ref().and_then(|names| names[row].clone());
            let source = name.unwrap_or_else(|| at.to_string());
            sink.push(Row { taken, source, label: label(at) }, &picture?)?;
        }
    }
    Ok(())
}
