//! The files of labels that follow from the journal, and agreement between annotators.

use std::{collections::BTreeMap, io::Write, path::Path};

use serde::Serialize;

use crate::{
    Result,
    figures::cohen_kappa,
    journal::{Decision, Ledger, WhoWins},
};

/// A row of a file of labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The picture.
    pub file: String,
    /// Its class.
    pub label: String,
    /// Who said so.
    pub annotator: String,
}

/// Writes a file of labels, `file,label,annotator`, as a whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_csv(path: &Path, rows: &[Row]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let written = writer
        .write_record(["file", "label", "annotator"])
        .and_then(|()| rows.iter().try_for_each(|row| writer.serialize(row)));
    written.map_err(std::io::Error::other)?;
    let text = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    write_whole(path, &text)
}

/// Replaces a file by one rename, so that whoever reads it finds the old one or the new one, after a
/// power cut too.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    place(path, bytes, true)
}

/// The same; what can be made again need not survive a power cut.
pub(crate) fn place(path: &Path, bytes: &[u8], lasting: bool) -> Result<()> {
    let absolute = std::path::absolute(path)?;
    let folder = absolute.parent().unwrap_or(&absolute);
    let mut file = tempfile::Builder::new().prefix(".scarce-label-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    if lasting {
        file.as_file().sync_data()?;
    }
    // Temporary files are for their owner's eyes only; this one is to be read by others.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs_err::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(&absolute).map_err(|error| error.error)?;
    if lasting {
        crate::journal::sync_folder(folder);
    }
    Ok(())
}

/// How far two annotators agree where both labelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// One of them.
    pub one: String,
    /// The other.
    pub other: String,
    /// Pictures that both labelled.
    pub both: usize,
    /// Of these, labelled alike.
    pub same: usize,
    /// Cohen's kappa, where it is defined.
    pub kappa: Option<f64>,
}

/// Every pair of annotators that labelled a picture in common.
pub fn agreement(ledger: &Ledger) -> Vec<Agreement> {
    let mut pairs: BTreeMap<(String, String), Vec<(Decision, Decision)>> = BTreeMap::new();
    for image in ledger.images() {
        let mut opinions = ledger.opinions(image);
        opinions.retain(|opinion| matches!(opinion.decision, Decision::Label(_)));
        opinions.sort_by(|a, b| a.by.cmp(&b.by));
        for (at, one) in opinions.iter().enumerate() {
            for other in &opinions[at + 1..] {
                let pair = (one.decision.clone(), other.decision.clone());
                pairs.entry((one.by.clone(), other.by.clone())).or_default().push(pair);
            }
        }
    }
    let agreement = |((one, other), pairs): ((String, String), Vec<(Decision, Decision)>)| {
        let refs: Vec<(&Decision, &Decision)> = pairs.iter().map(|(a, b)| (a, b)).collect();
        let same = refs.iter().filter(|(a, b)| a == b).count();
        Agreement { one, other, both: refs.len(), same, kappa: cohen_kappa(&refs) }
    };
    pairs.into_iter().map(agreement).collect()
}

/// The labels that count, by picture, in the order of the list.
pub fn labelled(ledger: &Ledger, rule: &WhoWins) -> Vec<(u32, String, String)> {
    let label = |image: u32| {
        let opinion = ledger.verdict(image, rule)?;
        match opinion.decision {
            Decision::Label(class) => Some((image, class, opinion.by)),
            Decision::Unsure | Decision::Unusable => None,
        }
    };
    ledger.images().filter_map(label).collect()
}
