//! Means over neighbours.

use rayon::prelude::*;

use super::{
    Graph,
    block::{PLACES, WIDEST, gather, with_width},
};
use scarce_numeric::Error;

/// Replaces `values: [nodes, columns]` by what `steps` steps of u ← α D⁻¹Wu + (1 − α)u₀ leave: each row
/// becomes a mean of its own values, weighted 1 − α, and those of nodes so many edges away, weighted
/// (1 − α)αʲ.
///
/// D⁻¹W averages over neighbours, so that rows that sum to 1 go on doing so. It is personalised
/// `PageRank` as J. Gasteiger, A. Bojchevski and S. Günnemann let predictions flow by it (*Predict then
/// propagate: graph neural networks meet personalized `PageRank`*, ICLR 2019, equation 4). A node without
/// edges keeps its values.
///
/// # Errors
/// [`Error::Shape`] for values that are not one row per node; [`Error::Parameter`] for an α that is not
/// from 0 to below 1.
pub fn smooth(
    graph: &Graph,
    values: &mut [f32],
    columns: usize,
    alpha: f64,
    steps: usize,
) -> Result<(), Error> {
    if !(0.0..1.0).contains(&alpha) {
        let value = alpha.to_string();
        return Err(Error::Parameter { name: "alpha", must: "from 0 to below 1", value });
    }
    if columns == 0 || graph.nodes().checked_mul(columns) != Some(values.len()) {
        let (rows, found) = (graph.nodes(), values.len());
        return Err(Error::Shape { rows, cols: columns, found });
    }
    let averaging: Vec<f32> = graph
        .degrees()
        .iter()
        .map(|&degree| if degree > 0.0 { (alpha / degree) as f32 } else { 0.0 })
        .collect();
    let problem = Smoothing { graph, averaging, alpha: alpha as f32, columns, steps };
    for first in (0..columns).step_by(WIDEST) {
        let width = (columns - first).min(WIDEST);
        with_width!(width, columns_from::<_>(&problem, values, first));
    }
    Ok(())
}

struct Smoothing<'a> {
    graph: &'a Graph,
    /// α over the degree by place; 0 without edges.
    averaging: Vec<f32>,
    alpha: f32,
    columns: usize,
    steps: usize,
}

/// The columns `first..`, as many as a block holds.
fn columns_from<const P: usize>(problem: &Smoothing<'_>, values: &mut [f32], first: usize) {
    let Smoothing { graph, ref averaging, alpha, columns, steps } = *problem;
    let width = P.min(columns - first);
    let row = |&node: &u32| {
        let mut lanes = [0f32; P];
        lanes[..width].copy_from_slice(&values[node as usize * columns + first..][..width]);
        lanes
    };
    let start: Vec<[f32; P]> = graph.order().par_iter().map(row).collect();
    let (mut heat, mut next) = (start.clone(), start.clone());
    for _ in 0..steps {
        next.par_chunks_mut(PLACES).enumerate().for_each(|(chunk, next)| {
            for (offset, next) in next.iter_mut().enumerate() {
                let place = chunk * PLACES + offset;
                let by = averaging[place];
                if by == 0.0 {
                    continue;
                }
                let pulled = gather(graph, &heat, place);
                for ((next, pulled), start) in next.iter_mut().zip(&pulled).zip(&start[place]) {
                    *next = by * pulled + (1.0 - alpha) * start;
                }
            }
        });
        std::mem::swap(&mut heat, &mut next);
    }
    for (lanes, &node) in heat.iter().zip(graph.order()) {
        values[node as usize * columns + first..][..width].copy_from_slice(&lanes[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edges;

    /// A path 0 – 1 – 2 with weights 1 and 3, and a node alone.
    fn path() -> Graph {
        let edges = Edges {
            source: vec![0, 1],
            target: vec![1, 2],
            weight: vec![1.0, 3.0],
            distance: vec![0.0; 2],
        };
        Graph::new(4, &edges).unwrap()
    }

    #[test]
    fn a_step_takes_a_share_of_the_mean_of_the_neighbours() {
        let mut values = [1.0, 10.0, 2.0, 20.0, 6.0, 60.0, 7.0, 70.0];
        smooth(&path(), &mut values, 2, 0.5, 1).unwrap();
        // Node 1: half of its own 2, half of (1 · 1 + 3 · 6) / 4.
        let expected = [1.5, 15.0, 3.375, 33.75, 4.0, 40.0, 7.0, 70.0];
        for (found, expected) in values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{values:?}");
        }
    }

    #[test]
    fn many_columns_are_those_of_one_at_a_time_and_rows_go_on_summing_to_one() {
        let wide: Vec<f32> = (0..4 * 35).map(|i| ((i * 37) % 11) as f32 / 11.0).collect();
        let mut all = wide.clone();
        smooth(&path(), &mut all, 35, 0.8, 20).unwrap();
        for column in [0, 15, 16, 34] {
            let mut one: Vec<f32> = (0..4).map(|node| wide[node * 35 + column]).collect();
            smooth(&path(), &mut one, 1, 0.8, 20).unwrap();
            for (node, one) in one.iter().enumerate() {
                assert_eq!(all[node * 35 + column].to_bits(), one.to_bits());
            }
        }
        let mut shares = [0.25, 0.75, 1.0, 0.0, 0.5, 0.5, 0.125, 0.875];
        smooth(&path(), &mut shares, 2, 0.9, 50).unwrap();
        assert!(shares.chunks_exact(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-5));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for alpha in [-0.1, 1.0, f64::NAN] {
            assert!(smooth(&path(), &mut [0.0; 4], 1, alpha, 1).is_err());
        }
        assert!(matches!(smooth(&path(), &mut [0.0; 3], 1, 0.5, 1), Err(Error::Shape { .. })));
        assert!(smooth(&path(), &mut [], 0, 0.5, 1).is_err());
    }
}
