//! Downloading wheels, with whichever pip there is.
//!
//! pip knows the user's index, mirror, proxy and certificates; doing without it would mean reading all
//! of its settings.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Result};

/// Which files to pick, whatever Python runs pip: Linux with glibc on x86-64, `CPython` 3.12.
pub const PLATFORM: [&str; 14] = [
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--abi",
    "cp312",
    "--platform",
    "manylinux_2_28_x86_64",
    "--platform",
    "manylinux_2_25_x86_64",
    "--platform",
    "manylinux2014_x86_64",
    "--platform",
    "manylinux_2_17_x86_64",
];

/// Ways to call pip, the likeliest first.
const PIPS: [&[&str]; 7] = [
    &["python3", "-m", "pip"],
    &["python", "-m", "pip"],
    &["pip3"],
    &["pip"],
    &["uvx", "pip"],
    &["uv", "tool", "run", "pip"],
    &["pipx", "run", "pip"],
];

/// Downloads wheels into `folder`, where complete ones of an earlier try are kept. `say` is told what
/// is called; pip itself speaks on standard error.
///
/// # Errors
/// [`Error::NoPip`], or [`Error::Download`] when pip fails.
pub fn download(wheels: &[&str], folder: &Path, say: &dyn Fn(&str)) -> Result<()> {
    let pip = PIPS.into_iter().find(|pip| runs(pip)).ok_or(Error::NoPip)?;
    say(&format!("downloading {} with `{}`", wheels.join(", "), pip.join(" ")));
    fs_err::create_dir_all(folder)?;
    let status = command(pip)
        // no second copy in pip's own cache
        .args(["download", "--no-cache-dir", "--no-deps", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--no-input"])
        .args(PLATFORM)
        .arg("--dest")
        .arg(folder)
        .args(wheels)
        // what pip says is news, not a result
        .stdout(Stdio::from(std::io::stderr()))
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Download { pip: pip.join(" "), status: status.to_string() })
}

/// The wheels in `folder`, in the order of `requirements`; each must be there.
///
/// # Errors
/// [`Error::Missing`] for the first that is not.
pub fn wheels_in(requirements: &[&str], folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    requirements.iter().map(|wanted| wheel_of(wanted, &files, folder)).collect()
}

fn wheel_of(requirement: &str, files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    // `a-b==1.0` lies in `a_b-1.0-….whl`
    let prefix = requirement.replace('-', "_").replace("==", "-") + "-";
    let is_it = |path: &&PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with(&prefix) && path.extension() == Some(OsStr::new("whl"))
    };
    let found = files.iter().find(is_it).cloned();
    found.ok_or_else(|| Error::Missing {
        requirement: requirement.to_owned(),
        folder: folder.to_owned(),
    })
}

fn runs(pip: &[&str]) -> bool {
    let output = command(pip).arg("--version").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

fn command(pip: &[&str]) -> Command {
    let mut command = Command::new(pip[0]);
    command.args(&pip[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_found_by_name_and_version() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "nvidia_cuda_cupti-13.0.85-py3-none-any.whl",
            "torch-2.13.0-cp312-cp312-manylinux_2_28_x86_64.whl",
            "torch-2.12.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        ];
        for name in names {
            fs_err::write(dir.path().join(name), "").unwrap();
        }
        let wanted = ["torch==2.13.0", "nvidia-cuda-cupti==13.0.85"];
        let found = wheels_in(&wanted, dir.path()).unwrap();
        let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(found, [names[1], names[0]]);
    }

    #[test]
    fn a_missing_wheel_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = wheels_in(&["torch==2.13.0"], dir.path()).unwrap_err().to_string();
        assert!(error.contains("torch==2.13.0"), "{error}");
    }
}
