//! Writing `.npy` files (`NumPy` enhancement proposal 1), for peers to read.

use std::{io::Write, path::Path};

use anyhow::Result;
use fs_err::File;

/// Numbers that have a name in the format.
pub(crate) trait Number: Copy {
    /// Type and byte order.
    const NAME: &'static str;
    /// Little-endian bytes.
    fn bytes(self) -> [u8; 4];
}

impl Number for f32 {
    const NAME: &'static str = "<f4";
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Number for u32 {
    const NAME: &'static str = "<u4";
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

/// Writes an array beside its place and renames it there. `shape` is as `NumPy` writes it: `(2, 3)`,
/// `(5,)`.
pub(crate) fn write<T: Number>(path: &Path, shape: &str, numbers: &[T]) -> Result<()> {
    write_parts(path, shape, [numbers])
}

/// The same for an array that need not be in memory as a whole.
pub(crate) fn write_parts<T: Number, P: AsRef<[T]>>(
    path: &Path,
    shape: &str,
    parts: impl IntoIterator<Item = P>,
) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(&header(T::NAME, shape))?;
    let mut bytes = Vec::new();
    for part in parts {
        for chunk in part.as_ref().chunks(1 << 20) {
            bytes.clear();
            bytes.extend(chunk.iter().flat_map(|number| number.bytes()));
            file.write_all(&bytes)?;
        }
    }
    Ok(fs_err::rename(&partial, path)?)
}

/// Magic, version 1.0, the length of the rest, a Python dictionary; 64 bytes or a multiple.
fn header(kind: &str, shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let whole = (10 + text.len() + 1).next_multiple_of(64);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((whole - 10) as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.resize(whole - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_padded_header_and_the_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/x.npy");
        write(&path, "(2, 1)", &[1.0f32, -2.0]).unwrap();
        let bytes = fs_err::read(&path).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])) + 10, 128);
        let text = std::str::from_utf8(&bytes[10..128]).unwrap();
        assert_eq!(text.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }");
        assert_eq!(bytes[128..], [0, 0, 128, 63, 0, 0, 0, 192]);
        assert!(!path.with_extension("partial").exists());
        let parts = folder.path().join("parts.npy");
        write_parts(&parts, "(2, 1)", [[1.0f32], [-2.0]]).unwrap();
        assert_eq!(fs_err::read(&parts).unwrap(), bytes);
    }
}
