//! From a document to a pipeline, in passes that each report everything they can.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use scarce_stage::Description;
use serde_json::Value;

use crate::{
    Catalogue, Document, Error, Overrides, Pipeline, Problem, baselines,
    expand::{MOST_TASKS, Parts},
    fault::Fault,
    files::Files,
    names,
    node::Span,
    order, overrides,
    params::{self, Compiled, Places, Variants},
    problems::Problems,
    rounds::ROUND,
    sketch::{self, Sketch},
    sweep::{self, Collect},
    wires::{self, Wiring},
};

pub(crate) fn resolve(
    document: &Document,
    catalogue: &Catalogue,
    overrides: &Overrides,
    runs: Option<&[&str]>,
) -> Result<Pipeline, Error> {
    let mut problems = Problems::new(document.text());
    let mut root = document.root().clone();
    overrides::apply(&mut root, catalogue, overrides, &mut problems);
    let mut sketch = sketch::read(&root, document.path(), &mut problems);
    baselines::add(&mut sketch, &mut problems);
    let kinds = kinds(&sketch, catalogue, &mut problems);
    let wiring = wires::connect(&sketch, &kinds, &mut problems);
    let order = order::sort(&sketch.stages, &wiring.needs, &mut problems);
    let runs = reached(&sketch, &wiring, runs);
    let (own, variants) = parameters(&sketch, &kinds, document, &runs, &mut problems);
    let collected = collected(&sketch, &mut problems);
    let spread = order
        .as_ref()
        .map(|order| sweep::spread(&sketch, order, &wiring, &own, &collected, &mut problems));
    if let Some(spread) = &spread {
        sweep::refuse_too_many(&sketch, &wiring, spread, &mut problems);
        warn_of_unused(&sketch, &own, &mut problems);
        warn_of_idle_rounds(&sketch, &wiring, &own, &mut problems);
    }
    let warnings = problems.finish()?;
    // Whatever left one of these out has been reported, so that `finish` returned.
    let complete = (order, spread, kinds.into_iter().collect::<Option<Vec<_>>>(), variants);
    let (Some(order), Some(spread), Some(kinds), Some(variants)) = complete else {
        return Err(Problem::bare(Fault::Incomplete).into());
    };
    let parts = Parts {
        sketch: &sketch,
        kinds: &kinds,
        order: &order,
        wiring: &wiring,
        variants: &variants,
        spread: &spread,
    };
    let (stages, graph) = parts.expand();
    Ok(Pipeline {
        name: sketch.name.clone(),
        description: sketch.description.clone(),
        path: document.path().to_owned(),
        axes: axes(sketch),
        stages,
        graph,
        partial: overrides.narrow(),
        warnings,
    })
}

/// The axes with their values; of several groups of rounds the most.
fn axes(sketch: Sketch) -> Vec<(String, Vec<Value>)> {
    let first = sketch.rounds.first_axis();
    let mut axes: Vec<(String, Vec<Value>)> =
        sketch.axes.into_iter().map(|axis| (axis.name, axis.values)).collect();
    let rounds = axes.split_off(first).into_iter().max_by_key(|(_, values)| values.len());
    axes.extend(rounds);
    axes
}

fn kinds<'a>(
    sketch: &Sketch,
    catalogue: &'a Catalogue,
    problems: &mut Problems,
) -> Vec<Option<&'a Description>> {
    let mut found = Vec::with_capacity(sketch.stages.len());
    for stage in &sketch.stages {
        let kind = stage.kind.as_ref().and_then(|(name, span)| {
            let kind = catalogue.get(name);
            if kind.is_none() {
                let known: Vec<&str> = catalogue.kinds().map(|kind| kind.kind.as_str()).collect();
                let help = names::suggestion(name, &known);
                problems.add(Fault::UnknownKind { name: name.clone(), help }, *span, "");
            }
            kind
        });
        found.push(kind);
    }
    found
}

/// Which stages a run of these targets reaches: all where none is named, none where there is no run.
fn reached(sketch: &Sketch, wiring: &Wiring<'_>, targets: Option<&[&str]>) -> Vec<bool> {
    let Some(targets) = targets else { return vec![false; sketch.stages.len()] };
    if targets.is_empty() {
        return vec![true; sketch.stages.len()];
    }
    let mut reached: Vec<bool> =
        sketch.stages.iter().map(|stage| targets.contains(&stage.name.as_str())).collect();
    let mut open: Vec<usize> = (0..reached.len()).filter(|&stage| reached[stage]).collect();
    while let Some(stage) = open.pop() {
        for feed in wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds) {
            if !std::mem::replace(&mut reached[feed.stage], true) {
                open.push(feed.stage);
            }
        }
    }
    reached
}

/// For each stage the axes that its parameters name, and (if nothing is wrong) its parameters. Of the
/// stages that `run` the files must be there.
fn parameters(
    sketch: &Sketch,
    kinds: &[Option<&Description>],
    document: &Document,
    runs: &[bool],
    problems: &mut Problems,
) -> (Vec<Vec<usize>>, Option<Vec<Variants>>) {
    let written = &sketch.axes[..sketch.rounds.first_axis()];
    let mut numbers: IndexMap<&str, usize> =
        written.iter().enumerate().map(|(i, axis)| (axis.name.as_str(), i)).collect();
    let mut compiled: HashMap<&str, Option<Compiled<'_>>> = HashMap::new();
    let mut all_own = Vec::with_capacity(sketch.stages.len());
    let mut variants = Some(Vec::with_capacity(sketch.stages.len()));
    let (files, mut settled_so_far) = (Files::default(), 0usize);
    for (i, (stage, kind)) in sketch.stages.iter().zip(kinds).enumerate() {
        let rounds = sketch.rounds.axis_of(i);
        numbers.extend(rounds.map(|axis| (ROUND, axis)));
        let elsewhere = rounds.is_none() && !sketch.rounds.groups.is_empty();
        let own = params::own_axes(stage, &numbers, elsewhere, problems);
        numbers.truncate(written.len());
        all_own.push(own.clone().unwrap_or_default());
        let compiled = kind.and_then(|kind| {
            compiled
                .entry(kind.kind.as_str())
                .or_insert_with(|| compile(stage, kind, problems))
                .as_ref()
        });
        let places = Places { document, files: runs[i].then_some(&files) };
        let settled = compiled.zip(own).and_then(|(kind, own)| {
            let more = params::combinations(&own, &sketch.axes);
            settled_so_far = settled_so_far.saturating_add(more);
            // Too many are refused later, with the arithmetic of the whole pipeline.
            let few = settled_so_far <= MOST_TASKS;
            few.then(|| params::settle(stage, kind, &sketch.axes, own, places, problems))
        });
        match (&mut variants, settled) {
            (Some(variants), Some(settled)) => variants.push(settled),
            _ => variants = None,
        }
    }
    (all_own, variants)
}

fn compile<'a>(
    stage: &sketch::Draft,
    kind: &'a Description,
    problems: &mut Problems,
) -> Option<Compiled<'a>> {
    match Compiled::new(&kind.params) {
        Ok(compiled) => Some(compiled),
        Err(message) => {
            let span = stage.kind.as_ref().map_or(stage.span, |(_, span)| *span);
            problems.add(Fault::BadSchema { kind: kind.kind.clone(), message }, span, "");
            None
        }
    }
}

/// For each stage the axes of its `collect`, by number, with their places.
fn collected(sketch: &Sketch, problems: &mut Problems) -> Vec<Vec<Collect>> {
    let numbers = |name: &str| -> Vec<usize> {
        (0..sketch.axes.len()).filter(|&axis| sketch.axes[axis].name == name).collect()
    };
    let mut entry = |(name, span): &(String, Span)| {
        let axes = numbers(name);
        if axes.is_empty() {
            let mut names: Vec<&str> = sketch.axes.iter().map(|axis| axis.name.as_str()).collect();
            names.dedup();
            let help = names::suggestion(name, &names);
            problems.add(Fault::UnknownAxis { name: name.clone(), help }, *span, "");
        }
        Collect { axes, span: *span }
    };
    let stages = sketch.stages.iter();
    stages.map(|stage| stage.collect.iter().map(&mut entry).collect()).collect()
}

fn warn_of_unused(sketch: &Sketch, own: &[Vec<usize>], problems: &mut Problems) {
    let used: HashSet<usize> = own.iter().flatten().copied().collect();
    for (number, axis) in sketch.axes[..sketch.rounds.first_axis()].iter().enumerate() {
        if !used.contains(&number) {
            let help = Some(format!("give it to a parameter: `seed = \"${}\"`", axis.name));
            let fault = Fault::UnusedAxis { axis: axis.name.clone(), help };
            problems.add(fault, axis.span, "");
        }
    }
}

/// Rounds of which none reads the one before, nor knows which it is.
fn warn_of_idle_rounds(
    sketch: &Sketch,
    wiring: &Wiring<'_>,
    own: &[Vec<usize>],
    problems: &mut Problems,
) {
    for group in &sketch.rounds.groups {
        let works = |(stage, _): &(usize, Span)| {
            let mut feeds = wiring.inputs[*stage].iter().flat_map(|plug| &plug.feeds);
            feeds.any(|feed| feed.back) || own[*stage].iter().any(|&a| sketch.rounds.is_axis(a))
        };
        if !group.members.iter().any(works) {
            problems.add(Fault::IdleRounds { group: group.name.clone() }, group.span, "");
        }
    }
}
