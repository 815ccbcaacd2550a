//! Which axes each stage varies over.

use crate::{
    expand::MOST_TASKS,
    fault::Fault,
    node::Span,
    problems::Problems,
    rounds::ROUND,
    sketch::Sketch,
    wires::{Plug, Wiring},
};

/// A graph of more edges does not fit into memory comfortably.
const MOST_WIRES: usize = 2_000_000;

/// The axes that each stage varies over, by number, ascending.
pub(crate) struct Sweep {
    /// After collecting: one task for every combination of these.
    pub(crate) used: Vec<Vec<usize>>,
    /// What the stage folds.
    pub(crate) collected: Vec<Vec<usize>>,
}

/// What a stage collects: an entry of the list, as axes by number. `round` may be several.
pub(crate) struct Collect {
    pub(crate) axes: Vec<usize>,
    pub(crate) span: Span,
}

/// Finds out which axes each stage varies over: those of its parameters, its rounds, and those of
/// what is wired to it, without those that it collects.
pub(crate) fn spread(
    sketch: &Sketch,
    order: &[usize],
    wiring: &Wiring<'_>,
    own: &[Vec<usize>],
    collect: &[Vec<Collect>],
    problems: &mut Problems,
) -> Sweep {
    let own: Vec<Vec<usize>> = own
        .iter()
        .enumerate()
        .map(|(stage, own)| own.iter().copied().chain(sketch.rounds.axis_of(stage)).collect())
        .collect();
    let collected: Vec<Vec<usize>> = collect
        .iter()
        .map(|entries| entries.iter().flat_map(|entry| &entry.axes).copied().collect())
        .collect();
    let used = reach(order, wiring, &own, &collected);
    for &stage in order {
        let axes = with_inputs(stage, wiring, &own, &used);
        let name = || sketch.stages[stage].name.clone();
        for Collect { axes: entry, span } in &collect[stage] {
            let Some(&first) = entry.first() else { continue };
            let axis = sketch.axes[first].name.clone();
            let fault = if entry.iter().any(|axis| own[stage].contains(axis)) {
                Fault::CollectsOwn { stage: name(), axis }
            } else if !entry.iter().any(|axis| axes.contains(axis)) {
                Fault::CollectsNothing { stage: name(), axis }
            } else {
                continue;
            };
            problems.add(fault, *span, "");
        }
        refuse_folding_into_one(sketch, stage, &wiring.inputs[stage], &used, &collected, problems);
        refuse_different_rounds(sketch, stage, wiring, &used, problems);
    }
    refuse_collecting_ahead(sketch, order, wiring, collect, problems);
    Sweep { used, collected }
}

/// Hands the axes on along the wires until nothing changes: what the round before left brings the
/// axes of later stages to earlier ones.
fn reach(
    order: &[usize],
    wiring: &Wiring<'_>,
    own: &[Vec<usize>],
    collected: &[Vec<usize>],
) -> Vec<Vec<usize>> {
    let mut used: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
    let looks_back = wiring.looks_back();
    loop {
        let mut changed = false;
        for &stage in order {
            let mut axes = with_inputs(stage, wiring, own, &used);
            axes.retain(|axis| !collected[stage].contains(axis));
            changed |= axes != used[stage];
            used[stage] = axes;
        }
        if !changed || !looks_back {
            return used;
        }
    }
}

/// The axes of a stage before it collects any, ascending.
fn with_inputs(
    stage: usize,
    wiring: &Wiring<'_>,
    own: &[Vec<usize>],
    used: &[Vec<usize>],
) -> Vec<usize> {
    let mut axes = own[stage].clone();
    for feed in wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds) {
        axes.extend(&used[feed.stage]);
    }
    axes.sort_unstable();
    axes.dedup();
    axes
}

/// The axis of rounds that a stage varies over, when it is one.
fn only_rounds(sketch: &Sketch, used: &[usize]) -> Option<usize> {
    let mut rounds = used.iter().copied().filter(|&axis| sketch.rounds.is_axis(axis));
    rounds.next().filter(|_| rounds.next().is_none())
}

/// A stage cannot be joined on rounds of which there are more here than there.
fn refuse_different_rounds(
    sketch: &Sketch,
    stage: usize,
    wiring: &Wiring<'_>,
    used: &[Vec<usize>],
    problems: &mut Problems,
) {
    if used[stage].iter().filter(|&&axis| sketch.rounds.is_axis(axis)).count() < 2 {
        return;
    }
    let name = |stage: usize| &sketch.stages[stage].name;
    let mut counts: Vec<(usize, String)> = Vec::new();
    let mut place = sketch.stages[stage].span;
    if let Some(axis) = sketch.rounds.axis_of(stage) {
        counts.push((axis, format!("it has {} itself", sketch.axes[axis].values.len())));
    }
    for feed in wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds) {
        let Some(axis) = only_rounds(sketch, &used[feed.stage]) else { continue };
        if counts.iter().all(|(known, _)| *known != axis) {
            let count = sketch.axes[axis].values.len();
            counts.push((axis, format!("`{}` has {count}", name(feed.stage))));
            place = feed.span;
        }
    }
    // What reads a stage that is in conflict already is not to blame.
    if counts.len() > 1 {
        let counts = counts.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(", ");
        problems.add(Fault::RoundsDiffer { stage: name(stage).clone(), counts }, place, "");
    }
}

/// What needs all rounds of a group cannot be needed by one of them.
fn refuse_collecting_ahead(
    sketch: &Sketch,
    order: &[usize],
    wiring: &Wiring<'_>,
    collect: &[Vec<Collect>],
    problems: &mut Problems,
) {
    let collects = |stage: usize| {
        let is_round = |entry: &&Collect| entry.axes.iter().any(|&a| sketch.rounds.is_axis(a));
        collect[stage].iter().find(is_round).map(|entry| entry.span)
    };
    for &stage in order {
        let Some(span) = collects(stage) else { continue };
        let below = below(wiring, order, &[stage]);
        for group in &sketch.rounds.groups {
            let members: Vec<usize> = group.members.iter().map(|(member, _)| *member).collect();
            let Some(&(member, _)) = group.members.iter().find(|(m, _)| below[*m]) else {
                continue;
            };
            if member == stage || !self::below(wiring, order, &members)[stage] {
                continue;
            }
            let name = |stage: usize| sketch.stages[stage].name.clone();
            let group = group.name.clone();
            let fault = Fault::CollectsAhead { stage: name(stage), group, member: name(member) };
            problems.add(fault, span, format!("all values of `{ROUND}`"));
        }
    }
}

/// Which stages these lead to within a round, themselves included.
fn below(wiring: &Wiring<'_>, order: &[usize], from: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; wiring.inputs.len()];
    for &stage in order {
        let mut feeds = wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds);
        reached[stage] =
            from.contains(&stage) || feeds.any(|feed| !feed.back && reached[feed.stage]);
    }
    reached
}

/// A port that takes one artifact cannot take all variants of a collected axis.
fn refuse_folding_into_one(
    sketch: &Sketch,
    stage: usize,
    plugs: &[Plug<'_>],
    used: &[Vec<usize>],
    collected: &[Vec<usize>],
    problems: &mut Problems,
) {
    for plug in plugs.iter().filter(|plug| !plug.port.many) {
        for feed in &plug.feeds {
            let folded = collected[stage].iter().find(|axis| used[feed.stage].contains(axis));
            let Some(&axis) = folded else { continue };
            let axis = sketch.axes[axis].name.clone();
            let help =
                format!("wire a stage to it that does not vary over `{axis}`, or do not collect");
            let fault = Fault::CollectsIntoOne {
                stage: sketch.stages[stage].name.clone(),
                axis,
                port: plug.port.name.clone(),
                artifact: plug.port.artifact.clone(),
                from: sketch.stages[feed.stage].name.clone(),
                help: Some(help),
            };
            problems.add(fault, feed.span, "");
        }
    }
}

/// Refuses a graph that is too large to be meant.
pub(crate) fn refuse_too_many(
    sketch: &Sketch,
    wiring: &Wiring<'_>,
    spread: &Sweep,
    problems: &mut Problems,
) {
    let start = Span { text: 0, start: 0, end: 0 };
    let span = sketch.axes.first().map_or(start, |axis| axis.span);
    let product = |axes: &mut dyn Iterator<Item = &usize>| -> usize {
        axes.fold(1, |n, &axis| n.saturating_mul(sketch.axes[axis].values.len()))
    };
    let tasks: Vec<usize> = spread.used.iter().map(|used| product(&mut used.iter())).collect();
    let total = tasks.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
    if total > MOST_TASKS {
        let arithmetic = arithmetic(sketch, spread, &tasks, total);
        let limit = MOST_TASKS.to_string();
        problems.add(Fault::TooMany { what: "tasks", arithmetic, limit }, span, "");
        return;
    }
    let mut wires = 0usize;
    for (stage, plugs) in wiring.inputs.iter().enumerate() {
        for feed in plugs.iter().flat_map(|plug| &plug.feeds) {
            let folded =
                spread.used[feed.stage].iter().filter(|a| spread.collected[stage].contains(a));
            wires =
                wires.saturating_add(tasks[stage].saturating_mul(product(&mut folded.into_iter())));
        }
    }
    if wires > MOST_WIRES {
        let arithmetic = format!("all inputs together take {wires}");
        let limit = MOST_WIRES.to_string();
        problems.add(Fault::TooMany { what: "wires", arithmetic, limit }, span, "");
    }
}

/// The largest stages and their factors: ``10 `seed` × 20 `k` = 200 of `knn`, …``.
fn arithmetic(sketch: &Sketch, spread: &Sweep, tasks: &[usize], total: usize) -> String {
    const SHOWN: usize = 3;
    let mut largest: Vec<usize> = (0..tasks.len()).collect();
    largest.sort_by_key(|&stage| std::cmp::Reverse(tasks[stage]));
    let mut terms: Vec<String> = Vec::new();
    for &stage in largest.iter().take(SHOWN) {
        let factors: Vec<String> = spread.used[stage]
            .iter()
            .map(|&axis| format!("{} `{}`", sketch.axes[axis].values.len(), sketch.axes[axis].name))
            .collect();
        let name = &sketch.stages[stage].name;
        let count = tasks[stage];
        terms.push(if factors.is_empty() {
            format!("{count} of `{name}`")
        } else {
            format!("{} = {count} of `{name}`", factors.join(" × "))
        });
    }
    if tasks.len() > SHOWN {
        terms.push(format!("{} more stages", tasks.len() - SHOWN));
    }
    format!("{} make {total}", terms.join(", "))
}
