use serde::Deserialize;

use super::*;
use crate::{Edges, Rule, symmetric_edges};
use scarce_neighbours::neighbours::{Metric, self_neighbours};
use scarce_testing::{self as fixtures, noise, same_on_any_threads};

/// See `fixtures/make_graph_regression.py`.
#[derive(Deserialize)]
struct Known {
    components: usize,
    seeds: Vec<u32>,
    source: Vec<u32>,
    target: Vec<u32>,
    weight: Vec<f32>,
    probabilities: Vec<f32>,
    without_graph: Vec<f32>,
    shares: Vec<f64>,
    accuracy: f64,
}

fn accuracy(probabilities: &[f32], labels: &[u32], seeds: &[u32]) -> f64 {
    let found = scarce_numeric::winners(probabilities, 10);
    let open: Vec<usize> = (0..600).filter(|&node| !seeds.contains(&(node as u32))).collect();
    open.iter().filter(|&&node| found[node] == labels[node]).count() as f64 / open.len() as f64
}

/// The largest difference, and how many rows have another winner.
fn difference(found: &[f32], known: &[f32]) -> (f32, usize) {
    let largest = found.iter().zip(known).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let (one, two) = (scarce_numeric::winners(found, 10), scarce_numeric::winners(known, 10));
    (largest, one.iter().zip(&two).filter(|(a, b)| a != b).count())
}

#[test]
fn digits_are_what_dense_matrices_and_exact_solutions_say() {
    let digits = fixtures::digits();
    let known: Known = fixtures::read("graph_regression");
    let distance = vec![0.0; known.source.len()];
    let (source, target) = (known.source.clone(), known.target.clone());
    let edges = Edges { source, target, weight: known.weight.clone(), distance };
    let graph = Graph::new(600, &edges).unwrap();
    let pairs: Vec<(u32, u32)> =
        known.seeds.iter().map(|&node| (node, digits.labels[node as usize])).collect();
    let seeds = Seeds::new(&pairs, 10).unwrap();
    let model = GraphRegression { components: known.components, ..GraphRegression::default() };
    let fitted = same_on_any_threads(|| {
        model.prepare(&graph, digits.matrix()).unwrap().fit(&seeds).unwrap()
    });
    let found: Vec<f32> = fitted.scores.values.iter().map(|&value| value as f32).collect();
    let (largest, others) = difference(&found, &known.probabilities);
    assert!(largest < 0.02 && others == 0, "{largest} {others}");
    let unit = unit_rows(digits.matrix().data(), 64);
    let without = fitted.linear.predict_proba(Matrix::new(&unit, 600, 64).unwrap()).unwrap();
    let (largest, others) = difference(&without, &known.without_graph);
    assert!(largest < 0.02 && others <= 2, "{largest} {others}");
    for (found, known) in fitted.shares.iter().zip(&known.shares) {
        assert!((found - known).abs() < 2e-3, "{:?}", fitted.shares);
    }
    let reached = accuracy(&found, &digits.labels, &known.seeds);
    assert!((reached - known.accuracy).abs() < 1e-9, "{reached}");
    // Better than the regression without a graph.
    let rows: Vec<f32> =
        known.seeds.iter().flat_map(|&node| digits.matrix().row(node as usize)).copied().collect();
    let labels: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
    let labelled = Matrix::new(&rows, pairs.len(), 64).unwrap();
    let alone = Logistic::default().fit(labelled, &labels, 10, None).unwrap();
    let alone = alone.predict_proba(digits.matrix()).unwrap();
    assert!(reached > accuracy(&alone, &digits.labels, &known.seeds));
}

/// Three clouds of 40 rows, far from one another: the graph is in three pieces.
fn clouds() -> (Vec<f32>, Graph) {
    let mut rows = noise(120, 3, 5);
    for (row, point) in rows.chunks_exact_mut(3).enumerate() {
        point[row % 3] += 40.0;
    }
    let x = Matrix::new(&rows, 120, 3).unwrap();
    let near = self_neighbours(x, 6, Metric::Euclidean).unwrap();
    let edges = symmetric_edges(&near, Metric::Euclidean, Rule::SelfTuning).unwrap();
    let graph = Graph::new(120, &edges).unwrap();
    assert!(graph.components() >= 3);
    (rows, graph)
}

#[test]
fn features_answer_where_no_label_reaches_and_classes_without_labels_are_nobodys() {
    let (rows, graph) = clouds();
    let x = Matrix::new(&rows, 120, 3).unwrap();
    // Two clouds have labels, of two of four classes; the third cloud has none.
    let seeds = Seeds::new(&[(0, 2), (1, 0), (3, 2)], 4).unwrap();
    let model = GraphRegression { unit_length: false, ..GraphRegression::default() };
    let fitted = model.prepare(&graph, x).unwrap().fit(&seeds).unwrap();
    for node in 0..120 {
        let row = fitted.scores.of(node);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert_eq!((row[1], row[3]), (0.0, 0.0));
        match node % 3 {
            0 => assert!(row[2] > 0.9, "{row:?}"),
            1 => assert!(row[0] > 0.9, "{row:?}"),
            _ => {}
        }
    }
    assert!(fitted.scores.winners().iter().all(Option::is_some));
    assert_eq!(fitted.scores.of(3), [0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn one_class_is_everybodys() {
    let (rows, graph) = clouds();
    let x = Matrix::new(&rows, 120, 3).unwrap();
    let seeds = Seeds::new(&[(4, 1)], 2).unwrap();
    let prepared = GraphRegression::default().prepare(&graph, x).unwrap();
    assert_eq!(prepared.fit(&seeds).unwrap().scores.winners(), vec![Some(1); 120]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (rows, graph) = clouds();
    let refused = |model: GraphRegression, rows: &[f32]| {
        model.prepare(&graph, Matrix::new(rows, rows.len() / 3, 3).unwrap()).unwrap_err()
    };
    let model = GraphRegression::default();
    assert!(matches!(refused(model, &rows[3..]), Error::Length { .. }));
    assert!(matches!(refused(model, &[1.0; 360]), Error::Parameter { name: "features", .. }));
    let mut hole = rows.clone();
    hole[7] = f32::NAN;
    assert!(matches!(refused(model, &hole), Error::NotFinite { row: 2, column: 1 }));
    assert!(matches!(
        refused(GraphRegression { components: 0, ..model }, &rows),
        Error::Parameter { .. }
    ));
    let x = Matrix::new(&rows, 120, 3).unwrap();
    let prepared = model.prepare(&graph, x).unwrap();
    let stranger = Seeds::new(&[(120, 0)], 1).unwrap();
    assert!(matches!(prepared.fit(&stranger), Err(Error::TooFew { .. })));
}
