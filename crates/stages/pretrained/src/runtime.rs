//! ONNX Runtime: a shared library, opened when the first stage runs and not before.
//!
//! It is looked for, in order: where `ORT_DYLIB_PATH` says; beside the program and in `../lib` of it; in
//! the checkout's `.onnxruntime/` (`cargo xtask setup`); in the data folders (`scarce data fetch
//! onnxruntime`). One that the user names may be any build of the same version, for instance one with
//! CUDA; every other must be, byte for byte, the one that is pinned here.
//!
//! The version is part of the key of results, and only this one serves: another could change bits.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

use ort::environment::Environment;
use scarce_wheels::{
    onnxruntime::{FILE, LIBRARY, OWN, VERSION, folder},
    sha256,
};

use crate::{Error, Result};

/// A library that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// Whether `ORT_DYLIB_PATH` names it.
    pub own: bool,
}

/// Looks for the library; reads nothing of it.
///
/// # Errors
/// When `ORT_DYLIB_PATH` names what is no file, or there is none, with where was looked.
pub fn find(data: &[PathBuf]) -> Result<Library> {
    if let Some(path) = env::var_os(OWN).filter(|path| !path.is_empty()).map(PathBuf::from) {
        if path.is_file() {
            return Ok(Library { path, own: true });
        }
        let message = format!("{OWN} names `{}`, which is no file", path.display());
        return Err(Error::runtime(message, "correct or unset it"));
    }
    let places = places(data);
    let found = places.iter().find(|path| path.is_file()).cloned();
    found.map(|path| Library { path, own: false }).ok_or_else(|| {
        let looked: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
        Error::runtime(
            format!("ONNX Runtime {VERSION} is not there"),
            format!(
                "`scarce data fetch onnxruntime` fetches it once (28 MB), `cargo xtask setup` in a \
                 checkout; or name one of your own by {OWN}. Looked for: {}",
                looked.join(", ")
            ),
        )
    })
}

fn places(data: &[PathBuf]) -> Vec<PathBuf> {
    let program = env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let mut places = Vec::new();
    if let Some(beside) = beside {
        places.push(beside.join(FILE));
        if let Some(above) = beside.parent() {
            places.push(above.join("lib").join(FILE));
        }
        // `target/release/scarce`, and tests in `target/release/deps`.
        let checkouts = [beside.ancestors().nth(2), beside.ancestors().nth(3)];
        let checkouts = checkouts.into_iter().flatten();
        places.extend(checkouts.map(|above| above.join(".onnxruntime/lib").join(FILE)));
    }
    places.extend(data.iter().map(|data| folder(data).join(FILE)));
    places
}

/// The runtime, opened at the first call; later calls give the same one.
///
/// # Errors
/// As [`find`]; when the library is another version, is not the pinned one, or does not load.
pub(crate) fn open(data: &[PathBuf]) -> Result<&'static Environment> {
    static OPENED: OnceLock<Environment> = OnceLock::new();
    static OPENING: Mutex<()> = Mutex::new(());
    let _alone = OPENING.lock();
    if let Some(environment) = OPENED.get() {
        return Ok(environment);
    }
    let library = find(data)?;
    check(&library)?;
    let refuse = |error: &dyn std::fmt::Display| {
        let message = format!("`{}` cannot be loaded: {error}", library.path.display());
        let help = "it needs glibc 2.28 or newer and libstdc++, and a processor like this one";
        Error::runtime(message, help)
    };
    // Relative paths would be taken as beside the program.
    let path = std::path::absolute(&library.path)?;
    let environment = ort::init_from(path)
        .map_err(|error| refuse(&error))?
        .with_name("scarce")
        .with_telemetry(false)
        .build()
        .map_err(|error| refuse(&error))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    Ok(OPENED.get_or_init(|| environment))
}

/// Refuses a library before any of its code runs.
///
/// # Errors
/// When it is another version, or, where the user does not name it, not the pinned one.
pub fn check(library: &Library) -> Result<()> {
    let shown = library.path.display();
    if library.own {
        let found = version_of(&fs_err::read(&library.path)?);
        return match found.as_deref() {
            Some(VERSION) => Ok(()),
            found => {
                let found =
                    found.map_or("no ONNX Runtime".to_owned(), |v| format!("ONNX Runtime {v}"));
                let message = format!("{OWN} names `{shown}`, which is {found}");
                let help =
                    format!("results are kept by version: name a build of {VERSION}, or unset it");
                Err(Error::runtime(message, help))
            }
        };
    }
    let found = sha256(&library.path)
        .map_err(|error| Error::runtime(error.to_string(), "see that the file can be read"))?;
    if found == LIBRARY.sha256 {
        return Ok(());
    }
    let message = format!(
        "`{shown}` is not the ONNX Runtime {VERSION} that is expected: its SHA-256 is {found}"
    );
    let help = format!(
        "remove it and run `scarce data fetch onnxruntime` (or `cargo xtask setup`); to use a build \
         of your own, name it by {OWN}"
    );
    Err(Error::runtime(message, help))
}

/// The version that a library's exported symbols carry: `VERS_1.32.0`.
fn version_of(bytes: &[u8]) -> Option<String> {
    const TAG: &[u8] = b"VERS_";
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let mut rest = bytes;
    // The first letter is sought alone, which is quick.
    while let Some(at) = rest.iter().position(|&byte| byte == TAG[0]) {
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix(TAG) {
            let end = behind.iter().take(24).position(|&byte| byte == 0);
            let word = end.and_then(|end| std::str::from_utf8(&behind[..end]).ok());
            let is_version = |word: &&str| {
                word.split('.').count() == 3 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
            };
            if let Some(version) = word.filter(is_version) {
                return Some(version.to_owned());
            }
        }
        rest = &rest[1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    #[test]
    fn a_version_is_read_off_the_symbols() {
        let library = |text: &str| [b"\x7fELF..VVERS_x\0", text.as_bytes(), b"\0tail"].concat();
        assert_eq!(version_of(&library("VERS_1.32.0")).as_deref(), Some("1.32.0"));
        assert_eq!(version_of(&library("VERS_1.32")), None);
        assert_eq!(version_of(b"VERS_1.32.0\0"), None, "no ELF file");
        assert_eq!(version_of(b"\x7fELF VERS_"), None);
    }

    #[test]
    fn a_library_that_is_not_the_pinned_one_never_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs_err::write(&path, b"\x7fELF VERS_1.32.0\0").unwrap();
        let error = check(&Library { path: path.clone(), own: false }).unwrap_err();
        assert!(error.to_string().contains("SHA-256"), "{error}");
        assert!(error.help().unwrap().to_string().contains("scarce data fetch onnxruntime"));
        check(&Library { path: path.clone(), own: true }).unwrap();
        fs_err::write(&path, b"\x7fELF VERS_1.20.1\0").unwrap();
        let error = check(&Library { path, own: true }).unwrap_err().to_string();
        assert!(error.contains("1.20.1"), "{error}");
    }
}
