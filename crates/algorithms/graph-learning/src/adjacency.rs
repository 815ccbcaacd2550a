//! The graph in memory: compressed rows, renumbered so that neighbours lie close.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    Edges,
    aggregation::{self, Level},
};
use scarce_numeric::{Error, error::check_length};

/// A weighted undirected graph of which every node belongs to one connected component.
///
/// Nodes have the caller's numbers outside and *places* inside: component after component, group after
/// group of strongly joined nodes. Groups are found from the `Cuthill–McKee` order: breadth-first, those
/// with fewer neighbours first (*Reducing the bandwidth of sparse symmetric matrices*, 1969).
#[derive(Debug, Clone)]
pub struct Graph {
    /// The node of each place.
    order: Vec<u32>,
    /// The place of each node.
    place: Vec<u32>,
    /// Where the row of each place starts, and where the last one ends.
    offsets: Vec<usize>,
    /// Places of the neighbours, ascending in each row.
    columns: Vec<u32>,
    /// Weights beside `columns`.
    weights: Vec<f32>,
    /// Sum of the weights of each place.
    degrees: Vec<f64>,
    /// The first place of each component, and the number of nodes.
    starts: Vec<usize>,
    /// Groups of places, groups of groups, ….
    levels: Vec<Level>,
}

impl Graph {
    /// The graph of `nodes` nodes and these edges, in any order. Edges of weight 0 join nothing.
    ///
    /// # Errors
    /// [`Error::Edge`] for an edge of a node with itself or one that is not there, a second edge
    /// between two nodes, or a weight that is negative or no number; [`Error::Length`].
    pub fn new(nodes: usize, edges: &Edges) -> Result<Self, Error> {
        let plain = Rows::new(nodes, edges)?;
        let (first, starts) = plain.breadth_first();
        let breadth_first = plain.renumbered(&first);
        let (grouped, levels) = aggregation::group(&breadth_first);
        let Rows { offsets, columns, weights } = breadth_first.renumbered(&grouped);
        let order: Vec<u32> = grouped.iter().map(|&row| first[row as usize]).collect();
        let place = inverse(&order);
        let degrees = Vec::new();
        let mut graph = Self { order, place, offsets, columns, weights, degrees, starts, levels };
        graph.weigh();
        Ok(graph)
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.order.len()
    }

    /// The number of connected components; a node without edges is one.
    pub fn components(&self) -> usize {
        self.starts.len() - 1
    }

    /// The component of every node; components are numbered by their smallest node.
    pub fn component_of_nodes(&self) -> Vec<u32> {
        let mut component = vec![0; self.nodes()];
        for (number, places) in self.component_places().enumerate() {
            for place in places {
                component[self.order[place] as usize] = number as u32;
            }
        }
        component
    }

    /// The sum of the weights of every node.
    pub fn degree_of_nodes(&self) -> Vec<f64> {
        self.place.iter().map(|&place| self.degrees[place as usize]).collect()
    }

    /// The node of each place.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The place of a node.
    pub(super) fn place(&self, node: u32) -> usize {
        self.place[node as usize] as usize
    }

    /// Degrees by place.
    pub(super) fn degrees(&self) -> &[f64] {
        &self.degrees
    }

    /// Weights of all rows, one after another.
    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Places of the neighbours of all rows, one after another.
    pub(super) fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// Where the neighbours of a place lie in [`Graph::columns`] and [`Graph::weights`].
    #[inline]
    pub(super) fn row(&self, place: usize) -> Range<usize> {
        self.offsets[place]..self.offsets[place + 1]
    }

    /// The places of each component.
    pub(super) fn component_places(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }

    /// Groups of places, from the lowest level up.
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The same graph with wᵢⱼ replaced by aᵢ wᵢⱼ aⱼ, `factors: [places]`.
    pub(super) fn reweighted(&self, factors: &[f64]) -> Self {
        let mut graph = self.clone();
        let row = |place: usize| {
            self.row(place).map(move |at| {
                let (weight, other) = (f64::from(self.weights[at]), self.columns[at] as usize);
                (factors[place] * weight * factors[other]) as f32
            })
        };
        graph.weights = (0..self.nodes()).into_par_iter().flat_map_iter(row).collect();
        graph.weigh();
        graph
    }

    fn weigh(&mut self) {
        let sum = |place: usize| self.weights[self.row(place)].iter().copied().map(f64::from).sum();
        self.degrees = (0..self.nodes()).into_par_iter().map(sum).collect();
    }
}

/// Compressed rows in some numbering.
pub(super) struct Rows {
    pub(super) offsets: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) weights: Vec<f32>,
}

impl Rows {
    /// In the caller's numbering.
    pub(super) fn new(nodes: usize, edges: &Edges) -> Result<Self, Error> {
        check(nodes, edges)?;
        let pairs = || edges.source.iter().zip(&edges.target).zip(&edges.weight);
        let mut offsets = vec![0usize; nodes + 1];
        for ((&a, &b), &weight) in pairs() {
            let joined = usize::from(weight > 0.0);
            offsets[a as usize + 1] += joined;
            offsets[b as usize + 1] += joined;
        }
        for node in 0..nodes {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let (mut columns, mut weights) = (vec![0; offsets[nodes]], vec![0.0; offsets[nodes]]);
        for ((&a, &b), &weight) in pairs().filter(|(_, weight)| **weight > 0.0) {
            for (from, to) in [(a as usize, b), (b as usize, a)] {
                columns[next[from]] = to;
                weights[next[from]] = weight;
                next[from] += 1;
            }
        }
        Ok(Self { offsets, columns, weights })
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn row(&self, node: u32) -> Range<usize> {
        self.offsets[node as usize]..self.offsets[node as usize + 1]
    }

    /// Neighbours with weights.
    pub(super) fn entries(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone {
        let row = self.row(row as u32);
        self.columns[row.clone()].iter().copied().zip(self.weights[row].iter().copied())
    }

    /// Nodes in breadth-first order, and where each component starts.
    fn breadth_first(&self) -> (Vec<u32>, Vec<usize>) {
        let nodes = self.len();
        let (mut order, mut starts) = (Vec::with_capacity(nodes), Vec::new());
        let mut seen = vec![false; nodes];
        let mut fresh: Vec<u32> = Vec::new();
        for root in 0..nodes as u32 {
            if std::mem::replace(&mut seen[root as usize], true) {
                continue;
            }
            starts.push(order.len());
            let mut head = order.len();
            order.push(root);
            while let Some(&node) = order.get(head) {
                head += 1;
                let others = self.columns[self.row(node)].iter().copied();
                fresh.extend(
                    others.filter(|&other| !std::mem::replace(&mut seen[other as usize], true)),
                );
                fresh.sort_unstable_by_key(|&other| (self.row(other).len(), other));
                order.append(&mut fresh);
            }
        }
        starts.push(nodes);
        (order, starts)
    }

    /// The rows in another order, with their columns renumbered and ascending.
    fn renumbered(&self, order: &[u32]) -> Self {
        let place = inverse(order);
        let mut offsets = Vec::with_capacity(self.offsets.len());
        let mut entries: Vec<(u32, f32)> = Vec::with_capacity(self.columns.len());
        offsets.push(0);
        for &node in order {
            let start = entries.len();
            entries.extend(
                self.row(node).map(|at| (place[self.columns[at] as usize], self.weights[at])),
            );
            entries[start..].sort_unstable_by_key(|entry| entry.0);
            offsets.push(entries.len());
        }
        let (columns, weights) = entries.into_iter().unzip();
        Self { offsets, columns, weights }
    }
}

/// Where each one is in a permutation.
fn inverse(order: &[u32]) -> Vec<u32> {
    let mut place = vec![0; order.len()];
    for (at, &node) in (0..).zip(order) {
        place[node as usize] = at;
    }
    place
}

fn check(nodes: usize, edges: &Edges) -> Result<(), Error> {
    let length = edges.len();
    check_length("targets", length, edges.target.len())?;
    check_length("weights", length, edges.weight.len())?;
    let wrong = |index, problem| Err(Error::Edge { index, problem });
    for index in 0..length {
        let (a, b, weight) = (edges.source[index], edges.target[index], edges.weight[index]);
        if a as usize >= nodes || b as usize >= nodes {
            return wrong(index, "joins a node that is not there");
        }
        if a == b {
            return wrong(index, "joins a node with itself");
        }
        if !(weight >= 0.0 && weight.is_finite()) {
            return wrong(index, "has a weight that is negative or no number");
        }
    }
    let mut pairs: Vec<(u32, u32, usize)> = (0..length)
        .map(|i| (edges.source[i].min(edges.target[i]), edges.source[i].max(edges.target[i]), i))
        .collect();
    if !pairs.is_sorted() {
        pairs.par_sort_unstable();
    }
    match pairs.windows(2).find(|two| (two[0].0, two[0].1) == (two[1].0, two[1].1)) {
        Some(two) => wrong(two[1].2, "joins two nodes that an edge before it joins"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn edges(list: &[(u32, u32, f32)]) -> Edges {
        Edges {
            source: list.iter().map(|edge| edge.0).collect(),
            target: list.iter().map(|edge| edge.1).collect(),
            weight: list.iter().map(|edge| edge.2).collect(),
            distance: vec![0.0; list.len()],
        }
    }

    #[test]
    fn components_are_those_of_the_edges_with_weight() {
        let list = [(5, 1, 0.5), (1, 3, 0.25), (2, 0, 1.0), (3, 2, 0.0)];
        let graph = Graph::new(6, &edges(&list)).unwrap();
        assert_eq!(graph.components(), 3);
        assert_eq!(graph.component_of_nodes(), [0, 1, 0, 1, 2, 1]);
        assert_eq!(graph.degree_of_nodes(), [1.0, 0.75, 1.0, 0.25, 0.0, 0.5]);
        let sizes: Vec<usize> = graph.component_places().map(|places| places.len()).collect();
        assert_eq!(sizes, [2, 3, 1]);
    }

    #[test]
    fn rows_survive_the_renumbering() {
        let list = [(0, 4, 0.1), (4, 2, 0.2), (2, 1, 0.3), (3, 0, 0.4), (1, 3, 0.5)];
        let graph = Graph::new(5, &edges(&list)).unwrap();
        let mut found = Vec::new();
        for node in 0..5 {
            for at in graph.row(graph.place(node)) {
                let other = graph.order()[graph.columns()[at] as usize];
                found.push((node, other, graph.weights()[at]));
            }
        }
        let mut expected: Vec<_> =
            list.iter().flat_map(|&(a, b, w)| [(a, b, w), (b, a, w)]).collect();
        expected.sort_by_key(|edge| (edge.0, edge.1));
        found.sort_by_key(|edge| (edge.0, edge.1));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_order_of_the_edges_changes_nothing() {
        let list = [(0, 4, 0.1), (2, 4, 0.2), (1, 2, 0.3), (0, 3, 0.4), (1, 3, 0.5)];
        let one = Graph::new(5, &edges(&list)).unwrap();
        let turned: Vec<_> = list.iter().rev().map(|&(a, b, w)| (b, a, w)).collect();
        let two = Graph::new(5, &edges(&turned)).unwrap();
        assert_eq!((one.order, one.columns, one.weights), (two.order, two.columns, two.weights));
        assert_eq!(one.degrees, two.degrees);
    }

    #[test]
    fn edges_that_make_no_sense_are_refused() {
        let refused = |list: &[(u32, u32, f32)]| match Graph::new(3, &edges(list)) {
            Err(Error::Edge { index, .. }) => index,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&[(0, 1, 1.0), (1, 3, 1.0)]), 1);
        assert_eq!(refused(&[(2, 2, 1.0)]), 0);
        assert_eq!(refused(&[(0, 1, -1.0)]), 0);
        assert_eq!(refused(&[(0, 1, f32::NAN)]), 0);
        assert_eq!(refused(&[(0, 1, 1.0), (1, 2, 1.0), (1, 0, 1.0)]), 2);
        let mut short = edges(&[(0, 1, 1.0)]);
        short.weight.clear();
        assert!(matches!(Graph::new(3, &short), Err(Error::Length { .. })));
        assert_eq!(Graph::new(0, &Edges::default()).unwrap().components(), 0);
    }
}
