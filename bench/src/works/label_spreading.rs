//! Label spreading over all pairs of rows (a dense kernel), from a hundred labels.
//!
//! scikit-learn has the same kernel, steps and stopping rule. Both sides begin with the rows and end
//! with a class for each.

use std::time::Instant;

use anyhow::Result;
use scarce_ingest::datasets::Dataset;
use scarce_numeric::random;
use scarce_semi_supervised::{
    Transduction,
    transduction::{Kernel, Method},
};
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::{Classes, Points},
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "label-spreading",
    title: "Label spreading with a dense kernel, 100 labels",
    cases: &[
        Case { name: "digits-1797", title: "digits, 1,797 × 64", heavy: false },
        Case { name: "mnist-10000", title: "MNIST, 10,000 × 50 components", heavy: false },
    ],
    run,
};

const CLASSES: usize = 10;
const COMPONENTS: usize = 50;
const LABELS: usize = 100;
const ROWS: usize = 10_000;
/// Of pixels from 0 to 16: the best of 0.003, 0.01, 0.03, 0.1.
const GAMMA_OF_DIGITS: f64 = 0.1;
/// Of components of pixels from 0 to 1: the best of 0.1, 0.25, 0.5, 1.
const GAMMA_OF_COMPONENTS: f64 = 1.0;
/// scikit-learn's defaults.
const ALPHA: f64 = 0.2;
const SPREADING: Transduction = Transduction {
    method: Method::Spreading { alpha: ALPHA },
    max_iterations: 30,
    tolerance: 1e-3,
};

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    for case in &choice.cases {
        if case.name == "digits-1797" {
            let (x, classes) = session.data.digits()?;
            compare(session, choice, case, (&x, &classes), GAMMA_OF_DIGITS)?;
        } else {
            let all = session.data.components(Dataset::Mnist, COMPONENTS)?;
            let x = session.data.first(&all, ROWS)?;
            let classes = session.data.all_classes(Dataset::Mnist)?.first(ROWS, &session.data)?;
            compare(session, choice, case, (&x, &classes), GAMMA_OF_COMPONENTS)?;
        }
    }
    Ok(())
}

fn compare(
    session: &mut Session,
    choice: &Choice,
    case: &'static Case,
    (x, classes): (&Points, &Classes),
    gamma: f64,
) -> Result<()> {
    let mut stream = random::stream(0, "benchmark labels", LABELS as u64);
    let known = random::sample(x.rows, LABELS, &mut stream)?;
    let data = json!({ "x": x.path, "y": classes.path });
    let params = json!({
        "rows": known, "gamma": gamma, "alpha": ALPHA,
        "iterations": SPREADING.max_iterations, "tolerance": SPREADING.tolerance,
    });
    let peers = vec![session.peer("numeric", "label_spreading_sklearn.py", data, params)?];
    session.compare(choice, case, peers, |_| spread(x, classes, &known, gamma))
}

fn spread(x: &Points, classes: &Classes, known: &[usize], gamma: f64) -> Result<Turn> {
    let begin = Instant::now();
    let mut start = vec![0.0; x.rows * CLASSES];
    for &row in known {
        start[row * CLASSES + classes.values[row] as usize] = 1.0;
    }
    let kernel = Kernel::rbf(x.matrix()?, gamma)?;
    let found = SPREADING.run(&kernel, &start, CLASSES, &mut |_| {})?;
    let seconds = begin.elapsed().as_secs_f64();
    let mut open = vec![true; x.rows];
    for &row in known {
        open[row] = false;
    }
    let rows = found.labels.iter().zip(&classes.values).zip(&open).filter(|(_, open)| **open);
    let right = rows.filter(|((found, class), _)| **found == Some(**class)).count();
    let accuracy = right as f64 / (x.rows - known.len()) as f64;
    let quality = [("accuracy", accuracy), ("iterations", found.iterations as f64)];
    let quality = quality.map(|(name, value)| (name.to_owned(), value)).into();
    Ok(Turn { seconds, quality })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_rows_without_a_label_are_judged() {
        // Two heaps; the third row lies in the wrong one.
        let values = vec![0.0, 0.1, 9.1, 9.0, 9.2];
        let x = Points { values, rows: 5, cols: 1, path: PathBuf::new() };
        let classes = Classes { values: vec![0, 0, 0, 1, 1], path: PathBuf::new() };
        let turn = spread(&x, &classes, &[0, 3], 1.0).unwrap();
        assert!((turn.quality["accuracy"] - 2.0 / 3.0).abs() < 1e-12);
        assert!(turn.quality["iterations"] > 1.0);
    }
}
