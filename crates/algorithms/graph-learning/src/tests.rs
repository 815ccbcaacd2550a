//! Known answers, and graphs that are not as one would wish.

use serde::Deserialize;

use super::*;
use scarce_neighbours::{Metric, neighbours::self_neighbours};
use scarce_testing::{self as fixtures, same_on_any_threads};

#[derive(Deserialize)]
struct Known {
    rows: usize,
    k: usize,
    neighbours: Vec<u32>,
    source: Vec<u32>,
    target: Vec<u32>,
    weight: Vec<f32>,
    seeds: Vec<u32>,
    laplace: Answer,
    tau: Answer,
    mean_shift: Answer,
    reweighted: Answer,
    poisson: Answer,
    spreading: Answer,
    volumes: Vec<u32>,
    mbo: Vec<u32>,
    mbo_skewed: Vec<u32>,
    skewed: Vec<f64>,
}

/// Scores of every fifth node, winners of all.
#[derive(Deserialize)]
struct Answer {
    scores: Vec<f64>,
    winners: Vec<u32>,
}

const PRECISE: Precision = Precision { tolerance: 1e-9, max_iterations: 5000 };
const UNIFORM: [f64; 10] = [0.1; 10];

/// The digits' graph from the pixels, the seeds, and what others make of them.
fn digits() -> (Graph, Seeds, Known) {
    let known: Known = fixtures::read("graph");
    let digits = fixtures::digits();
    let x = digits.matrix().block(0..known.rows);
    let near = self_neighbours(x, known.k, Metric::Euclidean).unwrap();
    assert_eq!(near.indices, known.neighbours);
    let edges = symmetric_edges(&near, Metric::Euclidean, Rule::SelfTuning).unwrap();
    assert_eq!((&edges.source, &edges.target), (&known.source, &known.target));
    fixtures::assert_close(&edges.weight, &known.weight, 1e-7);
    let pairs: Vec<(u32, u32)> =
        known.seeds.iter().map(|&node| (node, digits.labels[node as usize])).collect();
    (Graph::new(known.rows, &edges).unwrap(), Seeds::new(&pairs, 10).unwrap(), known)
}

/// Scores within 1e-4 (of their size, where that is above 1), and the same winners.
fn agree(scores: &Scores, expected: &Answer) {
    assert!(scores.solved.iter().all(|(_, solved)| solved.converged), "{:?}", scores.solved);
    for (row, expected) in expected.scores.chunks(scores.classes).enumerate() {
        for (found, expected) in scores.of(5 * row).iter().zip(expected) {
            let off = (found - expected).abs() / expected.abs().max(1.0);
            assert!(off < 1e-4, "node {}: {found}, expected {expected}", 5 * row);
        }
    }
    assert_eq!(plain(&scores.winners()), expected.winners);
}

fn plain(labels: &[Option<u32>]) -> Vec<u32> {
    labels.iter().map(|label| label.unwrap()).collect()
}

mod graphlearning_agrees {
    use super::*;

    #[test]
    fn on_laplace_and_its_variants() {
        let (graph, seeds, known) = digits();
        let fit = |variant| laplace(&graph, &seeds, variant, PRECISE).unwrap();
        agree(&fit(Laplace::default()), &known.laplace);
        agree(&fit(Laplace { tau: 0.05, ..Laplace::default() }), &known.tau);
        agree(&fit(Laplace { mean_shift: true, ..Laplace::default() }), &known.mean_shift);
        agree(&fit(Laplace { reweighted: true, ..Laplace::default() }), &known.reweighted);
    }

    #[test]
    fn on_poisson() {
        let (graph, seeds, known) = digits();
        agree(&poisson(&graph, &seeds, &UNIFORM, PRECISE).unwrap(), &known.poisson);
    }

    #[test]
    fn on_volumes() {
        let (graph, seeds, known) = digits();
        let mut scores = poisson(&graph, &seeds, &UNIFORM, PRECISE).unwrap();
        let volumes = assign_volumes(&mut scores, &UNIFORM).unwrap();
        assert_eq!(plain(&volumes.labels), known.volumes);
        assert_eq!(scores.winners(), volumes.labels);
        assert!(volumes.error < 1e-3);
    }

    #[test]
    fn on_poisson_mbo() {
        let (graph, seeds, known) = digits();
        for (priors, expected) in [(&UNIFORM[..], &known.mbo), (&known.skewed, &known.mbo_skewed)] {
            let fitted = poisson_mbo(&graph, &seeds, priors, Mbo::default(), PRECISE).unwrap();
            assert_eq!(&plain(&fitted.1.labels), expected);
            assert_eq!(fitted.0.winners(), fitted.1.labels);
        }
    }
}

#[test]
fn numpy_agrees_on_label_spreading() {
    let (graph, seeds, known) = digits();
    agree(&label_spreading(&graph, &seeds, 0.9, PRECISE).unwrap(), &known.spreading);
}

#[test]
fn the_default_precision_is_enough_for_four_digits() {
    let (graph, seeds, known) = digits();
    let precision = Precision::default();
    agree(&poisson(&graph, &seeds, &UNIFORM, precision).unwrap(), &known.poisson);
    agree(&laplace(&graph, &seeds, Laplace::default(), precision).unwrap(), &known.laplace);
}

#[test]
fn neither_threads_nor_the_order_of_seeds_change_a_bit() {
    let known: Known = fixtures::read("graph");
    let compute = |turned: bool| {
        let (graph, seeds, _) = digits();
        let mut pairs: Vec<(u32, u32)> = seeds.iter().map(|(n, c)| (n, c as u32)).collect();
        if turned {
            pairs.reverse();
        }
        let seeds = Seeds::new(&pairs, 10).unwrap();
        let variant = Laplace { reweighted: true, mean_shift: true, tau: 0.01 };
        let precision = Precision::default();
        (
            laplace(&graph, &seeds, variant, precision).unwrap(),
            poisson_mbo(&graph, &seeds, &known.skewed, Mbo::default(), precision).unwrap(),
        )
    };
    assert!(same_on_any_threads(|| compute(false)) == compute(true));
}

#[test]
fn renaming_nodes_renames_the_answers() {
    let (graph, seeds, known) = digits();
    let renamed = |node: u32| node * 7 % 600;
    let edges = Edges {
        source: known.source.iter().map(|&node| renamed(node)).collect(),
        target: known.target.iter().map(|&node| renamed(node)).collect(),
        weight: known.weight.clone(),
        distance: Vec::new(),
    };
    let pairs: Vec<(u32, u32)> = seeds.iter().map(|(n, c)| (renamed(n), c as u32)).collect();
    let other = Graph::new(600, &edges).unwrap();
    let one = poisson(&graph, &seeds, &UNIFORM, PRECISE).unwrap();
    let two = poisson(&other, &Seeds::new(&pairs, 10).unwrap(), &UNIFORM, PRECISE).unwrap();
    for node in 0..600 {
        for (a, b) in one.of(node as usize).iter().zip(two.of(renamed(node) as usize)) {
            assert!((a - b).abs() < 1e-6 * a.abs().max(1.0));
        }
    }
}

/// Two triangles and a pair, each with nothing to the others, and a node alone.
mod a_graph_in_pieces {
    use super::*;

    fn graph() -> Graph {
        let pairs = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7)];
        let edges = Edges {
            source: pairs.iter().map(|pair| pair.0).collect(),
            target: pairs.iter().map(|pair| pair.1).collect(),
            weight: vec![0.5; pairs.len()],
            distance: vec![1.0; pairs.len()],
        };
        Graph::new(9, &edges).unwrap()
    }

    /// Every method, on classes of which one (1) has no label.
    fn fits(seeds: &Seeds) -> Vec<(&'static str, Scores, Vec<Option<u32>>)> {
        let (graph, precision, priors) = (graph(), Precision::default(), [0.25; 4]);
        let mut fits = Vec::new();
        let mut add = |name, scores: Scores| {
            let labels = scores.winners();
            fits.push((name, scores, labels));
        };
        for (name, tau, reweighted, mean_shift) in [
            ("laplace", 0.0, false, false),
            ("laplace with tau", 0.1, false, false),
            ("reweighted", 0.0, true, false),
            ("mean-shifted", 0.0, false, true),
        ] {
            let variant = Laplace { tau, reweighted, mean_shift };
            add(name, laplace(&graph, seeds, variant, precision).unwrap());
        }
        add("spreading", label_spreading(&graph, seeds, 0.99, precision).unwrap());
        add("poisson", poisson(&graph, seeds, &priors, precision).unwrap());
        let (scores, volumes) =
            poisson_mbo(&graph, seeds, &priors, Mbo::default(), precision).unwrap();
        assert_eq!(scores.winners(), volumes.labels);
        add("mbo", scores);
        fits
    }

    #[test]
    fn is_labelled_piece_by_piece_and_never_by_default() {
        let seeds = Seeds::new(&[(0, 2), (3, 0), (5, 3)], 4).unwrap();
        for (name, scores, labels) in fits(&seeds) {
            assert!(scores.values.iter().all(|value| value.is_finite()), "{name}");
            assert_eq!(labels[..3], [Some(2); 3], "{name}");
            assert!([Some(0), Some(3)].contains(&labels[4]), "{name}: {labels:?}");
            if name != "mbo" {
                assert_eq!((labels[3], labels[5]), (Some(0), Some(3)), "{name}");
            }
            assert_eq!(labels[6..], [None; 3], "{name}");
            assert_eq!(scores.reach.unreached(), (3, 2));
        }
    }

    #[test]
    fn may_be_labelled_by_a_single_node_without_edges() {
        let seeds = Seeds::new(&[(8, 1)], 4).unwrap();
        for (name, scores, labels) in fits(&seeds) {
            assert!(scores.values.iter().all(|value| value.is_finite()), "{name}");
            assert_eq!(labels[8], Some(1), "{name}");
            assert_eq!(labels[..8], [None; 8], "{name}");
        }
    }

    #[test]
    fn may_be_labelled_everywhere() {
        let pairs: Vec<(u32, u32)> = (0..9).map(|node| (node, node % 4)).collect();
        let seeds = Seeds::new(&pairs, 4).unwrap();
        for (name, scores, labels) in fits(&seeds) {
            assert!(scores.values.iter().all(|value| value.is_finite()), "{name}");
            if name.starts_with("laplace") {
                let given: Vec<_> = pairs.iter().map(|pair| Some(pair.1)).collect();
                assert_eq!(labels, given, "{name}");
            }
        }
    }
}

/// Twenty classes on a ring: more than one block of columns, and each node nearest to its own label.
#[test]
fn many_classes_are_solved_in_several_blocks() {
    let nodes = 20 * 15u32;
    let edges = Edges {
        source: (0..nodes).collect(),
        target: (0..nodes).map(|node| (node + 1) % nodes).collect(),
        weight: vec![1.0; nodes as usize],
        distance: Vec::new(),
    };
    let graph = Graph::new(nodes as usize, &edges).unwrap();
    let pairs: Vec<(u32, u32)> = (0..20).map(|class| (class * 15 + 7, class)).collect();
    let seeds = Seeds::new(&pairs, 20).unwrap();
    let own: Vec<Option<u32>> = (0..nodes).map(|node| Some(node / 15)).collect();
    let precision = Precision { tolerance: 1e-8, max_iterations: 5000 };
    let harmonic = laplace(&graph, &seeds, Laplace::default(), precision).unwrap();
    assert_eq!(harmonic.winners(), own);
    // Between two labels a harmonic function on a path is a straight line.
    assert!((harmonic.of(10)[0] - 0.8).abs() < 1e-6 && (harmonic.of(10)[1] - 0.2).abs() < 1e-6);
    let priors = [0.05; 20];
    assert_eq!(poisson(&graph, &seeds, &priors, precision).unwrap().winners(), own);
    let (_, volumes) = poisson_mbo(&graph, &seeds, &priors, Mbo::default(), precision).unwrap();
    assert_eq!(volumes.labels, own);
}

#[test]
fn unequal_labels_are_weighed_against_the_priors() {
    // A path; class 0 has labels at one end and beside it, class 1 at the other end.
    let nodes = 40u32;
    let edges = Edges {
        source: (0..nodes - 1).collect(),
        target: (1..nodes).collect(),
        weight: vec![1.0; nodes as usize - 1],
        distance: Vec::new(),
    };
    let graph = Graph::new(nodes as usize, &edges).unwrap();
    let seeds = Seeds::new(&[(0, 0), (1, 0), (2, 0), (39, 1)], 2).unwrap();
    let first = |priors: [f64; 2]| poisson(&graph, &seeds, &priors, PRECISE).unwrap();
    let (even, skewed) = (first([0.5, 0.5]), first([0.75, 0.25]));
    // Three quarters of the labels are of class 0: with these priors scores are left alone.
    for node in 0..40 {
        assert!((even.of(node)[0] - skewed.of(node)[0] * 0.5 / 0.75).abs() < 1e-9);
        assert!((even.of(node)[1] - skewed.of(node)[1] * 0.5 / 0.25).abs() < 1e-9);
        assert!((skewed.of(node)[0] + skewed.of(node)[1]).abs() < 1e-9);
    }
    let mut scores = poisson(&graph, &seeds, &[0.5; 2], PRECISE).unwrap();
    let volumes = assign_volumes(&mut scores, &[0.25, 0.75]).unwrap();
    assert_eq!(volumes.labels.iter().filter(|label| **label == Some(0)).count(), 10);
}

#[test]
fn a_solution_that_takes_too_long_says_so() {
    let (graph, seeds, _) = digits();
    let hasty = Precision { tolerance: 1e-9, max_iterations: 3 };
    let scores = poisson(&graph, &seeds, &UNIFORM, hasty).unwrap();
    let (_, convergence) = scores.solved[0];
    assert!(!convergence.converged && convergence.iterations == 3 && convergence.residual > 1e-9);
    assert!(scores.values.iter().all(|value| value.is_finite()));
}

#[test]
fn impossible_requests_are_errors() {
    let (graph, seeds, _) = digits();
    let fine = Precision::default();
    for tolerance in [0.0, 1.0, f64::NAN] {
        let precision = Precision { tolerance, ..fine };
        assert!(poisson(&graph, &seeds, &UNIFORM, precision).is_err());
        assert!(label_spreading(&graph, &seeds, 0.5, precision).is_err());
    }
    for alpha in [0.0, 1.0, f64::NAN] {
        assert!(label_spreading(&graph, &seeds, alpha, fine).is_err());
    }
    for tau in [-1.0, f64::NAN] {
        assert!(laplace(&graph, &seeds, Laplace { tau, ..Laplace::default() }, fine).is_err());
    }
    for priors in [&[0.1; 9][..], &[0.2; 10], &[0.0, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]] {
        assert!(poisson(&graph, &seeds, priors, fine).is_err());
        assert!(poisson_mbo(&graph, &seeds, priors, Mbo::default(), fine).is_err());
    }
    for mbo in [
        Mbo { rounds: 0, ..Mbo::default() },
        Mbo { steps: 0, ..Mbo::default() },
        Mbo { fidelity: -1.0, ..Mbo::default() },
        Mbo { slack: 1.5, ..Mbo::default() },
    ] {
        assert!(poisson_mbo(&graph, &seeds, &UNIFORM, mbo, fine).is_err());
    }
    assert!(Seeds::new(&[], 2).is_err());
    assert!(Seeds::new(&[(0, 2)], 2).is_err());
    assert!(Seeds::new(&[(0, 1), (0, 0)], 2).is_err());
    let far = Seeds::new(&[(600, 1)], 10).unwrap();
    assert!(poisson(&graph, &far, &UNIFORM, fine).is_err());
}
