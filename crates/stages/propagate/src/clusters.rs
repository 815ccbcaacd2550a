//! A label for a whole cluster.

use std::collections::BTreeMap;

use scarce_artifact::{Clusters, Labels, Reader};
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Needs, Port, Splits, Stage, counted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    error::within,
    found::{Found, Given, table},
};

/// Parameters of `propagate-clusters`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How far the label reaches, as a percentile of the distance to the centroid within the
    /// cluster: 100 labels the whole cluster, 25 the quarter nearest to the centroid.
    #[schemars(range(min = 0, max = 100))]
    pub up_to_percentile: f32,
    /// Whether labelled images keep their own label and its source, wherever they lie. Otherwise
    /// they are treated like any other image of their cluster.
    pub keep_given: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { up_to_percentile: 100.0, keep_given: true }
    }
}

/// The kind `propagate-clusters`.
pub struct PropagateClusters;

impl Stage for PropagateClusters {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "propagate-clusters",
            "Each cluster takes the label of its labelled images",
        )
        .needs(Needs::light())
        .doc(
            "Cluster-then-label: the label of a cluster's labelled image, usually its \
                 representative, is given to the other images of the cluster, or to those of them \
                 nearest to the centroid (A. Géron, *Hands-On Machine Learning*, chapter on \
                 unsupervised learning). Of several labelled images in one cluster the majority \
                 decides, of equally frequent labels that of the image nearest to the centroid \
                 (then of the smallest id). Clusters without a labelled image stay unlabelled; the \
                 log says how many.\n\nThe confidence of a propagated label is the share of the \
                 cluster's labelled images that agree with it, times the share of the cluster's \
                 images that are no nearer to the centroid: 1 at the centre, 1/size at the rim. It \
                 orders the labels; it is no probability.",
        )
        .learns(
            Learns::images("clusters", Splits::All)
                .and("labels", Splits::All, Knowledge::Labels)
                .rows_of(&["clusters"]),
        )
        .input(Port::table::<Clusters>("clusters", "The cluster of every image"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "The labels of all images that were reached"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        within("up_to_percentile", params.up_to_percentile, 0.0, 100.0)?;
        let clusters = context.input::<Clusters>("clusters")?;
        let labels = context.input::<Labels>("labels")?;
        let given = Given::read(&labels)?;
        let images = read_clusters(&clusters)?;
        let votes = Votes::count(&images, &given);
        if votes.by_cluster.is_empty() {
            return Err(given.none_in(&labels, clusters.path()).into());
        }
        tell(&images, &votes, given.images());
        let found = spread(&params, &images, &given, &votes);
        context.write("labels", labels.meta().clone(), table(found))
    }
}

/// An image in its cluster.
struct Image {
    id: u32,
    cluster: i32,
    distance: f32,
    percentile: f32,
}

/// All images, by ascending id.
fn read_clusters(reader: &Reader<Clusters>) -> Result<Vec<Image>, Error> {
    let rows = reader.read()?;
    let image = |row: usize| Image {
        id: rows.id[row],
        cluster: rows.cluster[row],
        distance: rows.distance[row],
        percentile: rows.percentile[row],
    };
    let mut images: Vec<Image> = (0..rows.id.len()).map(image).collect();
    images.sort_unstable_by_key(|image| image.id);
    Ok(images)
}

/// The label of a cluster.
struct Winner {
    label: i32,
    /// The share of the cluster's labelled images that have it.
    agreement: f32,
}

struct Votes {
    by_cluster: BTreeMap<i32, Winner>,
    /// Images in each cluster.
    size: BTreeMap<i32, usize>,
}

impl Votes {
    fn count(images: &[Image], given: &Given) -> Self {
        let mut size = BTreeMap::new();
        let mut voters: BTreeMap<i32, Vec<(&Image, i32)>> = BTreeMap::new();
        for image in images {
            *size.entry(image.cluster).or_insert(0) += 1;
            for found in given.of(image.id) {
                voters.entry(image.cluster).or_default().push((image, found.label));
            }
        }
        let by_cluster =
            voters.into_iter().map(|(cluster, voters)| (cluster, winner(voters))).collect();
        Self { by_cluster, size }
    }
}

/// The most frequent label; of equally frequent ones that of the nearest image.
fn winner(mut voters: Vec<(&Image, i32)>) -> Winner {
    voters.sort_by(|(a, _), (b, _)| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
    let mut counts = BTreeMap::new();
    for (_, label) in &voters {
        *counts.entry(*label).or_insert(0_usize) += 1;
    }
    let mut best = (0, 0);
    for (_, label) in &voters {
        // Only more is better: of equals the nearest, seen first, stays.
        if counts[label] > best.1 {
            best = (*label, counts[label]);
        }
    }
    Winner { label: best.0, agreement: best.1 as f32 / voters.len() as f32 }
}

/// The labels of all images that were reached.
fn spread(params: &Params, images: &[Image], given: &Given, votes: &Votes) -> Vec<Found> {
    let mut found: Vec<Found> = if params.keep_given { given.all().to_vec() } else { Vec::new() };
    for image in images {
        let Some(winner) = votes.by_cluster.get(&image.cluster) else { continue };
        let kept = params.keep_given && !given.of(image.id).is_empty();
        if kept || image.percentile > params.up_to_percentile {
            continue;
        }
        let size = votes.size.get(&image.cluster).map_or(1.0, |&size| size as f32);
        let no_nearer = (1.0 - image.percentile / 100.0 + 1.0 / size).clamp(0.0, 1.0);
        found.push(Found::propagated(image.id, winner.label, winner.agreement * no_nearer));
    }
    found
}

fn tell(images: &[Image], votes: &Votes, given: usize) {
    let (clusters, labelled) = (votes.size.len(), votes.by_cluster.len());
    let reached = images.iter().filter(|image| votes.by_cluster.contains_key(&image.cluster));
    tracing::info!(
        "{labelled} of {} with a label, from {}; {} of {} in clusters without one",
        counted(clusters, "cluster"),
        counted(given, "labelled image"),
        images.len() - reached.count(),
        counted(images.len(), "image")
    );
}

#[cfg(test)]
mod tests {
    use scarce_artifact::{Classes, LabelSource::*};
    use serde_json::json;

    use super::*;
    use crate::testing::{Bench, labels};

    /// Cluster 0: ids 0 to 3 by distance; cluster 1: 4 and 5; cluster 2: 6, without labels.
    fn clusters() -> Clusters {
        Clusters {
            id: vec![6, 5, 4, 3, 2, 1, 0],
            cluster: vec![2, 1, 1, 0, 0, 0, 0],
            distance: vec![0.0, 2.0, 1.0, 4.0, 3.0, 2.0, 1.0],
            percentile: vec![100.0, 100.0, 50.0, 100.0, 75.0, 50.0, 25.0],
            is_representative: vec![true, false, true, false, false, false, true],
        }
    }

    fn run(params: serde_json::Value, given: &[(u32, i32)]) -> Result<Labels, Failure> {
        let bench = Bench::new();
        bench.write("c", scarce_artifact::Empty {}, clusters());
        bench.write("y", Classes::new(["a", "b"]), labels(given));
        bench.run("propagate-clusters", params, [("clusters", "c"), ("labels", "y")])?;
        assert_eq!(bench.meta().classes, ["a", "b"]);
        Ok(bench.read())
    }

    #[test]
    fn the_representative_names_its_cluster() {
        let found = run(json!({}), &[(0, 1), (4, 0)]).unwrap();
        assert_eq!(found.id, [0, 1, 2, 3, 4, 5]);
        assert_eq!(found.label, [1, 1, 1, 1, 0, 0]);
        assert_eq!(found.source, [Given, Propagated, Propagated, Propagated, Given, Propagated]);
        assert_eq!(found.confidence, [1.0, 0.75, 0.5, 0.25, 1.0, 0.5]);
    }

    #[test]
    fn the_reach_may_be_limited() {
        let found = run(json!({ "up_to_percentile": 50 }), &[(0, 1), (4, 0)]).unwrap();
        assert_eq!(found.id, [0, 1, 4]);
        // Given labels stay, however far they lie.
        let found = run(json!({ "up_to_percentile": 50.0 }), &[(3, 1)]).unwrap();
        assert_eq!((found.id, found.label), (vec![0, 1, 3], vec![1, 1, 1]));
        let params = json!({ "up_to_percentile": 50, "keep_given": false });
        let found = run(params, &[(3, 1)]).unwrap();
        assert_eq!((found.id, found.source), (vec![0, 1], vec![Propagated; 2]));
    }

    #[test]
    fn the_majority_decides_and_then_the_nearest() {
        let found = run(json!({}), &[(0, 1), (2, 0), (3, 0)]).unwrap();
        assert_eq!(found.label, [1, 0, 0, 0]);
        assert_eq!((found.source[0], found.source[1]), (Given, Propagated));
        assert!((found.confidence[1] - 0.5).abs() < 1e-6, "2/3 agree, 3/4 are no nearer");
        let found = run(json!({}), &[(1, 0), (2, 1)]).unwrap();
        assert_eq!(found.label, [0, 0, 1, 0]);
        let found = run(json!({ "keep_given": false }), &[(1, 0), (2, 1)]).unwrap();
        assert_eq!(found.label, [0, 0, 0, 0]);
    }

    #[test]
    fn labels_outside_the_clusters_are_kept_but_do_not_suffice() {
        let found = run(json!({}), &[(90, 1), (6, 0)]).unwrap();
        assert_eq!((found.id, found.label), (vec![6, 90], vec![0, 1]));
        let failure = run(json!({}), &[(90, 1)]).unwrap_err();
        assert_eq!(failure.code, "propagate::no_labelled");
    }

    #[test]
    fn wrong_input_is_refused() {
        for (labels, message) in [(vec![(0, 2)], "2 is no class"), (vec![(0, 0); 2], "twice")] {
            let failure = run(json!({}), &labels).unwrap_err();
            assert_eq!(failure.code, "artifact::value");
            assert!(failure.message.contains(message), "{}", failure.message);
        }
        let failure = run(json!({ "up_to_percentile": 101 }), &[(0, 0)]).unwrap_err();
        assert_eq!(failure.code, "propagate::parameter");
        assert!(failure.message.contains("101"));
    }
}
