//! A model's files: which is the network, how pictures are prepared for it, and what speaks against
//! running it.

use std::path::{Component, Path, PathBuf};

use crate::{
    Error, Params, Result, onnx,
    preprocessing::{self, Recipe, Size},
};

/// Most bytes of a network's file: Protocol Buffers have no larger messages.
const MAX_BYTES: u64 = 2 << 30;
/// Most bytes of the files beside it that hold its tensors.
const MAX_EXTERNAL: u64 = 16 << 30;
/// What the first bytes of a file are that Git has left on its server.
const LFS: &[u8] = b"version https://git-lfs";

/// A network that may be run, and what pictures become for it.
#[derive(Debug)]
pub(crate) struct Model {
    /// The ONNX file.
    pub(crate) file: PathBuf,
    /// Its bytes, those of files beside it included.
    pub(crate) bytes: u64,
    pub(crate) recipe: Recipe,
    /// Whether what it says of an image depends on those beside it in a batch.
    pub(crate) one_by_one: bool,
}

impl Model {
    /// Finds and checks everything; nothing runs.
    pub(crate) fn read(params: &Params) -> Result<Self> {
        let path = &params.model;
        let Ok(found) = fs_err::metadata(path) else { return Err(missing(path)) };
        let (file, folder) =
            if found.is_dir() { (network_in(path)?, Some(path)) } else { (path.clone(), None) };
        let described = match (&params.preprocessor, folder) {
            (Some(path), _) => Some(preprocessing::read(path)?),
            (None, Some(folder)) => preprocessing::read_folder(folder)?,
            (None, None) => None,
        };
        let recipe = Recipe::of(described, &params.preprocessing, path)?;
        let (bytes, one_by_one) = check(&file, folder.map(PathBuf::as_path))?;
        Ok(Self { file, bytes, recipe, one_by_one })
    }
}

/// Finds and checks a model's files and how pictures are prepared for it, as a stage does before it
/// opens ONNX Runtime. Returns the size of what the network sees.
///
/// # Errors
/// What speaks against running it.
pub fn check_model(params: &Params) -> Result<Size> {
    Model::read(params).map(|model| model.recipe.size())
}

fn missing(path: &Path) -> Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let help = format!(
        "name a folder, an ONNX file, or a model of `scarce data list`, perhaps `scarce data fetch {name}`"
    );
    Error::model(path, "there is no such model", help)
}

/// The one network of a folder: `model.onnx`, or the only ONNX file there or in `onnx/`.
fn network_in(folder: &Path) -> Result<PathBuf> {
    for name in ["model.onnx", "onnx/model.onnx"] {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    let mut found = Vec::new();
    for folder in [folder.to_owned(), folder.join("onnx")] {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "onnx") {
                found.push(path);
            }
        }
    }
    found.sort();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => {
            let help = "a model's folder holds one ONNX file, best called `model.onnx`";
            Err(Error::model(folder, "it holds no ONNX file", help))
        }
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|path| path.strip_prefix(folder).unwrap_or(path).display().to_string())
                .collect();
            let message = format!("it holds several networks: {}", names.join(", "));
            let help = "name one of the files by `model` and its description by `preprocessor`";
            Err(Error::model(folder, message, help))
        }
    }
}

/// Refuses what is no model, what needs code from elsewhere, and what reaches outside its folder.
/// Returns the size of all files, and whether images must go through one by one.
fn check(file: &Path, folder: Option<&Path>) -> Result<(u64, bool)> {
    let refuse = |message: String, help: &str| Err(Error::model(file, message, help));
    let length = fs_err::metadata(file)?.len();
    if length > MAX_BYTES {
        return refuse(
            format!("it has {length} bytes, and no ONNX file has more than {MAX_BYTES}"),
            "is it the right file? larger networks keep their tensors in a file beside it",
        );
    }
    let bytes = fs_err::read(file)?;
    if bytes.starts_with(LFS) {
        return refuse(
            "Git has left the file on its server, and only its name and size are here".to_owned(),
            "`git lfs pull` fetches the file itself",
        );
    }
    let copy = "copy or download the file again";
    let needs = match onnx::needs(&bytes) {
        Ok(needs) => needs,
        Err(message) => return refuse(message, copy),
    };
    if let Some(domain) = needs.custom.first() {
        return refuse(
            format!("it uses operators of `{domain}`, which ONNX Runtime does not have"),
            "export the model again with ONNX's own operators; code from elsewhere is not run",
        );
    }
    let mut total = length;
    for name in &needs.external {
        let Some(folder) = folder else {
            let help = "name the folder that holds both, so that a change of either is noticed";
            return refuse(format!("its tensors lie in another file, `{name}`"), help);
        };
        total += external(file, folder, name)?;
    }
    if total - length > MAX_EXTERNAL {
        return refuse(format!("its files have {total} bytes"), "is it the right model?");
    }
    Ok((total, needs.dynamic))
}

/// The size of a file of tensors, which must lie in the model's folder.
fn external(file: &Path, folder: &Path, name: &str) -> Result<u64> {
    let inside = Path::new(name);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let path = file.parent().unwrap_or(folder).join(inside);
    let within = || {
        let (path, folder) = (fs_err::canonicalize(&path)?, fs_err::canonicalize(folder)?);
        Ok::<bool, Error>(path.starts_with(folder))
    };
    if !inside.components().all(plain) || path.exists() && !within()? {
        let message = format!("it asks for the file `{name}`, outside its folder");
        return Err(Error::model(file, message, "a model reads nothing but its own files"));
    }
    match fs_err::metadata(&path) {
        Ok(found) if found.is_file() => Ok(found.len()),
        _ => {
            let message = format!("the file of its tensors, `{name}`, is missing");
            Err(Error::model(file, message, "copy it into the folder of the model"))
        }
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;
    use crate::onnx::tests::model;

    /// A folder with these files.
    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        }
        folder
    }

    fn refusal(file: &Path, folder: Option<&Path>) -> String {
        let error = check(file, folder).unwrap_err();
        format!("{error} {}", error.help().unwrap())
    }

    #[test]
    fn the_network_of_a_folder_is_found_where_people_put_it() {
        for (names, expected) in [
            (&["model.onnx", "model_quantized.onnx"][..], "model.onnx"),
            (&["onnx/model.onnx", "onnx/model_fp16.onnx"], "onnx/model.onnx"),
            (&["vision_model.onnx"], "vision_model.onnx"),
        ] {
            let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b"x"[..])).collect();
            let folder = folder(&files);
            assert_eq!(network_in(folder.path()).unwrap(), folder.path().join(expected));
        }
        let two = folder(&[("a.onnx", b"x"), ("onnx/b.onnx", b"x")]);
        let error = network_in(two.path()).unwrap_err().to_string();
        assert!(error.contains("a.onnx, onnx/b.onnx"), "{error}");
        assert!(network_in(folder(&[("readme", b"x")]).path()).is_err());
    }

    #[test]
    fn tensors_outside_the_folder_are_refused() {
        for outside in ["../weights", "/etc/passwd", "a/../../weights"] {
            let folder = folder(&[("m/model.onnx", &model("", outside)), ("weights", b"w")]);
            let home = folder.path().join("m");
            let message = refusal(&home.join("model.onnx"), Some(&home));
            assert!(message.contains("outside its folder"), "{message}");
        }
        let folder = folder(&[("m/model.onnx", &model("", "link")), ("weights", b"w")]);
        let home = folder.path().join("m");
        fs_err::os::unix::fs::symlink(folder.path().join("weights"), home.join("link")).unwrap();
        assert!(refusal(&home.join("model.onnx"), Some(&home)).contains("outside its folder"));
    }

    #[test]
    fn tensors_in_the_folder_count_and_must_be_there() {
        let bytes = model("", "model.onnx_data");
        let with = folder(&[("model.onnx", &bytes), ("model.onnx_data", &[0; 1000])]);
        let file = with.path().join("model.onnx");
        assert_eq!(check(&file, Some(with.path())).unwrap().0, bytes.len() as u64 + 1000);
        // Alone, a change of the tensors would go unnoticed.
        assert!(refusal(&file, None).contains("name the folder"));
        fs_err::remove_file(with.path().join("model.onnx_data")).unwrap();
        assert!(refusal(&file, Some(with.path())).contains("is missing"));
    }

    #[test]
    fn what_would_need_code_from_elsewhere_or_is_no_model_is_refused() {
        let folder = folder(&[
            ("custom.onnx", &model("org.evil", "")),
            ("text.onnx", b"<html>not found</html>"),
            ("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            ("empty.onnx", b""),
        ]);
        for (name, word) in [
            ("custom.onnx", "org.evil"),
            ("text.onnx", "no ONNX model"),
            ("pointer.onnx", "git lfs pull"),
            ("empty.onnx", "no graph"),
        ] {
            let message = refusal(&folder.path().join(name), None);
            assert!(message.contains(word), "{name}: {message}");
        }
    }

    #[test]
    fn a_model_that_is_not_there_is_to_be_fetched() {
        let help = |name: &str| missing(Path::new(name)).help().unwrap().to_string();
        assert!(help("/x/dinov2-small").contains("scarce data fetch dinov2-small"));
        assert!(help("/x/dino").contains("scarce data list"));
    }
}
