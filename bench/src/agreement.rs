//! Whether the answers are the same: the scripts of `bench/agreement/`, which send several hundred cases
//! through the built `scarce` and through scikit-learn, in the private environment `agreement`.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{args::AgreeOptions, environment, scarce};

/// Compares, prints what agrees by kind, and writes what was asked for. Whether nothing differs.
pub(crate) fn compare(options: &AgreeOptions) -> Result<bool> {
    let this = std::env::current_exe().context("the path of this program")?;
    let target = this.ancestors().nth(2).context("this program lies in no target folder")?;
    let python = environment::python_of(&target.join("bench"), "agreement")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("agreement/agree.py");
    let mut command = Command::new(&python);
    command.arg("-u").arg(script).arg("--scarce").arg(scarce::beside_this()?);
    for (name, value) in [("--document", &options.document), ("--fixture", &options.fixture)] {
        if let Some(path) = value {
            command.arg(name).arg(path);
        }
    }
    if options.verbose {
        command.arg("--verbose");
    }
    // Cargo's configuration sets it for our own sake.
    command.env_remove("OMP_WAIT_POLICY").env("PYTHONDONTWRITEBYTECODE", "1");
    let status = command.status().with_context(|| format!("`{}`", python.display()))?;
    Ok(status.success())
}
