//! Groups of strongly joined nodes, groups of such groups, and so on until few are left.
//!
//! A residual that varies little within groups is what diagonal scaling cannot see; a coarser graph
//! can. A node and those that it is strongly joined to make a group if none of them is in one yet, and
//! who is left over joins its strongest neighbour (P. Vaněk, J. Mandel and M. Brezina, *Algebraic
//! multigrid by smoothed aggregation*, Computing 56, 1996, without the smoothing).

use super::adjacency::Rows;
use scarce_numeric::members::Members;

/// How strong an edge must be, as a share of the strongest of its node.
const STRONG: f32 = 0.5;
/// So few groups need not be grouped.
pub(super) const FEW: usize = 64;
/// Grouping ends when it leaves more than this share.
const LEAST_PROGRESS: f64 = 0.8;

/// One level: groups of what is below, which are places at the lowest level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    /// The group of each one below.
    pub(super) group: Vec<u32>,
    /// The first one below of each group, and the number of those below: groups are contiguous.
    pub(super) members: Vec<u32>,
    /// The first place of each group, and the number of places.
    pub(super) places: Vec<u32>,
}

impl Level {
    /// The number of groups.
    pub(super) fn len(&self) -> usize {
        self.members.len() - 1
    }
}

/// Groups the nodes of a graph. Returns for each place the row of `rows` that it shall be, so that
/// groups of all levels are contiguous, and the levels from the lowest up.
pub(super) fn group(rows: &Rows) -> (Vec<u32>, Vec<Level>) {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut counts = vec![rows.len()];
    let mut coarse = None;
    loop {
        let fine = coarse.as_ref().unwrap_or(rows);
        if fine.len() <= FEW {
            break;
        }
        let (group, count) = aggregate(fine);
        if count as f64 > LEAST_PROGRESS * fine.len() as f64 {
            break;
        }
        let contracted = contract(fine, &group, count);
        groups.push(group);
        counts.push(count);
        coarse = Some(contracted);
    }
    let mut order: Vec<u32> = (0..counts[groups.len()] as u32).collect();
    let mut levels = Vec::with_capacity(groups.len());
    for (group, &below) in groups.iter().zip(&counts).rev() {
        let members = Members::new(group, order.len());
        let mut next = Vec::with_capacity(below);
        let mut bounds = Vec::with_capacity(order.len() + 1);
        bounds.push(0);
        for &old in &order {
            next.extend_from_slice(members.of(old as usize));
            bounds.push(next.len() as u32);
        }
        let group = (0..).zip(bounds.windows(2)).flat_map(|(group, pair): (u32, _)| {
            std::iter::repeat_n(group, (pair[1] - pair[0]) as usize)
        });
        levels.push(Level { group: group.collect(), members: bounds, places: Vec::new() });
        order = next;
    }
    levels.reverse();
    let mut below: Vec<u32> = (0..=rows.len() as u32).collect();
    for level in &mut levels {
        level.places = level.members.iter().map(|&first| below[first as usize]).collect();
        below.clone_from(&level.places);
    }
    (order, levels)
}

/// The group of each row, numbered by their first rows, and how many there are.
fn aggregate(rows: &Rows) -> (Vec<u32>, usize) {
    const NONE: u32 = u32::MAX;
    let mut group = vec![NONE; rows.len()];
    let mut count = 0;
    for row in 0..rows.len() {
        let entries = rows.entries(row);
        let strongest = entries.clone().map(|entry| entry.1).fold(0.0, f32::max);
        let strong = || entries.clone().filter(|entry| entry.1 >= STRONG * strongest);
        let free = |(other, _): (u32, f32)| group[other as usize] == NONE;
        if group[row] != NONE || strongest == 0.0 || !strong().all(free) {
            continue;
        }
        for (other, _) in strong() {
            group[other as usize] = count;
        }
        group[row] = count;
        count += 1;
    }
    let cores = group.clone();
    for row in (0..rows.len()).filter(|&row| cores[row] == NONE) {
        let mut best = (0.0, None);
        for (other, weight) in rows.entries(row) {
            if weight > best.0 && cores[other as usize] != NONE {
                best = (weight, Some(cores[other as usize]));
            }
        }
        group[row] = best.1.unwrap_or_else(|| {
            count += 1;
            count - 1
        });
    }
    // By the first row of each, which keeps connected components apart.
    let mut number = vec![NONE; count as usize];
    let mut next = 0;
    for group in &mut group {
        let number = &mut number[*group as usize];
        if *number == NONE {
            *number = next;
            next += 1;
        }
        *group = *number;
    }
    (group, count as usize)
}

/// The graph of the groups: weights between two of them are added up.
fn contract(rows: &Rows, group: &[u32], count: usize) -> Rows {
    let members = Members::new(group, count);
    let mut sums = vec![0f32; count];
    let (mut offsets, mut columns, mut weights) = (vec![0], Vec::new(), Vec::new());
    let mut met: Vec<u32> = Vec::new();
    for own in 0..count {
        for &row in members.of(own) {
            for (other, weight) in rows.entries(row as usize) {
                let other = group[other as usize];
                if other as usize == own {
                    continue;
                }
                let sum = &mut sums[other as usize];
                if *sum == 0.0 {
                    met.push(other);
                }
                *sum += weight;
            }
        }
        met.sort_unstable();
        weights.extend(met.iter().map(|&other| std::mem::take(&mut sums[other as usize])));
        columns.append(&mut met);
        offsets.push(columns.len());
    }
    Rows { offsets, columns, weights }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edges;

    /// Twelve hundred nodes in two rings, strongly joined in pairs, and two nodes without edges.
    fn rings() -> Rows {
        let mut edges = Edges::default();
        for start in [0, 600] {
            for at in 0..600 {
                let (a, b) = (start + at, start + (at + 1) % 600);
                edges.source.push(a.min(b));
                edges.target.push(a.max(b));
                edges.weight.push(if at % 2 == 0 { 1.0 } else { 0.25 });
            }
        }
        edges.distance = vec![0.0; edges.source.len()];
        Rows::new(1202, &edges).unwrap()
    }

    #[test]
    fn groups_nest_and_are_contiguous() {
        let rows = rings();
        let (order, levels) = group(&rows);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1202).collect::<Vec<u32>>());
        assert!(levels.len() >= 3, "{}", levels.len());
        assert!(levels.last().unwrap().len() <= FEW);
        let mut below = 1202;
        for level in &levels {
            assert_eq!(level.group.len(), below);
            assert_eq!((level.members[0], level.places[0]), (0, 0));
            assert_eq!(level.members[level.len()] as usize, below);
            assert_eq!(level.places[level.len()], 1202);
            for (group, pair) in (0..).zip(level.members.windows(2)) {
                assert!(
                    level.group[pair[0] as usize..pair[1] as usize].iter().all(|&g| g == group)
                );
            }
            below = level.len();
        }
    }

    #[test]
    fn what_is_strongly_joined_is_grouped_first_and_parts_stay_apart() {
        let (order, levels) = group(&rings());
        let lowest = &levels[0];
        for pair in lowest.places.windows(2) {
            let group = &order[pair[0] as usize..pair[1] as usize];
            // Pairs, and the two nodes without edges.
            let partner = |node: &u32| if *node < 1200 { node ^ 1 } else { *node };
            assert!(group.iter().all(|node| group.contains(&partner(node))), "{group:?}");
        }
        for level in &levels {
            for pair in level.places.windows(2) {
                let parts = |place: u32| order[place as usize] / 600;
                assert_eq!(parts(pair[0]), parts(pair[1] - 1));
            }
        }
    }

    #[test]
    fn a_small_graph_has_no_levels() {
        let edges =
            Edges { source: vec![0], target: vec![1], weight: vec![1.0], distance: vec![0.0] };
        assert_eq!(group(&Rows::new(3, &edges).unwrap()), (vec![0, 1, 2], vec![]));
        assert_eq!(group(&Rows::new(0, &Edges::default()).unwrap()), (vec![], vec![]));
    }
}
