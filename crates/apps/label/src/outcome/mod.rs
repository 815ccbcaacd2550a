//! The finished collection: every picture with a label, given or predicted, in files that others read.

mod folders;
mod tables;

#[cfg(test)]
mod tests;

use std::path::Path;

use scarce_artifact::Classes;
use scarce_orchestrator::Hosts;
use scarce_pipeline::Document;
use serde::Serialize;

use crate::{
    Error, Result, engine,
    gallery::Gallery,
    journal::{Decision, Journal, WhoWins},
    roles::Roles,
    tables::Beliefs,
};

/// What a collection is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `file,label,confidence,source`.
    Csv,
    /// The same columns.
    Parquet,
    /// A folder for each class, with the pictures.
    Folders,
    /// Pictures and a `metadata.csv`, as Hugging Face's `imagefolder` reads them.
    ImageFolder,
    /// Tasks of Label Studio: given labels as annotations, predicted ones as predictions.
    LabelStudio,
    /// COCO's JSON, one annotation for each picture.
    Coco,
}

/// Whether a person said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A person gave it.
    Given,
    /// The model believes it.
    Predicted,
}

impl Source {
    /// The word that files hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Predicted => "predicted",
        }
    }
}

/// A picture with its label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name below the folder.
    pub file: String,
    /// Its class.
    pub label: String,
    /// 1 where it was given, else the model's probability.
    pub confidence: f32,
    /// Who says so.
    pub source: Source,
}

/// A finished collection.
#[derive(Debug)]
pub struct Outcome {
    gallery: Gallery,
    places: Vec<u32>,
    rows: Vec<Row>,
    /// Pictures that a person called unusable, which are left out.
    pub unusable: usize,
    /// Pictures with neither a label nor a prediction.
    pub unknown: usize,
}

impl Outcome {
    /// Puts together what the journal says and what the last run of the pipeline predicts.
    ///
    /// # Errors
    /// When the pipeline is wrong or did not run, or a table or the journal cannot be read.
    pub fn gather(
        pipeline: &Path,
        hosts: &Hosts,
        (root, data): (&Path, &[std::path::PathBuf]),
        journal: &Path,
        rule: &WhoWins,
    ) -> Result<Self> {
        let document = Document::read(pipeline)?.with_data(data);
        let catalogue = hosts.catalogue();
        let pipeline = engine::resolve(&document, &catalogue)?;
        let roles = Roles::of(&pipeline, &catalogue)?;
        let gallery = engine::gallery_of(root, &pipeline, &roles)?;
        let predictions = Roles::table(root, &pipeline, &roles.answers, "predictions");
        let beliefs = predictions.map(|path| Beliefs::read(&path, &gallery)).transpose()?;
        let ledger = if journal.exists() {
            let (_, entries) = Journal::open(journal)?;
            engine::ledger_of(entries, &gallery).0
        } else {
            crate::journal::Ledger::default()
        };
        if beliefs.is_none() && ledger.images().next().is_none() {
            return Err(Error::request("there is neither a label nor a prediction yet"));
        }
        let (mut places, mut rows, mut unusable, mut unknown) = (Vec::new(), Vec::new(), 0, 0);
        for place in 0..gallery.len() as u32 {
            let file = gallery.name(place).unwrap_or_default().to_owned();
            let verdict = ledger.verdict(place, rule).map(|opinion| opinion.decision);
            let row = match verdict {
                Some(Decision::Unusable) => {
                    unusable += 1;
                    continue;
                }
                Some(Decision::Label(label)) => {
                    Row { file, label, confidence: 1.0, source: Source::Given }
                }
                _ => {
                    let guess = beliefs.as_ref().and_then(|beliefs| beliefs.guess(place));
                    let Some(guess) = guess else {
                        unknown += 1;
                        continue;
                    };
                    Row {
                        file,
                        label: guess.class,
                        confidence: guess.probability,
                        source: Source::Predicted,
                    }
                }
            };
            places.push(place);
            rows.push(row);
        }
        Ok(Self { gallery, places, rows, unusable, unknown })
    }

    /// The pictures with their labels.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Writes it. Files and folders appear whole; nothing is overwritten. `link` makes hard links of
    /// pictures instead of copies.
    ///
    /// # Errors
    /// When something of that name is there, or it cannot be written.
    pub fn write(&self, form: Form, to: &Path, link: bool) -> Result<()> {
        if to.symlink_metadata().is_ok() {
            return Err(Error::request(format!("`{}` exists already", to.display())));
        }
        match form {
            Form::Csv => crate::labels::write_whole(to, &tables::csv(&self.rows)?),
            Form::Parquet => crate::labels::write_whole(to, &tables::parquet(&self.rows)?),
            Form::LabelStudio => crate::labels::write_whole(to, &tables::label_studio(&self.rows)?),
            Form::Coco => {
                let classes = classes(&self.rows);
                crate::labels::write_whole(to, &tables::coco(&self.rows, &classes)?)
            }
            Form::Folders | Form::ImageFolder => self.write_folders(form, to, link),
        }
    }
}

/// The classes that occur, in the order that they have everywhere.
fn classes(rows: &[Row]) -> Vec<String> {
    Classes::in_order(rows.iter().map(|row| row.label.clone()))
}
