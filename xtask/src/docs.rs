//! Documents whose tables come out of runs: nobody types a figure.
//!
//! A document holds blocks such as
//!
//! ```text
//! <!-- results: mnist-ten-labels -->
//! …replaced by what `scarce report mnist-ten-labels --format markdown` prints…
//! <!-- end of results -->
//! ```

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{build, say};

const BEGIN: &str = "<!-- results: ";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- end of results -->";

/// Runs every pipeline that a document names (what is cached is not run again) and puts its
/// results into the document. `arguments` go to `scarce run`; with `--no-run` alone, the results are
/// those of the last runs.
pub(crate) fn regenerate(root: &Path, document: &str, arguments: &[String]) -> Result<ExitCode> {
    let path = root.join(document);
    let text = fs_err::read_to_string(&path).with_context(|| format!("`{document}`"))?;
    let names = names(&text)?;
    let no_run = arguments == ["--no-run"];
    for name in names.iter().filter(|_| !no_run) {
        say(format_args!("{name}"));
        let mut command: Vec<String> = vec![format!("pipelines/{name}.toml")];
        command.extend_from_slice(arguments);
        let code = build::run_pipeline(root, &command)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let scarce = build::scarce()?;
    fill(root, document, |name| {
        let output = Command::new(&scarce)
            .current_dir(root)
            .args(["report", name, "--format", "markdown"])
            .output()
            .with_context(|| format!("`{}`", scarce.display()))?;
        if !output.status.success() {
            bail!("`scarce report {name}`: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("the report is not UTF-8")
    })?;
    say(format_args!("{document} holds the results of {} pipelines", names.len()));
    Ok(ExitCode::SUCCESS)
}

/// Puts `results` of what each block names into the block.
pub(crate) fn fill(
    root: &Path,
    document: &str,
    results: impl FnMut(&str) -> Result<String>,
) -> Result<()> {
    let path = root.join(document);
    let text = fs_err::read_to_string(&path).with_context(|| format!("`{document}`"))?;
    let text = replaced(&text, results)?;
    fs_err::write(&path, text).with_context(|| format!("`{document}`"))
}

/// The pipelines that a document names, in order, each once.
fn names(text: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    replaced(text, |name| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        Ok(String::new())
    })?;
    Ok(names)
}

/// The document with what stands in each block replaced by the results of the pipeline it names.
fn replaced(text: &str, mut results: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at);
        let Some((marker, inside)) = block.split_once('\n') else {
            bail!("the document ends in `{block}`");
        };
        let Some(name) =
            marker.trim_end().strip_prefix(BEGIN).and_then(|m| m.strip_suffix(BEGIN_END))
        else {
            bail!("`{marker}` should read `{BEGIN}PIPELINE{BEGIN_END}`");
        };
        let Some((_, after)) = inside.split_once(END) else {
            bail!("the block of `{name}` has no `{END}`");
        };
        out.push_str(before);
        out.push_str(marker);
        out.push_str("\n\n");
        out.push_str(results(name)?.trim());
        out.push_str("\n\n");
        out.push_str(END);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\n<!-- results: a -->\nold\n<!-- end of results -->\nprose\n\
                        <!-- results: b -->\n<!-- end of results -->\n";

    #[test]
    fn blocks_are_replaced_and_prose_stays() {
        let new = replaced(TEXT, |name| Ok(format!("| {name} |\n"))).unwrap();
        let expected = "# Title\n\n<!-- results: a -->\n\n| a |\n\n<!-- end of results -->\nprose\n\
                        <!-- results: b -->\n\n| b |\n\n<!-- end of results -->\n";
        assert_eq!(new, expected);
        assert_eq!(replaced(&new, |name| Ok(format!("| {name} |"))).unwrap(), expected);
    }

    #[test]
    fn pipelines_are_named_once() {
        assert_eq!(names(&TEXT.replace("results: b", "results: a")).unwrap(), ["a"]);
        assert_eq!(names(TEXT).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_block_without_an_end_is_refused() {
        let error = names("<!-- results: a -->\nold\n").unwrap_err().to_string();
        assert!(error.contains("`a` has no `<!-- end of results -->`"), "{error}");
        assert!(names("<!-- results: a ->\n<!-- end of results -->").is_err());
    }
}
