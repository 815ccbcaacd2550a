//! Class probabilities from the labels of nearest neighbours.
//!
//! The rules are those of scikit-learn's `KNeighborsClassifier`.

use crate::Neighbours;
use scarce_numeric::{Error, error::check_labels};

/// How much a neighbour's vote counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// All the same.
    Uniform,
    /// 1 / distance. If some neighbours are at distance 0, only these count, all the same.
    Distance,
}

/// Votes of every query's neighbours, divided by their sum, `[queries, classes]`.
///
/// `labels: [m]` are the classes of the base rows among which the neighbours were sought.
///
/// # Errors
/// [`Error::Label`] if a label is not below `classes`; [`Error::TooFew`] if `labels` is shorter
/// than the base was.
pub fn vote(
    neighbours: &Neighbours,
    labels: &[u32],
    classes: usize,
    weighting: Weighting,
) -> Result<Vec<f32>, Error> {
    check_labels(labels, classes)?;
    let needed = neighbours.indices.iter().max().map_or(0, |&i| i as usize + 1);
    if needed > labels.len() {
        return Err(Error::TooFew { what: "labels", wanted: needed, available: labels.len() });
    }
    let mut probabilities = Vec::with_capacity(neighbours.queries() * classes);
    let mut votes = vec![0.0f64; classes];
    for query in 0..neighbours.queries() {
        let (indices, distances) = neighbours.of(query);
        votes.fill(0.0);
        let touching = distances.contains(&0.0);
        for (&index, &distance) in indices.iter().zip(distances) {
            votes[labels[index as usize] as usize] += match weighting {
                Weighting::Uniform => 1.0,
                Weighting::Distance if touching => f64::from(u8::from(distance == 0.0)),
                Weighting::Distance => 1.0 / f64::from(distance),
            };
        }
        let sum: f64 = votes.iter().sum();
        probabilities.extend(votes.iter().map(|v| (v / sum) as f32));
    }
    Ok(probabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, neighbours::nearest_neighbours};
    use scarce_numeric::winners;
    use scarce_testing as fixtures;
    use serde::Deserialize;

    fn three(distances: [f32; 3]) -> Neighbours {
        Neighbours { k: 3, indices: vec![0, 1, 2], distances: distances.to_vec() }
    }

    #[test]
    fn ties_go_to_the_smallest_class() {
        let p = vote(&three([1.0, 2.0, 3.0]), &[3, 1, 2], 4, Weighting::Uniform).unwrap();
        assert_eq!(winners(&p, 4), [1]);
    }

    #[test]
    fn distance_zero_outvotes_the_rest() {
        let labels = [0, 1, 1];
        let p = vote(&three([0.0, 0.1, 0.1]), &labels, 2, Weighting::Distance).unwrap();
        assert_eq!(p, [1.0, 0.0]);
        let p = vote(&three([1.0, 2.0, 4.0]), &labels, 2, Weighting::Distance).unwrap();
        assert_eq!(winners(&p, 2), [0]);
        let p = vote(&three([1.0, 2.0, 4.0]), &labels, 2, Weighting::Uniform).unwrap();
        assert_eq!(winners(&p, 2), [1]);
    }

    #[test]
    fn labels_must_fit() {
        let n = three([1.0; 3]);
        assert!(vote(&n, &[0, 1, 2], 2, Weighting::Uniform).is_err());
        assert!(vote(&n, &[0, 1], 2, Weighting::Uniform).is_err());
    }

    #[derive(Deserialize)]
    struct Known {
        train: usize,
        k: usize,
        uniform: Vec<f32>,
        distance: Vec<f32>,
        uniform_prediction: Vec<u32>,
        distance_prediction: Vec<u32>,
    }

    #[test]
    fn agree_with_scikit_learn_on_digits() {
        let known: Known = fixtures::read("vote");
        let digits = fixtures::digits();
        let x = digits.matrix();
        let (base, queries) = (x.block(0..known.train), x.block(known.train..x.rows()));
        let found = nearest_neighbours(queries, base, known.k, Metric::Euclidean).unwrap();
        let labels = &digits.labels[..known.train];
        for (weighting, expected, prediction) in [
            (Weighting::Uniform, known.uniform, known.uniform_prediction),
            (Weighting::Distance, known.distance, known.distance_prediction),
        ] {
            let p = vote(&found, labels, 10, weighting).unwrap();
            fixtures::assert_close(&p, &expected, 1e-6);
            assert_eq!(winners(&p, 10), prediction);
        }
    }
}
