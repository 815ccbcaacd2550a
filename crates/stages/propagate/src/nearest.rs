//! Each labelled image gives its label to the images nearest to it.

use scarce_artifact::{Embeddings, Labels, Points};
use scarce_neighbours::{Neighbours, neighbours};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Port, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Metric, SplitName,
    found::{Found, Given, table},
    points,
    transduce::from_splits,
};

/// What becomes of an image that several labelled images claim.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It is in the table once for each claim.
    Keep,
    /// The nearest labelled image has it.
    #[default]
    Nearest,
    /// The label of most claims has it; of equally many the nearest of their claims.
    Majority,
    /// It gets no label if the claims disagree.
    Drop,
}

/// Parameters of `propagate-nearest`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How many images each labelled image claims: those nearest to it, itself first.
    #[schemars(range(min = 1))]
    pub count: usize,
    /// How distance is measured; `own` takes the metric that the features are meant for.
    #[serde(default)]
    pub metric: Metric,
    /// What becomes of an image that several labelled images claim: it goes to the `nearest`, to the
    /// `majority`, is left out where they disagree (`drop`), or is there once for each claim
    /// (`keep`), as a script that stacks the nearest images of one after the other would have it.
    #[serde(default)]
    pub overlap: Overlap,
    /// The splits in which images are claimed.
    #[serde(default = "SplitName::all")]
    pub splits: Vec<SplitName>,
}

/// The kind `propagate-nearest`.
pub struct PropagateNearest;

impl Stage for PropagateNearest {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "propagate-nearest",
            "Each labelled image gives its label to the images nearest to it",
        )
        .doc(
            "Every labelled image, usually the representative of a cluster, claims the `count` \
             images nearest to it, over all images and not only those of its cluster. It is the \
             nearest to itself, at distance 0, and counts: it claims `count` - 1 others. Of \
             equally near images the one with the smaller id is claimed. Images that nobody claims \
             are not in the table. The search is exact; memory holds all images that take \
             part.\n\nGiven labels are kept, with their source. Another's claim on a labelled \
             image has no effect, except with `overlap = \"keep\"`: there every claim but an \
             image's on itself is a row, so that ids repeat, and each row is learnt from. The \
             confidence of a propagated label is the share of the claims on the image that agree \
             with it, times the share of its claimer's images that are no nearer: 1 beside the \
             labelled image, 1/`count` at the rim. It orders the labels; it is no probability.",
        )
        .learns(from_splits())
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "The labels of all images that were claimed"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let labels = context.input::<Labels>("labels")?;
        let given = Given::read(&labels)?;
        let points = points::read(&features, &params.splits)?;
        let given = points::take(&points, given, &labels, &features)?;
        let (count, images) = (params.count, points.id.len());
        if count == 0 || count > images {
            return Err(Error::Count { count, images }.into());
        }
        let near = claimed(&params, &points, &given, features.meta().metric)?;
        let claims = Claim::all(&near, &points, &given);
        let found = settle(params.overlap, claims, &given, count);
        tracing::info!(
            "{} propagated from {}",
            counted(found.len() - given.all().len(), "label"),
            counted(given.images(), "labelled image")
        );
        context.write("labels", labels.meta().clone(), table(found))
    }
}

/// The images nearest to each label's image, as rows of the points.
fn claimed(
    params: &Params,
    points: &Points,
    given: &Given,
    own: scarce_artifact::Metric,
) -> Result<Neighbours, Error> {
    let x = points::matrix(points)?;
    let rows = given.all().iter().filter_map(|found| points.row_of(found.id));
    let labelled: Vec<f32> = rows.flat_map(|row| x.row(row)).copied().collect();
    let queries = Matrix::new(&labelled, given.all().len(), x.cols())?;
    Ok(neighbours::nearest_neighbours(queries, x, params.count, params.metric.resolve(own))?)
}

/// What a labelled image wants of another.
#[derive(Clone, Copy)]
struct Claim {
    /// The image claimed.
    id: u32,
    label: i32,
    distance: f32,
    /// 0 for the nearest of the claimer's images.
    rank: usize,
    /// Which label it is for; they are in the order of ids.
    claimer: usize,
}

impl Claim {
    /// All but those of images on themselves, by the image claimed, nearest claimers first.
    fn all(near: &Neighbours, points: &Points, given: &Given) -> Vec<Self> {
        let mut claims = Vec::with_capacity(near.indices.len());
        for (claimer, found) in given.all().iter().enumerate() {
            let (rows, distances) = near.of(claimer);
            for (rank, (&row, &distance)) in rows.iter().zip(distances).enumerate() {
                let id = points.id[row as usize];
                if id != found.id {
                    claims.push(Self { id, label: found.label, distance, rank, claimer });
                }
            }
        }
        claims.sort_by(|a, b| {
            let nearer = || a.distance.total_cmp(&b.distance);
            a.id.cmp(&b.id).then_with(nearer).then(a.claimer.cmp(&b.claimer))
        });
        claims
    }
}

/// The labels that come of the claims, and the given ones.
fn settle(overlap: Overlap, claims: Vec<Claim>, given: &Given, count: usize) -> Vec<Found> {
    let mut found = given.all().to_vec();
    for claims in claims.chunk_by(|a, b| a.id == b.id) {
        let agreeing = |label: i32| claims.iter().filter(|claim| claim.label == label).count();
        let propagated = |claim: &Claim| {
            let agreement = agreeing(claim.label) as f32 / claims.len() as f32;
            let no_nearer = (count - claim.rank) as f32 / count as f32;
            Found::propagated(claim.id, claim.label, agreement * no_nearer)
        };
        if overlap == Overlap::Keep {
            found.extend(claims.iter().map(propagated));
            continue;
        }
        if !given.of(claims[0].id).is_empty() {
            continue;
        }
        // The nearest comes first, and of equals `max_by_key` takes the last.
        let winner = match overlap {
            Overlap::Majority => claims.iter().rev().max_by_key(|claim| agreeing(claim.label)),
            Overlap::Drop if agreeing(claims[0].label) < claims.len() => None,
            _ => claims.first(),
        };
        found.extend(winner.map(propagated));
    }
    found
}

#[cfg(test)]
mod tests;
