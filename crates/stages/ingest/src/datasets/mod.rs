//! The known data sets: what they are, where their files lie, and how to get them.
//!
//! [`survey`] says which files are there and whole, [`fetch`] downloads what is missing, [`provide`]
//! does both for a stage. A file is known by the MD5 of its unpacked bytes, wherever it comes from.
//!
//! ```
//! use scarce_ingest::datasets::{Dataset, State, survey};
//!
//! let empty = tempfile::tempdir()?;
//! let mnist = survey(&[empty.path().to_owned()]).into_iter().find(|s| s.known.dataset == Dataset::Mnist);
//! assert!(mnist.unwrap().files.iter().all(|file| file.state == State::Missing));
//! # Ok::<(), std::io::Error>(())
//! ```

mod download;
mod find;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
};

pub use scarce_download::{MIRROR, Progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::download::Downloader;
pub use self::find::{FoundFile, State, Survey, survey, verify};
use crate::{Error, Result};

/// A data set that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dataset {
    /// 1,797 handwritten digits of 8 × 8 pixels, built in.
    Digits,
    /// 70,000 handwritten digits of 28 × 28 pixels.
    Mnist,
    /// 70,000 pieces of clothing of 28 × 28 pixels.
    FashionMnist,
}

impl Dataset {
    /// The name that the TOML uses; also the name of its folder in a data folder.
    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// What is known of it.
    pub fn known(self) -> &'static Known {
        match self {
            Self::Digits => &KNOWN[0],
            Self::Mnist => &KNOWN[1],
            Self::FashionMnist => &KNOWN[2],
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of a data set.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// Which one.
    pub dataset: Dataset,
    /// Its name in the TOML.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Under which terms it may be used.
    pub licence: &'static str,
    /// Training images, training labels, test images, test labels; none for what is built in.
    pub files: &'static [KnownFile],
    /// Folders on the network that hold the files, packed.
    pub addresses: &'static [&'static str],
    /// Folders that a package of the operating system puts it in.
    pub system: &'static [&'static str],
    /// Class names in label order.
    pub classes: &'static [&'static str],
}

impl Known {
    pub(crate) fn class_names(&self) -> Vec<String> {
        self.classes.iter().map(|&name| name.to_owned()).collect()
    }
}

/// A file of a data set.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name without `.gz`.
    pub name: &'static str,
    /// MD5 of its unpacked bytes.
    pub md5: &'static str,
    /// Number of its unpacked bytes.
    pub bytes: u64,
}

const fn files(md5: [&'static str; 4]) -> [KnownFile; 4] {
    let [a, b, c, d] = md5;
    [
        KnownFile { name: "train-images-idx3-ubyte", md5: a, bytes: 47_040_016 },
        KnownFile { name: "train-labels-idx1-ubyte", md5: b, bytes: 60_008 },
        KnownFile { name: "t10k-images-idx3-ubyte", md5: c, bytes: 7_840_016 },
        KnownFile { name: "t10k-labels-idx1-ubyte", md5: d, bytes: 10_008 },
    ]
}

static MNIST: [KnownFile; 4] = files([
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
]);

static FASHION_MNIST: [KnownFile; 4] = files([
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
]);

const DIGIT_NAMES: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

static KNOWN: [Known; 3] = [
    Known {
        dataset: Dataset::Digits,
        name: "digits",
        title: "1,797 handwritten digits, 8 × 8, values 0 to 16",
        licence: "CC BY 4.0 (UCI, Alpaydin and Kaynak 1998; as scikit-learn ships it)",
        files: &[],
        addresses: &[],
        system: &[],
        classes: DIGIT_NAMES,
    },
    Known {
        dataset: Dataset::Mnist,
        name: "mnist",
        title: "70,000 handwritten digits, 28 × 28, 10,000 of them for testing",
        licence: "CC BY-SA 3.0 (LeCun, Cortes and Burges)",
        files: &MNIST,
        addresses: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ],
        system: &[],
        classes: DIGIT_NAMES,
    },
    Known {
        dataset: Dataset::FashionMnist,
        name: "fashion-mnist",
        title: "70,000 pieces of clothing, 28 × 28, 10,000 of them for testing",
        licence: "MIT (Zalando SE 2017)",
        files: &FASHION_MNIST,
        addresses: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"],
        system: &["/usr/share/datasets/fashion-mnist"],
        classes: &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
    },
];

/// All known data sets.
pub fn known() -> &'static [Known] {
    &KNOWN
}

/// Downloads what is missing of a data set into `dir/<name>` and returns the paths of its files. A
/// download that was interrupted goes on where it stopped; a file gets its name only when its
/// checksum is right. Another process that fetches the same is waited for.
///
/// # Errors
/// [`Error::Checksum`] for a file that is there but wrong, [`Error::Download`] when no address
/// serves, with what to do by hand.
pub fn fetch(
    dataset: Dataset,
    dir: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>> {
    Downloader::from_environment(dataset).fetch(dir, progress)
}

/// The four files of a data set for a stage: from the folder that the user names and nowhere else,
/// or from the data folders or the system, or downloaded into the first data folder. Every file is
/// checked.
pub(crate) fn provide(
    dataset: Dataset,
    user: Option<&Path>,
    dirs: &[PathBuf],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<[PathBuf; 4]> {
    provide_with(&Downloader::from_environment(dataset), user, dirs, progress)
}

fn provide_with(
    downloader: &Downloader,
    user: Option<&Path>,
    dirs: &[PathBuf],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<[PathBuf; 4]> {
    let known = downloader.dataset().known();
    let found = match user {
        Some(folder) => find::in_folder(known, folder)?,
        None => find::in_places(known, dirs)?,
    };
    let missing: Vec<&str> = known
        .files
        .iter()
        .zip(&found)
        .filter(|(_, path)| path.is_none())
        .map(|(f, _)| f.name)
        .collect();
    if !missing.is_empty() {
        if let Some(folder) = user {
            return Err(Error::Empty {
                path: folder.to_owned(),
                what: "complete copy of the data set",
                help: format!("missing are `{}`, each with or without `.gz`", missing.join("`, `")),
            });
        }
        let dir = dirs.first().ok_or_else(|| {
            Error::request(
                format!("the data set {} is not there, and no data folder is set", known.name),
                "set `path` to the folder that holds its files",
            )
        })?;
        tracing::info!("downloading {} into `{}`", missing.join(", "), dir.display());
        downloader.fetch(dir, progress)?;
        return provide_found(known, find::in_places(known, dirs)?);
    }
    provide_found(known, found)
}

fn provide_found(known: &Known, found: Vec<Option<PathBuf>>) -> Result<[PathBuf; 4]> {
    let found: Vec<PathBuf> = found.into_iter().flatten().collect();
    <[PathBuf; 4]>::try_from(found).map_err(|_| {
        let message = format!("files of the data set {} vanished while they were read", known.name);
        Error::request(message, "run again")
    })
}
