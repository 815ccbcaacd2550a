//! The pictures of the run: their names, their bytes, copies for the page.

use std::{
    collections::HashMap,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Mutex,
};

use arrow::{
    array::{Array, cast::AsArray},
    compute::cast,
    datatypes::{DataType, UInt32Type},
};
use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use parquet::arrow::ProjectionMask;
use scarce_artifact::open_parquet;
use scarce_pictures::{Filter, Fit, Options, Range16, Source, SourceOptions, decode, resize};

use crate::{Error, Result, journal::ImageRef};

/// Quality of the copies.
const QUALITY: u8 = 88;

/// How large a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// For grids.
    Thumb,
    /// For one picture at a time.
    Display,
}

impl Size {
    /// Longest side in pixels.
    fn side(self) -> u32 {
        match self {
            Self::Thumb => 256,
            Self::Display => 1600,
        }
    }
}

/// The pictures. Each goes by its place in the list, from 0.
#[derive(Debug)]
pub struct Gallery {
    source: Source,
    /// The id in the tables of the run.
    ids: Vec<u32>,
    names: Vec<String>,
    /// Rows of the source.
    rows: Vec<usize>,
    by_id: HashMap<u32, u32>,
    by_name: HashMap<String, u32>,
    /// Folder of copies; they can be made again.
    cache: PathBuf,
    digests: Mutex<HashMap<u32, String>>,
}

impl Gallery {
    /// The pictures of a run's images table, whose bytes lie at `path`.
    ///
    /// # Errors
    /// When the table or the pictures cannot be read, or a picture of the table is not there.
    pub fn open(table: &Path, path: &Path, options: &SourceOptions, cache: &Path) -> Result<Self> {
        let (ids, names) = roster(table)?;
        let source = Source::open(path, options)?;
        let rows = source.find(&names)?;
        let places = 0..ids.len() as u32;
        Ok(Self {
            by_id: ids.iter().copied().zip(places.clone()).collect(),
            by_name: names.iter().cloned().zip(places).collect(),
            cache: cache.to_owned(),
            digests: Mutex::default(),
            source,
            ids,
            names,
            rows,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The name of a picture.
    pub fn name(&self, place: u32) -> Option<&str> {
        self.names.get(place as usize).map(String::as_str)
    }

    /// The place of a picture by its id in the tables.
    pub fn by_id(&self, id: u32) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The place of a picture by its name.
    pub fn by_name(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// All names, by place.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file of a picture, where it is one of its own.
    pub fn file(&self, place: u32) -> Option<PathBuf> {
        let file = self.source.path().join(self.name(place)?);
        file.is_file().then_some(file)
    }

    /// The encoded bytes.
    ///
    /// # Errors
    /// When there is no such picture, or it cannot be read.
    pub fn bytes(&self, place: u32) -> Result<Vec<u8>> {
        let row = *self
            .rows
            .get(place as usize)
            .ok_or_else(|| Error::request(format!("there is no picture {place}")))?;
        let batch = self.source.encoded(&[row])?.next().transpose()?.unwrap_or_default();
        let encoded = batch.first().ok_or_else(|| Error::request("the picture is gone"))?;
        Ok(encoded.bytes()?.into_owned())
    }

    /// What the journal calls a picture.
    ///
    /// # Errors
    /// As for its bytes.
    pub fn image_ref(&self, place: u32) -> Result<ImageRef> {
        let file = self.name(place).unwrap_or_default().to_owned();
        let known = lock(&self.digests).get(&place).cloned();
        let blake3 = if let Some(digest) = known {
            digest
        } else {
            let digest = blake3::hash(&self.bytes(place)?).to_hex().to_string();
            lock(&self.digests).insert(place, digest.clone());
            digest
        };
        Ok(ImageRef { file, blake3 })
    }

    /// A copy as JPEG, out of the cache or into it.
    ///
    /// # Errors
    /// When the picture cannot be read.
    pub fn copy(&self, place: u32, size: Size) -> Result<Vec<u8>> {
        let bytes = self.bytes(place)?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let file = self.cache.join(format!("{}-{}.jpg", &digest[..32], size.side()));
        lock(&self.digests).insert(place, digest);
        if let Ok(found) = fs_err::read(&file) {
            return Ok(found);
        }
        let copy = copy(&bytes, size.side())?;
        // A cache that cannot be written costs time only.
        let kept = fs_err::create_dir_all(&self.cache)
            .map_err(Error::from)
            .and_then(|()| crate::labels::place(&file, &copy, false));
        if let Err(error) = kept {
            tracing::debug!("no copy is kept: {error}");
        }
        Ok(copy)
    }

    /// The picture at full size, in a format that browsers show, with its media type.
    ///
    /// # Errors
    /// When the picture cannot be read.
    pub fn full(&self, place: u32) -> Result<(Vec<u8>, &'static str)> {
        let bytes = self.bytes(place)?;
        let shown = match image::guess_format(&bytes) {
            Ok(image::ImageFormat::Jpeg) => Some("image/jpeg"),
            Ok(image::ImageFormat::Png) => Some("image/png"),
            Ok(image::ImageFormat::WebP) => Some("image/webp"),
            Ok(image::ImageFormat::Gif) => Some("image/gif"),
            _ => None,
        };
        match shown {
            Some(kind) => Ok((bytes, kind)),
            None => Ok((copy(&bytes, u32::MAX)?, "image/jpeg")),
        }
    }
}

/// A guard, whatever became of whoever held it before: what is guarded here is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A copy whose longer side is at most `side`.
fn copy(bytes: &[u8], side: u32) -> Result<Vec<u8>> {
    let at_least = Some((side.min(8_192), side.min(8_192)));
    let options = Options { at_least: at_least.filter(|_| side < 8_192), ..Options::default() };
    let picture = decode(bytes, &options)?;
    let range = picture.range_16bit().map_or(Range16::FULL, |(_, most)| Range16::of_largest(most));
    let mut picture = picture.into_bytes(range);
    let (width, height) = (picture.width(), picture.height());
    let longest = width.max(height);
    if longest > side {
        let scaled = |length: u32| {
            ((u64::from(length) * u64::from(side) / u64::from(longest)) as u32).max(1)
        };
        let to = (scaled(width), scaled(height));
        picture = resize(&picture, to, Filter::Bicubic, Fit::Stretch, [255; 3]);
    }
    let colour =
        if picture.channels() == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut out = Cursor::new(Vec::new());
    let pixels = picture.bytes().unwrap_or_default();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .write_image(pixels, picture.width(), picture.height(), colour)
        .map_err(|error| Error::request(format!("the picture cannot be copied: {error}")))?;
    Ok(out.into_inner())
}

/// Ids and names of a table of images, without their pixels.
fn roster(path: &Path) -> Result<(Vec<u32>, Vec<String>)> {
    let file = open_parquet(path)?;
    let at = |name: &str| {
        let fields = file.schema().fields();
        fields
            .iter()
            .position(|field| field.name() == name)
            .ok_or_else(|| Error::request(format!("`{}` has no column `{name}`", path.display())))
    };
    let columns = [at("id")?, at("source")?];
    let mask = ProjectionMask::roots(file.parquet_schema(), columns);
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for batch in file.with_projection(mask).with_batch_size(1 << 16).build()? {
        let batch = batch?;
        let column = |name: &str, to: &DataType| {
            let column = batch.column_by_name(name).map(|column| cast(column, to));
            column.and_then(Result::ok).ok_or_else(|| Error::request("a column is of another type"))
        };
        ids.extend(column("id", &DataType::UInt32)?.as_primitive::<UInt32Type>().values());
        let text = column("source", &DataType::LargeUtf8)?;
        let text = text.as_string::<i64>();
        names.extend((0..text.len()).map(|row| text.value(row).to_owned()));
    }
    Ok((ids, names))
}
