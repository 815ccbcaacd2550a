//! Multinomial logistic regression on images of clothes, pixels in [0, 1], C = 1.
//!
//! The peer stops where its own rule says. Ours counts until its objective, the same function, is
//! within 10⁻⁶ of what the peer reached; a turn that never gets there counts whole and shows a worse
//! objective. So the stopping rules do not matter, only the way to the answer.

use std::time::Instant;

use anyhow::{Context, Result};
use scarce_ingest::datasets::Dataset;
use scarce_linear::Logistic;
use scarce_numeric::Matrix;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{contest::Turn, data::Part, quality::Quality, session::Session};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "logistic-regression",
    title: "Multinomial logistic regression, Fashion-MNIST, to the objective that the peer reaches",
    cases: &[
        Case { name: "rows-12000", title: "12,000 × 784, 10 classes", heavy: false },
        Case { name: "rows-60000", title: "60,000 × 784, 10 classes", heavy: true },
    ],
    run,
};

const CLASSES: usize = 10;
/// How close to the peer's objective counts as reached.
const RELATIVE: f64 = 1e-6;
/// Well below where the peer stops (10⁻⁴), so that ours gets there.
const TOLERANCE: f64 = 1e-6;
const MOST_ITERATIONS: usize = 10_000;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let x = session.data.scaled(Dataset::FashionMnist, Part::Train)?;
    let classes = session.data.classes(Dataset::FashionMnist, Part::Train)?;
    for case in &choice.cases {
        let rows = if case.name == "rows-12000" { 12_000 } else { x.rows };
        let data = json!({ "x": x.path, "y": classes.path });
        let params =
            json!({ "rows": rows, "c": 1.0, "tolerance": 1e-4, "iterations": MOST_ITERATIONS });
        let peers = vec![session.peer("numeric", "logistic_sklearn.py", data, params)?];
        let points = Matrix::new(&x.values[..rows * x.cols], rows, x.cols)?;
        let labels = &classes.values[..rows];
        session.compare(choice, case, peers, |before| {
            let peer = before.first().context("the peer goes first")?;
            fit(points, labels, peer.quality["objective"])
        })?;
    }
    Ok(())
}

/// Fits until well below `goal`; seconds and objective are those when it was reached.
fn fit(points: Matrix<'_>, labels: &[u32], goal: f64) -> Result<Turn> {
    let model =
        Logistic { tolerance: TOLERANCE, max_iterations: MOST_ITERATIONS, ..Logistic::default() };
    let mut reached = None;
    let begin = Instant::now();
    let fitted = model.fit_observed(points, labels, CLASSES, None, &mut |step| {
        if reached.is_none() && step.loss <= goal * (1.0 + RELATIVE) {
            reached = Some((begin.elapsed().as_secs_f64(), step.loss, step.iteration));
        }
    })?;
    let end = &fitted.convergence;
    let (seconds, objective, iterations) =
        reached.unwrap_or((begin.elapsed().as_secs_f64(), end.loss, end.iterations));
    let quality = [("objective", objective), ("iterations", iterations as f64)];
    let quality: Quality = quality.map(|(name, value)| (name.to_owned(), value)).into();
    Ok(Turn { seconds, quality })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stops_where_the_goal_is_reached() {
        let (values, labels) = ([0.0f32, 0.1, 0.9, 1.0, 0.5, 0.4], [0, 0, 1, 1, 2, 2]);
        let points = Matrix::new(&values, 6, 1).unwrap();
        let near = fit(points, &labels, 1.05).unwrap();
        let never = fit(points, &labels, 0.0).unwrap();
        assert!(near.quality["objective"] <= 1.05 * (1.0 + RELATIVE));
        assert!(near.quality["iterations"] < never.quality["iterations"]);
        assert!(never.quality["objective"] < near.quality["objective"]);
        assert!(crate::quality::is_worse("objective", never.quality["objective"], 0.0));
    }
}
