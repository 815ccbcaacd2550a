//! Private Python environments for the peers: made when first needed, in `target/bench/peers/NAME`.
//!
//! What one holds stands in `bench/peers/requirements.txt`: a line `# [NAME]` opens the list of one
//! environment, so that nobody installs a workflow engine to measure k-means. A file `made-of` in the
//! environment, written last, repeats its list; any difference and it is made anew.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::say;

const REQUIREMENTS: &str = include_str!("../peers/requirements.txt");

/// Variable that names the interpreter to make environments with.
const PYTHON: &str = "SCARCE_BENCH_PYTHON";

/// The interpreter of an environment, which is made first if need be.
pub(crate) fn python_of(place: &Path, name: &str) -> Result<PathBuf> {
    let wanted = section(REQUIREMENTS, name)
        .with_context(|| format!("`requirements.txt` has no list `[{name}]`"))?;
    let folder = place.join("peers").join(name);
    let python = folder.join("bin/python");
    let stamp = folder.join("made-of");
    if python.exists() && fs_err::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let packages = wanted.lines().collect::<Vec<_>>().join(", ");
    say(format_args!("installing {packages} into `{}`, once", folder.display()));
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    make(&folder)?;
    install(&python, &folder, &wanted)?;
    fs_err::write(stamp, wanted)?;
    Ok(python)
}

/// The requirements under `# [name]`, one a line, without comments.
fn section(text: &str, name: &str) -> Option<String> {
    let opening = format!("# [{name}]");
    let lines = text.lines().skip_while(|line| line.trim() != opening).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("# ["));
    let lines: Vec<&str> =
        lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn make(folder: &Path) -> Result<()> {
    let named = std::env::var_os(PYTHON);
    let python = named.clone().unwrap_or_else(|| "python3".into());
    let output = Command::new(&python).args(["-m", "venv"]).arg(folder).output();
    let output = output.with_context(|| {
        format!(
            "the peers are Python packages, and `{}` does not run; install Python 3.11 or later, or \
             name an interpreter with `{PYTHON}`",
            python.display()
        )
    })?;
    if !output.status.success() {
        // `venv` complains on standard output
        let told = [output.stdout, output.stderr].concat();
        bail!(
            "`{} -m venv` failed; on Debian and Ubuntu it needs `apt install python3-venv`\n{}",
            python.display(),
            String::from_utf8_lossy(&told).trim()
        );
    }
    Ok(())
}

fn install(python: &Path, folder: &Path, wanted: &str) -> Result<()> {
    let list = folder.join("requirements.txt");
    fs_err::write(&list, wanted)?;
    let status = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--prefer-binary"])
        .args(["--disable-pip-version-check", "--no-input", "-r"])
        .arg(&list)
        .stdin(Stdio::null())
        // what pip says is news, not a result
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("pip")?;
    if !status.success() {
        bail!(
            "pip could not install the peers; its own message is above\n  \
             it needs the network, or what `PIP_INDEX_URL`, `PIP_FIND_LINKS`, `HTTPS_PROXY` say"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_where_the_next_begins() {
        let text = "# About\n\n# [one]\na==1\n# why\nb==2\n\n# [two]\nc==3\n";
        assert_eq!(section(text, "one").unwrap(), "a==1\nb==2");
        assert_eq!(section(text, "two").unwrap(), "c==3");
        assert_eq!(section(text, "About"), None);
        assert_eq!(section(text, "three"), None);
    }

    #[test]
    fn every_requirement_is_pinned() {
        let wanted = REQUIREMENTS.lines().map(str::trim);
        let wanted: Vec<&str> =
            wanted.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(wanted.len() > 5);
        for line in wanted {
            let version = line.split_once("==").map(|(_, version)| version);
            assert!(version.is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit())), "{line}");
        }
    }

    #[test]
    fn what_is_made_of_the_same_list_is_not_made_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("peers/tables");
        fs_err::create_dir_all(folder.join("bin")).unwrap();
        // Only looked for: making a real one needs the network.
        fs_err::write(folder.join("bin/python"), "").unwrap();
        fs_err::write(folder.join("made-of"), section(REQUIREMENTS, "tables").unwrap()).unwrap();
        assert_eq!(python_of(place.path(), "tables").unwrap(), folder.join("bin/python"));
        let missing = python_of(place.path(), "no-such").unwrap_err().to_string();
        assert!(missing.contains("`[no-such]`"), "{missing}");
    }
}
