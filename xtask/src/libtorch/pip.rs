//! Downloading the wheels, with whichever pip there is.
//!
//! pip knows the user's index, mirror, proxy and certificates; doing without it would
//! mean reading all of its settings.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::recipe::{PLATFORM, WAYS_OUT, WHEELS};
use crate::say;

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

/// Downloads the wheels into `folder`, where complete ones of an earlier try are kept.
pub(crate) fn download(folder: &Path) -> Result<()> {
    let Some(pip) = PIPS.into_iter().find(|pip| runs(pip)) else {
        bail!(
            "libtorch comes as Python wheels, and neither pip nor uv runs here; either\n  \
             - install pip (Debian, Ubuntu: `apt install python3-pip`) or uv, or\n{WAYS_OUT}"
        );
    };
    say(format_args!(
        "downloading libtorch with `{}`: 540 MB, once for all clones of this user",
        pip.join(" ")
    ));
    fs_err::create_dir_all(folder)?;
    let status = command(pip)
        // no second copy of half a gigabyte in pip's own cache
        .args(["download", "--no-cache-dir", "--no-deps", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--no-input"])
        .args(PLATFORM)
        .arg("--dest")
        .arg(folder)
        .args(WHEELS)
        // what pip says is news, not a result
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .with_context(|| format!("`{}`", pip.join(" ")))?;
    if !status.success() {
        bail!(
            "`{} download` failed ({status}); its own message is above\n  \
             - a network or index in the way: pip reads `PIP_INDEX_URL`, `HTTPS_PROXY`, or\n{WAYS_OUT}",
            pip.join(" ")
        );
    }
    Ok(())
}

/// The wheels in `folder`, in the order of the recipe; each must be there once.
pub(crate) fn wheels_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    WHEELS.iter().map(|wanted| wheel_of(wanted, &files, folder)).collect()
}

fn wheel_of(requirement: &str, files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    // `a-b==1.0` lies in `a_b-1.0-….whl`
    let prefix = requirement.replace('-', "_").replace("==", "-") + "-";
    let is_it = |path: &&PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with(&prefix) && path.extension() == Some(OsStr::new("whl"))
    };
    let found = files.iter().find(is_it).cloned();
    found.with_context(|| format!("no wheel of `{requirement}` in `{}`", folder.display()))
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
            "nvidia_cuda_runtime-13.0.96-py3-none-any.whl",
            "torch-2.13.0-cp312-cp312-manylinux_2_28_x86_64.whl",
            "torch-2.12.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        ];
        for name in names {
            fs_err::write(dir.path().join(name), "").unwrap();
        }
        let found = wheels_in(dir.path()).unwrap();
        let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(found, [names[2], names[1], names[0]]);
    }

    #[test]
    fn a_missing_wheel_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = wheels_in(dir.path()).unwrap_err().to_string();
        assert!(error.contains("torch==2.13.0"), "{error}");
    }
}
