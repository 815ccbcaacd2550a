use super::*;
use scarce_testing::{self as fixtures, noise, same_on_any_threads};
use serde::Deserialize;

#[derive(Deserialize)]
struct Known {
    start_rows: Vec<usize>,
    steps: Vec<KnownStep>,
    inertias: Vec<f64>,
}

/// With its defaults, and nothing after the batches.
fn as_in_scikit_learn(clusters: usize) -> MiniBatchKMeans {
    let max_no_improvement = Some(10);
    MiniBatchKMeans { max_no_improvement, final_rounds: 0, ..MiniBatchKMeans::new(clusters) }
}

#[derive(Deserialize)]
struct KnownStep {
    first: usize,
    last: usize,
    counts: Vec<u64>,
    centroids: Vec<f32>,
}

#[test]
fn steps_agree_with_scikit_learn_on_digits() {
    let known: Known = fixtures::read("minibatch");
    let digits = fixtures::digits();
    let x = digits.matrix();
    let start = known.start_rows.iter().flat_map(|&row| x.row(row)).copied().collect();
    let mut centres = Centres::new(start, x.cols());
    for KnownStep { first, last, counts, centroids } in known.steps {
        centres.step(x.block(first..last), None).unwrap();
        assert_eq!(centres.counts, counts);
        fixtures::assert_close(&centres.narrow, &centroids, 1e-5);
    }
}

#[test]
fn inertia_on_digits_is_that_of_scikit_learn() {
    let known: Known = fixtures::read("minibatch");
    let digits = fixtures::digits();
    let x = digits.matrix();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let inertia = |seed| {
        let model = MiniBatchKMeans { batch: 100, seed, ..as_in_scikit_learn(10) };
        let fitted = model.fit(x).unwrap();
        assert!(fitted.converged && fitted.iterations < 600, "{}", fitted.iterations);
        fitted.inertia
    };
    let found: Vec<f64> = (0..30).map(inertia).collect();
    let ratio = mean(&found) / mean(&known.inertias);
    assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
}

#[test]
fn threads_change_nothing() {
    let data = noise(9_000, 11, 6);
    let x = Matrix::new(&data, 9_000, 11).unwrap();
    for start in [Start::PlusPlus, Start::Random] {
        let model = MiniBatchKMeans { start, restarts: 3, ..MiniBatchKMeans::new(40) };
        let fitted = same_on_any_threads(|| model.fit(x).unwrap());
        assert_eq!(fitted.predict(x).unwrap().index, fitted.labels);
        let other = MiniBatchKMeans { seed: 1, ..model }.fit(x).unwrap();
        assert_ne!(fitted.labels, other.labels);
    }
}

#[test]
fn starved_centroids_move_to_rows_of_the_batch_and_count_as_the_smallest_of_the_others() {
    let batch: Vec<f32> = (0..20u8).map(f32::from).collect();
    let batch = Matrix::new(&batch, 20, 1).unwrap();
    let mut centres = Centres::new(vec![5.0, 900.0, 15.0, 901.0], 1);
    centres.counts = vec![400, 3, 200, 30];
    let mut rng = random::stream(0, "test", 0);
    centres.step(batch, Some((0.01, &mut rng))).unwrap();
    // 0 to 10 lie nearest to the first (of equally near ones it is the first), the rest to the third.
    assert_eq!(centres.counts, [411, 30, 209, 30]);
    assert!(batch.data().contains(&centres.narrow[1]), "{:?}", centres.narrow);
    assert_eq!(centres.narrow[3], 901.0);
    let third = (15.0 * 200.0 + (11..20).sum::<i32>() as f32) / 209.0;
    assert!((centres.narrow[2] - third).abs() < 1e-5);
}

#[test]
fn at_most_half_of_a_batch_become_centroids() {
    let batch = Matrix::new(&[1.0, 2.0, 3.0, 4.0], 4, 1).unwrap();
    let mut centres = Centres::new(vec![2.0, 90.0, 91.0, 92.0, 93.0], 1);
    centres.counts = vec![0, 2, 0, 1, 0];
    centres.step(batch, Some((1.0, &mut random::stream(0, "test", 0)))).unwrap();
    // The emptiest first; those left alone have 1, 2 and 4 rows.
    assert_eq!(centres.counts, [4, 2, 1, 1, 1]);
    assert_eq!((centres.narrow[1], centres.narrow[3]), (90.0, 92.0));
    assert!(centres.narrow[2] <= 4.0 && centres.narrow[4] <= 4.0);
}

#[test]
fn a_small_tolerance_or_no_improvement_end_it_and_nothing_else_does() {
    let digits = fixtures::digits();
    let x = digits.matrix();
    let few = MiniBatchKMeans { batch: 60, max_passes: 30, ..as_in_scikit_learn(5) };
    let stubborn = MiniBatchKMeans { max_no_improvement: None, ..few.clone() };
    let mut steps = Vec::new();
    let fitted = stubborn.fit_observed(x, &mut |step| steps.push(step)).unwrap();
    assert!(!fitted.converged);
    assert_eq!((fitted.iterations, steps.len()), (300, 300));
    assert!(steps.iter().all(|step| step.steps == 300 && step.inertia > 0.0));
    assert!(steps[299].inertia < steps[0].inertia, "the first is that of the start");
    let tolerant = MiniBatchKMeans { tolerance: 0.01, ..stubborn }.fit(x).unwrap();
    assert!(tolerant.converged && tolerant.iterations < 300);
    let impatient = MiniBatchKMeans { max_no_improvement: Some(1), ..few.clone() }.fit(x).unwrap();
    assert!(impatient.iterations < few.fit(x).unwrap().iterations);
}

#[test]
fn rounds_over_all_rows_go_on_from_where_the_batches_ended() {
    let digits = fixtures::digits();
    let x = digits.matrix();
    let batches = MiniBatchKMeans { batch: 100, ..as_in_scikit_learn(10) };
    let before = batches.fit(x).unwrap();
    let after = MiniBatchKMeans { final_rounds: 2, ..batches.clone() }.fit(x).unwrap();
    let start = Start::Given(before.centroids.clone());
    let rounds = crate::KMeans { start, max_iterations: 2, ..crate::KMeans::new(10) };
    let by_rounds = rounds.fit(x).unwrap();
    assert!(after.inertia < before.inertia);
    assert_eq!(after.labels, by_rounds.labels);
    assert_eq!((after.iterations, after.converged), (before.iterations, before.converged));
    assert_eq!(after.predict(x).unwrap().index, after.labels);
    let settled = MiniBatchKMeans { final_rounds: 300, ..batches }.fit(x).unwrap();
    assert!(settled.inertia <= after.inertia);
}

#[test]
fn more_clusters_than_rows_in_three_batches_can_be_had() {
    let data = noise(400, 3, 9);
    let x = Matrix::new(&data, 400, 3).unwrap();
    let fitted = MiniBatchKMeans { batch: 20, ..MiniBatchKMeans::new(100) }.fit(x).unwrap();
    let used = fitted.sizes().iter().filter(|&&size| size > 0).count();
    assert!(used > 80, "{used}");
    let every = MiniBatchKMeans { reassignment_ratio: 0.0, ..MiniBatchKMeans::new(400) };
    assert_eq!(every.fit(x).unwrap().sizes().len(), 400);
}

#[test]
fn impossible_requests_are_errors() {
    let x = Matrix::new(&[0.0, 1.0, 2.0], 3, 1).unwrap();
    let model = MiniBatchKMeans::new(2);
    assert!(model.fit(x).is_ok());
    assert!(matches!(MiniBatchKMeans::new(4).fit(x), Err(Error::TooFew { available: 3, .. })));
    for wrong in [
        MiniBatchKMeans { clusters: 0, ..model.clone() },
        MiniBatchKMeans { restarts: 0, ..model.clone() },
        MiniBatchKMeans { batch: 0, ..model.clone() },
        MiniBatchKMeans { max_passes: 0, ..model.clone() },
        MiniBatchKMeans { tolerance: -1.0, ..model.clone() },
        MiniBatchKMeans { reassignment_ratio: 1.5, ..model.clone() },
        MiniBatchKMeans { reassignment_ratio: f64::NAN, ..model.clone() },
        MiniBatchKMeans { start: Start::Given(vec![0.0; 3]), ..model.clone() },
    ] {
        assert!(wrong.fit(x).is_err(), "{wrong:?}");
    }
    let huge = Matrix::new(&[0.0, 1e30], 2, 1).unwrap();
    assert!(matches!(model.fit(huge), Err(Error::Overflow { row: 1 })));
}
