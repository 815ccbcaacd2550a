//! Where the pictures of a table of images come from: files of a folder, cells of a Parquet file, or
//! the pixels of the table itself.

use std::borrow::Cow;

use scarce_artifact::{Digest, Images, Reader, Shape, Split, batch_rows, digest_bytes};
use scarce_pictures::{Encoded, Options, Picture, Range16, Samples, SourceOptions};

use crate::{Error, Params, Result};

/// An image whose picture is not decoded yet.
pub(crate) struct Item {
    pub(crate) id: u32,
    pub(crate) split: Split,
    /// File name or row, for messages.
    pub(crate) name: String,
    picture: Undecoded,
}

enum Undecoded {
    Encoded(Encoded),
    Pixels(Shape, Vec<u8>),
}

/// Where the pictures are.
pub(crate) enum Source<'a> {
    /// The table's own pixels.
    Pixels(&'a Reader<Images>),
    /// Picture files, or cells of a Parquet file, in the order of their rows there.
    Pictures(scarce_pictures::Source, Vec<Wanted>),
}

/// An image and the row of its picture.
pub(crate) struct Wanted {
    row: usize,
    id: u32,
    split: Split,
}

impl<'a> Source<'a> {
    /// Opens the source and finds every image in it.
    pub(crate) fn open(params: &Params, images: &'a Reader<Images>) -> Result<Self> {
        let Some(path) = &params.path else {
            if params.name_column.is_some() {
                let help = "set `path` to the Parquet file, or leave `name_column` out";
                return Err(Error::request("`name_column` is set without `path`", help));
            }
            let largest = images.meta().max_value;
            if largest == 0 {
                let message = "the images say that their largest pixel value is 0";
                return Err(Error::request(message, "ingest them again, or set `path`"));
            }
            return Ok(Self::Pixels(images));
        };
        let options = SourceOptions {
            image_column: params.image_column.clone(),
            name_column: params.name_column.clone(),
            ..SourceOptions::default()
        };
        let source = scarce_pictures::Source::open(path, &options)?;
        let names = images.sources()?;
        let rows = source.find(&names)?;
        let members = images.members()?;
        let mut wanted: Vec<Wanted> = rows
            .into_iter()
            .zip(members)
            .map(|(row, (id, split))| Wanted { row, id, split })
            .collect();
        // In one pass over the source.
        wanted.sort_by_key(|wanted| wanted.row);
        Ok(Self::Pictures(source, wanted))
    }

    /// Hands out all images in chunks of so many, until nobody wants more.
    pub(crate) fn chunks(
        &self,
        size: usize,
        give: &mut dyn FnMut(Vec<Item>) -> bool,
    ) -> Result<()> {
        let mut chunk = Vec::with_capacity(size);
        let mut push = |item| {
            chunk.push(item);
            chunk.len() < size || give(std::mem::replace(&mut chunk, Vec::with_capacity(size)))
        };
        match self {
            Self::Pixels(images) => each_of_table(images, &mut push)?,
            Self::Pictures(source, wanted) => each_of_source(source, wanted, &mut push)?,
        }
        if !chunk.is_empty() {
            give(chunk);
        }
        Ok(())
    }
}

fn each_of_table(images: &Reader<Images>, push: &mut dyn FnMut(Item) -> bool) -> Result<()> {
    let shape = images.meta().shape;
    let largest = images.meta().max_value;
    for batch in images.batches(batch_rows(shape.pixels())) {
        let batch = batch?;
        let names = batch.source.into_iter();
        for (row, ((id, split), name)) in
            batch.id.into_iter().zip(batch.split).zip(names).enumerate()
        {
            let pixels = stretched(batch.pixels.row(row), largest);
            let picture = Undecoded::Pixels(shape, pixels);
            if !push(Item { id, split, name, picture }) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Values from 0 to `largest` as bytes from 0 to 255.
fn stretched(pixels: &[u8], largest: u8) -> Vec<u8> {
    if largest == u8::MAX {
        return pixels.to_vec();
    }
    let largest = u32::from(largest);
    let byte = |&value: &u8| ((u32::from(value) * 255 + largest / 2) / largest).min(255) as u8;
    pixels.iter().map(byte).collect()
}

fn each_of_source(
    source: &scarce_pictures::Source,
    wanted: &[Wanted],
    push: &mut dyn FnMut(Item) -> bool,
) -> Result<()> {
    let rows: Vec<usize> = wanted.iter().map(|wanted| wanted.row).collect();
    let mut wanted = wanted.iter();
    for batch in source.encoded(&rows)? {
        for encoded in batch? {
            let Some(Wanted { row, id, split }) = wanted.next() else { break };
            debug_assert_eq!(*row, encoded.row);
            let (id, split, name) = (*id, *split, encoded.name.clone());
            if !push(Item { id, split, name, picture: Undecoded::Encoded(encoded) }) {
                return Ok(());
            }
        }
    }
    match wanted.next() {
        None => Ok(()),
        Some(missing) => {
            let message = format!("the source ended before row {}", missing.row);
            Err(Error::request(message, "was the file changed meanwhile? run again"))
        }
    }
}

impl Item {
    /// The bytes that the picture is made of.
    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match &self.picture {
            Undecoded::Encoded(encoded) => {
                encoded.bytes().map_err(|reason| self.unreadable(&reason))
            }
            Undecoded::Pixels(_, pixels) => Ok(Cow::Borrowed(pixels)),
        }
    }

    /// What stands for the picture, whatever it is called; `bytes` is what [`Item::bytes`] gave.
    pub(crate) fn key(&self, bytes: &[u8]) -> Digest {
        let content = digest_bytes(bytes);
        match &self.picture {
            Undecoded::Encoded(_) => content,
            Undecoded::Pixels(shape, _) => {
                let Shape { height, width, channels } = shape;
                digest_bytes(format!("{height} {width} {channels} {content}").as_bytes())
            }
        }
    }

    /// The picture in red, green and blue bytes; `bytes` is what [`Item::bytes`] gave. A decoder may
    /// bring it to `at_least` this width and height.
    pub(crate) fn picture(&self, bytes: &[u8], at_least: Option<(u32, u32)>) -> Result<Picture> {
        match &self.picture {
            Undecoded::Pixels(shape, _) => {
                let (height, width) = (shape.height as u32, shape.width as u32);
                let samples = Samples::Bytes(bytes.to_vec());
                let picture = Picture::new(width, height, shape.channels as u8, samples);
                let picture = picture.filter(|picture| matches!(picture.channels(), 1 | 3));
                let wrong = || Error::image(&self.name, "it is neither grey nor in colour", REPAIR);
                Ok(picture.ok_or_else(wrong)?.into_rgb())
            }
            Undecoded::Encoded(_) => {
                let options = Options { at_least, ..Options::default() };
                let decoded = scarce_pictures::decode(bytes, &options);
                let picture = decoded.map_err(|reason| self.unreadable(&reason))?;
                // Deep pictures by the bits in use, so that 12-bit data in 16-bit files is not black.
                let largest = picture.range_16bit().map(|(_, largest)| largest);
                let range = largest.map_or(Range16::FULL, Range16::of_largest);
                Ok(picture.into_bytes(range).into_rgb())
            }
        }
    }

    fn unreadable(&self, reason: &scarce_pictures::Unreadable) -> Error {
        Error::image(&self.name, reason.to_string(), REPAIR)
    }
}

const REPAIR: &str = "repair or remove the picture and ingest again; `ingest` leaves out what it cannot read where \
     `skip_unreadable = true`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_below_a_byte_are_stretched_over_it() {
        assert_eq!(stretched(&[0, 8, 16], 16), [0, 128, 255]);
        assert_eq!(stretched(&[0, 8, 16], 255), [0, 8, 16]);
    }
}
