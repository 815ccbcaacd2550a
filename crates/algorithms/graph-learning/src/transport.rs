//! The best assignment of nodes to classes when each class takes a given number of nodes.
//!
//! Successive shortest paths (Ahuja, Magnanti and Orlin, *Network flows*, 1993, §9.7) on a network
//! with one node per class: an arc from class a to class b costs what is lost by moving, of the nodes
//! in a, the one that loses least. Every path from a class with too many nodes to one with too few
//! moves one node along each of its arcs. Prices keep all costs from being negative, and are the
//! weights that a plain comparison would need to find the same classes.

use std::{cmp::Ordering, collections::BinaryHeap};

use rayon::prelude::*;

/// No class.
pub(super) const NOBODY: u32 = u32::MAX;

/// Nodes, their classes, and what each would gain elsewhere.
pub(super) struct Market {
    classes: usize,
    /// What a node is worth in each class; −∞ where it cannot be: `[nodes, classes]`.
    gains: Vec<f32>,
    /// The class of each node, or [`NOBODY`].
    labels: Vec<u32>,
    /// Nodes in each class.
    counts: Vec<usize>,
    /// Each node's gain + price is the largest in its own class.
    prices: Vec<f64>,
    /// Offers to leave a class for another, `[classes, classes]`; nodes that have left it since are
    /// still there.
    offers: Vec<BinaryHeap<Offer>>,
}

/// The outcome of a market.
pub(super) struct Closed {
    /// The class of each node, or [`NOBODY`].
    pub(super) labels: Vec<u32>,
    /// Each node's gain + price is the largest in its own class, if possible by a margin.
    pub(super) prices: Vec<f64>,
    /// As the market was opened with.
    pub(super) gains: Vec<f32>,
}

/// What it costs to move a node.
#[derive(PartialEq)]
struct Offer {
    loss: f64,
    node: u32,
}

impl Eq for Offer {}

impl Ord for Offer {
    /// The greatest offer is the one that loses least; of equals that of the first node.
    fn cmp(&self, other: &Self) -> Ordering {
        other.loss.total_cmp(&self.loss).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The class in which a node's gain + price is largest, of equals the first.
pub(super) fn winner(gains: &[f32], prices: &[f64]) -> u32 {
    let mut best = (NOBODY, f64::NEG_INFINITY);
    for (class, (&gain, price)) in gains.iter().zip(prices).enumerate() {
        let worth = f64::from(gain) + price;
        if worth > best.1 {
            best = (class as u32, worth);
        }
    }
    best.0
}

impl Market {
    /// Puts every node where its gain + price is largest; of equals in the first class.
    pub(super) fn open(gains: Vec<f32>, prices: Vec<f64>) -> Self {
        let classes = prices.len();
        let best = |row: &[f32]| winner(row, &prices);
        let labels: Vec<u32> = gains.par_chunks_exact(classes).map(best).collect();
        let mut counts = vec![0; classes];
        for &label in labels.iter().filter(|label| **label != NOBODY) {
            counts[label as usize] += 1;
        }
        Self { classes, gains, labels, counts, prices, offers: Vec::new() }
    }

    /// Nodes in each class.
    pub(super) fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Moves nodes, at the least loss, until class k has `wanted[k]` of them or no path is left;
    /// returns the number of paths.
    pub(super) fn balance(&mut self, wanted: &[usize]) -> usize {
        if self.counts == wanted {
            return 0;
        }
        self.gather_offers();
        let mut paths = 0;
        while let Some((end, distance, from)) = self.shortest_path(wanted) {
            for (price, distance_to) in self.prices.iter_mut().zip(&distance) {
                *price += distance_to.min(distance[end]);
            }
            let mut class = end;
            while let Some((before, node)) = from[class] {
                self.move_node(node, before, class);
                class = before;
            }
            paths += 1;
        }
        paths
    }

    /// The outcome.
    pub(super) fn close(mut self) -> Closed {
        let settled = self.offers.is_empty();
        let prices = if settled { std::mem::take(&mut self.prices) } else { self.central_prices() };
        Closed { labels: self.labels, prices, gains: self.gains }
    }

    fn gather_offers(&mut self) {
        let classes = self.classes;
        let mut members = vec![Vec::new(); classes];
        for (node, &label) in self.labels.iter().enumerate() {
            if label != NOBODY {
                members[label as usize].push(node as u32);
            }
        }
        let gains = &self.gains;
        let heap = |pair: usize| -> BinaryHeap<Offer> {
            let (from, to) = (pair / classes, pair % classes);
            let offers =
                members[from].iter().filter_map(|&node| offer(gains, classes, node, from, to));
            offers.collect::<Vec<_>>().into()
        };
        self.offers = (0..classes * classes).into_par_iter().map(heap).collect();
    }

    /// The cheapest node to move from a class to another.
    fn cheapest(&mut self, from: usize, to: usize) -> Option<(f64, u32)> {
        let heap = &mut self.offers[from * self.classes + to];
        while let Some(offer) = heap.peek() {
            if self.labels[offer.node as usize] as usize == from {
                return Some((offer.loss, offer.node));
            }
            heap.pop();
        }
        None
    }

    /// Dijkstra's search from all classes that have too many nodes to the nearest that has too few:
    /// that class, the distance to each, and for each the class before it and the node to move.
    #[allow(clippy::type_complexity)]
    fn shortest_path(
        &mut self,
        wanted: &[usize],
    ) -> Option<(usize, Vec<f64>, Vec<Option<(usize, u32)>>)> {
        let classes = self.classes;
        let surplus = |class: usize| self.counts[class] > wanted[class];
        let mut distance: Vec<f64> =
            (0..classes).map(|class| if surplus(class) { 0.0 } else { f64::INFINITY }).collect();
        let mut from = vec![None; classes];
        let mut settled = vec![false; classes];
        let mut end = None;
        loop {
            let open = (0..classes).filter(|&class| !settled[class] && distance[class].is_finite());
            let Some(near) = open.min_by(|&a, &b| distance[a].total_cmp(&distance[b])) else {
                break;
            };
            settled[near] = true;
            if self.counts[near] < wanted[near] {
                end = Some(near);
                break;
            }
            for class in (0..classes).filter(|&class| !settled[class]) {
                let Some((loss, node)) = self.cheapest(near, class) else { continue };
                let cost = (loss + self.prices[near] - self.prices[class]).max(0.0);
                if distance[near] + cost < distance[class] {
                    distance[class] = distance[near] + cost;
                    from[class] = Some((near, node));
                }
            }
        }
        end.map(|end| (end, distance, from))
    }

    fn move_node(&mut self, node: u32, from: usize, to: usize) {
        self.labels[node as usize] = to as u32;
        self.counts[from] -= 1;
        self.counts[to] += 1;
        for class in 0..self.classes {
            if let Some(offer) = offer(&self.gains, self.classes, node, to, class) {
                self.offers[to * self.classes + class].push(offer);
            }
        }
    }

    /// Prices may differ by no more than the losses between two classes. The distances from any class
    /// are such prices; their mean keeps away from the limits.
    fn central_prices(&mut self) -> Vec<f64> {
        let classes = self.classes;
        let mut between = vec![f64::INFINITY; classes * classes];
        for from in 0..classes {
            for to in 0..classes {
                let cheapest = self.cheapest(from, to).map(|offer| offer.0);
                between[from * classes + to] =
                    if from == to { 0.0 } else { cheapest.unwrap_or(f64::INFINITY) };
            }
        }
        for via in 0..classes {
            for from in 0..classes {
                for to in 0..classes {
                    let path = between[from * classes + via] + between[via * classes + to];
                    let direct = &mut between[from * classes + to];
                    *direct = direct.min(path);
                }
            }
        }
        let sources: Vec<&[f64]> =
            between.chunks_exact(classes).filter(|row| row.iter().all(|d| d.is_finite())).collect();
        if sources.is_empty() {
            return self.prices.clone();
        }
        let mean = |class: usize| {
            let sum: f64 = sources.iter().map(|row| row[class]).sum();
            // What nobody has may be as cheap as one likes.
            sum / sources.len() as f64 - f64::from(u8::from(self.counts[class] == 0))
        };
        (0..classes).map(mean).collect()
    }
}

fn offer(gains: &[f32], classes: usize, node: u32, from: usize, to: usize) -> Option<Offer> {
    let row = &gains[node as usize * classes..][..classes];
    let possible = from != to && row[to] > f32::NEG_INFINITY;
    possible.then(|| Offer { loss: f64::from(row[from]) - f64::from(row[to]), node })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    /// The largest total gain over all assignments with these counts.
    fn best_by_hand(gains: &[f32], left: &mut [usize]) -> f64 {
        if gains.is_empty() {
            return 0.0;
        }
        let mut best = f64::NEG_INFINITY;
        for class in 0..left.len() {
            if left[class] > 0 && gains[class] > f32::NEG_INFINITY {
                left[class] -= 1;
                best = best.max(f64::from(gains[class]) + best_by_hand(&gains[left.len()..], left));
                left[class] += 1;
            }
        }
        best
    }

    #[test]
    fn nothing_better_can_be_found_by_hand() {
        for seed in 0..40 {
            let mut gains = noise(8, 3, seed);
            if seed % 2 == 0 {
                gains[4] = f32::NEG_INFINITY;
            }
            let wanted = [[3, 3, 2], [6, 1, 1], [0, 4, 4]][seed as usize % 3];
            let mut market = Market::open(gains.clone(), vec![0.0; 3]);
            market.balance(&wanted);
            assert_eq!(market.counts(), wanted);
            let Closed { labels, prices, .. } = market.close();
            let worth = |node: usize| f64::from(gains[node * 3 + labels[node] as usize]);
            let total: f64 = (0..8).map(worth).sum();
            assert!(
                (total - best_by_hand(&gains, &mut wanted.clone())).abs() < 1e-9,
                "seed {seed}"
            );
            // With the prices a plain comparison finds the same.
            assert_eq!(Market::open(gains, prices).close().labels, labels, "seed {seed}");
        }
    }

    #[test]
    fn a_start_from_other_prices_ends_at_the_same_classes() {
        let gains = noise(500, 6, 7);
        let wanted = [100, 50, 50, 150, 149, 1];
        let run = |prices: Vec<f64>| {
            let mut market = Market::open(gains.clone(), prices);
            let paths = market.balance(&wanted);
            (market.close(), paths)
        };
        let (Closed { labels, prices, .. }, _) = run(vec![0.0; 6]);
        assert_eq!(run(vec![3.0, -1.0, 0.5, 0.0, 0.0, 2.0]).0.labels, labels);
        let (again, paths) = run(prices);
        assert_eq!((again.labels, paths), (labels, 0));
    }

    #[test]
    fn what_cannot_be_moved_stays() {
        let shut = f32::NEG_INFINITY;
        let gains = vec![1.0, shut, 1.0, shut, 2.0, 0.0, shut, shut];
        let mut market = Market::open(gains, vec![0.0; 2]);
        assert_eq!(market.balance(&[0, 3]), 1);
        assert_eq!(market.close().labels, [0, 0, 1, NOBODY]);
    }
}
