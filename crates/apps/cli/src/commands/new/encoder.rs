//! Which network turns the pictures into vectors.

use std::path::{Path, PathBuf};

use crate::error::CliError;

/// The choice.
pub(super) enum Encoder {
    /// A pretrained network: a name that is found in the data folders, or a path.
    Pretrained(String),
    /// One that is trained on the pictures alone.
    Own,
}

/// What was asked for, or the first pretrained network that is there.
pub(super) fn choose(
    asked: Option<&str>,
    folder: &Path,
    data: &[PathBuf],
) -> Result<Encoder, CliError> {
    match asked {
        Some("none") => Ok(Encoder::Own),
        Some(name) if scarce_models::find(name, data).is_some() => {
            Ok(Encoder::Pretrained(name.to_owned()))
        }
        Some(path) if Path::new(path).exists() => {
            Ok(Encoder::Pretrained(super::from(folder, Path::new(path))?))
        }
        Some(name) if scarce_models::named(name).is_some() => Err(CliError::NoEncoder {
            name: name.to_owned(),
            help: format!("`scarce data fetch {name}` downloads it into a data folder"),
        }),
        Some(name) => {
            let known: Vec<&str> = scarce_models::known().iter().map(|model| model.name).collect();
            let otherwise =
                "give a name of `scarce data list`, a folder with an ONNX file, or `none`";
            Err(CliError::unknown("pretrained network", name, &known, otherwise))
        }
        None => Ok(scarce_models::find_any(data)
            .and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()))
            .map_or(Encoder::Own, Encoder::Pretrained)),
    }
}

/// What going without costs, where that was not asked for.
pub(super) const WITHOUT: &str = "\
no pretrained network was found, so that one is trained on these pictures alone. On photographs that costs
most of the accuracy. To have one:
  scarce data fetch onnxruntime
  scarce data fetch dinov2-small";
