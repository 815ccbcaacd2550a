//! The order of the stages, or the circles that forbid one.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use crate::{
    fault::Fault,
    problems::Problems,
    sketch::Draft,
    wires::{Need, Why},
};

/// The stages by number, each after those that it needs and otherwise in the order of the file;
/// `None`, and a problem for each circle, when there is no such order.
pub(crate) fn sort(
    stages: &[Draft],
    needs: &[Vec<Need>],
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut feeds = vec![Vec::new(); stages.len()];
    for (stage, needs) in needs.iter().enumerate() {
        for need in needs {
            feeds[need.stage].push(stage);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..stages.len()).filter(|&stage| waiting[stage] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(stages.len());
    while let Some(Reverse(stage)) = ready.pop() {
        order.push(stage);
        for &next in &feeds[stage] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    if order.len() == stages.len() {
        return Some(order);
    }
    report_circles(stages, needs, problems);
    None
}

fn report_circles(stages: &[Draft], needs: &[Vec<Need>], problems: &mut Problems) {
    let wires = needs
        .iter()
        .enumerate()
        .flat_map(|(stage, needs)| needs.iter().map(move |need| (need.stage as u32, stage as u32)));
    let graph = DiGraph::<(), ()>::from_edges(wires);
    for component in kosaraju_scc(&graph) {
        let mut members: Vec<usize> = component.iter().map(|index| index.index()).collect();
        members.sort_unstable();
        let Some(circle) = shortest_circle(&members, needs) else { continue };
        let names: Vec<&str> =
            circle.iter().map(|(stage, _)| stages[*stage].name.as_str()).collect();
        // The walk went from each stage to one that it needs; data flows the other way.
        let flow: Vec<&str> = names.iter().rev().chain(names.last()).copied().collect();
        let mut labels = (0..circle.len()).map(|i| {
            let (reader, writer) = (names[i], names[(i + 1) % names.len()]);
            let label = match circle[i].1.why {
                Why::Wire => format!("`{reader}` needs `{writer}`"),
                Why::Turn => format!("`{reader}` comes after `{writer}` in a round"),
            };
            (circle[i].1.span, label)
        });
        let Some((span, label)) = labels.next() else { continue };
        problems.add_with(Fault::Cycle { path: flow.join(" → ") }, span, label, labels);
    }
}

/// The shortest walk from the first member along what it needs back to itself: each stage with what
/// leads on.
fn shortest_circle(members: &[usize], needs: &[Vec<Need>]) -> Option<Vec<(usize, Need)>> {
    let start = *members.first()?;
    let mut reached: HashMap<usize, (usize, Need)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(stage) = queue.pop_front() {
        for &need in &needs[stage] {
            let next = need.stage;
            if members.binary_search(&next).is_err() || reached.contains_key(&next) {
                continue;
            }
            reached.insert(next, (stage, need));
            if next != start {
                queue.push_back(next);
                continue;
            }
            let mut circle = Vec::new();
            let mut here = start;
            loop {
                let (from, need) = reached[&here];
                circle.push((from, need));
                here = from;
                if here == start {
                    circle.reverse();
                    return Some(circle);
                }
            }
        }
    }
    None
}
