//! Scoring every clustering, and what its first run looks like.

use std::rc::Rc;

use scarce_artifact::Clusters;
use scarce_stage::Input;

use crate::{
    Result,
    confusions::{Columns, Confusions},
    examples::shuffled,
    origin::{Methods, Origin},
    reference::Reference,
    rows::{Row, Setting},
    score::{self, Scope},
};

/// What the first run of a clustering looks like.
#[derive(Debug, Clone)]
pub(crate) struct ClusterPortrait {
    pub method: usize,
    pub origin: Rc<Origin>,
    /// Number of clusters.
    pub count: usize,
    /// Images of each class by cluster; empty without truth.
    pub contents: Vec<(i32, Vec<u64>)>,
    /// By cluster: its representative first, then some others.
    pub samples: Vec<(i32, Vec<u32>)>,
}

/// More clusters than this are not shown one by one.
pub(crate) const SHOWN_CLUSTERS: usize = 30;

/// What is gathered from all clusterings.
#[derive(Debug, Default)]
pub(crate) struct Clusterings {
    pub rows: Vec<Row>,
    pub examples: Vec<ClusterPortrait>,
}

impl Clusterings {
    /// Scores one clustering; the example is made for the first run of a method.
    pub(crate) fn add(
        &mut self,
        input: Input<Clusters>,
        known: &Reference,
        methods: &mut Methods,
        confusions: &mut Confusions,
        pictures: usize,
    ) -> Result<()> {
        let table = input.table.read()?;
        let origin = Rc::new(Origin { stage: input.stage, axes: input.axes });
        let method = methods.of(&origin);
        let mut contents = Vec::new();
        // The test split comes first, so that what is shown is of the images that were clustered.
        for (split, places) in known.by_split(&origin, &table.id) {
            let Some(truth) = &known.truth else { break };
            let (setting, standing) = match split {
                "test" => known.test(&origin),
                "all" if known.may_hold_test(&origin) => (Setting::Unsplit, Rc::default()),
                _ => (Setting::WithoutLabels, Rc::default()),
            };
            let labels = None;
            let origin = Rc::clone(&origin);
            let scope = Scope { origin, method, split, setting, labels, standing };
            let (classes, clusters): (Vec<u32>, Vec<i32>) = places
                .iter()
                .filter_map(|&at| Some((*truth.get(&table.id[at])?, table.cluster[at])))
                .unzip();
            if !classes.is_empty() {
                let count = known.classes.names().len();
                let scores = score::clustering(&scope, &classes, &clusters, count)?;
                confusions.add(&scope, &scores.confusion, Columns::Named);
                self.rows.extend(scores.rows);
                contents = scores.contents;
            }
        }
        if self.examples.iter().all(|example| example.method != method) {
            let (count, samples) = samples(&table, pictures);
            self.examples.push(ClusterPortrait { method, origin, count, contents, samples });
        }
        Ok(())
    }
}

/// The number of clusters, and of each of the first few its representative and some others.
fn samples(table: &Clusters, pictures: usize) -> (usize, Vec<(i32, Vec<u32>)>) {
    let mut order: Vec<usize> = (0..table.id.len()).collect();
    order.sort_by_key(|&at| {
        (table.cluster[at], !table.is_representative[at], shuffled(table.id[at]), table.id[at])
    });
    let mut count = 0;
    let mut samples: Vec<(i32, Vec<u32>)> = Vec::new();
    let mut current = None;
    for at in order {
        let cluster = table.cluster[at];
        if current != Some(cluster) {
            current = Some(cluster);
            count += 1;
            if samples.len() < SHOWN_CLUSTERS {
                samples.push((cluster, Vec::new()));
            }
        }
        if let Some((_, ids)) = samples.last_mut().filter(|(of, _)| *of == cluster)
            && ids.len() < pictures
        {
            ids.push(table.id[at]);
        }
    }
    (count, samples)
}
