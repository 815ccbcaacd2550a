//! Answers that scikit-learn gave to small cases, and ours. The pipelines, the data and the answers are
//! in `fixtures/agreement/`, written by `cargo xtask peers --fixture tests/fixtures/agreement`, which
//! compares several hundred larger cases when it is run without.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use scarce_tests::{Project, fixture};
use serde::Deserialize;
use serde_json::Value;

/// What scikit-learn answered, and where ours is.
#[derive(Deserialize)]
struct Answer {
    case: String,
    stage: String,
    table: String,
    column: String,
    how: How,
    tolerance: f64,
    /// Row by row, by ascending id.
    values: Vec<f64>,
}

/// How two answers are compared.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum How {
    /// Number by number.
    Close,
    /// Columns may be turned round.
    Sign,
    /// Clusters may be called otherwise.
    Partition,
}

/// A column of ours, row by row.
fn ours(project: &Project, view: &str, column: &str) -> Vec<Vec<f64>> {
    let mut rows = project.rows(view);
    rows.sort_by_key(|row| row["id"].as_u64());
    let number = |value: &Value| value.as_f64().unwrap();
    let cell = |row: &Value| match &row[column] {
        Value::Array(values) => values.iter().map(number).collect(),
        value => vec![number(value)],
    };
    rows.iter().map(cell).collect()
}

/// How far apart the two are.
fn deviation(how: How, ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> f64 {
    let off = |sign: f64, at: usize| {
        let pairs = ours.iter().zip(theirs);
        pairs.map(|(a, b)| (a[at] - sign * b[at]).abs()).fold(0.0, f64::max)
    };
    let columns = 0..ours[0].len();
    match how {
        How::Close => columns.map(|at| off(1.0, at)).fold(0.0, f64::max),
        How::Sign => {
            let scale = theirs.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
            columns.map(|at| off(1.0, at).min(off(-1.0, at))).fold(0.0, f64::max) / scale
        }
        How::Partition => {
            let pairs: BTreeSet<(i64, i64)> =
                ours.iter().zip(theirs).map(|(a, b)| (a[0] as i64, b[0] as i64)).collect();
            let names =
                |pick: fn(&(i64, i64)) -> i64| pairs.iter().map(pick).collect::<BTreeSet<_>>();
            // One to one: as many pairs as names on either side.
            let one_to_one = pairs.len() == names(|pair| pair.0).len()
                && pairs.len() == names(|pair| pair.1).len();
            if one_to_one { 0.0 } else { f64::INFINITY }
        }
    }
}

#[test]
fn small_cases_are_answered_as_scikit_learn_answered_them() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for folder in fs_err::read_dir(fixture("agreement")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let file = |name: &str| fs_err::read(folder.join(name)).unwrap();
        let mut project = Project::new();
        project.write("data.parquet", file("data.parquet"));
        project.write(&format!("{name}.toml"), file(&format!("{name}.toml")));
        project.file = format!("{name}.toml").into();
        project.run(&[]).ended(0);
        let answers: Vec<Answer> = serde_json::from_slice(&file("answers.json")).unwrap();
        for answer in answers {
            let Answer { case, stage, table, column, how, tolerance, values } = answer;
            let ours = ours(&project, &format!("{name}/{stage}/{table}.parquet"), &column);
            let width = values.len() / ours.len();
            let theirs: Vec<Vec<f64>> = values.chunks(width).map(<[f64]>::to_vec).collect();
            let fits = ours.len() == theirs.len() && ours.iter().all(|row| row.len() == width);
            // The answers are rounded to five places.
            let off = if fits { deviation(how, &ours, &theirs) } else { f64::INFINITY };
            if off > tolerance + 1e-5 {
                wrong.push(format!("{case}: {off} instead of {tolerance}"));
            }
            *counts.entry(case.split(':').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: usize = counts.values().sum();
    assert!(all >= 100 && counts.len() >= 9, "{counts:?}");
}
