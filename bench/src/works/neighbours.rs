//! The ten nearest neighbours: of every digit in 50 principal components (a graph), and of new images
//! of clothes among 60,000 in pixels (a classifier).
//!
//! Recall is judged here, for all sides alike: the share of the neighbours found that are no farther
//! than the tenth of a plain double loop in `f64`, over a hundred queries. Hierarchical navigable small
//! worlds (HNSW) do not find all of them; the time to build the index counts, as a graph is made once.

use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;
use scarce_ingest::datasets::Dataset;
use scarce_kernels::{
    Matrix, Metric,
    neighbours::{nearest_neighbours, self_neighbours},
};
use serde_json::{Value, json};

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::{Part, Points},
    quality::Quality,
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "neighbours",
    title: "Ten nearest neighbours",
    cases: &[
        Case { name: "graph", title: "exact graph, MNIST, 70,000 × 50", heavy: false },
        Case {
            name: "queries",
            title: "10,000 queries, Fashion-MNIST, 60,000 × 784",
            heavy: false,
        },
    ],
    run,
};

const K: usize = 10;
/// Queries that are judged, evenly spaced.
const JUDGED: usize = 100;
/// Links per point, breadth of the search while building, breadth while searching: among the fastest
/// settings that find 99 in 100 here.
const HNSW: [usize; 3] = [16, 40, 40];

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    for case in &choice.cases {
        if case.name == "graph" {
            let x = session.data.components(Dataset::Mnist, 50)?;
            compare(session, choice, case, (&x, &x))?;
        } else {
            let base = session.data.scaled(Dataset::FashionMnist, Part::Train)?;
            let queries = session.data.scaled(Dataset::FashionMnist, Part::Test)?;
            compare(session, choice, case, (&queries, &base))?;
        }
    }
    Ok(())
}

fn compare(
    session: &mut Session,
    choice: &Choice,
    case: &'static Case,
    (queries, base): (&Points, &Points),
) -> Result<()> {
    let own = std::ptr::eq(queries, base);
    let judge = Judge::new(queries.matrix()?, base.matrix()?, own);
    let ask = |script: &str, how: Value| {
        let data = json!({ "queries": queries.path, "base": base.path });
        let Judge { rows, limits, .. } = &judge;
        let params = json!({ "k": K, "self": own, "rows": rows, "limits": limits, "how": how });
        session.peer("numeric", script, data, params)
    };
    let mut peers = vec![ask("neighbours_faiss.py", json!(null))?];
    if own {
        peers.push(ask("neighbours_faiss.py", json!(HNSW))?);
    }
    peers.push(ask("neighbours_sklearn.py", json!(null))?);
    session.compare(choice, case, peers, |_| {
        let begin = Instant::now();
        let found = if own {
            self_neighbours(judge.base, K, Metric::Euclidean)?
        } else {
            nearest_neighbours(judge.queries, judge.base, K, Metric::Euclidean)?
        };
        let seconds = begin.elapsed().as_secs_f64();
        let recall = judge.recall(|query| found.of(query).0);
        Ok(Turn { seconds, quality: Quality::from([("recall".to_owned(), recall)]) })
    })
}

/// Knows the right answer for some of the queries.
struct Judge<'a> {
    queries: Matrix<'a>,
    base: Matrix<'a>,
    /// The queries that it knows.
    rows: Vec<usize>,
    /// The squared distance of each one's tenth neighbour.
    limits: Vec<f64>,
}

impl<'a> Judge<'a> {
    /// With `own`, a query is not its own neighbour.
    fn new(queries: Matrix<'a>, base: Matrix<'a>, own: bool) -> Self {
        let count = JUDGED.min(queries.rows());
        let rows: Vec<usize> = (0..count).map(|at| at * queries.rows() / count).collect();
        let limit = |&query: &usize| {
            let others = (0..base.rows()).filter(|&row| !(own && row == query));
            let mut all: Vec<f64> =
                others.map(|row| squared(queries.row(query), base.row(row))).collect();
            let last = (K - 1).min(all.len().saturating_sub(1));
            *all.select_nth_unstable_by(last, f64::total_cmp).1
        };
        let limits = rows.par_iter().map(limit).collect();
        Self { queries, base, rows, limits }
    }

    /// The share of neighbours that belong among the ten nearest.
    fn recall<'b>(&self, of: impl Fn(usize) -> &'b [u32]) -> f64 {
        let right = |(&query, &limit): (&usize, &f64)| {
            let row = self.queries.row(query);
            let near = |&&found: &&u32| squared(row, self.base.row(found as usize)) <= limit;
            of(query).iter().filter(near).count()
        };
        let right: usize = self.rows.iter().zip(&self.limits).map(right).sum();
        right as f64 / (K * self.rows.len()) as f64
    }
}

fn squared(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&p, &q)| (f64::from(p) - f64::from(q)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_is_the_share_of_neighbours_near_enough() {
        // On a line the ten nearest others of point 20 are 15 to 19 and 21 to 25.
        let line: Vec<f32> = (0..40u8).map(f32::from).collect();
        let line = Matrix::new(&line, 40, 1).unwrap();
        let judge = Judge::new(line, line, true);
        let place = judge.rows.iter().position(|&row| row == 20).unwrap();
        assert_eq!(judge.limits[place], 25.0);
        let found = self_neighbours(line, K, Metric::Euclidean).unwrap();
        assert_eq!(judge.recall(|query| found.of(query).0), 1.0);
        let far: Vec<u32> = (0..10).map(|i| if i < 5 { 0 } else { 39 }).collect();
        assert!(judge.recall(|_| &far) < 0.5);
        // A query that is no row of the base may have a neighbour at distance 0.
        assert_eq!(Judge::new(line, line, false).limits[place], 25.0);
    }
}
