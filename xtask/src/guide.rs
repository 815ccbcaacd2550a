//! The parts of the guide that the program writes of itself: a page for every kind of stage, and the
//! columns of the tables.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{build, say};

const WRITTEN: &str = "<!-- written by `cargo xtask guide` -->\n\n";
const BEGIN: &str = "<!-- columns: written by `cargo xtask guide` -->\n";
const END: &str = "<!-- end of columns -->";

/// Writes them anew.
pub(crate) fn write(root: &Path) -> Result<ExitCode> {
    let scarce = build::scarce()?;
    let ask = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(&scarce);
        let output = command.current_dir(root).args(arguments).output();
        let output = output.with_context(|| format!("`{}`", scarce.display()))?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("the answer is not UTF-8")
    };

    let folder = root.join("docs/guide/kinds");
    if folder.is_dir() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    let index = ask(&["stages", "--format", "markdown"])?;
    let title = "# The kinds of stages\n\n";
    fs_err::write(folder.join("README.md"), format!("{WRITTEN}{title}{}\n", index.trim()))?;
    let kinds: Vec<&str> = index.lines().filter_map(kind_of).collect();
    for kind in &kinds {
        let page = ask(&["stages", kind, "--format", "markdown"])?;
        fs_err::write(folder.join(format!("{kind}.md")), format!("{WRITTEN}{}\n", page.trim()))?;
    }

    let path = root.join("docs/guide/tables.md");
    let text = fs_err::read_to_string(&path)?;
    let columns = ask(&["tables", "--format", "markdown"])?;
    let parts = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(_, after)| (before, after)));
    let Some((before, after)) = parts else {
        bail!("`{}` has no `{}` … `{END}`", path.display(), BEGIN.trim());
    };
    fs_err::write(&path, format!("{before}{BEGIN}\n{}\n\n{END}{after}", columns.trim()))?;
    say(format_args!("docs/guide documents {} kinds and every table", kinds.len()));
    Ok(ExitCode::SUCCESS)
}

/// The kind that a row of the index is about.
fn kind_of(row: &str) -> Option<&str> {
    row.strip_prefix("| [`")?.split_once('`').map(|(kind, _)| kind)
}
