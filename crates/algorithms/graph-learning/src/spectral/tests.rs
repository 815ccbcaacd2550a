//! Known answers (see `fixtures/make_spectral.py`), and what makes an eigenvector one.

use serde::Deserialize;

use super::super::Edges;
use super::*;
use scarce_testing::{self as fixtures, same_on_any_threads};

#[derive(Deserialize)]
struct Known {
    eigenvalues: Vec<f64>,
    unit_rows: Vec<f32>,
    eigenmaps: Vec<f32>,
    pieces: usize,
    cut_eigenvalues: Vec<f64>,
}

#[derive(Deserialize)]
struct Digits {
    source: Vec<u32>,
    target: Vec<u32>,
    weight: Vec<f32>,
}

/// The graph of 600 digits, of the edges that are wanted.
fn digits(wanted: impl Fn(u32, u32) -> bool) -> Graph {
    let all: Digits = fixtures::read("graph");
    let mut edges = Edges::default();
    for ((&a, &b), &weight) in all.source.iter().zip(&all.target).zip(&all.weight) {
        if wanted(a, b) {
            edges.source.push(a);
            edges.target.push(b);
            edges.weight.push(weight);
        }
    }
    Graph::new(600, &edges).unwrap()
}

fn cut() -> Graph {
    digits(|a, b| (a < 250) == (b < 250) && b != 599)
}

/// Pairs of a ring with a few chords.
fn ring(nodes: u32) -> Graph {
    let mut edges = Edges::default();
    for node in 0..nodes {
        for (step, weight) in [(1, 1.0), (7, 0.25), (12, 0.1)] {
            let other = (node + step + node % 3) % nodes;
            if node != other {
                edges.source.push(node.min(other));
                edges.target.push(node.max(other));
                edges.weight.push(weight);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    let keep: Vec<usize> = (0..edges.source.len())
        .filter(|&at| seen.insert((edges.source[at], edges.target[at])))
        .collect();
    let edges = Edges {
        source: keep.iter().map(|&at| edges.source[at]).collect(),
        target: keep.iter().map(|&at| edges.target[at]).collect(),
        weight: keep.iter().map(|&at| edges.weight[at]).collect(),
        distance: Vec::new(),
    };
    Graph::new(nodes as usize, &edges).unwrap()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found}, expected {expected}");
    }
}

fn every_fifth(values: &[f32], width: usize) -> Vec<f32> {
    values.chunks_exact(width).step_by(5).flatten().copied().collect()
}

const FINE: Spectral =
    Spectral { dimensions: 10, normalise_rows: true, tolerance: 1e-9, max_products: 5000, seed: 0 };

mod scipy_agrees {
    use super::*;

    #[test]
    fn on_rows_of_length_one() {
        let (graph, known): (_, Known) = (digits(|_, _| true), fixtures::read("spectral"));
        let found = same_on_any_threads(|| spectral(&graph, FINE).unwrap());
        assert!(found.convergence.converged, "{:?}", found.convergence);
        near(&found.eigenvalues, &known.eigenvalues[..10], 1e-8);
        fixtures::assert_close(&every_fifth(&found.coordinates, 10), &known.unit_rows, 1e-5);
    }

    #[test]
    fn and_scikit_learn_on_eigenmaps() {
        let (graph, known): (_, Known) = (digits(|_, _| true), fixtures::read("spectral"));
        let how = Spectral { normalise_rows: false, seed: 8, ..FINE };
        let found = spectral(&graph, how).unwrap();
        near(&found.eigenvalues, &known.eigenvalues[1..], 1e-8);
        fixtures::assert_close(&every_fifth(&found.coordinates, 10), &known.eigenmaps, 1e-4);
    }

    #[test]
    fn on_the_eigenvalues_of_a_graph_in_pieces() {
        let (graph, known): (_, Known) = (cut(), fixtures::read("spectral"));
        assert_eq!(graph.components(), known.pieces);
        let found = spectral(&graph, FINE).unwrap();
        near(&found.eigenvalues, &known.cut_eigenvalues, 1e-8);
        let zeros = found.eigenvalues.iter().filter(|value| **value == 0.0).count();
        assert_eq!(zeros, known.pieces);
    }
}

#[test]
fn coordinates_over_roots_are_eigenvectors_in_every_piece() {
    let graph = cut();
    let how = Spectral { normalise_rows: false, ..FINE };
    let found = spectral(&graph, how).unwrap();
    let degrees = graph.degree_of_nodes();
    let of = |node: usize| &found.coordinates[node * 10..][..10];
    for (node, &degree) in degrees.iter().enumerate() {
        let mut pulled = [0.0; 10];
        for at in graph.row(graph.place(node as u32)) {
            let other = graph.order()[graph.columns()[at] as usize] as usize;
            for (pulled, value) in pulled.iter_mut().zip(of(other)) {
                *pulled += f64::from(graph.weights()[at]) * f64::from(*value);
            }
        }
        // (D − W) y = λ D y.
        for ((pulled, value), eigenvalue) in pulled.iter().zip(of(node)).zip(&found.eigenvalues) {
            let left = degree * f64::from(*value) - pulled;
            let right = eigenvalue * degree * f64::from(*value);
            assert!((left - right).abs() < 1e-4, "node {node}: {left} {right}");
        }
    }
    // Orthonormal with the nodes weighted by their degrees; the one without edges weighs 1.
    let weights: Vec<f64> = degrees.iter().map(|&d| if d > 0.0 { d } else { 1.0 }).collect();
    let volume: f64 = weights.iter().sum();
    for a in 0..10 {
        for b in 0..10 {
            let product: f64 = (0..600)
                .map(|node| weights[node] * f64::from(of(node)[a]) * f64::from(of(node)[b]))
                .sum();
            let expected = f64::from(u8::from(a == b));
            assert!((product / volume - expected).abs() < 1e-4, "{a} {b} {product}");
        }
    }
}

#[test]
fn pieces_are_told_apart_by_the_first_coordinates() {
    let graph = cut();
    let component = graph.component_of_nodes();
    let pieces = graph.components();
    let how = Spectral { dimensions: pieces, ..FINE };
    let found = spectral(&graph, how).unwrap();
    assert_eq!(found.convergence.iterations, 0);
    for a in 0..600 {
        for b in (a % 17..a).step_by(17) {
            let product: f32 = (0..pieces)
                .map(|c| found.coordinates[a * pieces + c] * found.coordinates[b * pieces + c])
                .sum();
            let expected = if component[a] == component[b] { 1.0 } else { 0.0 };
            assert!((product - expected).abs() < 1e-5, "{a} {b}: {product}");
        }
    }
}

#[test]
fn both_solvers_find_the_same() {
    let graph = ring(DENSE as u32 - 1);
    let components = Components::new(&graph);
    let dense = dense::solve(&graph, &components, 9).unwrap();
    let subspace = subspace::solve(&graph, &components, 9, FINE).unwrap();
    near(&subspace.values, &dense.values, 1e-9);
    assert!(subspace.convergence.converged && subspace.convergence.residual < 1e-9);
}

#[test]
fn every_eigenvector_can_be_had() {
    for graph in [ring(40), ring(DENSE as u32 + 30), Graph::new(9, &Edges::default()).unwrap()] {
        let nodes = graph.nodes();
        let found = spectral(&graph, Spectral { dimensions: nodes, ..FINE }).unwrap();
        assert_eq!(found.coordinates.len(), nodes * nodes);
        // The trace of 1 − D^(−1/2) W D^(−1/2), less the nodes without edges.
        let trace: f64 = found.eigenvalues.iter().sum();
        let edged = graph.degree_of_nodes().iter().filter(|degree| **degree > 0.0).count();
        assert!((trace - edged as f64).abs() < 1e-6, "{trace}");
        assert!(found.eigenvalues.is_sorted());
    }
}

#[test]
fn a_tolerance_that_is_not_met_is_told() {
    let graph = digits(|_, _| true);
    let found = spectral(&graph, Spectral { max_products: 3, ..FINE }).unwrap();
    assert!(!found.convergence.converged && found.convergence.residual > 1e-9);
}

#[test]
fn impossible_requests_are_errors() {
    let graph = ring(20);
    let wrong = |how: Spectral| spectral(&graph, how).unwrap_err();
    assert!(matches!(wrong(Spectral::new(0)), Error::Parameter { name: "dimensions", .. }));
    assert!(matches!(wrong(Spectral::new(21)), Error::TooFew { available: 20, .. }));
    let maps = Spectral { normalise_rows: false, ..Spectral::new(20) };
    assert!(matches!(wrong(maps), Error::TooFew { available: 19, .. }));
    let loose = Spectral { tolerance: 1.0, ..Spectral::new(2) };
    assert!(matches!(wrong(loose), Error::Parameter { name: "tolerance", .. }));
    let empty = Graph::new(0, &Edges::default()).unwrap();
    assert!(matches!(spectral(&empty, Spectral::new(1)), Err(Error::TooFew { .. })));
}
