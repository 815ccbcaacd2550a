//! Parameters of `ingest`.

use std::path::PathBuf;

use scarce_artifact::{Shape, Split};
use scarce_pictures::{Fit, MAX_PIXELS, Range16, SourceOptions, folder::Validation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::picture::{Channels, MAX_SIDE, Size, Target};
use crate::{Error, Result, datasets::Dataset, id_list::IdList, sampling::Sampling};

/// 16 GiB.
const MAX_UNPACKED: u64 = 16 << 30;

/// Parameters of `ingest`: either `dataset`, or `path`, or both to say where a data set lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// A known data set. `digits` is built in; the others are looked for at `path`, in the data
    /// folders and where Debian puts them, and downloaded if they are nowhere.
    pub dataset: Option<Dataset>,
    /// Images of your own: a folder of pictures (JPEG, PNG, WebP, TIFF, BMP, GIF, PNM), an IDX file,
    /// or a Parquet file. With `dataset`: the folder that holds its four files.
    #[schemars(extend("format" = "path"))]
    pub path: Option<PathBuf>,
    /// With an IDX file: the IDX file of its labels.
    #[schemars(extend("format" = "path"))]
    pub truth: Option<PathBuf>,
    /// With an IDX file: the IDX file of the test images; those of `path` are then `train`.
    #[schemars(extend("format" = "path"))]
    pub test_path: Option<PathBuf>,
    /// With an IDX file: the IDX file of the labels of the test images.
    #[schemars(extend("format" = "path"))]
    pub test_truth: Option<PathBuf>,
    /// With IDX files that are packed with gzip: the most bytes that one may unpack to; a few packed
    /// bytes may stand for thousands.
    pub max_unpacked: u64,
    /// With a folder: what becomes of the images in `validation` (`val`, `valid`, `dev`).
    pub validation: Validation,
    /// With a Parquet file: the column of images, encoded (whole files, also as a struct of `bytes`
    /// and `path`) or raw bytes (then give `shape`).
    pub image_column: String,
    /// With a Parquet file: the column of true classes, words or numbers from 0 (with Hugging Face's
    /// `ClassLabel` the names are those of the file).
    pub label_column: Option<String>,
    /// With a Parquet file: the column that says `train`, `test` or `pool`.
    pub split_column: Option<String>,
    /// With a Parquet file: the column of image names, by which `labels` finds them.
    pub name_column: Option<String>,
    /// With a Parquet file of raw bytes: the shape of every image.
    pub shape: Option<RawShape>,
    /// Names of the classes in label order, for IDX and Parquet; otherwise the sorted words or the
    /// numbers themselves.
    pub classes: Vec<String>,
    /// Bring every image to this size (triangle filter: bilinear where it grows, an average where
    /// it shrinks).
    pub resize: Option<Size>,
    /// With `resize`, what becomes of an image's proportions: `stretch` gives them up, `cover` fills
    /// the size and cuts off what sticks out on both sides, `contain` shows the whole image and
    /// fills the rest with `background`.
    pub fit: Fit,
    /// What shows through transparent pixels, and beside an image that is `contain`ed: red, green,
    /// blue, 0 to 255.
    pub background: [u8; 3],
    /// The 16-bit values that become 0 and 255, `[low, high]`; values outside become the nearest of
    /// the two. By default 0 and the smallest 2ᵇ − 1 that no value of the whole source exceeds, so
    /// that 12-bit data keeps its contrast in 16-bit files.
    pub range_16bit: Option<[u16; 2]>,
    /// Colours to bring every image to.
    pub channels: Channels,
    /// Keep so many images of every split, at random, for trying things out.
    #[schemars(range(min = 1))]
    pub limit: Option<u32>,
    /// Only the images with these ids, which they keep: the numbers that they have in the whole
    /// source, so that one list serves here and in `budget`.
    #[schemars(length(min = 1))]
    pub ids: Option<Vec<u32>>,
    /// The same in a file: one id a line, or a CSV file with a column `id` or `index`.
    #[schemars(extend("format" = "path"))]
    pub ids_path: Option<PathBuf>,
    /// With `ids` or `ids_path`: only the first so many, in their order.
    #[schemars(range(min = 1))]
    pub first: Option<u32>,
    /// Share of the images to hold out as `test`, at random, where the source has no test split;
    /// the rest is then `train`. With 0 all such images are `pool`: learnt from, and scored where
    /// they are not labelled.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub test_fraction: f64,
    /// Seed of `limit` and `test_fraction`.
    pub seed: u64,
    /// Whether images that cannot be read are left out, with a warning that lists them: all of
    /// them, however many (`true`), or none, so that one stops the stage (`false`). By default up
    /// to one in a hundred. The other images keep their ids.
    pub skip_unreadable: Option<bool>,
    /// Pictures with more pixels are not read: a small file may unpack to any size.
    #[schemars(range(min = 1))]
    pub max_pixels: u64,
}

/// A row of the source that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: u32,
    pub(crate) split: Split,
}

/// Height, width and channels of raw pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawShape {
    /// Rows of pixels.
    #[schemars(range(min = 1, max = MAX_SIDE / 2))]
    pub height: u32,
    /// Pixels in a row.
    #[schemars(range(min = 1, max = MAX_SIDE / 2))]
    pub width: u32,
    /// 1 (grey) or 3 (red, green, blue, innermost).
    #[serde(default = "one")]
    #[schemars(extend("enum" = [1, 3]))]
    pub channels: u32,
}

fn one() -> u32 {
    1
}

impl Default for Params {
    fn default() -> Self {
        Self {
            dataset: None,
            path: None,
            truth: None,
            test_path: None,
            test_truth: None,
            max_unpacked: MAX_UNPACKED,
            validation: Validation::default(),
            image_column: "image".to_owned(),
            label_column: None,
            split_column: None,
            name_column: None,
            shape: None,
            classes: Vec::new(),
            resize: None,
            fit: Fit::default(),
            background: [255; 3],
            range_16bit: None,
            channels: Channels::Keep,
            limit: None,
            ids: None,
            ids_path: None,
            first: None,
            test_fraction: 0.0,
            seed: 0,
            skip_unreadable: None,
            max_pixels: MAX_PIXELS,
        }
    }
}

impl Params {
    /// For each row of the source what becomes of it, or `None` where it is left out.
    ///
    /// Without a list of ids the rows that are taken are counted; with one they keep their numbers.
    pub(crate) fn choose(&self, official: &[Split]) -> Result<Vec<Option<Taken>>> {
        let sampling =
            Sampling { limit: self.limit, test_fraction: self.test_fraction, seed: self.seed };
        let listed = IdList::of(self.ids.as_deref(), self.ids_path.as_ref(), self.first)?;
        let Some(listed) = listed else {
            let mut ids = 0..;
            let splits = sampling.choose(official)?.into_iter();
            return Ok(splits
                .map(|split| split.and_then(|split| Some(Taken { id: ids.next()?, split })))
                .collect());
        };
        self.check_list(&listed, official.len())?;
        let mut ids = listed.ids;
        ids.sort_unstable();
        let splits: Vec<Split> = ids.iter().map(|&id| official[id as usize]).collect();
        let mut taken = vec![None; official.len()];
        for (id, split) in ids.into_iter().zip(sampling.choose(&splits)?) {
            taken[id as usize] = split.map(|split| Taken { id, split });
        }
        Ok(taken)
    }

    fn check_list(&self, listed: &IdList, rows: usize) -> Result<()> {
        if self.limit.is_some() {
            let message = format!("{} and `limit` are set together", listed.what);
            let help = "a list says exactly which images are taken: leave `limit` out, or take the \
                        `first` of the list";
            return Err(Error::request(message, help));
        }
        if listed.ids.is_empty() {
            let message = format!("{} lists no image", listed.what);
            return Err(Error::request(message, "list at least one id"));
        }
        let help = format!("ids are from 0 to {}, each once", rows.saturating_sub(1));
        let missing = |id: u32| (id as usize >= rows).then_some("there is no such image");
        listed.check("taken", &help, missing)
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            size: self.resize,
            fit: self.fit,
            channels: self.channels,
            background: self.background,
            max_pixels: self.max_pixels,
        }
    }

    /// Where encoded pictures are found in a source.
    pub fn source_options(&self) -> SourceOptions {
        SourceOptions {
            validation: self.validation,
            image_column: self.image_column.clone(),
            name_column: self.name_column.clone(),
        }
    }

    /// How many of so many images may be unreadable.
    pub(crate) fn may_leave_out(&self, images: usize) -> usize {
        match self.skip_unreadable {
            Some(true) => images,
            Some(false) => 0,
            None => images / 100,
        }
    }

    /// The range of 16-bit values, where it is given.
    pub(crate) fn range_16bit(&self) -> Result<Option<Range16>> {
        match self.range_16bit {
            Some([low, high]) if low >= high => {
                let message = format!("`range_16bit` is [{low}, {high}]");
                Err(Error::request(message, "give the lower value first"))
            }
            range => Ok(range.map(|[low, high]| Range16 { low, high })),
        }
    }

    /// The shape of raw images, checked.
    pub(crate) fn raw_shape(&self) -> Result<Option<Shape>> {
        let Some(RawShape { height, width, channels }) = self.shape else { return Ok(None) };
        let fits = |side: u32| (1..=MAX_SIDE / 2).contains(&side);
        if !fits(height) || !fits(width) || !matches!(channels, 1 | 3) {
            let message = format!("`shape` is {height} × {width} × {channels}");
            let help = format!("sides are from 1 to {}, channels 1 or 3", MAX_SIDE / 2);
            return Err(Error::request(message, help));
        }
        let [height, width, channels] = [height, width, channels].map(|n| n as usize);
        Ok(Some(Shape { height, width, channels }))
    }

    /// Refuses parameters that say nothing about this kind of source: they would be ignored.
    pub(crate) fn refuse_all_but(&self, source: &str, allowed: &[&str]) -> Result<()> {
        let set = [
            ("path", self.path.is_some()),
            ("truth", self.truth.is_some()),
            ("test_path", self.test_path.is_some()),
            ("test_truth", self.test_truth.is_some()),
            ("max_unpacked", self.max_unpacked != MAX_UNPACKED),
            ("validation", self.validation != Validation::default()),
            ("background", self.background != Self::default().background),
            ("range_16bit", self.range_16bit.is_some()),
            ("max_pixels", self.max_pixels != MAX_PIXELS),
            ("image_column", self.image_column != Self::default().image_column),
            ("label_column", self.label_column.is_some()),
            ("split_column", self.split_column.is_some()),
            ("name_column", self.name_column.is_some()),
            ("shape", self.shape.is_some()),
            ("classes", !self.classes.is_empty()),
            ("skip_unreadable", self.skip_unreadable.is_some()),
        ];
        match set.iter().find(|(name, set)| *set && !allowed.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Error::request(
                format!("`{name}` says nothing about {source}"),
                format!("leave `{name}` out"),
            )),
        }
    }
}
