//! A few photographs, and the pretrained network that sees them.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests fail so")]

use std::path::{Path, PathBuf};

use crate::{Project, skipped, workspace_root};

/// The network that `../shared/models` has.
pub const MODEL: &str = "efficientnet-lite0";

/// The folder above `models/`, if there are models and a runtime.
pub fn with_network() -> Option<PathBuf> {
    let root = workspace_root();
    let runtime = std::env::var_os("ORT_DYLIB_PATH").is_some()
        || root.join(".onnxruntime/lib/libonnxruntime.so").is_file();
    let shared = std::env::var_os("SCARCE_TEST_MODELS")
        .map_or_else(|| root.join("../shared"), |models| PathBuf::from(models).join(".."));
    if !runtime {
        skipped("`cargo xtask setup` puts ONNX Runtime in place");
        return None;
    }
    if !shared.join("models").join(MODEL).is_dir() {
        skipped(&format!("set SCARCE_TEST_MODELS to a folder with `{MODEL}`"));
        return None;
    }
    Some(shared)
}

/// Twenty photographs of clothes, two of each of ten classes.
pub fn photographs() -> Vec<PathBuf> {
    let folder = workspace_root().join("crates/stages/pretrained/fixtures/clothes");
    let mut files: Vec<PathBuf> =
        fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The file name.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// A folder with the photographs, where models are found by name.
pub fn clothes(data: &Path) -> Project {
    let mut project = Project::new();
    for path in photographs() {
        project.write(&format!("photos/{}", name(&path)), fs_err::read(&path).unwrap());
    }
    project.set("SCARCE_DATA", &data.to_string_lossy());
    if let Some(own) = std::env::var_os("ORT_DYLIB_PATH") {
        project.set("ORT_DYLIB_PATH", &own.to_string_lossy());
    }
    project
}

/// The classes of five kinds of clothes, both photographs of each.
pub fn labels() -> String {
    let rows = photographs().into_iter().map(|path| name(&path)).take(10).map(|name| {
        let class = name.rsplit_once('-').unwrap().0.to_owned();
        format!("{name},{class}\n")
    });
    format!("file,label\n{}", rows.collect::<String>())
}
