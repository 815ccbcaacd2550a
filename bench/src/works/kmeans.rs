//! k-means on 60,000 images of clothes, 784 numbers each, from the same rows as first centroids.
//!
//! scikit-learn stops by the rule that ours has taken from it. faiss has no such rule: it is asked for
//! as many iterations as ours took. Inertia is that of the centroids returned, on all sides.

use std::time::Instant;

use anyhow::Result;
use scarce_clustering::{FittedKMeans, KMeans, kmeans::Start};
use scarce_ingest::datasets::Dataset;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::{Part, Points},
    quality::Quality,
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "k-means",
    title: "k-means, Fashion-MNIST, 60,000 × 784, same start",
    cases: &[
        Case { name: "iteration-100", title: "k = 100, per iteration of 10", heavy: false },
        Case { name: "converge-100", title: "k = 100, to convergence", heavy: false },
        Case { name: "iteration-2000", title: "k = 2,000, per iteration of 5", heavy: true },
        Case { name: "converge-2000", title: "k = 2,000, to convergence", heavy: true },
    ],
    run,
};

/// As scikit-learn's default: share of the mean variance of the columns.
const TOLERANCE: f64 = 1e-4;
const MOST_ITERATIONS: usize = 300;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let x = session.data.scaled(Dataset::FashionMnist, Part::Train)?;
    for case in &choice.cases {
        let (k, fixed) = match case.name {
            "iteration-100" => (100, Some(10)),
            "converge-100" => (100, None),
            "iteration-2000" => (2000, Some(5)),
            _ => (2000, None),
        };
        let start = session.data.sample(&x, k)?;
        compare(session, choice, case, (&x, &start), fixed)?;
    }
    Ok(())
}

/// With `fixed` iterations seconds count per iteration, otherwise for the whole way.
fn compare(
    session: &mut Session,
    choice: &Choice,
    case: &'static Case,
    (x, start): (&Points, &Points),
    fixed: Option<usize>,
) -> Result<()> {
    let model = KMeans {
        start: Start::Given(start.values.clone()),
        tolerance: if fixed.is_some() { 0.0 } else { TOLERANCE },
        max_iterations: fixed.unwrap_or(MOST_ITERATIONS),
        ..KMeans::new(start.rows)
    };
    // Ours does not depend on chance or threads: it always takes as many.
    let iterations = match fixed {
        Some(fixed) => fixed,
        None => model.fit(x.matrix()?)?.iterations,
    };
    let per = if fixed.is_some() { iterations } else { 1 };
    let data = json!({ "x": x.path, "start": start.path });
    let faiss = json!({ "iterations": iterations });
    let sklearn = json!({ "iterations": model.max_iterations, "tolerance": model.tolerance });
    let peers = vec![
        session.peer("numeric", "kmeans_faiss.py", data.clone(), faiss)?.per(per),
        session.peer("numeric", "kmeans_sklearn.py", data, sklearn)?.per(per),
    ];
    session.compare(choice, case, peers, |_| {
        let begin = Instant::now();
        let fitted = model.fit(x.matrix()?)?;
        let seconds = begin.elapsed().as_secs_f64() / per as f64;
        Ok(Turn { seconds, quality: quality(&fitted) })
    })
}

fn quality(fitted: &FittedKMeans) -> Quality {
    let values = [("inertia", fitted.inertia), ("iterations", fitted.iterations as f64)];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}
