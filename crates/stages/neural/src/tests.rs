use scarce_nn::tch::{self, Tensor};
use scarce_nn::{Activation, Mode, Variables};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, unit};

mod answers;
mod images;
mod learning;
mod saved;

const CLASSES: [&str; 4] = ["inside", "never", "outside", "too"];

/// Points of a square; the class says whether they lie in a circle, which no line tells.
fn circle(id: u32) -> (Vec<f32>, i32) {
    let (x, y) = (2.0 * unit(id, 0) - 1.0, 2.0 * unit(id, 1) - 1.0);
    (vec![x, y], if x * x + y * y < 0.6 { 0 } else { 2 })
}

/// Such points with ids 0 to 299, and 1000 to 1099 for testing; every other of the first is
/// labelled.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.features("x", (0..300).chain(1000..1100).map(|id| (id, circle(id).0)));
    let labels: Vec<(u32, i32)> = (0..300).step_by(2).map(|id| (id, circle(id).1)).collect();
    bench.labels("y", &CLASSES, &labels);
    bench
}

fn fit(bench: &Bench, params: Value, output: &str) -> Result<(), scarce_stage::Failure> {
    bench.run("mlp", params, &[("features", "x"), ("labels", "y")], output)
}

/// How many of the test images are told right.
fn right(bench: &Bench, output: &str) -> usize {
    let found = bench.predictions(output);
    let both = found.id.iter().zip(&found.label);
    both.filter(|(id, label)| **id >= 1000 && circle(**id).1 == **label).count()
}

mod described {
    use super::*;

    #[test]
    fn parameters_have_documentation_and_defaults() {
        for kind in kinds() {
            let params = &kind.description().params;
            assert_eq!(params["additionalProperties"], json!(false));
            for (name, schema) in params["properties"].as_object().unwrap() {
                assert!(schema["description"].is_string(), "{name} has no documentation");
                assert!(schema.get("default").is_some(), "{name} has no default");
            }
            assert_eq!(kind.description().fingerprint.len(), 64);
        }
    }
}
