//! What the lines amount to.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{Act, Entry, Guess, ImageRef, Mode, What};

/// What somebody says of a picture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "is", content = "class", rename_all = "kebab-case")]
pub enum Decision {
    /// It is of this class.
    Label(String),
    /// Cannot tell.
    Unsure,
    /// Of no use.
    Unusable,
}

/// Whose word counts where several people decided about one picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WhoWins {
    /// Whoever decided last.
    #[default]
    Last,
    /// Whoever decided first.
    First,
    /// Most of them; of as many, the last.
    Majority,
    /// This annotator, and where they did not decide, the last.
    Annotator(String),
}

impl WhoWins {
    /// From what a person types: `last`, `first`, `majority`, or a name.
    pub fn parse(text: &str) -> Self {
        match text {
            "last" => Self::Last,
            "first" => Self::First,
            "majority" => Self::Majority,
            name => Self::Annotator(name.to_owned()),
        }
    }
}

/// One annotator's decision that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The annotator.
    pub by: String,
    /// What they say.
    pub decision: Decision,
    /// When.
    pub time: Timestamp,
    /// The act that it was part of.
    pub act: Act,
    /// Where on the page.
    pub mode: Mode,
    /// What the page proposed.
    pub shown: Shown,
}

/// Whether the person saw a guess.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// None was shown.
    Nothing,
    /// This one.
    Guess(Guess),
}

/// Everything that was decided and not undone.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    undone: HashSet<Act>,
    /// Entries of each picture, by its place in the caller's list, in the order of the journal.
    by_image: BTreeMap<u32, Vec<usize>>,
    /// Entries by the name that their picture had.
    by_name: HashMap<String, Vec<usize>>,
    /// Acts of each annotator that could be undone, in order.
    acts: HashMap<String, Vec<Act>>,
    /// The pictures of each act.
    pictures: HashMap<Act, Vec<u32>>,
    /// Classes in the order in which they appeared, with the key that was chosen.
    classes: Vec<(String, Option<char>)>,
    /// Pictures that are named, but are not there.
    lost: usize,
}

impl Ledger {
    /// Takes a line in. `locate` says which picture is meant; `None` for one that is not there.
    pub fn add(&mut self, entry: Entry, locate: impl Fn(&ImageRef) -> Option<u32>) {
        let at = self.entries.len();
        match &entry.what {
            What::Undo { of } => {
                self.undone.insert(of.clone());
                if let Some(acts) = self.acts.get_mut(&entry.by) {
                    acts.retain(|act| act != of);
                }
            }
            What::Class { class, key } => match self.classes.iter_mut().find(|(c, _)| c == class) {
                Some((_, old)) => *old = key.or(*old),
                None => self.classes.push((class.clone(), *key)),
            },
            What::Label { image, .. }
            | What::Unsure { image, .. }
            | What::Unusable { image, .. } => {
                if let What::Label { class, .. } = &entry.what
                    && !self.classes.iter().any(|(known, _)| known == class)
                {
                    self.classes.push((class.clone(), None));
                }
                self.by_name.entry(image.file.clone()).or_default().push(at);
                match locate(image) {
                    Some(place) => {
                        self.by_image.entry(place).or_default().push(at);
                        self.pictures.entry(entry.act.clone()).or_default().push(place);
                    }
                    None => self.lost += 1,
                }
                // What a file brought is not undone by a key.
                let imported = matches!(&entry.what, What::Label { mode: Mode::Import, .. });
                let acts = self.acts.entry(entry.by.clone()).or_default();
                if !imported && acts.last() != Some(&entry.act) && !self.undone.contains(&entry.act)
                {
                    acts.push(entry.act.clone());
                }
            }
        }
        self.entries.push(entry);
    }

    /// Lines about pictures that are not there.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Classes in the order in which they appeared, with the key that was chosen for them.
    pub fn classes(&self) -> &[(String, Option<char>)] {
        &self.classes
    }

    /// The last act of an annotator that can be undone, with its pictures.
    pub fn last_act(&self, by: &str) -> Option<(&Act, &[u32])> {
        let act = self.acts.get(by)?.last()?;
        Some((act, self.pictures.get(act).map_or(&[], Vec::as_slice)))
    }

    /// The pictures that anybody decided about.
    pub fn images(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_image.keys().copied()
    }

    /// What each annotator says of a picture, in the order in which they said it; of each the last
    /// word that was not undone.
    pub fn opinions(&self, image: u32) -> Vec<Opinion> {
        let mut opinions: Vec<Opinion> = Vec::new();
        for &at in self.by_image.get(&image).into_iter().flatten().rev() {
            let entry = &self.entries[at];
            if self.undone.contains(&entry.act) || opinions.iter().any(|o| o.by == entry.by) {
                continue;
            }
            opinions.extend(opinion(entry));
        }
        opinions.reverse();
        opinions
    }

    /// What counts for a picture.
    pub fn verdict(&self, image: u32, rule: &WhoWins) -> Option<Opinion> {
        let mut opinions = self.opinions(image);
        let chosen = match rule {
            WhoWins::Last => opinions.len().checked_sub(1),
            WhoWins::First => (!opinions.is_empty()).then_some(0),
            WhoWins::Annotator(name) => opinions
                .iter()
                .position(|opinion| opinion.by == *name)
                .or(opinions.len().checked_sub(1)),
            WhoWins::Majority => {
                let votes = |at: usize| {
                    opinions.iter().filter(|o| o.decision == opinions[at].decision).count()
                };
                (0..opinions.len()).max_by_key(|&at| (votes(at), at))
            }
        };
        chosen.map(|at| opinions.swap_remove(at))
    }

    /// The last `count` decisions that stand, newest first: picture and opinion.
    pub fn latest(&self, by: &str, count: usize) -> Vec<(u32, Opinion)> {
        let acts = self.acts.get(by).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        for act in acts.iter().rev() {
            for &image in self.pictures.get(act).into_iter().flatten() {
                if found.len() == count {
                    return found;
                }
                let stands = self.opinions(image).into_iter().find(|o| o.act == *act);
                found.extend(stands.map(|opinion| (image, opinion)));
            }
        }
        found
    }

    /// Whether an annotator ever said so of a picture, undone or not; or of one that had its name, so that
    /// a picture which was changed since does not get the label of the one before.
    pub fn ever_said(&self, image: u32, name: &str, by: &str, class: &str) -> bool {
        let said = |entry: &Entry| match &entry.what {
            What::Label { class: said, .. } => entry.by == by && said == class,
            _ => false,
        };
        let of_it = self.by_image.get(&image).into_iter().flatten().map(|&at| &self.entries[at]);
        let of_name = self.by_name.get(name).into_iter().flatten().map(|&at| &self.entries[at]);
        of_it.chain(of_name).any(said)
    }

    /// Times of this annotator's decisions that stand, in order; one for each picture.
    pub fn times(&self, by: &str) -> Vec<Timestamp> {
        let stands = |entry: &&Entry| {
            entry.by == by
                && !self.undone.contains(&entry.act)
                && matches!(&entry.what, What::Label { mode, .. } if *mode != Mode::Import)
        };
        self.entries.iter().filter(stands).map(|entry| entry.time).collect()
    }
}

fn opinion(entry: &Entry) -> Option<Opinion> {
    let (decision, mode, guess) = match &entry.what {
        What::Label { class, mode, guess, .. } => {
            (Decision::Label(class.clone()), *mode, guess.clone())
        }
        What::Unsure { mode, .. } => (Decision::Unsure, *mode, None),
        What::Unusable { mode, .. } => (Decision::Unusable, *mode, None),
        What::Undo { .. } | What::Class { .. } => return None,
    };
    Some(Opinion {
        by: entry.by.clone(),
        decision,
        time: entry.time,
        act: entry.act.clone(),
        mode,
        shown: guess.map_or(Shown::Nothing, Shown::Guess),
    })
}
