//! What a network sees: reading it, all at once or batch by batch.

use std::ops::Range;

use scarce_artifact::{
    Classes, Embeddings, Images, Labelled, Labels, Reader, Split, Vectors, batch_rows,
};
use scarce_nn::Pixels;
use scarce_nn::tch::{Device, Tensor};
use scarce_stage::{Context, Failure};
use serde_json::{Value, json};

use crate::{Error, Input};

/// A table of images or of features.
pub(crate) enum Source {
    Features(Reader<Embeddings>),
    Images(Reader<Images>),
}

/// Some rows of a source, on the way to a network.
pub(crate) struct Batch {
    pub(crate) id: Vec<u32>,
    pub(crate) split: Vec<Split>,
    pub(crate) values: Values,
}

/// Numbers, or bytes of which the largest possible stands for 1.
pub(crate) enum Values {
    Numbers(Vectors<f32>),
    Bytes { pixels: Vectors<u8>, max_value: u8 },
}

/// Some of them.
pub(crate) enum Part<'a> {
    Numbers { values: &'a [f32], width: usize },
    Bytes { pixels: &'a [u8], max_value: u8 },
}

impl Source {
    /// The one of the inputs `features` and `images` that is wired.
    pub(crate) fn wired(context: &Context) -> Result<Self, Failure> {
        let features = context.optional::<Embeddings>("features")?;
        let images = context.optional::<Images>("images")?;
        match (features, images) {
            (Some(features), None) => Ok(Self::Features(features)),
            (None, Some(images)) => Ok(Self::Images(images)),
            (Some(_), Some(_)) => Err(Error::Inputs("both").into()),
            (None, None) => Err(Error::Inputs("none").into()),
        }
    }

    /// Refuses what a model of such an `input` was not trained on.
    pub(crate) fn must_be(&self, model: Input) -> Result<(), Error> {
        let found = self.input()?;
        if found == model {
            return Ok(());
        }
        Err(Error::Input { path: self.path().to_owned(), model, found })
    }

    /// What a network will see of each row.
    pub(crate) fn input(&self) -> Result<Input, Error> {
        match self {
            Self::Features(table) => Ok(Input::Features { width: table.width()? }),
            Self::Images(table) => Ok(Input::Images(table.meta().shape)),
        }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        match self {
            Self::Features(table) => table.path(),
            Self::Images(table) => table.path(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Features(table) => table.rows(),
            Self::Images(table) => table.rows(),
        }
    }

    /// What is done to the rows before the network sees them, for the model's card.
    pub(crate) fn preprocessing(&self) -> Value {
        match self {
            Self::Features(table) => json!({ "features": table.meta().origin }),
            Self::Images(_) => json!({
                "pixels": "divided by the largest possible value",
                "order": "rows, columns, channels",
            }),
        }
    }

    /// Every row in order, a few thousand at a time.
    pub(crate) fn stream(
        &self,
    ) -> Result<Box<dyn Iterator<Item = Result<Batch, Error>> + '_>, Error> {
        Ok(match self {
            Self::Features(table) => Box::new(table.stream()?.map(|batch| {
                let Embeddings { id, split, embedding } = batch?;
                Ok(Batch { id, split, values: Values::Numbers(embedding) })
            })),
            Self::Images(table) => {
                let max_value = table.meta().max_value;
                let rows = batch_rows(table.meta().shape.pixels());
                Box::new(table.batches(rows).map(move |batch| {
                    let Images { id, split, pixels, .. } = batch?;
                    Ok(Batch { id, split, values: Values::Bytes { pixels, max_value } })
                }))
            }
        })
    }

    /// The labelled rows that may be learnt from.
    pub(crate) fn labelled(&self, labels: &Reader<Labels>) -> Result<Examples, Error> {
        let classes = labels.meta().clone();
        let (values, counts) = match self {
            Self::Features(table) => {
                let Labelled { width, features, label, confidence, unknown, test, .. } =
                    Labelled::gather(table, labels)?;
                let values = Values::Numbers(Vectors::new(width, features));
                (values, (label, confidence, unknown, test))
            }
            Self::Images(table) => {
                let Labelled { width, features, label, confidence, unknown, test, .. } =
                    Labelled::gather_images(table, labels)?;
                let max_value = table.meta().max_value;
                let pixels = Vectors::new(width, features);
                (Values::Bytes { pixels, max_value }, (label, confidence, unknown, test))
            }
        };
        let (label, confidence, unknown, test) = counts;
        if unknown > 0 {
            tracing::warn!("{unknown} labels are of images that `{}` does not have", self.name());
        }
        if test > 0 {
            tracing::warn!("{test} labels are of test images and were not learnt from");
        }
        tracing::info!("learning from {} labelled images", label.len());
        Ok(Examples { values, label, confidence, classes })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Features(_) => "features",
            Self::Images(_) => "images",
        }
    }
}

/// Labelled rows, by ascending id.
pub(crate) struct Examples {
    pub(crate) values: Values,
    pub(crate) label: Vec<u32>,
    pub(crate) confidence: Vec<f32>,
    pub(crate) classes: Classes,
}

impl Batch {
    /// The rows for which `wanted` holds.
    pub(crate) fn only(self, wanted: impl Fn(Split) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.id.len()).filter(|&row| wanted(self.split[row])).collect();
        if rows.len() == self.id.len() {
            return self;
        }
        Self {
            id: rows.iter().map(|&row| self.id[row]).collect(),
            split: rows.iter().map(|&row| self.split[row]).collect(),
            values: match self.values {
                Values::Numbers(vectors) => Values::Numbers(pick(&vectors, &rows)),
                Values::Bytes { pixels, max_value } => {
                    Values::Bytes { pixels: pick(&pixels, &rows), max_value }
                }
            },
        }
    }
}

fn pick<T: Copy>(vectors: &Vectors<T>, rows: &[usize]) -> Vectors<T> {
    let rows: Vec<&[T]> = rows.iter().map(|&row| vectors.row(row)).collect();
    Vectors::new(vectors.width, rows.concat())
}

impl Values {
    /// All rows.
    pub(crate) fn all(&self) -> Part<'_> {
        match self {
            Self::Numbers(Vectors { values, width }) => Part::Numbers { values, width: *width },
            Self::Bytes { pixels, max_value } => {
                Part::Bytes { pixels: &pixels.values, max_value: *max_value }
            }
        }
    }

    /// Some rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Part<'_> {
        let within = |width: usize| rows.start * width..rows.end * width;
        match self.all() {
            Part::Numbers { values, width } => {
                Part::Numbers { values: &values[within(width)], width }
            }
            Part::Bytes { pixels, max_value } => {
                let width = if let Self::Bytes { pixels, .. } = self { pixels.width } else { 0 };
                Part::Bytes { pixels: &pixels[within(width)], max_value }
            }
        }
    }
}

impl Part<'_> {
    /// Takes them to the device.
    pub(crate) fn seen(self, device: Device, input: Input) -> Result<Seen, Error> {
        match (self, input) {
            (Self::Bytes { pixels, max_value }, Input::Images(shape)) => {
                Ok(Seen::Pixels(Pixels::new(device, pixels, shape, max_value)?))
            }
            (Self::Numbers { values, width }, _) => {
                let x = Tensor::f_from_slice(values)?.f_view([-1, width as i64])?;
                Ok(Seen::Numbers(x.f_to(device)?))
            }
            (Self::Bytes { pixels, .. }, Input::Features { .. }) => {
                let message = format!("{} bytes are not features", pixels.len());
                Err(scarce_nn::Error::Parameter(message).into())
            }
        }
    }
}

/// Rows on a device.
pub(crate) enum Seen {
    Numbers(Tensor),
    Pixels(Pixels),
}

impl Seen {
    /// The same rows in the same memory, for another thread.
    pub(crate) fn replica(&self) -> Self {
        match self {
            Self::Numbers(x) => Self::Numbers(x.shallow_clone()),
            Self::Pixels(pixels) => Self::Pixels(pixels.replica()),
        }
    }

    /// The rows numbered by `rows: [b]`: `[b, d]`.
    pub(crate) fn gather(&self, rows: &Tensor) -> Result<Tensor, scarce_nn::Error> {
        match self {
            Self::Numbers(x) => Ok(x.f_index_select(0, rows)?),
            Self::Pixels(pixels) => pixels.gather(rows),
        }
    }

    /// The rows `from..to`: `[to − from, d]`.
    pub(crate) fn range(&self, from: usize, to: usize) -> Result<Tensor, scarce_nn::Error> {
        match self {
            Self::Numbers(x) => Ok(x.f_narrow(0, from as i64, (to - from) as i64)?),
            Self::Pixels(pixels) => pixels.range(from, to),
        }
    }
}
