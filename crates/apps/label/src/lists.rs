//! Many pictures at once: grids, what may be wrong, neighbours, a lasso.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    journal::{Decision, ImageRef},
    session::{Session, State},
    status::Item,
    tables::{Vectors, squared},
};

/// Labelled pictures that a doubt looks at.
const NEIGHBOURS: usize = 5;
/// Two pictures are near duplicates if they are this much nearer than labelled ones usually are.
const NEAR: f32 = 0.05;

/// What a grid shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub(crate) enum Wanted {
    /// Pictures without a label that are taken for this class.
    Class {
        /// The class.
        class: String,
    },
    /// Those of a group.
    Group {
        /// Its number.
        group: i32,
    },
    /// Those with this label.
    Given {
        /// The class.
        class: String,
    },
    /// The least certain.
    Uncertain,
    /// Inside a polygon on the map.
    Lasso {
        /// Its corners.
        polygon: Vec<(f64, f64)>,
    },
    /// Put aside by the person: unsure.
    Unsure,
    /// The most alike to this one.
    Like {
        /// The picture.
        place: u32,
    },
}

/// A part of a grid.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Grid {
    /// All that there are.
    pub(crate) total: usize,
    /// Pictures of the audit sample that stay out.
    pub(crate) left_out: usize,
    pub(crate) items: Vec<Item>,
}

/// A label that the others speak against.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Doubt {
    item: Item,
    /// The probability of its label, as its neighbours alone would have it.
    probability: f32,
    /// The same picture, or nearly, with another label.
    duplicate: bool,
    neighbours: Vec<Item>,
}

/// A group of pictures without labels.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Alike {
    group: i32,
    open: usize,
    /// The class that most of its pictures are taken for.
    guess: Option<String>,
    /// The most typical pictures.
    places: Vec<u32>,
}

impl Session {
    /// Pictures for a grid, the most typical (or the least certain) first. Audit pictures stay out: a
    /// guess would be beside them.
    pub(crate) fn grid(&self, wanted: &Wanted, from: usize, most: usize) -> Result<Grid> {
        let state = self.state();
        let gallery = state.gallery.clone();
        let count =
            gallery.ok_or_else(|| Error::request("there are no pictures yet"))?.len() as u32;
        let rule = &self.settings.who_wins;
        let verdict = |place| state.ledger.verdict(place, rule).map(|opinion| opinion.decision);
        let open = |place: &u32| verdict(*place).is_none();
        let guess = |place: u32| Some(state.beliefs.as_ref()?.guess(place)?.class);
        let mut places: Vec<u32> = match wanted {
            Wanted::Class { class } => {
                (0..count).filter(open).filter(|&p| guess(p).as_ref() == Some(class)).collect()
            }
            Wanted::Group { group } => {
                let groups = state.groups.clone().unwrap_or_default();
                (0..count).filter(open).filter(|&p| groups.get(p as usize) == Some(group)).collect()
            }
            Wanted::Given { class } => {
                let is = |place: &u32| verdict(*place) == Some(Decision::Label(class.clone()));
                state.ledger.images().filter(is).collect()
            }
            Wanted::Uncertain | Wanted::Like { .. } => (0..count).filter(open).collect(),
            Wanted::Lasso { polygon } => {
                state.map.as_ref().map(|map| map.within(polygon)).unwrap_or_default()
            }
            Wanted::Unsure => {
                state.ledger.images().filter(|p| verdict(*p) == Some(Decision::Unsure)).collect()
            }
        };
        let before = places.len();
        places.retain(|&place| !state.queue.is_audit(place));
        let left_out = before - places.len();
        Self::sort(&state, wanted, &mut places);
        let total = places.len();
        let items = places.iter().skip(from).take(most);
        let items = items.filter_map(|&place| self.item_of(&state, place)).collect();
        Ok(Grid { total, left_out, items })
    }

    fn sort(state: &State, wanted: &Wanted, places: &mut [u32]) {
        if let Wanted::Uncertain = wanted {
            let margin = |place: &u32| state.beliefs.as_ref().map_or(1.0, |b| b.margin(*place));
            places.sort_by(|a, b| margin(a).total_cmp(&margin(b)));
            return;
        }
        let Some(vectors) = &state.vectors else { return };
        let middle = match wanted {
            Wanted::Like { place } => match vectors.of(*place) {
                Some(vector) => vector.to_vec(),
                None => return,
            },
            _ => vectors.mean(places),
        };
        let far = |place: &u32| vectors.of(*place).map_or(f32::INFINITY, |v| squared(v, &middle));
        places.sort_by(|a, b| far(a).total_cmp(&far(b)));
    }

    /// Groups with pictures that have no label, the largest first.
    pub(crate) fn groups(&self) -> Vec<Alike> {
        let state = self.state();
        let Some(groups) = state.groups.clone() else { return Vec::new() };
        let rule = &self.settings.who_wins;
        let mut members: HashMap<i32, Vec<u32>> = HashMap::new();
        for (place, &group) in (0..).zip(groups.iter()) {
            let open = state.ledger.verdict(place, rule).is_none() && !state.queue.is_audit(place);
            if group >= 0 && open {
                members.entry(group).or_default().push(place);
            }
        }
        let mut found: Vec<Alike> = members
            .into_iter()
            .map(|(group, mut places)| {
                let mut votes: HashMap<String, usize> = HashMap::new();
                let beliefs = state.beliefs.as_ref();
                for guess in places.iter().filter_map(|&place| beliefs?.guess(place)) {
                    *votes.entry(guess.class).or_default() += 1;
                }
                let guess = votes.into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
                let open = places.len();
                Self::sort(&state, &Wanted::Group { group }, &mut places);
                places.truncate(4);
                Alike { group, open, guess: guess.map(|(class, _)| class), places }
            })
            .collect();
        found.sort_by_key(|group| (std::cmp::Reverse(group.open), group.group));
        found
    }

    /// Labels that neighbours speak against, the most doubtful first: a ranking, and no more. The same
    /// picture with two labels comes before all others.
    pub(crate) fn doubts(&self, most: usize) -> Vec<Doubt> {
        let state = self.state();
        let rule = &self.settings.who_wins;
        let labelled: Vec<(u32, String)> = crate::labels::labelled(&state.ledger, rule)
            .into_iter()
            .map(|(place, class, _)| (place, class))
            .filter(|(place, _)| !state.queue.is_audit(*place))
            .collect();
        let (Some(vectors), Some(gallery)) = (state.vectors.clone(), state.gallery.clone()) else {
            return Vec::new();
        };
        drop(state);
        let digest =
            |place: u32| gallery.image_ref(place).ok().map(|ImageRef { blake3, .. }| blake3);
        let digests: Vec<Option<String>> =
            labelled.par_iter().map(|(place, _)| digest(*place)).collect();
        let mut found = doubtful(&labelled, &digests, &vectors);
        found.truncate(most);
        let state = self.state();
        let doubt = |Ranked { at, probability, duplicate, near }: Ranked| {
            let item = self.item_of(&state, labelled[at].0)?;
            let near = near.into_iter().filter_map(|at| self.item_of(&state, labelled[at].0));
            Some(Doubt { item, probability, duplicate, neighbours: near.collect() })
        };
        found.into_iter().filter_map(doubt).collect()
    }

    /// The class of each picture on the map: its label, and its guess with how sure it is.
    pub(crate) fn map_classes(&self) -> serde_json::Value {
        let state = self.state();
        let Some(map) = state.map.clone() else { return serde_json::Value::Null };
        let names = crate::engine::all_classes(&state);
        let at: HashMap<&str, usize> =
            names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let number = |name: &str| at.get(name).map_or(-1, |at| *at as i64);
        let rule = &self.settings.who_wins;
        let (mut given, mut guessed, mut sure) = (Vec::new(), Vec::new(), Vec::new());
        for &place in &map.place {
            let verdict = state.ledger.verdict(place, rule).map(|opinion| opinion.decision);
            given.push(match verdict {
                Some(Decision::Label(class)) => number(&class),
                _ => -1,
            });
            // On an audit picture no guess is shown, here either.
            let beliefs = state.beliefs.as_ref().filter(|_| !state.queue.is_audit(place));
            let guess = beliefs.and_then(|beliefs| beliefs.guess(place));
            guessed.push(guess.as_ref().map_or(-1, |guess| number(&guess.class)));
            sure.push(guess.map_or(0, |guess| (guess.probability * 100.0).round() as u8));
        }
        serde_json::json!({ "classes": names, "given": given, "guessed": guessed, "sure": sure })
    }
}

/// A labelled picture by its place among the labelled ones.
struct Ranked {
    at: usize,
    probability: f32,
    duplicate: bool,
    /// The nearest others.
    near: Vec<usize>,
}

/// All labelled pictures, the most doubtful first, by the labels of the nearest others.
fn doubtful(
    labelled: &[(u32, String)],
    digests: &[Option<String>],
    vectors: &Vectors,
) -> Vec<Ranked> {
    let classes: std::collections::BTreeSet<&String> = labelled.iter().map(|(_, c)| c).collect();
    let prior = 1.0 / classes.len().max(1) as f32;
    let nearest = |at: usize| {
        let mut near: Vec<(f32, usize)> = (0..labelled.len())
            .filter(|&other| other != at)
            .map(|other| (vectors.distance(labelled[at].0, labelled[other].0), other))
            .filter(|(distance, _)| distance.is_finite())
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEIGHBOURS);
        near
    };
    let all: Vec<Vec<(f32, usize)>> = (0..labelled.len()).into_par_iter().map(nearest).collect();
    let mut first: Vec<f32> = all.iter().filter_map(|near| near.first().map(|n| n.0)).collect();
    first.sort_by(f32::total_cmp);
    let usual = first.get(first.len() / 2).copied().unwrap_or(0.0);
    let mut found: Vec<Ranked> = all
        .into_iter()
        .enumerate()
        .map(|(at, near)| {
            let scale = near.last().map_or(1.0, |n| n.0).max(f32::MIN_POSITIVE);
            let weight = |distance: f32| (-distance / scale).exp();
            let sum: f32 = near.iter().map(|n| weight(n.0)).sum();
            let same = near.iter().filter(|n| labelled[n.1].1 == labelled[at].1);
            let agreeing: f32 = same.map(|n| weight(n.0)).sum();
            let exact = || {
                digests[at].is_some()
                    && (0..labelled.len()).any(|other| {
                        digests[other] == digests[at] && labelled[other].1 != labelled[at].1
                    })
            };
            let nearly = near
                .iter()
                .any(|n| n.0 <= NEAR * NEAR * usual && labelled[n.1].1 != labelled[at].1);
            Ranked {
                at,
                probability: (agreeing + prior) / (sum + 1.0),
                duplicate: nearly || exact(),
                near: near.into_iter().map(|n| n.1).collect(),
            }
        })
        .collect();
    found.sort_by(|a, b| {
        b.duplicate.cmp(&a.duplicate).then(a.probability.total_cmp(&b.probability))
    });
    found
}
