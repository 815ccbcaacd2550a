//! What a campaign has counted, as JSON and as tables.

use std::{collections::BTreeMap, fmt::Write, path::Path, process::Command};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::Family;

/// A campaign.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// The words of the command line.
    pub command: String,
    /// The seed.
    pub seed: u64,
    /// The day.
    pub date: String,
    /// The commit that was attacked, and whether there was more than is in it.
    pub commit: String,
    /// How long it took.
    pub minutes: f64,
    /// What came of each family.
    pub families: Vec<Tally>,
}

/// What came of the cases of a family.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tally {
    /// The family.
    pub name: String,
    /// What it promises.
    pub promise: String,
    /// Cases tried.
    pub cases: u64,
    /// Cases in which the promise was kept.
    pub survived: u64,
    /// Cases in which it was not.
    pub lost: Vec<Lost>,
    /// Why cases could not be tried here, and how many.
    pub skipped: BTreeMap<String, u64>,
}

/// A case in which a promise was broken.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lost {
    /// Its number.
    pub case: u64,
    /// What the assertion said.
    pub message: String,
}

impl Tally {
    pub(crate) fn new(family: &Family) -> Self {
        Self {
            name: family.name.to_owned(),
            promise: family.promise.to_owned(),
            cases: 0,
            survived: 0,
            lost: Vec::new(),
            skipped: BTreeMap::new(),
        }
    }
}

impl Results {
    /// Whether anything was lost.
    pub fn is_lost(&self) -> bool {
        self.families.iter().any(|family| !family.lost.is_empty())
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        Ok(fs_err::write(path, serde_json::to_vec_pretty(self)?)?)
    }

    /// Reads them.
    ///
    /// # Errors
    /// When there are none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read(path).context("no campaign has been run: `cargo xtask faults`")?;
        serde_json::from_slice(&text).with_context(|| format!("`{}`", path.display()))
    }

    /// As a document shows them.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| family | promise | cases | survived | lost | not tried |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        let mut sums = [0; 4];
        for family in &self.families {
            let skipped: u64 = family.skipped.values().sum();
            let counts =
                [family.cases - skipped, family.survived, family.lost.len() as u64, skipped];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            let [cases, survived, lost, skipped] = counts;
            let _ = writeln!(
                text,
                "| {} | {} | {cases} | {survived} | {lost} | {skipped} |",
                family.name, family.promise
            );
        }
        let [cases, survived, lost, skipped] = sums;
        let _ = writeln!(text, "| all | | {cases} | {survived} | {lost} | {skipped} |");
        for family in &self.families {
            for lost in &family.lost {
                let first = lost.message.lines().find(|line| !line.starts_with("panicked at"));
                let _ = writeln!(
                    text,
                    "\nLost: `cargo xtask faults --family {} --seed {} --case {}`: {}",
                    family.name,
                    self.seed,
                    lost.case,
                    first.unwrap_or_default()
                );
            }
            for (why, count) in &family.skipped {
                let _ = writeln!(text, "\n{count} cases of {} were not tried: {why}.", family.name);
            }
        }
        let _ = write!(
            text,
            "\n`{}` on {}, seed {}, {:.0} minutes, commit {}.",
            self.command, self.date, self.seed, self.minutes, self.commit
        );
        text
    }
}

/// The commit of the checkout, and whether there is more than is in it.
pub fn commit(root: &Path) -> String {
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).current_dir(root).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    match (git(&["rev-parse", "--short=12", "HEAD"]), git(&["status", "--porcelain", "-uno"])) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit} with changes"),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_and_says_how_to_see_again_what_was_lost() {
        let tally = Tally {
            name: "kills".to_owned(),
            promise: "all is there".to_owned(),
            cases: 12,
            survived: 9,
            lost: vec![Lost {
                case: 4,
                message: "panicked at x.rs:1:2:\nhalf is there".to_owned(),
            }],
            skipped: [("no compiler".to_owned(), 2)].into(),
        };
        let results = Results {
            command: "cargo xtask faults".to_owned(),
            seed: 7,
            date: "2026-01-01".to_owned(),
            commit: "abc".to_owned(),
            minutes: 1.0,
            families: vec![tally],
        };
        assert!(results.is_lost());
        let text = results.markdown();
        for piece in [
            "| kills | all is there | 10 | 9 | 1 | 2 |",
            "Lost: `cargo xtask faults --family kills --seed 7 --case 4`: half is there",
            "2 cases of kills were not tried: no compiler.",
        ] {
            assert!(text.contains(piece), "{text}");
        }
    }
}
