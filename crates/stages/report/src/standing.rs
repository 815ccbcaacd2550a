//! What a score may be called: whether anything above it learnt from the images that it is over, and
//! what its interval leaves out.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use scarce_stage::{Exposure, Knowledge, SplitName};

use crate::{lineage::Lineage, origin::Origin, reference::Reference, rows::Setting};

/// What is to be said of a score beside its setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The stages that saw the test images, with the parameter that made them; of a setting that is
    /// not known, those that do not say.
    pub seen_by: Option<String>,
    /// The stages that bring what was learnt elsewhere.
    pub elsewhere: Option<String>,
}

impl Reference {
    /// What the images of the test split were to a run.
    pub(crate) fn test(&self, run: &Origin) -> (Setting, Rc<Standing>) {
        let (setting, standing) = match self.lineage.exposure(run, SplitName::Test) {
            Some(exposure) => of_exposure(&exposure, &self.lineage),
            None => (Setting::TestUnsure, Standing { seen_by: None, elsewhere: None }),
        };
        (setting, Rc::new(standing))
    }

    /// What the images of a table that says nothing of splits are called.
    pub(crate) fn unsaid(&self, run: &Origin) -> &'static str {
        let rows = self.lineage.rows(run).map(|rows| rows.iter().copied().collect::<Vec<_>>());
        match rows.as_deref() {
            Some([SplitName::Test]) => "test",
            Some([SplitName::Train]) => "train",
            Some([SplitName::Pool]) => "pool",
            _ => "all",
        }
    }

    /// Whether a run's tables may have rows of test images.
    pub(crate) fn may_hold_test(&self, run: &Origin) -> bool {
        self.lineage.rows(run).is_none_or(|rows| rows.contains(&SplitName::Test))
    }
}

fn of_exposure(exposure: &Exposure, lineage: &Lineage) -> (Setting, Standing) {
    let elsewhere = named(exposure.elsewhere.iter().map(|&at| (at, String::new())), lineage);
    let knows = exposure.seen.iter().map(|(_, knows, _)| *knows).max();
    let setting = match knows {
        Some(Knowledge::Labels) => Setting::TestLabelled,
        Some(Knowledge::Images) => Setting::TestSeen,
        None if !exposure.unknown.is_empty() => Setting::TestUnsure,
        None => Setting::Test,
    };
    let seen_by = match knows {
        Some(most) => {
            let seen = exposure.seen.iter().filter(|(_, knows, _)| *knows == most);
            named(seen.map(|(at, _, because)| (*at, because.clone())), lineage)
        }
        None => named(exposure.unknown.iter().map(|&at| (at, String::new())), lineage),
    };
    (setting, Standing { seen_by, elsewhere })
}

/// The stages with what made them learn, each once, in the order of the graph.
fn named(tasks: impl Iterator<Item = (usize, String)>, lineage: &Lineage) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, because) in tasks {
        let Some(task) = lineage.task(at) else { continue };
        let name = match because.as_str() {
            "" => format!("`{}`", task.stage),
            because => format!("`{}` ({because})", task.stage),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    joined(names)
}

/// Texts of several runs or stages, each once.
pub(crate) fn joined(texts: impl IntoIterator<Item = String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    (!all.is_empty()).then(|| all.join(", "))
}

/// The stages whose seed matters and that ran fewer times than the runs that are averaged: what
/// chance did to them is not in the interval. ``one `encoder` for all 10 runs``.
pub(crate) fn shared<'a>(
    lineage: &Lineage,
    runs: impl Iterator<Item = &'a Rc<Origin>>,
) -> Option<String> {
    let mut stages: BTreeMap<&str, (usize, BTreeSet<usize>)> = BTreeMap::new();
    let mut count = 0;
    for run in runs {
        count += 1;
        for at in lineage.behind(run)? {
            let Some(task) = lineage.task(at) else { continue };
            // What brings the data is the same for all methods of a study.
            let drawn = task.learns.as_ref().map_or_else(
                || task.params.get("seed").is_some_and(serde_json::Value::is_number),
                |learnt| learnt.seed.is_some(),
            );
            if drawn && !task.reads.is_empty() {
                let (first, places) = stages.entry(&task.stage).or_insert((at, BTreeSet::new()));
                *first = (*first).min(at);
                places.insert(at);
            }
        }
    }
    let mut few: Vec<(usize, &str, usize)> = stages
        .into_iter()
        .filter(|(_, (_, places))| places.len() < count)
        .map(|(stage, (first, places))| (first, stage, places.len()))
        .collect();
    few.sort_unstable();
    let name = |(_, stage, times): &(usize, &str, usize)| match times {
        1 => format!("one `{stage}`"),
        times => format!("{times} of `{stage}`"),
    };
    let names: Vec<String> = few.iter().map(name).collect();
    (!names.is_empty()).then(|| format!("{} for all {count} runs", names.join(", ")))
}

/// What a reader must know before believing a figure, a sentence each.
pub(crate) fn cautions(
    setting: &str,
    seen_by: Option<&str>,
    elsewhere: Option<&str>,
    shared: Option<&str>,
) -> Vec<String> {
    let who = seen_by.unwrap_or("what is above");
    let learnt = match Setting::parse(setting) {
        Some(Setting::TestSeen) => Some(format!(
            "{who} learnt from the test images, without their labels: transductive, not held out"
        )),
        Some(Setting::TestLabelled) => {
            Some(format!("{who} learnt from the labels of test images: not a score"))
        }
        Some(Setting::TestUnsure) => Some(format!(
            "whether {who} learnt from the test images is not known: its kind does not say"
        )),
        _ => None,
    };
    let elsewhere = elsewhere.map(|stages| {
        format!("{stages}: made elsewhere; which images that was learnt from is not known here")
    });
    let shared = shared.map(|shared| {
        let luck = if shared.contains(", ") { "their luck" } else { "its luck" };
        format!("{shared}: {luck} is not in the interval")
    });
    [learnt, elsewhere, shared].into_iter().flatten().collect()
}

/// Sentences with the letters that refer to them, in order of appearance.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    sentences: Vec<String>,
}

impl Marks {
    /// The letters of some sentences: `a`, `a, c`; empty for none.
    pub fn of(&mut self, sentences: &[String]) -> String {
        let letters = sentences.iter().map(|sentence| {
            let known = self.sentences.iter().position(|known| known == sentence);
            letter(known.unwrap_or_else(|| {
                self.sentences.push(sentence.clone());
                self.sentences.len() - 1
            }))
        });
        letters.collect::<Vec<_>>().join(", ")
    }

    /// The letters of sentences that were met before.
    pub(crate) fn letters(&self, sentences: &[String]) -> String {
        let place = |sentence| self.sentences.iter().position(|known| known == sentence);
        sentences.iter().filter_map(place).map(letter).collect::<Vec<_>>().join(", ")
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// Letters and sentences.
    pub fn list(&self) -> impl Iterator<Item = (String, &str)> {
        self.sentences.iter().enumerate().map(|(at, sentence)| (letter(at), sentence.as_str()))
    }
}

/// `a` to `z`, then `a1` and so on.
fn letter(at: usize) -> String {
    let first = char::from(b'a' + (at % 26) as u8);
    match at / 26 {
        0 => first.to_string(),
        round => format!("{first}{round}"),
    }
}
