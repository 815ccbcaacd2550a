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
        let text = std::str::from_utf8(&text).map_err(|_| refuse("it is not UTF-8"))?;
        let header = Header::parse(text).map_err(|reason| refuse(&reason))?;
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
    fn parse(text: &str) -> Result<Self, String> {
        let Entries { descr, fortran, shape } =
            Entries::parse(text).ok_or("it is not that of a plain array")?;
        let (order, kind, width) = number_type(descr)?;
        let shape = parse_shape(shape).ok_or_else(|| format!("its shape is `{shape}`"))?;
        let fortran = match fortran {
            "True" => true,
            "False" => false,
            other => return Err(format!("`fortran_order` is `{other}`")),
        };
        Ok(Self { kind, width, big_endian: order == '>', fortran, shape })
    }
}

/// The texts of the header's three entries.
struct Entries<'a> {
    descr: &'a str,
    fortran: &'a str,
    shape: &'a str,
}

impl<'a> Entries<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = rest.split_once(':')?;
            let (value, behind) = split_value(value.trim_start())?;
            let slot = match unquote(key)? {
                "descr" => &mut descr,
                "fortran_order" => &mut fortran,
                "shape" => &mut shape,
                _ => return None,
            };
            if slot.replace(value.trim()).is_some() {
                return None;
            }
            rest = behind.trim_start().strip_prefix(',').unwrap_or(behind).trim_start();
        }
        Some(Self { descr: descr?, fortran: fortran?, shape: shape? })
    }
}

/// The order of the bytes, the kind and the bytes of a number, of which there is one to an element.
fn number_type(descr: &str) -> Result<(char, char, usize), String> {
    if descr.starts_with('[') {
        return Err("its elements have several fields (a structured type)".to_owned());
    }
    let refuse = || format!("its elements have type `{}`", descr.trim_matches(['\'', '"']));
    let text = unquote(descr).ok_or_else(refuse)?;
    let mut letters = text.chars();
    let (Some(order), Some(kind)) = (letters.next(), letters.next()) else { return Err(refuse()) };
    if kind == 'O' {
        return Err("its elements are Python objects".to_owned());
    }
    let width = letters.as_str().parse().ok().filter(|width| matches!(width, 1 | 2 | 4 | 8));
    match (order, kind, width) {
        ('<' | '>', 'f' | 'i' | 'u', Some(width)) => Ok((order, kind, width)),
        // One byte has no order.
        ('|', 'i' | 'u' | 'b', Some(1)) => Ok((order, kind, 1)),
        _ => Err(refuse()),
    }
}

/// The value at the start of `text`, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let end = match text.chars().next()? {
        quote @ ('\'' | '"') => text[1..].find(quote)? + 2,
        '(' => text.find(')')? + 1,
        '[' => text.rfind(']')? + 1,
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn npy_bytes(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        with_header(1, &header, values)
    }

    /// A file of some version with a header of one's own.
    fn with_header(version: u8, header: &str, values: &[u8]) -> Vec<u8> {
        let mut header = header.to_owned();
        while !(header.len() + 13).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = [MAGIC, &[version, 0]].concat();
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
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
        let fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}";
        let (_folder, npy) = open(&with_header(1, fortran, &[0; 24])).unwrap();
        assert!(npy.matrix().unwrap_err().to_string().contains("Fortran"));
    }

    #[test]
    fn all_versions_are_read() {
        let header = "{'shape': (1, 2), 'fortran_order': False, 'descr': '<f4'}";
        for version in 1..=3 {
            let values: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
            assert_eq!(floats(&with_header(version, header, &values)), [1.5, -2.0]);
        }
        assert!(open(&with_header(4, header, &[0; 8])).is_err());
    }

    #[test]
    fn hostile_headers_are_refused_with_their_reason() {
        for (header, reason) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (6,)}", "Python objects"),
            (
                "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (3,)}",
                "several fields",
            ),
            ("{'descr': '<U8', 'fortran_order': False, 'shape': (3,)}", "`<U8`"),
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}", "`<c8`"),
            ("{'descr': '<f3', 'fortran_order': False, 'shape': (8,)}", "`<f3`"),
            ("{'descr': '=f4', 'fortran_order': False, 'shape': (6,)}", "`=f4`"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}", "`(-2, -3)`"),
            ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", "`0`"),
            ("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", "plain"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "999"),
            ("{'descr': '<f4', 'shape': (2, 3)}", "plain array"),
            ("{'descr': '<f4", "plain array"),
            ("{}", "plain array"),
        ] {
            let error = open(&with_header(1, header, &[0; 24])).unwrap_err().to_string();
            assert!(error.contains(reason), "{header}: {error}");
        }
        for shape in ["(4294967296, 4294967296)", "(9223372036854775807, 0)"] {
            assert!(open(&npy_bytes("<f4", shape, &[0; 24])).is_err(), "{shape}");
        }
        for shape in ["()", "(0, 0)", "(4294967296, 0)"] {
            let length = if shape == "()" { 4 } else { 0 };
            let (_folder, npy) = open(&npy_bytes("<f4", shape, &vec![0; length])).unwrap();
            assert!(npy.matrix().is_err() && npy.integers().is_err(), "{shape}");
        }
    }
}
