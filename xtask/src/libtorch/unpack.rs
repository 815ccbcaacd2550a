//! From the wheels to a libtorch folder.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::{recipe, stamp};
use crate::say;

/// Makes a libtorch in the empty folder `dir` from the wheels, and stamps it.
pub(crate) fn unpack(wheels: &[PathBuf], dir: &Path) -> Result<()> {
    let mut libraries = 0;
    for path in wheels {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        say(format_args!("unpacking `{name}`"));
        libraries += scarce_wheels::unpack(path, dir, &recipe::LIBRARIES, &target)?;
    }
    ensure!(libraries == recipe::LIBRARIES.len(), "the wheels lack some of the libraries");
    strip(&dir.join("lib").join(recipe::TO_STRIP));
    // The linker asks for this name only. The wheel's own is an empty library that
    // would draw in all of CUDA.
    fs_err::os::unix::fs::symlink("libtorch_cpu.so", dir.join("lib/libtorch.so"))?;
    fs_err::write(dir.join("build-version"), format!("{}+cpu\n", recipe::VERSION))?;
    stamp::write(dir)
}

/// Where a member of a wheel goes, if it is wanted.
fn target(member: &str) -> Option<PathBuf> {
    let path = Path::new(member);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    if recipe::LIBRARIES.iter().any(|library| library.member == member) {
        return Some(Path::new("lib").join(path.file_name()?));
    }
    if let Ok(header) = path.strip_prefix("torch/include") {
        return Some(Path::new("include").join(header));
    }
    let package = path.iter().next()?.to_str()?.strip_suffix(".dist-info")?;
    let is_licence = path.iter().any(|part| part == OsStr::new("licenses"));
    let inner: PathBuf = path.iter().skip(1).collect();
    is_licence.then(|| Path::new("licenses").join(package).join(inner))
}

/// Drops symbols that nobody links against. It only saves space, so without `strip`
/// nothing is lost but that.
fn strip(library: &Path) {
    let output = Command::new("strip").arg("--strip-unneeded").arg(library).output();
    if !output.is_ok_and(|output| output.status.success()) {
        say("`strip` (of binutils) does not run: libtorch stays 90 MB larger");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_taken() {
        let goes = |member: &str| target(member).map(|path| path.display().to_string());
        assert_eq!(goes("torch/lib/libc10.so").unwrap(), "lib/libc10.so");
        assert_eq!(goes("nvidia/cu13/lib/libcupti.so.13").unwrap(), "lib/libcupti.so.13");
        assert_eq!(goes("torch/include/ATen/ATen.h").unwrap(), "include/ATen/ATen.h");
        assert_eq!(
            goes("torch-2.13.0.dist-info/licenses/LICENSE").unwrap(),
            "licenses/torch-2.13.0/licenses/LICENSE"
        );
        assert_eq!(goes("torch/lib/libtorch_cuda.so"), None);
        assert_eq!(goes("torch/lib/libtorch.so"), None);
        assert_eq!(goes("torch-2.13.0.dist-info/RECORD"), None);
    }

    #[test]
    fn nothing_leaves_the_folder() {
        assert_eq!(target("torch/include/../../../etc/passwd"), None);
        assert_eq!(target("/torch/include/a.h"), None);
    }
}
