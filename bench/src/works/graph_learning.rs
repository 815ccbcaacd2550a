//! Ten labels, one per class, and a graph of 70,000 digits over which they flow.
//!
//! The graph is made once, by ours: the ten nearest neighbours in 50 principal components, joined by
//! self-tuning weights. Both sides get the same edges and build what they keep of a graph before any
//! clock runs; the time is that from there to a class for every node. What graphlearning makes of the
//! graph in every fit (a copy without its diagonal, the Laplacian) counts, as it cannot be kept.
//!
//! Both sides stop at graphlearning's default, which is an absolute residual of 10⁻⁵ (Laplace) or 10⁻³
//! (Poisson). Ours is relative to the right-hand side, whose length is below 1 here: it goes a little
//! farther. Poisson learning of the peer by default solves by conjugate gradients; the published steps are
//! the second peer. What ours makes of the graph's groups for a system counts too.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use scarce_graph_learning::{
    Edges, Graph, Laplace, Mbo, Precision, Rule, Seeds, laplace, poisson, poisson_mbo,
    symmetric_edges,
};
use scarce_ingest::datasets::Dataset;
use scarce_neighbours::{Metric, neighbours::self_neighbours};
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::{Classes, Data},
    quality::Quality,
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "graph-learning",
    title: "One label per class on a graph of MNIST, 70,000 nodes, 10 neighbours each",
    cases: &[
        Case { name: "laplace", title: "Laplace learning", heavy: false },
        Case { name: "poisson", title: "Poisson learning", heavy: false },
        Case { name: "poisson-mbo", title: "PoissonMBO, uniform priors", heavy: false },
    ],
    run,
};

const CLASSES: usize = 10;
const COMPONENTS: usize = 50;
const K: usize = 10;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let x = session.data.components(Dataset::Mnist, COMPONENTS)?;
    let classes = session.data.all_classes(Dataset::Mnist)?;
    let near = self_neighbours(x.matrix()?, K, Metric::Euclidean)?;
    let edges = symmetric_edges(&near, Metric::Euclidean, Rule::SelfTuning)?;
    let files = write(&session.data, &edges)?;
    let graph = Graph::new(x.rows, &edges)?;
    let rows = first_of_each(&classes.values)?;
    let seeds: Vec<(u32, u32)> = rows.iter().copied().zip(0..).collect();
    let seeds = Seeds::new(&seeds, CLASSES)?;
    for case in &choice.cases {
        let ask = |solver: Option<&str>| {
            let [source, target, weight] = &files;
            let data = json!({
                "source": source, "target": target, "weight": weight, "classes": classes.path,
            });
            let params = json!({
                "method": case.name, "solver": solver, "rows": rows, "classes": CLASSES,
                "nodes": graph.nodes(),
            });
            session.peer("graphs", "graph_learning.py", data, params)
        };
        let mut peers = vec![ask(None)?];
        if case.name == "poisson" {
            peers.push(ask(Some("gradient_descent"))?);
        }
        session.compare(choice, case, peers, |_| {
            let begin = Instant::now();
            let found = learn(case.name, &graph, &seeds)?;
            let seconds = begin.elapsed().as_secs_f64();
            let accuracy = accuracy(&found, &classes);
            Ok(Turn { seconds, quality: Quality::from([("accuracy".to_owned(), accuracy)]) })
        })?;
    }
    Ok(())
}

/// The edges as files: smaller node, larger node, weight.
fn write(data: &Data, edges: &Edges) -> Result<[PathBuf; 3]> {
    Ok([
        data.array("graph-source.npy", &edges.source)?,
        data.array("graph-target.npy", &edges.target)?,
        data.array("graph-weight.npy", &edges.weight)?,
    ])
}

/// The first row of each class.
fn first_of_each(classes: &[u32]) -> Result<Vec<u32>> {
    let first = |class: u32| {
        let row = classes.iter().position(|&found| found == class);
        row.map(|row| row as u32).with_context(|| format!("no image is of class {class}"))
    };
    (0..CLASSES as u32).map(first).collect()
}

fn learn(method: &str, graph: &Graph, seeds: &Seeds) -> Result<Vec<Option<u32>>> {
    let priors = [1.0 / CLASSES as f64; CLASSES];
    let tolerance = if method == "laplace" { 1e-5 } else { 1e-3 };
    let precision = Precision { tolerance, ..Precision::default() };
    Ok(match method {
        "laplace" => laplace(graph, seeds, Laplace::default(), precision)?.winners(),
        "poisson" => poisson(graph, seeds, &priors, precision)?.winners(),
        _ => poisson_mbo(graph, seeds, &priors, Mbo::default(), precision)?.1.labels,
    })
}

/// The share of all nodes, labelled ones among them, that got their class.
fn accuracy(found: &[Option<u32>], classes: &Classes) -> f64 {
    let right = found.iter().zip(&classes.values).filter(|&(found, class)| *found == Some(*class));
    right.count() as f64 / classes.values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_labelled_where_it_comes_first() {
        let classes: Vec<u32> = (0..40).map(|row| (row / 2) % 10).collect();
        assert_eq!(first_of_each(&classes).unwrap(), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
        assert!(first_of_each(&classes[..10]).is_err());
    }

    #[test]
    fn every_method_carries_labels_along_chains() {
        // ten chains of six nodes, labelled at their first
        let count = CLASSES as u32 * 6;
        let source: Vec<u32> = (0..count).filter(|node| node % 6 < 5).collect();
        let target = source.iter().map(|node| node + 1).collect();
        let ones = vec![1.0; source.len()];
        let edges = Edges { source, target, weight: ones.clone(), distance: ones };
        let graph = Graph::new(count as usize, &edges).unwrap();
        let values: Vec<u32> = (0..count).map(|node| node / 6).collect();
        let rows = first_of_each(&values).unwrap();
        let seeds = Seeds::new(&rows.into_iter().zip(0..).collect::<Vec<_>>(), CLASSES).unwrap();
        let classes = Classes { values, path: PathBuf::new() };
        for method in ["laplace", "poisson", "poisson-mbo"] {
            let found = learn(method, &graph, &seeds).unwrap();
            assert_eq!(accuracy(&found, &classes), 1.0, "{method}");
        }
    }
}
