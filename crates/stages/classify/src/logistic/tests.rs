use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::testing::{Bench, on_threads};

/// Three clumps of 200 images each around the corners of a triangle; two of each are labelled.
fn bench() -> Bench {
    let bench = Bench::new();
    let corners = [[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]];
    bench.scattered_around("x", &corners, 600);
    bench.labels("y", &["a", "b", "c", "never"], &[(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 2)]);
    bench
}

fn right(bench: &Bench, name: &str) -> usize {
    let found = bench.predictions(name);
    found.id.iter().zip(&found.label).filter(|(id, label)| **id as i32 % 3 == **label).count()
}

#[test]
fn clumps_are_told_apart_and_classes_without_labels_get_nothing() {
    let bench = bench();
    for params in [json!({}), json!({ "standardise": true }), json!({ "c": 100.0 })] {
        bench.fit("logistic-regression", params, "x", "y", "p").unwrap();
        assert!(right(&bench, "p") > 580, "{}", right(&bench, "p"));
        let found = bench.predictions("p");
        assert!(found.probabilities.iter_rows().all(|row| row[3] == 0.0));
        assert!(
            found.probabilities.iter_rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5)
        );
    }
}

#[test]
fn standardising_makes_the_units_of_features_irrelevant() {
    let bench = bench();
    let params = json!({ "standardise": true });
    bench.fit("logistic-regression", params.clone(), "x", "y", "p").unwrap();
    let plain = bench.predictions("p");
    bench.map_features("x", |row| vec![row[0] * 1024.0, row[1] / 1024.0 + 3.0]);
    bench.fit("logistic-regression", params, "x", "y", "p").unwrap();
    let scaled = bench.predictions("p");
    assert_eq!(plain.label, scaled.label);
    let pairs = plain.probabilities.values.iter().zip(&scaled.probabilities.values);
    assert!(pairs.into_iter().all(|(p, q)| (p - q).abs() < 1e-3));
}

#[test]
fn test_images_do_not_move_the_scale() {
    let bench = bench();
    bench.split_from("x", 500);
    let run = || {
        let params = json!({ "standardise": true, "splits": ["train"] });
        bench.fit("logistic-regression", params, "x", "y", "p").unwrap();
        bench.predictions("p")
    };
    let before = run();
    bench.change_rows("x", |id, row| {
        if id >= 500 {
            row[0] = 1e6;
        }
    });
    assert_eq!(before, run());
}

#[test]
fn neither_threads_nor_the_order_of_rows_matter() {
    let bench = bench();
    let run = |threads| {
        on_threads(threads, || bench.fit("logistic-regression", json!({}), "x", "y", "p").unwrap());
        bench.predictions("p")
    };
    let one = run(1);
    assert_eq!(one, run(3));
    bench.reverse_features("x");
    let mut reversed = run(2);
    reversed.label.reverse();
    assert_eq!(one.label, reversed.label);
}

#[test]
fn confidence_may_weigh() {
    let bench = bench();
    // Image 0 is wrongly said to be `b`, with little confidence.
    let labels = [(0, 1), (3, 0), (1, 1), (2, 2), (4, 1), (5, 2)];
    bench.labels_with("y", &["a", "b", "c"], &labels, &[0.001, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let fit = |weighted: bool| {
        let params = json!({ "c": 1000.0, "weight_by_confidence": weighted });
        bench.fit("logistic-regression", params, "x", "y", "p").unwrap();
        bench.predictions("p").probabilities.row(0)[0]
    };
    assert!(fit(true) > fit(false));
}

#[test]
fn one_class_is_not_enough() {
    let bench = bench();
    bench.labels("y", &["a", "b"], &[(0, 1), (3, 1)]);
    let failure = bench.fit("logistic-regression", json!({}), "x", "y", "p").unwrap_err();
    assert_eq!(failure.code, "classify::one_class");
    assert!(failure.message.contains("all 2 labelled images are of the class `b`"));
}

#[test]
fn an_early_end_is_a_warning_that_names_the_iterations() {
    let bench = bench();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        bench.fit("logistic-regression", json!({ "max_iter": 2 }), "x", "y", "p").unwrap();
    });
    let text = log.text();
    assert!(text.contains("WARN") && text.contains("not converged after 2 iterations"), "{text}");
}

#[test]
fn wrong_numbers_are_refused() {
    let bench = bench();
    for params in [json!({ "c": 0.0 }), json!({ "c": -1.0 }), json!({ "tolerance": -1.0 })] {
        assert!(bench.fit("logistic-regression", params, "x", "y", "p").is_err());
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_model_for_rows_of_length_one_sees_directions_alone() {
    let bench = bench();
    bench.fit("logistic-regression", json!({}), "x", "y", "p").unwrap();
    bench.change_model("p", |model| model.card.architecture["unit_length"] = true.into());
    bench.predict("x", "p", "near").unwrap();
    bench.map_features("x", |row| row.iter().map(|value| 5.0 * value).collect());
    bench.predict("x", "p", "far").unwrap();
    let (near, far) =
        (bench.predictions("near").probabilities, bench.predictions("far").probabilities);
    for (near, far) in near.values.iter().zip(&far.values) {
        assert!((near - far).abs() < 1e-5);
    }
    let unscaled = bench.predictions("p").probabilities;
    assert!(unscaled.values.iter().zip(&near.values).any(|(a, b)| (a - b).abs() > 0.1));
}
