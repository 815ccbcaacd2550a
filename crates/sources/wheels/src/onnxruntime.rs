//! ONNX Runtime: which one, where it lies, and how to get it.

use std::path::{Path, PathBuf};

use crate::{Error, Library, Result, download, unpack, wheels_in};

/// The version that serves.
pub const VERSION: &str = "1.32.0";
/// The library's file name.
pub const FILE: &str = "libonnxruntime.so";
/// Variable that names a library of the user's own.
pub const OWN: &str = "ORT_DYLIB_PATH";
/// Variable that names a folder with the wheels, instead of a download.
pub const WHEELS: &str = "SCARCE_WHEELS";
/// The wheel, as pip reads it.
pub const WHEEL: &str = "onnxruntime==1.32.0";
/// The library in the wheel for Linux on x86-64.
pub const LIBRARY: Library = Library {
    member: "onnxruntime/capi/libonnxruntime.so.1.32.0",
    sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
};
/// Its bytes.
pub const BYTES: u64 = 34_824_680;

/// The folder that holds the library, below a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("onnxruntime").join(VERSION)
}

/// Puts the library and its licence into `folder`, whole or not at all. The wheel is taken from the
/// folder that `SCARCE_WHEELS` names, or downloaded with pip.
///
/// # Errors
/// As [`download`] and [`unpack`]; [`Error::Platform`] where no library is pinned.
pub fn fetch(folder: &Path, say: &dyn Fn(&str)) -> Result<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        let help = format!("get ONNX Runtime {VERSION} yourself and name the library by {OWN}");
        return Err(Error::Platform { what: "ONNX Runtime", help });
    }
    let beside = |ending: &str| {
        let mut name = folder.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (partial, downloads) = (beside(".partial"), beside(".wheels"));
    fs_err::create_dir_all(folder.parent().unwrap_or(folder))?;
    // Held until the end; the kernel lets go of it if we are killed.
    let lock = fs_err::File::create(beside(".lock"))?;
    lock.file().lock()?;
    let library = folder.join(FILE);
    if library.is_file() && crate::sha256(&library)? == LIBRARY.sha256 {
        return Ok(library);
    }
    let given = std::env::var_os(WHEELS).map(PathBuf::from);
    if given.is_none() {
        download(&[WHEEL], &downloads, say)?;
    }
    let wheels = wheels_in(&[WHEEL], given.as_deref().unwrap_or(&downloads))?;
    remove(&partial)?;
    fs_err::create_dir_all(&partial)?;
    let found = unpack(&wheels[0], &partial, &[LIBRARY], &target)?;
    if found != 1 {
        let (wheel, message) = (wheels[0].clone(), "the library is not in it".to_owned());
        return Err(Error::Damaged { wheel, message });
    }
    remove(folder)?;
    fs_err::rename(&partial, folder)?;
    if given.is_none() {
        remove(&downloads)?;
    }
    Ok(library)
}

/// The library, and the terms it comes under.
fn target(member: &str) -> Option<PathBuf> {
    match member {
        _ if member == LIBRARY.member => Some(FILE.into()),
        "onnxruntime/LICENSE" => Some("LICENSE".into()),
        "onnxruntime/ThirdPartyNotices.txt" => Some("ThirdPartyNotices.txt".into()),
        _ => None,
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
