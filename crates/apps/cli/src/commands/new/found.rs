//! What a folder of pictures and a file of labels hold, as far as a pipeline for them depends on it.

use std::{collections::BTreeMap, path::Path};

use scarce_artifact::Split;
use scarce_pictures::{
    Options,
    folder::{self, PictureFile, Validation},
};
use serde_json::{Value, json};

use crate::error::CliError;

/// Pictures that are opened to see what they are like.
const SAMPLE: usize = 48;
/// A picture whose channels differ by this much anywhere has colour: compression tints grey a little.
const COLOUR: u8 = 24;

/// What was found.
pub(super) struct Found {
    pub(super) pictures: usize,
    /// Pictures in a folder `test`.
    pub(super) test: usize,
    /// Pictures of each class folder, in the order of their names; empty where there are none.
    pub(super) classes: Vec<(String, usize)>,
    /// Sizes of the pictures that were opened, by pixels, ascending: height, width.
    sizes: Vec<(u32, u32)>,
    pub(super) colour: bool,
    /// Pictures that cannot be read, of those that were opened, with the reason.
    pub(super) unreadable: Vec<(String, String)>,
    /// Labels of each class, the most frequent first; none without a file.
    pub(super) labels: Option<Vec<(String, usize)>>,
}

impl Found {
    pub(super) fn look(images: &Path, labels: Option<&Path>) -> Result<Self, CliError> {
        let listing = folder::list(images, Validation::default())?;
        if listing.files.is_empty() {
            return Err(CliError::NotThat {
                path: images.to_owned(),
                expected: "a folder of pictures",
            });
        }
        let names = listing.classes.unwrap_or_default();
        let mut counts = vec![0; names.len()];
        for label in listing.files.iter().filter_map(|file| file.label) {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        let labels = labels.map(scarce_ingest::label_counts).transpose()?;
        let mut found = Self {
            pictures: listing.files.len(),
            test: listing.files.iter().filter(|file| file.split == Split::Test).count(),
            classes: names.into_iter().zip(counts).collect(),
            sizes: Vec::new(),
            colour: false,
            unreadable: Vec::new(),
            labels,
        };
        found.open_some(&listing.files);
        Ok(found)
    }

    /// Opens pictures spread over the whole folder.
    fn open_some(&mut self, files: &[PictureFile]) {
        let step = files.len().div_ceil(SAMPLE);
        for file in files.iter().step_by(step.max(1)) {
            match open(file) {
                Ok((size, colour)) => {
                    self.sizes.push(size);
                    self.colour |= colour;
                }
                Err(reason) => self.unreadable.push((file.name.clone(), reason)),
            }
        }
        self.sizes.sort_by_key(|&(height, width)| u64::from(height) * u64::from(width));
    }

    /// The size in the middle of those that were seen: height, width.
    pub(super) fn usual_size(&self) -> Option<(u32, u32)> {
        self.sizes.get(self.sizes.len() / 2).copied()
    }

    /// One line for people about the pictures.
    pub(super) fn pictures_line(&self) -> String {
        let colour = if self.colour { "in colour" } else { "grey" };
        let size = match (self.sizes.first(), self.usual_size(), self.sizes.last()) {
            (Some(first), Some(_), Some(last)) if first == last => {
                format!(", {} × {} pixels", first.0, first.1)
            }
            (Some(first), Some(usual), Some(last)) => format!(
                ", mostly about {} × {} pixels (from {} × {} to {} × {})",
                usual.0, usual.1, first.0, first.1, last.0, last.1
            ),
            _ => String::new(),
        };
        let test = match self.test {
            0 => String::new(),
            test => format!("; {test} of them in a folder for testing"),
        };
        format!("{} pictures {colour}{size}{test}", self.pictures)
    }

    /// One line about the labels; a second where a class has too few.
    pub(super) fn labels_line(&self) -> Option<String> {
        let labels = self.labels.as_ref()?;
        let total: usize = labels.iter().map(|(_, count)| count).sum();
        let (most, least) = (labels.first()?, labels.last()?);
        let mut line = format!(
            "{total} labels of {} classes, from {} of `{}` to {} of `{}`",
            labels.len(),
            most.1,
            most.0,
            least.1,
            least.0
        );
        let single = labels.iter().filter(|(_, count)| *count == 1).count();
        if single > 0 {
            line.push_str(&format!(
                "; {single} with a single label, of which no accuracy can be estimated"
            ));
        }
        Some(line)
    }

    pub(super) fn as_json(&self) -> Value {
        let counts = |counts: &[(String, usize)]| -> BTreeMap<String, usize> {
            counts.iter().cloned().collect()
        };
        json!({
            "pictures": self.pictures,
            "test": self.test,
            "colour": self.colour,
            "usual_size": self.usual_size().map(|(height, width)| [height, width]),
            "class_folders": counts(&self.classes),
            "labels": self.labels.as_deref().map(counts),
            "unreadable_of_sample": self.unreadable,
        })
    }
}

/// Size and whether there is colour.
fn open(file: &PictureFile) -> Result<((u32, u32), bool), String> {
    if let Some(problem) = &file.problem {
        return Err(problem.clone());
    }
    let bytes = fs_err::read(&file.path).map_err(|error| error.kind().to_string())?;
    let picture =
        scarce_pictures::decode(&bytes, &Options::default()).map_err(|error| error.to_string())?;
    let size = (picture.height(), picture.width());
    let differs = |pixel: &[u8]| {
        let (least, most) = (pixel.iter().min(), pixel.iter().max());
        least.zip(most).is_some_and(|(least, most)| most - least > COLOUR)
    };
    let colour = picture.channels() == 3
        && picture.bytes().is_none_or(|bytes| bytes.chunks_exact(3).any(differs));
    Ok((size, colour))
}
