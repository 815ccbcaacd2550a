//! What the page shows beside the pictures: counts, pace, how good, when to stop.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    engine,
    figures::Share,
    journal::{Decision, Guess, Ledger, Opinion},
    labels::{Agreement, agreement},
    session::{Phase, Progress, RESERVED, Session, State, Tally},
};

/// A pause longer than this is no time spent labelling, in seconds.
const PAUSE: f64 = 60.0;
/// Decisions that the pace is measured over.
const PACE_OVER: usize = 20;
/// The last decisions, which stay in sight.
const LATEST: usize = 10;

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// The key that means it; none where there are more classes than keys.
    pub(crate) key: Option<char>,
    /// Labels given.
    pub(crate) labels: usize,
    /// Pictures without a label that are taken for it.
    pub(crate) guessed: usize,
}

/// Everything.
#[derive(Debug, Clone, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a light of its own on the page")]
pub(crate) struct Status {
    #[serde(flatten)]
    phase: Phase,
    progress: Option<Progress>,
    annotator: String,
    pipeline: String,
    images: usize,
    classes: Vec<Class>,
    #[serde(flatten)]
    tally: Tally,
    skipped: usize,
    /// Labels a minute.
    pace: Option<f64>,
    /// Seconds spent labelling.
    spent: f64,
    learning: bool,
    /// The round of learning, from 1; 0 before the first.
    round: usize,
    learnt_from: usize,
    learnt_in: f64,
    /// How many audited pictures the model has right.
    audit: Option<Share>,
    kappas: Vec<f64>,
    agreement: Vec<Agreement>,
    latest: Vec<Latest>,
    notices: Vec<String>,
    has_groups: bool,
    has_map: bool,
    wants_map: bool,
}

/// A decision, as the page lists it.
#[derive(Debug, Clone, Serialize)]
struct Latest {
    place: u32,
    name: String,
    #[serde(flatten)]
    decision: Decision,
}

/// A picture, as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub(crate) place: u32,
    name: String,
    /// No guess is shown, and nothing learns from it.
    audit: bool,
    guess: Option<Guess>,
    /// The likeliest classes.
    ranking: Vec<Guess>,
    /// What counts for it so far.
    decision: Option<Decision>,
    /// Who said so.
    by: Option<String>,
}

/// Each class with its key: the one that was chosen, else the first letter of its name that is free,
/// else a digit, else any letter.
pub(crate) fn keys(names: &[String], chosen: &HashMap<String, char>) -> Vec<Option<char>> {
    let mut keys: Vec<Option<char>> = vec![None; names.len()];
    let mut taken: Vec<char> = RESERVED.to_vec();
    // Of two classes that want one key the later choice counts for the first that has it.
    for (at, name) in names.iter().enumerate() {
        if let Some(&key) = chosen.get(name).filter(|key| !taken.contains(key)) {
            keys[at] = Some(key);
            taken.push(key);
        }
    }
    for (at, name) in names.iter().enumerate() {
        if keys[at].is_some() {
            continue;
        }
        let letters =
            name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect::<Vec<_>>();
        let free =
            letters.into_iter().chain('1'..='9').chain('a'..='z').find(|c| !taken.contains(c));
        keys[at] = free;
        taken.extend(free);
    }
    keys
}

impl Session {
    pub(crate) fn status(&self) -> Status {
        let state = self.state();
        let rule = &self.settings.who_wins;
        let tally = state.tally(rule);
        let (pace, spent) = pace(&state.ledger, &self.settings.annotator);
        let beliefs = state.beliefs.clone();
        Status {
            phase: state.phase.clone(),
            progress: state.progress.clone(),
            annotator: self.settings.annotator.clone(),
            pipeline: self.pipeline.path.display().to_string(),
            images: state.gallery.as_ref().map_or(0, |gallery| gallery.len()),
            classes: self.classes(&state),
            tally,
            skipped: state.queue.skipped(),
            pace,
            spent,
            learning: state.learning,
            round: beliefs.as_ref().map_or(0, |beliefs| beliefs.round),
            learnt_from: beliefs.as_ref().map_or(0, |beliefs| beliefs.labels),
            learnt_in: beliefs.as_ref().map_or(0.0, |beliefs| beliefs.seconds),
            audit: self.audited(&state),
            kappas: state.kappas.clone(),
            agreement: agreement(&state.ledger),
            latest: self.latest(&state),
            notices: state.notices.clone(),
            has_groups: state.groups.is_some(),
            has_map: state.map.is_some(),
            wants_map: self.roles.map.is_some(),
        }
    }

    fn latest(&self, state: &State) -> Vec<Latest> {
        let Some(gallery) = &state.gallery else { return Vec::new() };
        let latest = |(place, opinion): (u32, Opinion)| Latest {
            place,
            name: gallery.name(place).unwrap_or_default().to_owned(),
            decision: opinion.decision,
        };
        state.ledger.latest(&self.settings.annotator, LATEST).into_iter().map(latest).collect()
    }

    fn classes(&self, state: &State) -> Vec<Class> {
        let names = engine::all_classes(state);
        let chosen: HashMap<String, char> = state
            .ledger
            .classes()
            .iter()
            .filter_map(|(name, key)| Some((name.clone(), (*key)?)))
            .collect();
        let keys = keys(&names, &chosen);
        let mut labels: HashMap<String, usize> = HashMap::new();
        for place in state.ledger.images() {
            let verdict = state.ledger.verdict(place, &self.settings.who_wins);
            if let Some(Decision::Label(class)) = verdict.map(|opinion| opinion.decision) {
                *labels.entry(class).or_default() += 1;
            }
        }
        let mut guessed: HashMap<&str, usize> = HashMap::new();
        if let Some(beliefs) = &state.beliefs {
            for (place, &label) in (0..).zip(&beliefs.label) {
                let open = state.ledger.verdict(place, &self.settings.who_wins).is_none();
                if let Some(class) =
                    beliefs.classes.get(label.max(0) as usize).filter(|_| open && label >= 0)
                {
                    *guessed.entry(class).or_default() += 1;
                }
            }
        }
        names
            .iter()
            .zip(keys)
            .map(|(name, key)| Class {
                labels: labels.get(name).copied().unwrap_or_default(),
                guessed: guessed.get(name.as_str()).copied().unwrap_or_default(),
                name: name.clone(),
                key,
            })
            .collect()
    }

    /// The audit sample: labels that nothing learnt from, beside the guesses.
    fn audited(&self, state: &State) -> Option<Share> {
        let beliefs = state.beliefs.as_ref()?;
        let (mut right, mut total) = (0, 0);
        for place in state.ledger.images().filter(|&place| state.queue.is_audit(place)) {
            let verdict = state.ledger.verdict(place, &self.settings.who_wins);
            let Some(Decision::Label(class)) = verdict.map(|opinion| opinion.decision) else {
                continue;
            };
            let Some(guess) = beliefs.guess(place) else { continue };
            total += 1;
            right += usize::from(guess.class == class);
        }
        Share::of(right, total)
    }

    /// A picture for the page.
    pub(crate) fn item(&self, place: u32) -> Option<Item> {
        let state = self.state();
        self.item_of(&state, place)
    }

    pub(crate) fn item_of(&self, state: &State, place: u32) -> Option<Item> {
        let name = state.gallery.as_ref()?.name(place)?.to_owned();
        let audit = state.queue.is_audit(place);
        let beliefs = state.beliefs.as_ref().filter(|_| !audit);
        let verdict = state.ledger.verdict(place, &self.settings.who_wins);
        let (decision, by) = verdict.map(|o| (o.decision, o.by)).unzip();
        Some(Item {
            place,
            name,
            audit,
            guess: beliefs.and_then(|beliefs| beliefs.guess(place)),
            ranking: beliefs.map_or_else(Vec::new, |beliefs| beliefs.ranking(place, 5)),
            decision,
            by,
        })
    }
}

/// Labels a minute over the last ones, and seconds spent labelling.
fn pace(ledger: &Ledger, by: &str) -> (Option<f64>, f64) {
    let times = ledger.times(by);
    let gaps: Vec<f64> = times
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs_f64().max(0.0))
        .filter(|gap| *gap < PAUSE)
        .collect();
    let last = &gaps[gaps.len().saturating_sub(PACE_OVER)..];
    let seconds: f64 = last.iter().sum();
    let pace = (last.len() > 2 && seconds > 0.0).then(|| 60.0 * last.len() as f64 / seconds);
    (pace, gaps.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(names: &[&str], chosen: &[(&str, char)]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let chosen = chosen.iter().map(|(name, key)| ((*name).to_owned(), *key)).collect();
        keys(&names, &chosen).into_iter().map(|key| key.unwrap_or('-')).collect()
    }

    #[test]
    fn keys_are_letters_of_the_names_and_never_those_that_mean_something() {
        assert_eq!(keys_of(&["cat", "cow", "dog"], &[]), "cod");
        assert_eq!(keys_of(&["unix", "nun", "zz", "Éa"], &[]), "i12a");
        assert_eq!(keys_of(&["cat", "dog"], &[("dog", 'c')]), "ac");
        assert_eq!(keys_of(&["7", "77", "猫"], &[]), "712");
        let many: Vec<String> = (0..60).map(|at| format!("class {at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let keys = keys_of(&many, &[]);
        assert_eq!(keys.chars().filter(|&key| key != '-').count(), 9 + 22 + 1);
    }
}
