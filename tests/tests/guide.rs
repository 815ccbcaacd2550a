//! The guide and the README: what the program says of itself is what stands there, and every block of
//! commands, every pipeline and every script in them runs.
//!
//! A page is one session in a folder of its own. A block that begins with `# NAME` on a line of its own
//! (a pipeline, a script) becomes that file; commands run in order. `<!-- not run: WHY -->` before
//! a block leaves it out, and says so.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use scarce_tests::{Project, binaries, photos, skipped, workspace_root};

fn guide() -> PathBuf {
    workspace_root().join("docs/guide")
}

fn read(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

mod pages {
    use super::*;

    /// What stands in the guide is what the program says.
    #[track_caller]
    fn says(project: &Project, words: &[&str], page: &str, path: &Path) {
        let said = project.scarce(words).ended(0).stdout;
        let is_there = page.contains(said.trim());
        assert!(is_there, "{} is old: run `cargo xtask guide`", path.display());
    }

    #[test]
    fn of_the_kinds_are_what_the_program_says() {
        let project = Project::new();
        let folder = guide().join("kinds");
        let index = folder.join("README.md");
        says(&project, &["stages", "--format", "markdown"], &read(&index), &index);
        let all = project.scarce(&["stages", "--json"]).ended(0).json();
        let kinds = all.as_array().unwrap();
        for kind in kinds {
            let name = kind["kind"].as_str().unwrap();
            let path = folder.join(format!("{name}.md"));
            says(&project, &["stages", name, "--format", "markdown"], &read(&path), &path);
        }
        let pages = fs_err::read_dir(&folder).unwrap().count();
        assert_eq!(pages, kinds.len() + 1, "a page of a kind that is gone: `cargo xtask guide`");
    }

    #[test]
    fn of_the_tables_are_what_the_program_says() {
        let path = guide().join("tables.md");
        says(&Project::new(), &["tables", "--format", "markdown"], &read(&path), &path);
    }

    #[test]
    fn lead_to_pages_that_are_there() {
        let root = workspace_root();
        let mut pages: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
            .iter()
            .map(|name| root.join(name))
            .collect();
        for folder in ["docs", "docs/guide", "docs/guide/kinds"] {
            let entries = fs_err::read_dir(root.join(folder)).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            pages.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
        }
        let mut missing = Vec::new();
        for page in &pages {
            for link in read(page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let target = link.split('#').next().unwrap();
                let is_ours =
                    !target.is_empty() && !target.contains("://") && !target.contains(' ');
                if is_ours && !page.parent().unwrap().join(target).exists() {
                    missing.push(format!("{}: {link}", page.display()));
                }
            }
        }
        assert!(missing.is_empty(), "links that lead nowhere:\n{}", missing.join("\n"));
    }
}

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
    /// Why it does not run.
    not_run: Option<String>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut not_run = None;
    for line in page.lines() {
        match (&mut open, line.trim_end().strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.to_owned();
                open = Some(Block { language, text: String::new(), not_run: not_run.take() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => {
                let why = line.strip_prefix("<!-- not run: ").and_then(|l| l.strip_suffix(" -->"));
                not_run =
                    why.map(str::to_owned).or_else(|| not_run.take().filter(|_| line.is_empty()));
            }
        }
    }
    found
}

/// The file that a block is, by the first of its lines that is a comment and a file name.
fn file_name(text: &str) -> Option<&str> {
    let first = text.lines().find(|line| !line.starts_with("#!"))?;
    let name = first.strip_prefix("# ")?;
    let is_name = name.contains(['.', '-']) && !name.contains([' ', '/']);
    is_name.then_some(name)
}

fn python_with(modules: &str) -> Option<String> {
    let python = std::env::var("SCARCE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    probe.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Runs a page from front to back; how many blocks ran.
fn session(project: &Project, page: &Path) -> usize {
    let mut script = String::new();
    let mut ran = 0;
    for block in blocks(&read(page)) {
        let Block { language, text, not_run } = block;
        if let Some(why) = not_run {
            skipped(&format!("a block of {}: {why}", page.display()));
            continue;
        }
        match (language.as_str(), file_name(&text)) {
            ("toml" | "python", Some(name)) => {
                project.write(name, &text);
            }
            ("sh", _) => script += &text,
            ("text" | "mermaid" | "json" | "sql" | "", _) => continue,
            (other, _) => panic!("{}: a block of {other} without a name:\n{text}", page.display()),
        }
        ran += 1;
    }
    let settings = project.command(&[]);
    let mut command = Command::new("sh");
    for (key, value) in settings.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let own = settings.get_envs().find(|(key, _)| *key == "PATH").and_then(|(_, value)| value);
    let path = own.map_or_else(
        || std::env::var("PATH").unwrap_or_default(),
        |own| own.to_string_lossy().into_owned(),
    );
    let path = format!("{}:{path}", binaries().display());
    let output = command
        .env("PATH", path)
        .current_dir(project.folder())
        .args(["-euxc", &script])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}:\n{}\n{}",
        page.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ran
}

mod sessions {
    use super::*;

    #[test]
    fn the_pipeline_file() {
        let ran = session(&Project::new(), &guide().join("pipeline-file.md"));
        assert!(ran > 5, "{ran}");
    }

    #[test]
    fn the_tutorial() {
        let Some(data) = photos::with_network() else { return };
        let project = photos::clothes(&data);
        project.write("labels.csv", photos::labels());
        let ran = session(&project, &guide().join("tutorial.md"));
        assert!(ran > 5, "{ran}");
    }

    #[test]
    fn kinds_of_your_own() {
        let Some(python) = python_with("pyarrow") else {
            return skipped("the guide's host needs a Python with pyarrow");
        };
        // The host's first line asks for `python3`.
        let mut project = Project::new();
        let wrapper = project.write("bin/python3", format!("#!/bin/sh\nexec {python} \"$@\"\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&wrapper, mode).unwrap();
        let bin = wrapper.parent().unwrap().display().to_string();
        project.set("PATH", &format!("{bin}:{}", std::env::var("PATH").unwrap_or_default()));
        let ran = session(&project, &guide().join("hosts.md"));
        assert_eq!(ran, 3);
    }
}
