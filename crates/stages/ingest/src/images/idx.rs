//! IDX files, the format of MNIST (<http://yann.lecun.com/exdb/mnist/>): two zero bytes, the type,
//! the number of dimensions, each dimension as a big-endian `u32`, then the values, last dimension
//! fastest. The header is believed only after the values have been counted, and what a packed file
//! unpacks to is counted no further than a limit.

use std::path::{Path, PathBuf};

use scarce_artifact::Shape;
use scarce_pictures::Picture;

use super::picture::{MAX_VALUES, of_bytes};
use crate::{Error, Result, stream::Stream};

/// Type code of unsigned bytes, the only one that images and labels use.
const UNSIGNED_BYTE: u8 = 0x08;
/// Bytes before the dimensions.
const PRELUDE: usize = 4;

/// An IDX file of bytes whose header is true.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Idx {
    path: PathBuf,
    /// Rows, then the dimensions of a row.
    dims: Vec<usize>,
}

impl Idx {
    /// Reads the header and counts the values behind it; a packed file may unpack to `most` bytes.
    pub(crate) fn inspect(path: &Path, most: u64) -> Result<Self> {
        let mut stream = Stream::open(path)?;
        let dims = read_header(path, &mut stream)?;
        let idx = Self { path: path.to_owned(), dims };
        let promised = idx.promised();
        if stream.is_packed() && promised > u128::from(most) {
            let message = format!("it promises {promised} bytes when unpacked");
            let help = format!("raise `max_unpacked` above {most}, or unpack the file yourself");
            return Err(Error::header(path, message, help));
        }
        // Not unpacked to its end when that lies beyond what the header promises.
        let mut found = stream.offset();
        stream.for_each(|piece| {
            found += piece.len() as u64;
            u128::from(found) <= promised
        })?;
        match u128::from(found).cmp(&promised) {
            std::cmp::Ordering::Less => Err(idx.truncated(found)),
            std::cmp::Ordering::Equal => Ok(idx),
            std::cmp::Ordering::Greater => {
                let promised = u64::try_from(promised).unwrap_or(u64::MAX);
                Err(Error::Trailing { path: path.to_owned(), promised })
            }
        }
    }

    /// Reads the header of a file whose content somebody else has vouched for.
    pub(crate) fn trusted(path: &Path) -> Result<Self> {
        let dims = read_header(path, &mut Stream::open(path)?)?;
        Ok(Self { path: path.to_owned(), dims })
    }

    /// Rows of the file.
    pub(crate) fn rows(&self) -> usize {
        self.dims.first().copied().unwrap_or(0)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses rows without a value: a few bytes would promise any number of them.
    fn refuse_nothing(path: &Path, dims: &[usize]) -> Result<()> {
        match dims {
            [1..=usize::MAX, rest @ ..] if rest.contains(&0) => {
                let message = format!("it promises {} images of nothing: {dims:?}", dims[0]);
                let help = "an image has at least one pixel: write the file again";
                Err(Error::header(path, message, help))
            }
            _ => Ok(()),
        }
    }

    fn header_bytes(&self) -> usize {
        PRELUDE + 4 * self.dims.len()
    }

    fn promised(&self) -> u128 {
        // Eight dimensions of 2^32 are beyond 128 bits, and beyond every file.
        let values =
            self.dims.iter().fold(1, |values: u128, &dim| values.saturating_mul(dim as u128));
        values.saturating_add(self.header_bytes() as u128)
    }

    fn truncated(&self, found: u64) -> Error {
        let promised = u64::try_from(self.promised()).unwrap_or(u64::MAX);
        Error::Truncated { path: self.path.clone(), promised, found }
    }

    /// The images, in order.
    pub(crate) fn pictures(&self) -> Result<Pictures<'_>> {
        let shape = match self.dims[..] {
            [_, height, width] => Shape { height, width, channels: 1 },
            [_, height, width, channels @ (1 | 3)] => Shape { height, width, channels },
            _ => {
                let message = format!("its dimensions are {:?}", self.dims);
                let help = "images have the dimensions rows, height, width and, where they have \
                            colour, 3";
                return Err(Error::header(&self.path, message, help));
            }
        };
        let values = [shape.height, shape.width, shape.channels]
            .iter()
            .try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        if !values.is_some_and(|values| (1..=MAX_VALUES).contains(&values)) {
            let Shape { height, width, .. } = shape;
            let message = format!("an image of {height} × {width} pixels");
            let help = format!("images have from 1 to {MAX_VALUES} values");
            return Err(Error::header(&self.path, message, help));
        }
        let mut stream = Stream::open(&self.path)?;
        stream.fill(&mut vec![0; self.header_bytes()])?;
        Ok(Pictures { idx: self, shape, stream, left: self.rows() })
    }

    /// The labels, in order.
    pub(crate) fn labels(&self) -> Result<Vec<u8>> {
        if self.dims.len() != 1 {
            let message = format!("its dimensions are {:?}", self.dims);
            return Err(Error::header(&self.path, message, "labels have one dimension"));
        }
        let mut stream = Stream::open(&self.path)?;
        stream.fill(&mut vec![0; self.header_bytes()])?;
        let mut labels = Vec::new();
        stream.for_each(|piece| {
            labels.extend_from_slice(piece);
            labels.len() <= self.rows()
        })?;
        if labels.len() == self.rows() { Ok(labels) } else { Err(self.truncated(stream.offset())) }
    }
}

/// The images of one pass over a file.
pub(crate) struct Pictures<'a> {
    idx: &'a Idx,
    shape: Shape,
    stream: Stream,
    left: usize,
}

impl Iterator for Pictures<'_> {
    type Item = Result<Picture>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut pixels = vec![0; self.shape.pixels()];
        Some(match self.stream.fill(&mut pixels) {
            Ok(n) if n == pixels.len() => of_bytes(self.shape, pixels),
            Ok(_) => Err(self.idx.truncated(self.stream.offset())),
            Err(error) => Err(error),
        })
    }
}

/// Whether a file that starts with these bytes may be IDX.
pub(crate) fn looks_like(first: &[u8]) -> bool {
    matches!(first, [0, 0, 0x08..=0x0e, 1..=8, ..])
}

fn read_header(path: &Path, stream: &mut Stream) -> Result<Vec<usize>> {
    let mut prelude = [0; PRELUDE];
    let found = stream.fill(&mut prelude)?;
    if found < PRELUDE || !looks_like(&prelude) {
        let message = format!("it starts with {:02x?}", &prelude[..found]);
        let help = "an IDX file starts with two zero bytes, a type and a number of dimensions";
        return Err(Error::header(path, message, help));
    }
    if prelude[2] != UNSIGNED_BYTE {
        let message = format!("its values have type {:#04x}", prelude[2]);
        let help = "images and labels are unsigned bytes, type 0x08";
        return Err(Error::header(path, message, help));
    }
    let mut dims = vec![0; 4 * usize::from(prelude[3])];
    if stream.fill(&mut dims)? < dims.len() {
        let promised = (PRELUDE + dims.len()) as u64;
        return Err(Error::Truncated { path: path.to_owned(), promised, found: stream.offset() });
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let dims: Vec<usize> = dims.chunks_exact(4).map(number).collect();
    Idx::refuse_nothing(path, &dims)?;
    Ok(dims)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    pub(crate) fn idx_bytes(dims: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, UNSIGNED_BYTE, dims.len() as u8];
        bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inspect(bytes: &[u8]) -> Result<Idx> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs_err::write(&path, bytes).unwrap();
        let idx = Idx::inspect(&path, 1 << 30)?;
        for picture in idx.pictures()? {
            picture?;
        }
        Ok(idx)
    }

    fn varied(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * i % 251) as u8).collect()
    }

    #[test]
    fn images_come_back_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let values = varied(2 * 3 * 4);
        let plain = idx_bytes(&[2, 3, 4], &values);
        for bytes in [gzip(&plain), plain] {
            let path = folder.path().join("file");
            fs_err::write(&path, &bytes).unwrap();
            let idx = Idx::inspect(&path, 1 << 30).unwrap();
            let shape = Shape { height: 3, width: 4, channels: 1 };
            let pictures: Vec<Picture> = idx.pictures().unwrap().map(Result::unwrap).collect();
            assert_eq!(pictures.len(), 2);
            assert_eq!(pictures[1], of_bytes(shape, values[12..].to_vec()).unwrap());
        }
    }

    #[test]
    fn colour_is_a_fourth_dimension() {
        assert!(inspect(&idx_bytes(&[2, 2, 2, 3], &varied(24))).is_ok());
        assert!(inspect(&idx_bytes(&[2, 2, 2, 2], &varied(16))).is_err());
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        let plain = idx_bytes(&[3, 4, 4], &varied(48));
        let packed = gzip(&plain);
        for bytes in [plain, packed] {
            for length in 0..bytes.len() {
                assert!(inspect(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn a_header_that_promises_too_much_allocates_nothing() {
        for dims in [[u32::MAX, u32::MAX, u32::MAX], [u32::MAX, 28, 28], [1, u32::MAX, u32::MAX]] {
            let error = inspect(&idx_bytes(&dims, &varied(784))).unwrap_err();
            assert!(matches!(error, Error::Truncated { found: 800, .. }), "{error}");
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let error = inspect(&idx_bytes(&[1, 2, 2], &varied(5))).unwrap_err();
        assert!(matches!(error, Error::Trailing { promised: 20, .. }), "{error}");
        let mut packed = gzip(&idx_bytes(&[1, 2, 2], &varied(4)));
        packed.extend(b"garbage");
        assert!(matches!(inspect(&packed).unwrap_err(), Error::Gzip { .. }));
    }

    #[test]
    fn images_without_pixels_are_refused_by_the_header() {
        // 16 bytes that promise four billion images.
        for dims in [[u32::MAX, 0, 0], [5, 0, 4], [5, 4, 0]] {
            let error = inspect(&idx_bytes(&dims, &[])).unwrap_err().to_string();
            assert!(error.contains(&format!("{} images of nothing", dims[0])), "{error}");
        }
        let packed = gzip(&idx_bytes(&[u32::MAX, 0, 0], &[]));
        assert!(inspect(&packed).is_err());
        let most = [u32::MAX; 8];
        assert!(matches!(inspect(&idx_bytes(&most, &[])).unwrap_err(), Error::Truncated { .. }));
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_its_header_and_the_limit() {
        let zeros = gzip(&idx_bytes(&[1, 2, 2], &vec![0; 64 << 20]));
        let error = inspect(&zeros).unwrap_err();
        assert!(matches!(error, Error::Trailing { promised: 20, .. }), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let plain = idx_bytes(&[1000, 10, 10], &vec![0; 100_000]);
        fs_err::write(&path, gzip(&plain)).unwrap();
        let error = Idx::inspect(&path, 100_015).unwrap_err().to_string();
        assert!(error.contains("100016 bytes"), "{error}");
        assert!(Idx::inspect(&path, 100_016).is_ok());
        fs_err::write(&path, plain).unwrap();
        assert!(Idx::inspect(&path, 1).is_ok(), "what is not packed is as long as it is");
    }

    #[test]
    fn other_types_and_other_files_are_named() {
        let mut floats = idx_bytes(&[1, 1, 1], &varied(4));
        floats[2] = 0x0d;
        assert!(inspect(&floats).unwrap_err().to_string().contains("0x0d"));
        assert!(inspect(b"\x89PNG....").is_err());
        assert!(inspect(b"").is_err());
    }

    #[test]
    fn labels_come_back_and_images_are_no_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        fs_err::write(&path, idx_bytes(&[3], &[2, 0, 1])).unwrap();
        assert_eq!(Idx::inspect(&path, 1 << 30).unwrap().labels().unwrap(), [2, 0, 1]);
        assert!(Idx::inspect(&path, 1 << 30).unwrap().pictures().is_err());
        fs_err::write(&path, idx_bytes(&[1, 1, 1], &[2])).unwrap();
        assert!(Idx::inspect(&path, 1 << 30).unwrap().labels().is_err());
    }
}
