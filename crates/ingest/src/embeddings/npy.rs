//! `.npy` files (`NumPy` enhancement proposal 1): magic, version, a header in Python's notation, then
//! the numbers. The header is believed only when the file is exactly as long as it says.

use std::{
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use fs_err::File;

use super::MAX_WIDTH;
use crate::{Error, Result};

/// First bytes of a `.npy` file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";
/// A header longer than that describes no plain array.
const MAX_HEADER: u64 = 1 << 16;
const HELP: &str = "save a plain array of numbers: `np.save(path, np.ascontiguousarray(x))`";

/// A `.npy` file whose header is true.
#[derive(Debug)]
pub(crate) struct Npy {
    path: PathBuf,
    header: Header,
    /// Where the numbers start.
    start: u64,
}

impl Npy {
    /// Reads the header and compares it with the length of the file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let refuse = |message: &str| Error::header(path, message, HELP);
        let mut fixed = Vec::new();
        (&mut file).take(12).read_to_end(&mut fixed)?;
        // Version 1 has a header length of two bytes, later versions of four (little-endian).
        let (size, before) = match fixed[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => {
                (u32::from_le_bytes([a, b, 0, 0]), 10)
            }
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d] => {
                (u32::from_le_bytes([a, b, c, d]), 12)
            }
            _ => return Err(refuse("it is no `.npy` file of version 1, 2 or 3")),
        };
        let start = before + u64::from(size);
        if u64::from(size) > MAX_HEADER {
            return Err(refuse("it is absurdly long"));
        }
        if start > length {
            return Err(Error::Truncated { path: path.to_owned(), promised: start, found: length });
        }
        file.seek(SeekFrom::Start(before))?;
        let mut text = Vec::new();
        file.take(u64::from(size)).read_to_end(&mut text)?;
        let header = std::str::from_utf8(&text)
            .ok()
            .and_then(Header::parse)
            .ok_or_else(|| refuse("it is not that of a plain array"))?;
        let promised = header.bytes().and_then(|bytes| bytes.checked_add(start));
        let promised = promised.unwrap_or(u64::MAX);
        match length.cmp(&promised) {
            std::cmp::Ordering::Less => {
                Err(Error::Truncated { path: path.to_owned(), promised, found: length })
            }
            std::cmp::Ordering::Equal => Ok(Self { path: path.to_owned(), header, start }),
            std::cmp::Ordering::Greater => Err(Error::Trailing { path: path.to_owned(), promised }),
        }
    }

    /// Rows and columns of a matrix of floating-point numbers.
    pub(crate) fn matrix(&self) -> Result<(usize, usize)> {
        let Header { kind, width, fortran, shape, .. } = &self.header;
        let refuse =
            |message: String, help: &str| Err(Error::header(&self.path, message, help.to_owned()));
        if !matches!((kind, width), ('f', 2 | 4 | 8)) {
            let help = "embeddings are floating-point numbers of 2, 4 or 8 bytes";
            return refuse(format!("its numbers have type `{kind}{width}`"), help);
        }
        match shape[..] {
            [_, columns] if *fortran && columns > 1 => {
                refuse("it is in Fortran order".to_owned(), HELP)
            }
            [rows, columns] if (1..=MAX_WIDTH as u64).contains(&columns) => {
                Ok((rows as usize, columns as usize))
            }
            _ => {
                let help = format!(
                    "embeddings are `[n, d]`: rows, and the length of a vector from 1 to {MAX_WIDTH}"
                );
                refuse(format!("its shape is {shape:?}"), &help)
            }
        }
    }

    /// A list of whole numbers.
    pub(crate) fn integers(&self) -> Result<Vec<i64>> {
        let Header { kind, width, shape, .. } = &self.header;
        if shape.len() != 1 || !matches!((kind, width), ('i' | 'u', 1 | 2 | 4 | 8)) {
            let message = format!("its type is `{kind}{width}`, its shape {shape:?}");
            return Err(Error::header(&self.path, message, "labels are `[n]` whole numbers"));
        }
        let sign = *kind == 'i';
        let mut numbers = self.numbers()?;
        let mut found = Vec::new();
        while let Some(bits) = numbers.next_bits()? {
            let unused = 64 - 8 * *width as u32;
            let number = if sign { ((bits << unused) as i64) >> unused } else { bits as i64 };
            found.push(number);
        }
        Ok(found)
    }

    /// The numbers in order.
    pub(crate) fn numbers(&self) -> Result<Numbers> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let left = self.header.bytes().unwrap_or(0) / self.header.width as u64;
        let reader = BufReader::with_capacity(1 << 16, file);
        Ok(Numbers { reader, left, width: self.header.width, big_endian: self.header.big_endian })
    }
}

/// The numbers of one pass over a file.
pub(crate) struct Numbers {
    reader: BufReader<File>,
    left: u64,
    width: usize,
    big_endian: bool,
}

impl Numbers {
    fn next_bits(&mut self) -> Result<Option<u64>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut bytes = [0; 8];
        self.reader.read_exact(&mut bytes[..self.width])?;
        if self.big_endian {
            bytes[..self.width].reverse();
        }
        Ok(Some(u64::from_le_bytes(bytes)))
    }

    /// The next floating-point number, rounded to `f32`.
    pub(crate) fn next_float(&mut self) -> Result<Option<f32>> {
        let bits = self.next_bits()?;
        Ok(bits.map(|bits| match self.width {
            2 => half::f16::from_bits(bits as u16).to_f32(),
            4 => f32::from_bits(bits as u32),
            _ => f64::from_bits(bits) as f32,
        }))
    }
}

/// What the header says.
#[derive(Debug, PartialEq)]
struct Header {
    /// Type code: `f`, `i`, `u`, …
    kind: char,
    /// Bytes of a number, 1 to 8.
    width: usize,
    big_endian: bool,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Bytes of all numbers, if that can be counted.
    fn bytes(&self) -> Option<u64> {
        self.shape.iter().try_fold(self.width as u64, |product, &dim| product.checked_mul(dim))
    }

    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = rest.split_once(':')?;
            let (value, behind) = split_value(value.trim_start())?;
            match unquote(key)? {
                "descr" => descr = Some(unquote(value)?),
                "fortran_order" => fortran = Some(value.parse_bool()?),
                "shape" => shape = Some(parse_shape(value)?),
                _ => return None,
            }
            rest = behind.trim_start().strip_prefix(',').unwrap_or(behind).trim_start();
        }
        let descr = descr?;
        let mut letters = descr.chars();
        let order = letters.next()?;
        let kind = letters.next()?;
        let width = letters.as_str().parse().ok().filter(|width| (1..=8).contains(width))?;
        let big_endian = match order {
            '<' | '|' => false,
            '>' => true,
            _ => return None,
        };
        Some(Self { kind, width, big_endian, fortran: fortran?, shape: shape? })
    }
}

/// The value at the start of `text`, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let end = match text.chars().next()? {
        quote @ ('\'' | '"') => text[1..].find(quote)? + 2,
        '(' => text.find(')')? + 1,
        _ => text.find(',').unwrap_or(text.len()),
    };
    Some(text.split_at(end))
}

fn unquote(text: &str) -> Option<&str> {
    let text = text.trim();
    let quoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    quoted('\'').or_else(|| quoted('"'))
}

fn parse_shape(text: &str) -> Option<Vec<u64>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let dims = inner.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    // Python 2 wrote `3L`.
    dims.map(|dim| dim.strip_suffix('L').unwrap_or(dim).parse().ok()).collect()
}

trait ParseBool {
    fn parse_bool(&self) -> Option<bool>;
}

impl ParseBool for str {
    fn parse_bool(&self) -> Option<bool> {
        match self.trim() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn npy_bytes(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = [MAGIC, &[1, 0]].concat();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        bytes
    }

    fn open(bytes: &[u8]) -> Result<(tempfile::TempDir, Npy)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        fs_err::write(&path, bytes).unwrap();
        Npy::open(&path).map(|npy| (folder, npy))
    }

    fn floats(bytes: &[u8]) -> Vec<f32> {
        let (_folder, npy) = open(bytes).unwrap();
        npy.matrix().unwrap();
        let mut numbers = npy.numbers().unwrap();
        std::iter::from_fn(|| numbers.next_float().unwrap()).collect()
    }

    #[test]
    fn every_width_and_order_of_bytes_is_read() {
        let values = [1.5_f32, -2.0];
        let little: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let big: Vec<u8> = values.iter().flat_map(|x| x.to_be_bytes()).collect();
        let wide: Vec<u8> = values.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect();
        let narrow: Vec<u8> =
            values.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect();
        for (descr, bytes) in [("<f4", little), (">f4", big), ("<f8", wide), ("<f2", narrow)] {
            assert_eq!(floats(&npy_bytes(descr, "(1, 2)", &bytes)), values, "{descr}");
        }
    }

    #[test]
    fn integers_keep_their_sign() {
        let (_folder, npy) = open(&npy_bytes("<i2", "(2,)", &[0xff, 0xff, 7, 0])).unwrap();
        assert_eq!(npy.integers().unwrap(), [-1, 7]);
        let (_folder, npy) = open(&npy_bytes("|u1", "(2,)", &[0xff, 7])).unwrap();
        assert_eq!(npy.integers().unwrap(), [255, 7]);
    }

    #[test]
    fn a_lying_or_cut_file_is_an_error() {
        let whole = npy_bytes("<f4", "(2, 3)", &[0; 24]);
        for length in 0..whole.len() {
            assert!(open(&whole[..length]).is_err(), "{length}");
        }
        let lie = npy_bytes("<f4", "(18446744073709551615, 3)", &[0; 24]);
        assert!(matches!(open(&lie).unwrap_err(), Error::Truncated { .. }));
        let longer = npy_bytes("<f4", "(1, 3)", &[0; 24]);
        assert!(matches!(open(&longer).unwrap_err(), Error::Trailing { .. }));
        let mut absurd = npy_bytes("<f4", "(1, 3)", &[0; 12]);
        absurd[6] = 2;
        absurd[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(open(&absurd).is_err());
    }

    #[test]
    fn what_is_no_matrix_of_numbers_is_named() {
        for (descr, shape, length) in [
            ("<f4", "(6,)", 24),
            ("<i4", "(2, 3)", 24),
            ("<f4", "(2, 3, 1)", 24),
            ("<f4", "(2, 0)", 0),
        ] {
            let (_folder, npy) = open(&npy_bytes(descr, shape, &vec![0; length])).unwrap();
            assert!(npy.matrix().is_err(), "{descr} {shape}");
        }
        assert!(open(&npy_bytes("|O", "(6,)", &[0; 24])).is_err());
        let fortran = Header::parse("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}");
        assert!(fortran.unwrap().fortran);
        assert_eq!(Header::parse("{'descr': [('a', '<f4')], 'fortran_order': False"), None);
    }
}
