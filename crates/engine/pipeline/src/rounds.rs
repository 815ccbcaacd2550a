//! Rounds: groups of stages that run several times, each time on what the time before left.
//!
//! Every stage of a group gains an axis `round`. Groups of the same count share one such axis, so
//! that what reads two of them reads the same round of both; groups of different counts have one
//! each, and nothing can vary over two.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    axis::Axis,
    expand::MOST_TASKS,
    fault::Fault,
    names,
    node::{Data, Entry, Span, Table},
    problems::Problems,
    sketch::{self, Draft},
};

/// The name of the axis that rounds make.
pub(crate) const ROUND: &str = "round";
/// The keys of a group.
const KEYS: [&str; 2] = ["count", "stages"];

/// All groups of a pipeline.
#[derive(Default)]
pub(crate) struct Rounds {
    pub(crate) groups: Vec<Group>,
    /// For each stage, by number, where it stands in which group.
    places: Vec<Option<Place>>,
    /// The axes from this number on are rounds.
    first_axis: usize,
}

/// A group of stages.
pub(crate) struct Group {
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    /// The axis of its rounds, by number.
    axis: usize,
    /// The stages by number in the order of a round, each with its place in the list.
    pub(crate) members: Vec<(usize, Span)>,
}

/// A stage's place in a round.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    position: usize,
}

/// Reads `[rounds]` and appends its axes.
pub(crate) fn read(
    table: Option<&Table>,
    stages: &[Draft],
    axes: &mut Vec<Axis>,
    problems: &mut Problems,
) -> Rounds {
    let mut rounds =
        Rounds { groups: Vec::new(), places: vec![None; stages.len()], first_axis: axes.len() };
    let numbers: HashMap<&str, usize> =
        stages.iter().enumerate().map(|(i, stage)| (stage.name.as_str(), i)).collect();
    for (name, entry) in table.into_iter().flatten() {
        rounds.group(name, entry, &numbers, axes, problems);
    }
    if !rounds.groups.is_empty()
        && let Some(axis) = axes[..rounds.first_axis].iter().find(|axis| axis.name == ROUND)
    {
        problems.add(Fault::ReservedAxis { axis: ROUND.to_owned() }, axis.span, "");
    }
    rounds
}

impl Rounds {
    /// Whether an axis, by number, counts rounds.
    pub(crate) fn is_axis(&self, axis: usize) -> bool {
        axis >= self.first_axis
    }

    /// Where the axes of rounds begin: those before are written in `[axes]`.
    pub(crate) fn first_axis(&self) -> usize {
        self.first_axis
    }

    /// The group of a stage.
    pub(crate) fn group_of(&self, stage: usize) -> Option<&Group> {
        self.place(stage).map(|place| &self.groups[place.group])
    }

    /// The axis of a stage's own rounds.
    pub(crate) fn axis_of(&self, stage: usize) -> Option<usize> {
        self.group_of(stage).map(|group| group.axis)
    }

    /// Whether what `reader` gets of `writer` is from the round before.
    pub(crate) fn is_back(&self, reader: usize, writer: usize) -> bool {
        match (self.place(reader), self.place(writer)) {
            (Some(reader), Some(writer)) => {
                reader.group == writer.group && reader.position <= writer.position
            }
            _ => false,
        }
    }

    /// The stage before this one in its round, with the place where this one is listed.
    pub(crate) fn before(&self, stage: usize) -> Option<(usize, Span)> {
        let place = self.place(stage)?;
        let members = &self.groups[place.group].members;
        let before = members.get(place.position.checked_sub(1)?)?;
        Some((before.0, members[place.position].1))
    }

    /// Where a stage is listed.
    pub(crate) fn listed_at(&self, stage: usize) -> Option<Span> {
        let place = self.place(stage)?;
        Some(self.groups[place.group].members[place.position].1)
    }

    /// Where a stage stands; stages that were added to those of the file are in no group.
    fn place(&self, stage: usize) -> Option<Place> {
        self.places.get(stage).copied().flatten()
    }

    fn group(
        &mut self,
        name: &str,
        entry: &Entry,
        numbers: &HashMap<&str, usize>,
        axes: &mut Vec<Axis>,
        problems: &mut Problems,
    ) {
        let Data::Table(table) = &entry.node.data else {
            let (what, found) = (name.to_owned(), entry.node.called().to_owned());
            let expected = "a table with `count` and `stages`".to_owned();
            let help = Some("rounds have a name: `[rounds.active]`".to_owned());
            let fault = Fault::WrongType { what, expected, found: found.clone(), help };
            problems.add(fault, entry.node.span, found);
            return;
        };
        if !names::is_valid(name) {
            let fault = Fault::BadName { what: "a group of rounds", name: name.to_owned() };
            problems.add(fault, entry.key, "");
        }
        let place = format!("`[rounds.{name}]`");
        for (key, entry) in table.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            let (help, key) = (names::suggestion(key, &KEYS), key.clone());
            problems.add(Fault::UnknownKey { key, place: place.clone(), help }, entry.key, "");
        }
        for key in KEYS.iter().filter(|key| !table.contains_key(**key)) {
            let help = match *key {
                "count" => "how many rounds there are: `count = 5`",
                _ => "the stages in the order in which a round runs them",
            };
            let (key, help) = ((*key).to_owned(), Some(help.to_owned()));
            let fault = Fault::MissingKey { key, place: place.clone(), help };
            problems.add(fault, entry.key, "");
        }
        let count = table.get("count").map_or((0, entry.key), |entry| count(name, entry, problems));
        let axis = axis(axes, self.first_axis, count);
        let (name, span) = (name.to_owned(), entry.key);
        self.groups.push(Group { name, span, axis, members: Vec::new() });
        if let Some(list) = table.get("stages") {
            self.list(list, numbers, problems);
        }
    }

    /// Reads the list of stages of the last group.
    fn list(&mut self, entry: &Entry, numbers: &HashMap<&str, usize>, problems: &mut Problems) {
        let before = problems.count();
        let listed = sketch::texts("stages", "a list of stages", &entry.node, problems);
        let at = self.groups.len() - 1;
        if listed.is_empty() && problems.count() == before {
            let group = self.groups[at].name.clone();
            problems.add(Fault::EmptyRounds { group }, entry.node.span, "no stage");
        }
        for (name, span) in listed {
            let Some(&stage) = numbers.get(name.as_str()) else {
                let known: Vec<&str> = numbers.keys().copied().collect();
                let help = names::suggestion(&name, &sorted(known));
                problems.add(Fault::UnknownStage { name, help }, span, "");
                continue;
            };
            if let Some(place) = self.places[stage] {
                let first = self.groups[place.group].members[place.position].1;
                let group = self.groups[at].name.clone();
                let fault = if place.group == at {
                    Fault::ListedTwice { stage: name, group }
                } else {
                    let other = self.groups[place.group].name.clone();
                    Fault::InTwoGroups { stage: name, group, other }
                };
                problems.add_with(fault, span, "again", [(first, "already here".to_owned())]);
                continue;
            }
            let group = &mut self.groups[at];
            self.places[stage] = Some(Place { group: at, position: group.members.len() });
            group.members.push((stage, span));
        }
    }
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

/// How many rounds; 0 after a problem.
fn count(group: &str, entry: &Entry, problems: &mut Problems) -> (usize, Span) {
    let what = format!("rounds.{group}.count");
    let span = entry.node.span;
    let Data::Scalar(Value::Number(number)) = &entry.node.data else {
        problems.wrong_type(&what, "an integer", &entry.node);
        return (0, span);
    };
    if number.is_f64() {
        problems.wrong_type(&what, "an integer", &entry.node);
        return (0, span);
    }
    let count = number.as_u64().and_then(|count| usize::try_from(count).ok());
    if let Some(count) = count.filter(|count| (1..=MOST_TASKS).contains(count)) {
        return (count, span);
    }
    let limit = format!("from 1 to {MOST_TASKS}");
    problems.add(Fault::OutOfRange { what, found: number.to_string(), limit }, span, "");
    (0, span)
}

/// The axis of so many rounds: that of an earlier group, or a new one.
fn axis(axes: &mut Vec<Axis>, first: usize, (count, span): (usize, Span)) -> usize {
    let same = axes[first..].iter().position(|axis| axis.values.len() == count);
    same.map_or_else(
        || {
            let values = (0..count).map(Value::from).collect();
            axes.push(Axis { name: ROUND.to_owned(), span, values, places: vec![span; count] });
            axes.len() - 1
        },
        |at| first + at,
    )
}
