//! A libtorch that the user has already, used when asked for.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::recipe::{VERSION, WAYS_OUT};

/// Whether the environment asks for a libtorch of the user's own. If it does, that one
/// must be there and of the right version.
pub(super) fn found(ours: &Path) -> Result<bool> {
    if std::env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        check_version(&of_python()?, "the active Python's PyTorch")?;
        return Ok(true);
    }
    let Some(asked) = std::env::var_os("LIBTORCH").filter(|dir| Path::new(dir) != ours) else {
        return Ok(false);
    };
    let dir = Path::new(&asked);
    check_folder(dir).with_context(|| format!("`LIBTORCH={}`", dir.display()))?;
    Ok(true)
}

fn check_folder(dir: &Path) -> Result<()> {
    if dir.is_relative() {
        bail!("must be an absolute path, since crates are built from different folders");
    }
    if !dir.join("lib").is_dir() || !dir.join("include/torch").is_dir() {
        bail!("is not a libtorch: it needs `lib` and `include/torch`; unset it, or\n{WAYS_OUT}");
    }
    check_version(&of_folder(dir)?, "it")
}

fn of_python() -> Result<String> {
    // the same interpreter that the bindings' build asks
    let in_environment = std::env::var_os("VIRTUAL_ENV").is_some();
    let python = if in_environment { "python" } else { "python3" };
    let output = Command::new(python)
        .args(["-c", "import torch; print(torch.__version__)"])
        .output()
        .with_context(|| format!("`LIBTORCH_USE_PYTORCH` is set, but `{python}` does not run"))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let reason = told.lines().last().unwrap_or_default();
        bail!(
            "`LIBTORCH_USE_PYTORCH` is set, but `{python}` has no PyTorch ({reason})\n  \
             install torch {VERSION} there, or unset it"
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The version that the folder states, in a file for that purpose or in its headers.
fn of_folder(dir: &Path) -> Result<String> {
    if let Ok(version) = fs_err::read_to_string(dir.join("build-version")) {
        return Ok(version.trim().to_owned());
    }
    let inner = dir.join("include/torch/csrc/api/include/torch/version.h");
    let outer = dir.join("include/torch/headeronly/version.h");
    for header in [inner, outer] {
        let text = fs_err::read_to_string(header).unwrap_or_default();
        if let Some(version) = version_in_header(&text) {
            return Ok(version);
        }
    }
    bail!("does not say which version it is (no `build-version`, no version in its headers)")
}

fn version_in_header(text: &str) -> Option<String> {
    let part = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("#define {name} ")))?;
        line.split_whitespace().nth(2)?.parse::<u32>().ok()
    };
    let major = part("TORCH_VERSION_MAJOR")?;
    let minor = part("TORCH_VERSION_MINOR")?;
    let patch = part("TORCH_VERSION_PATCH")?;
    Some(format!("{major}.{minor}.{patch}"))
}

fn check_version(version: &str, whose: &str) -> Result<()> {
    let bare = version.split('+').next().unwrap_or_default();
    if bare != VERSION && std::env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
        bail!(
            "{whose} is version {bare}, and the bindings need {VERSION}\n  \
             `LIBTORCH_BYPASS_VERSION_CHECK=1` tries it all the same"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_a_header() {
        let text = "#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n\
                    #define TORCH_VERSION_PATCH 0\n";
        assert_eq!(version_in_header(text).unwrap(), "2.13.0");
        assert_eq!(version_in_header("#define TORCH_VERSION_MAJOR 2\n"), None);
    }

    #[test]
    fn a_relative_folder_is_refused() {
        let error = check_folder(Path::new("libtorch")).unwrap_err().to_string();
        assert!(error.contains("absolute"), "{error}");
    }

    #[test]
    fn another_version_is_refused_and_named() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(dir.path().join("lib")).unwrap();
        fs_err::create_dir_all(dir.path().join("include/torch")).unwrap();
        fs_err::write(dir.path().join("build-version"), "1.13.1+cpu\n").unwrap();
        let error = check_folder(dir.path()).unwrap_err().to_string();
        assert!(error.contains("1.13.1") && error.contains(VERSION), "{error}");
        fs_err::write(dir.path().join("build-version"), format!("{VERSION}+cu130\n")).unwrap();
        check_folder(dir.path()).unwrap();
    }
}
