//! Where rows of images go: batch by batch into the outputs.

use std::path::Path;

use scarce_artifact::{BATCH_ROWS, Classes, Images, ImagesMeta, Shape, Truth, Vectors, Writer};
use scarce_pictures::{Picture, Samples};
use scarce_stage::{Context, Failure};

use super::{
    params::Taken,
    picture::{MAX_VALUES, shape_of},
};
use crate::Error;

/// Pixels that are held before they are written.
const BATCH_BYTES: usize = 16 << 20;

/// A row but for its pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Number and split.
    pub(crate) taken: Taken,
    /// File name or index in the source.
    pub(crate) source: String,
    /// Index of the true class, where it is known.
    pub(crate) label: Option<i32>,
}

/// Writes `images` and, when class names are given, `truth`.
pub(crate) struct Sink<'a> {
    context: &'a Context,
    meta: ImagesMeta,
    first: Option<(String, Shape)>,
    writer: Option<Writer<Images>>,
    batch: Images,
    pixels: Vec<u8>,
    classes: Option<Vec<String>>,
    truth: Truth,
    rows: u32,
    expected: usize,
    left_out: Vec<(u32, String)>,
}

impl<'a> Sink<'a> {
    /// `max_value` is the largest value that a pixel of the source takes; `expected` rows are to
    /// come, for the progress.
    pub(crate) fn new(
        context: &'a Context,
        dataset: &str,
        max_value: u8,
        classes: Option<Vec<String>>,
        expected: usize,
    ) -> Self {
        let dataset = dataset.to_owned();
        let meta = ImagesMeta { dataset, max_value, ..ImagesMeta::default() };
        Self {
            context,
            meta,
            first: None,
            writer: None,
            batch: Images::default(),
            pixels: Vec::new(),
            classes,
            truth: Truth::default(),
            rows: 0,
            expected,
            left_out: Vec::new(),
        }
    }

    /// Adds an image, which must have the shape of those before it.
    pub(crate) fn push(&mut self, row: Row, picture: &Picture) -> Result<(), Failure> {
        let shape = shape_of(picture);
        let bytes = match picture.samples() {
            Samples::Bytes(bytes) if shape.pixels() <= MAX_VALUES => bytes,
            _ => {
                let Shape { height, width, .. } = shape;
                let message = format!("`{}` has {height} × {width} pixels", row.source);
                let help = "set `resize` to bring every image to one size";
                return Err(Error::request(message, help).into());
            }
        };
        self.check_shape(&row.source, shape)?;
        let Taken { id, split } = row.taken;
        self.rows += 1;
        self.batch.id.push(id);
        self.batch.split.push(split);
        self.batch.source.push(row.source);
        self.pixels.extend_from_slice(bytes);
        if let Some(label) = row.label {
            self.truth.id.push(id);
            self.truth.label.push(label);
        }
        if self.batch.id.len() >= BATCH_ROWS || self.pixels.len() >= BATCH_BYTES {
            self.flush()?;
        }
        self.context.progress(u64::from(self.rows), self.expected as u64, "images", "");
        Ok(())
    }

    fn check_shape(&mut self, name: &str, shape: Shape) -> Result<(), Error> {
        let (first, first_shape) = self.first.get_or_insert_with(|| (name.to_owned(), shape));
        if *first_shape == shape {
            return Ok(());
        }
        Err(Error::MixedShapes {
            first: first.clone(),
            first_shape: *first_shape,
            second: name.to_owned(),
            second_shape: shape,
        })
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let Some((_, shape)) = self.first else { return Ok(()) };
        if self.batch.id.is_empty() {
            return Ok(());
        }
        let mut batch = std::mem::take(&mut self.batch);
        batch.pixels = Vectors::new(shape.pixels(), std::mem::take(&mut self.pixels));
        let writer = match &mut self.writer {
            Some(writer) => writer,
            slot => {
                let meta = ImagesMeta { shape, ..self.meta.clone() };
                slot.insert(self.context.writer("images", meta)?)
            }
        };
        writer.write(batch)?;
        Ok(())
    }

    /// A picture of the source that cannot be read.
    pub(crate) fn leave_out(&mut self, id: u32, name: String) {
        self.left_out.push((id, name));
    }

    /// Writes what is left. `source` is named when there was nothing.
    pub(crate) fn finish(mut self, source: &Path) -> Result<(), Failure> {
        self.flush()?;
        let Some(mut writer) = self.writer else {
            let help = "check the path, `limit` and the file names".to_owned();
            return Err(Error::Empty { path: source.to_owned(), what: "image", help }.into());
        };
        if !self.left_out.is_empty() {
            writer.add_meta("left_out", &serde_json::json!(self.left_out));
        }
        writer.finish()?;
        match self.classes {
            Some(classes) => self.context.write("truth", Classes { classes }, self.truth),
            None => Ok(()),
        }
    }
}
