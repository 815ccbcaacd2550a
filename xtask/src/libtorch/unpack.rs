//! From the wheels to a libtorch folder.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::DeflateDecoder;
use rawzip::{
    CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipFileHeaderRecord,
};

use super::{recipe, stamp};
use crate::say;

/// Makes a libtorch in the empty folder `dir` from the wheels, and stamps it.
pub(crate) fn unpack(wheels: &[PathBuf], dir: &Path) -> Result<()> {
    let mut libraries = 0;
    for path in wheels {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        say(format_args!("unpacking `{name}`"));
        libraries += take(path, dir).with_context(|| damaged(path))?;
    }
    ensure!(libraries == recipe::LIBRARIES.len(), "the wheels lack some of the libraries");
    strip(&dir.join("lib").join(recipe::TO_STRIP));
    // The linker asks for this name only. The wheel's own is an empty library that
    // would draw in all of CUDA.
    fs_err::os::unix::fs::symlink("libtorch_cpu.so", dir.join("lib/libtorch.so"))?;
    fs_err::write(dir.join("build-version"), format!("{}+cpu\n", recipe::VERSION))?;
    stamp::write(dir)
}

fn damaged(path: &Path) -> String {
    format!("`{}` cannot be unpacked; remove it and try again", path.display())
}

/// Takes what is needed out of a wheel, which is a zip file; how many libraries that were.
fn take(wheel: &Path, dir: &Path) -> Result<usize> {
    let (file, _) = fs_err::File::open(wheel)?.into_parts();
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let wheel = ZipArchive::from_file(file, &mut buffer)?;
    let mut members = wheel.entries(&mut buffer);
    let mut libraries = 0;
    while let Some(member) = members.next_entry()? {
        let name = member.file_path().try_normalize()?.as_ref().to_owned();
        let Some(target) = target(&name).filter(|_| !member.is_dir()) else {
            continue;
        };
        let path = dir.join(target);
        fs_err::create_dir_all(path.parent().unwrap_or(dir))?;
        extract(&wheel, &member, &path).with_context(|| name.clone())?;
        if let Some(library) = recipe::LIBRARIES.iter().find(|library| library.member == name) {
            let found = stamp::sha256(&path)?;
            if found != library.sha256 {
                bail!("`{name}` has SHA-256 {found}, not {}", library.sha256);
            }
            libraries += 1;
        }
    }
    Ok(libraries)
}

/// Writes one member of a wheel to `path`, checking its size and checksum on the way.
fn extract(
    wheel: &ZipArchive<FileReader>,
    member: &ZipFileHeaderRecord<'_>,
    path: &Path,
) -> Result<()> {
    let method = member.compression_method();
    let member = wheel.get_entry(member.wayfinder())?;
    let mut file = fs_err::File::create(path)?;
    if method == CompressionMethod::STORE {
        std::io::copy(&mut member.verifying_reader(member.reader()), &mut file)?;
    } else if method == CompressionMethod::DEFLATE {
        let inflated = DeflateDecoder::new(member.reader());
        std::io::copy(&mut member.verifying_reader(inflated), &mut file)?;
    } else {
        bail!("it is compressed in a way that wheels are not");
    }
    Ok(())
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
