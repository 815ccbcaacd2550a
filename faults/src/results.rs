//! What a campaign has counted, as JSON and as tables.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

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

    /// Writes them into a folder, beside those of other campaigns.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs_err::create_dir_all(folder)?;
        let name = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S.json").to_string();
        Ok(fs_err::write(folder.join(name), serde_json::to_vec_pretty(self)?)?)
    }

    /// Reads those of all campaigns, the last one last.
    ///
    /// # Errors
    /// When there are none.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let files =
            fs_err::read_dir(folder).context("nothing was attacked: `cargo xtask faults`")?;
        let mut paths: Vec<_> =
            files.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let read = |path: &PathBuf| {
            serde_json::from_slice(&fs_err::read(path)?)
                .with_context(|| format!("`{}`", path.display()))
        };
        paths.iter().map(read).collect()
    }
}

/// What became of every family in the last campaign that attacked with it, as a document shows it.
pub fn markdown(campaigns: &[Results]) -> String {
    let mut text = String::from(
        "| family | promise | cases | survived | lost | not tried |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut notes = String::new();
    let mut sums = [0; 4];
    let mut used: Vec<(&Results, Vec<&str>)> = Vec::new();
    for name in names(campaigns) {
        let of = |campaign| Some((campaign, Results::family(campaign, name)?));
        let Some((campaign, family)) = campaigns.iter().rev().find_map(of) else { continue };
        let skipped: u64 = family.skipped.values().sum();
        let counts = [family.cases - skipped, family.survived, family.lost.len() as u64, skipped];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let [cases, survived, lost, skipped] = counts;
        let promise = &family.promise;
        let _ =
            writeln!(text, "| {name} | {promise} | {cases} | {survived} | {lost} | {skipped} |");
        campaign.say_what_was_lost(family, &mut notes);
        match used.iter_mut().find(|(known, _)| std::ptr::eq(*known, campaign)) {
            Some((_, names)) => names.push(name),
            None => used.push((campaign, vec![name])),
        }
    }
    let [cases, survived, lost, skipped] = sums;
    let _ = writeln!(text, "| all | | {cases} | {survived} | {lost} | {skipped} |");
    text += &notes;
    for (campaign, names) in used {
        let Results { command, date, seed, minutes, commit, .. } = campaign;
        let _ = write!(
            text,
            "\n`{command}` on {date}, seed {seed}, {minutes:.0} minutes, commit {commit}: {}.\n",
            names.join(", ")
        );
    }
    text
}

/// The families of the campaigns, in their order, each once.
fn names(campaigns: &[Results]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for family in campaigns.iter().flat_map(|campaign| &campaign.families) {
        if !names.contains(&family.name.as_str()) {
            names.push(&family.name);
        }
    }
    let place = |name: &&str| crate::FAMILIES.iter().position(|family| family.name == *name);
    names.sort_by_key(place);
    names
}

impl Results {
    fn family(&self, name: &str) -> Option<&Tally> {
        self.families.iter().find(|family| family.name == name)
    }

    fn say_what_was_lost(&self, family: &Tally, notes: &mut String) {
        for lost in &family.lost {
            let first = lost.message.lines().find(|line| !line.contains("panicked at"));
            let _ = writeln!(
                notes,
                "\nLost: `cargo xtask faults --family {} --seed {} --case {}`: {}",
                family.name,
                self.seed,
                lost.case,
                first.unwrap_or_default()
            );
        }
        for (why, count) in &family.skipped {
            let _ = writeln!(notes, "\n{count} cases of {} were not tried: {why}.", family.name);
        }
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

    fn campaign(seed: u64, families: Vec<Tally>) -> Results {
        Results {
            command: format!("cargo xtask faults --seed {seed}"),
            seed,
            date: "2026-01-01".to_owned(),
            commit: "abc".to_owned(),
            minutes: 1.0,
            families,
        }
    }

    fn tally(name: &str, cases: u64) -> Tally {
        Tally {
            name: name.to_owned(),
            promise: "all is there".to_owned(),
            cases,
            survived: cases,
            lost: Vec::new(),
            skipped: BTreeMap::new(),
        }
    }

    #[test]
    fn a_table_counts_and_says_how_to_see_again_what_was_lost() {
        let mut kills = tally("kills", 12);
        kills.survived = 9;
        let message = "thread panicked at x.rs:1:2:\nhalf is there".to_owned();
        kills.lost.push(Lost { case: 4, message });
        kills.skipped.insert("no compiler".to_owned(), 2);
        let results = campaign(7, vec![kills]);
        assert!(results.is_lost());
        let text = markdown(&[results]);
        for piece in [
            "| kills | all is there | 10 | 9 | 1 | 2 |",
            "Lost: `cargo xtask faults --family kills --seed 7 --case 4`: half is there",
            "2 cases of kills were not tried: no compiler.",
        ] {
            assert!(text.contains(piece), "{text}");
        }
    }

    #[test]
    fn of_several_campaigns_the_last_counts_family_by_family() {
        let folder = std::env::temp_dir().join(format!("faults-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let campaigns = [
            campaign(1, vec![tally("kills", 1), tally("disks", 2)]),
            campaign(2, vec![tally("kills", 3)]),
        ];
        for (name, campaign) in ["a.json", "b.json"].iter().zip(&campaigns) {
            fs_err::write(folder.join(name), serde_json::to_vec(campaign).unwrap()).unwrap();
        }
        let text = markdown(&Results::read_all(&folder).unwrap());
        fs_err::remove_dir_all(&folder).unwrap();
        for piece in [
            "| kills | all is there | 3 | 3 | 0 | 0 |\n| disks | all is there | 2 | 2 | 0 | 0 |",
            "| all | | 5 | 5 | 0 | 0 |",
            "--seed 1` on 2026-01-01, seed 1, 1 minutes, commit abc: disks.",
            "--seed 2` on 2026-01-01, seed 2, 1 minutes, commit abc: kills.",
        ] {
            assert!(text.contains(piece), "{text}");
        }
    }
}
