use serde::Deserialize;

use super::*;
use scarce_scores::entropy;
use scarce_testing::{self as fixtures, assert_close, noise, same_on_any_threads};

/// The start for some labels, −1 where there is none.
fn start(given: &[i32], classes: usize) -> Vec<f64> {
    let mut start = vec![0.0; given.len() * classes];
    for (row, label) in given.iter().enumerate() {
        if *label >= 0 {
            start[row * classes + *label as usize] = 1.0;
        }
    }
    start
}

fn run(wanted: Transduction, kernel: &Kernel, given: &[i32], classes: usize) -> Transduced {
    wanted.run(kernel, &start(given, classes), classes, &mut |_| {}).unwrap()
}

#[derive(Deserialize)]
struct Known {
    points: Vec<f32>,
    given: Vec<i32>,
    classes: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    method: String,
    kernel: String,
    gamma: f64,
    neighbours: usize,
    alpha: f64,
    max_iterations: usize,
    tolerance: f64,
    iterations: usize,
    labels: Vec<u32>,
    distributions: Vec<f32>,
}

mod agrees_with_scikit_learn {
    use super::*;

    #[test]
    fn on_groups_ties_and_a_part_without_labels() {
        let known: Known = fixtures::read("transduction");
        let x = Matrix::new(&known.points, known.given.len(), 2).unwrap();
        let (mut unreached, mut ties) = (0, 0);
        for case in known.cases {
            let kernel = match case.kernel.as_str() {
                "rbf" => Kernel::rbf(x, case.gamma).unwrap(),
                _ => Kernel::nearest(x, case.neighbours).unwrap(),
            };
            let method = match case.method.as_str() {
                "spreading" => Method::Spreading { alpha: case.alpha },
                _ => Method::Propagation,
            };
            let Case { max_iterations, tolerance, .. } = case;
            let wanted = Transduction { method, max_iterations, tolerance };
            let found = run(wanted, &kernel, &known.given, known.classes);
            let name = format!("{}, {}", case.method, case.kernel);
            assert_eq!(found.iterations, case.iterations, "{name}");
            assert_close(&found.probabilities, &case.distributions, 1e-6);
            for (row, p) in case.distributions.chunks(known.classes).enumerate() {
                let top = p.iter().copied().fold(0.0, f32::max);
                let tied = p.iter().filter(|&&p| p == top).count() > 1;
                // Where nothing came scikit-learn says the first class, and this nothing; where two
                // classes tie its rounding decides, and here the order of the classes.
                let expected = match (top > 0.0, tied) {
                    (false, _) => None,
                    (true, false) => Some(case.labels[row]),
                    (true, true) => p.iter().position(|&p| p == top).map(|class| class as u32),
                };
                assert_eq!(found.labels[row], expected, "{name}, row {row}");
                unreached += usize::from(top == 0.0);
                ties += usize::from(tied && top > 0.0);
            }
        }
        assert!(unreached > 20 && ties > 5, "{unreached} rows without a label, {ties} ties");
    }

    #[derive(Deserialize)]
    struct Active {
        pixels: Vec<f32>,
        labels: Vec<i32>,
        first_distributions: Vec<f32>,
        rounds: Vec<Round>,
        sixty_in_order: Count,
    }

    #[derive(Deserialize)]
    struct Round {
        right: usize,
        of: usize,
        queried: Vec<usize>,
    }

    #[derive(Deserialize)]
    struct Count {
        right: usize,
        of: usize,
    }

    impl Active {
        /// The distributions found, and how many of the unlabelled are right, of how many.
        fn spread(&self, kernel: &Kernel, labelled: &[usize]) -> (Transduced, usize, usize) {
            let mut given = vec![-1; self.labels.len()];
            for &row in labelled {
                given[row] = self.labels[row];
            }
            let method = Method::Spreading { alpha: 0.2 };
            let wanted = Transduction { method, max_iterations: 20, tolerance: 1e-3 };
            let found = run(wanted, kernel, &given, 10);
            let unlabelled = (0..given.len()).filter(|&row| given[row] < 0);
            let right = |&row: &usize| found.labels[row] == Some(self.labels[row] as u32);
            let counts = (unlabelled.clone().filter(right).count(), unlabelled.count());
            (found, counts.0, counts.1)
        }
    }

    #[test]
    fn on_digits_labelled_where_they_are_most_uncertain() {
        let known: Active = fixtures::read("active_digits");
        let x = Matrix::new(&known.pixels, known.labels.len(), 64).unwrap();
        let kernel = Kernel::rbf(x, 0.25).unwrap();
        let mut labelled: Vec<usize> = (0..40).collect();
        let mut counts = Vec::new();
        for round in &known.rounds {
            let (found, right, of) = known.spread(&kernel, &labelled);
            if counts.is_empty() {
                assert_close(&found.probabilities, &known.first_distributions, 1e-6);
            }
            counts.push((right, of));
            assert_eq!((right, of), (round.right, round.of));
            let entropy = entropy(&found.probabilities, 10);
            let mut order: Vec<usize> =
                (0..entropy.len()).filter(|row| !labelled.contains(row)).collect();
            order.sort_by(|&a, &b| entropy[b].total_cmp(&entropy[a]));
            assert_eq!(order[..round.queried.len()], round.queried);
            labelled.extend(&round.queried);
        }
        // As published.
        assert_eq!(counts, [(252, 290), (257, 285), (258, 280), (261, 275), (258, 270)]);
        let (_, right, of) = known.spread(&kernel, &(0..60).collect::<Vec<_>>());
        assert_eq!((right, of), (known.sixty_in_order.right, known.sixty_in_order.of));
        assert_eq!((right, of), (243, 270));
    }
}

#[test]
fn neither_kernel_depends_on_threads() {
    let data = noise(700, 6, 1);
    let x = Matrix::new(&data, 700, 6).unwrap();
    let given: Vec<i32> =
        (0..700).map(|row| if row % 50 == 0 { row / 50 % 3 } else { -1 }).collect();
    for method in [Method::Spreading { alpha: 0.5 }, Method::Propagation] {
        let wanted = Transduction { method, max_iterations: 20, tolerance: 1e-6 };
        same_on_any_threads(|| run(wanted, &Kernel::rbf(x, 2.0).unwrap(), &given, 3));
        same_on_any_threads(|| run(wanted, &Kernel::nearest(x, 5).unwrap(), &given, 3));
    }
}

#[test]
fn shares_of_several_classes_may_start() {
    let x = Matrix::new(&[0.0, 1.0, 9.0, 10.0], 4, 1).unwrap();
    let start = [0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let wanted = Transduction { method: Method::Propagation, max_iterations: 50, tolerance: 1e-9 };
    let found = wanted.run(&Kernel::nearest(x, 2).unwrap(), &start, 2, &mut |_| {}).unwrap();
    assert_close(&found.probabilities, &[0.75, 0.25, 0.75, 0.25, 0.0, 1.0, 0.0, 1.0], 1e-6);
    assert!(found.converged && found.iterations < 50);
}

#[test]
fn steps_are_told_and_may_run_out() {
    let x = Matrix::new(&[0.0, 1.0, 2.0, 3.0], 4, 1).unwrap();
    let kernel = Kernel::rbf(x, 1.0).unwrap();
    let method = Method::Spreading { alpha: 0.99 };
    let wanted = Transduction { method, max_iterations: 3, tolerance: 1e-6 };
    let mut steps = Vec::new();
    let shares = start(&[0, -1, -1, 1], 2);
    let found = wanted.run(&kernel, &shares, 2, &mut |step| steps.push(step)).unwrap();
    assert_eq!(steps.iter().map(|step| step.iteration).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(!found.converged && found.change == steps[2].change && found.change > 1e-6);
}

#[test]
fn impossible_requests_are_errors() {
    let x = Matrix::new(&[0.0, 1.0, 2.0], 3, 1).unwrap();
    let nan = Matrix::new(&[0.0, f32::NAN], 2, 1).unwrap();
    assert!(matches!(Kernel::rbf(nan, 1.0), Err(Error::NotFinite { row: 1, .. })));
    assert!(Kernel::rbf(x, -1.0).is_err() && Kernel::rbf(x, f64::NAN).is_err());
    assert!(matches!(Kernel::nearest(x, 4), Err(Error::TooFew { available: 3, .. })));
    let kernel = Kernel::rbf(x, 1.0).unwrap();
    let failure = |alpha, tolerance, start: &[f64]| {
        let method = Method::Spreading { alpha };
        let wanted = Transduction { method, max_iterations: 3, tolerance };
        wanted.run(&kernel, start, 2, &mut |_| {}).unwrap_err()
    };
    let good = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!(matches!(failure(1.0, 1e-3, &good), Error::Parameter { name: "alpha", .. }));
    assert!(matches!(failure(0.2, -1.0, &good), Error::Parameter { name: "tolerance", .. }));
    assert!(matches!(failure(0.2, 1e-3, &good[1..]), Error::Length { expected: 6, .. }));
    let bad = [1.0, 0.0, f64::NAN, 0.0, 0.0, 0.0];
    assert!(matches!(failure(0.2, 1e-3, &bad), Error::Parameter { name: "start", .. }));
}
