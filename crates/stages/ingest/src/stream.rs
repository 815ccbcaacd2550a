//! Files that may be packed with gzip, read from front to back.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use fs_err::File;

use crate::{Error, Result};

/// First bytes of a gzip file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The unpacked bytes of a file.
pub(crate) struct Stream {
    path: PathBuf,
    inner: Box<dyn Read>,
    packed: bool,
    offset: u64,
}

impl Stream {
    /// Opens a file; what it holds, not its name, tells whether it is packed.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let packed = file.fill_buf()?.starts_with(&GZIP);
        let inner: Box<dyn Read> =
            if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Self { path: path.to_owned(), inner, packed, offset: 0 })
    }

    /// Whether it is packed with gzip.
    pub(crate) fn is_packed(&self) -> bool {
        self.packed
    }

    /// Unpacked bytes read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until `buffer` is full or the file ends; returns how much was read.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.inner.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => {
                    filled += n;
                    self.offset += n as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if self.packed => return Err(self.gzip(&error)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    /// Reads on to the end, handing over every piece; stops early when `piece` says so.
    pub(crate) fn for_each(&mut self, mut piece: impl FnMut(&[u8]) -> bool) -> Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = self.fill(&mut buffer)?;
            if n == 0 || !piece(&buffer[..n]) {
                return Ok(());
            }
        }
    }

    fn gzip(&self, error: &std::io::Error) -> Error {
        let message = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the packed data ends early".to_owned(),
            _ => error.to_string(),
        };
        Error::Gzip { path: self.path.clone(), offset: self.offset, message }
    }
}

/// The first bytes of a file, unpacked, fewer if it is shorter.
pub(crate) fn first_bytes(path: &Path, count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let n = Stream::open(path)?.fill(&mut bytes)?;
    bytes.truncate(n);
    Ok(bytes)
}
