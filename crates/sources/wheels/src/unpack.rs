//! Out of a wheel, which is a zip file, into a folder.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::DeflateDecoder;
use rawzip::{
    CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipFileHeaderRecord,
};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// A member of a wheel that must have these bytes and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Library {
    /// Path in the wheel.
    pub member: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'static str,
}

/// Takes members of a wheel to where `target` says, below `dir`; those it says nothing of are left.
/// Members that `libraries` lists must have their digest. Returns how many of these there were.
///
/// # Errors
/// [`Error::Damaged`] for what is no wheel, [`Error::Checksum`] for another library.
pub fn unpack(
    wheel: &Path,
    dir: &Path,
    libraries: &[Library],
    target: &dyn Fn(&str) -> Option<PathBuf>,
) -> Result<usize> {
    let (file, _) = fs_err::File::open(wheel)?.into_parts();
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged {
        wheel: wheel.to_owned(),
        message: error.to_string(),
    };
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(|e| damaged(&e))?;
    let mut members = archive.entries(&mut buffer);
    let mut found = 0;
    while let Some(member) = members.next_entry().map_err(|e| damaged(&e))? {
        let path = member.file_path().try_normalize().map_err(|e| damaged(&e))?;
        let name = path.as_ref().to_owned();
        let Some(target) = target(&name).filter(|_| !member.is_dir()) else { continue };
        let path = dir.join(target);
        fs_err::create_dir_all(path.parent().unwrap_or(dir))?;
        extract(&archive, &member, &path)
            .map_err(|message| damaged(&format!("`{name}`: {message}")))?;
        if let Some(library) = libraries.iter().find(|library| library.member == name) {
            let (found_digest, expected) = (sha256(&path)?, library.sha256.to_owned());
            if found_digest != expected {
                let wheel = wheel.to_owned();
                return Err(Error::Checksum { wheel, member: name, found: found_digest, expected });
            }
            found += 1;
        }
    }
    Ok(found)
}

/// Writes one member to `path`, checking its size and checksum on the way.
fn extract(
    wheel: &ZipArchive<FileReader>,
    member: &ZipFileHeaderRecord<'_>,
    path: &Path,
) -> Result<(), String> {
    let method = member.compression_method();
    let member = wheel.get_entry(member.wayfinder()).map_err(|error| error.to_string())?;
    let mut file = fs_err::File::create(path).map_err(|error| error.to_string())?;
    let copied = if method == CompressionMethod::STORE {
        std::io::copy(&mut member.verifying_reader(member.reader()), &mut file)
    } else if method == CompressionMethod::DEFLATE {
        let inflated = DeflateDecoder::new(member.reader());
        std::io::copy(&mut member.verifying_reader(inflated), &mut file)
    } else {
        return Err("it is compressed in a way that wheels are not".to_owned());
    };
    copied.map(|_| ()).map_err(|error| error.to_string())
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('?');
    let digest = hasher.finalize();
    Ok(digest.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_known_one() {
        let dir = tempfile::tempdir().unwrap();
        // FIPS 180-4, example of one block
        fs_err::write(dir.path().join("abc"), "abc").unwrap();
        let hex = sha256(&dir.path().join("abc")).unwrap();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_is_no_wheel_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = dir.path().join("torch-2.13.0-cp312.whl");
        fs_err::write(&wheel, "not a zip file").unwrap();
        let error = unpack(&wheel, dir.path(), &[], &|_| None).unwrap_err();
        assert!(error.to_string().contains("torch-2.13.0-cp312.whl"), "{error}");
    }
}
