//! The kind `select`.

use scarce_artifact::{Clusters, Embeddings, Empty, Images, Labels, Queries};
use scarce_clustering::KMeans;
use scarce_numeric::Matrix;
use scarce_selection::{
    MaxHerding, Pick, cluster_number, core_set, max_herding, representatives, typical,
};
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Port, Splits, Stage, counted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, pool::Pool};

/// Nearest rows that the typicality of a row is measured by (Hacohen and others, 2022).
const NEIGHBOURS: usize = 20;

/// How images are chosen by where they lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Geometry {
    /// Each image adds most to how well all are covered, by a Gaussian kernel (`MaxHerding`, Bae
    /// and others, 2024).
    #[default]
    MaxHerding,
    /// In each cluster without a label the image in its densest part (`TypiClust`, Hacohen and
    /// others, 2022).
    Typiclust,
    /// The image farthest from all labelled and chosen ones, again and again (Sener and Savarese,
    /// 2018); it goes for outliers, and suits large budgets.
    CoreSet,
    /// In each k-means cluster without a label the image nearest to the centroid.
    Representatives,
}

impl Geometry {
    /// The word that the table holds.
    fn name(self) -> &'static str {
        match self {
            Self::MaxHerding => "max-herding",
            Self::Typiclust => "typiclust",
            Self::CoreSet => "core-set",
            Self::Representatives => "representatives",
        }
    }
}

/// Parameters of `select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectParams {
    /// How images are chosen.
    pub strategy: Geometry,
    /// How many to ask for; fewer, with a warning, where there are not so many left.
    #[schemars(range(min = 1))]
    pub batch: u32,
    /// K-means starts that `representatives` and `typiclust` try, where they cluster themselves; the
    /// one with the least sum of squared distances is kept. A poor one misses groups of images.
    #[schemars(range(min = 1))]
    pub n_init: usize,
    /// Seed of what is drawn: k-means starts, and with `max-herding` the 20,000 images that stand
    /// for all where there are more.
    pub seed: u64,
    /// With `max-herding`, the scale σ of the kernel exp(−d² / 2σ²), in units of the distance.
    /// Without it half the root mean squared distance of two images is taken.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub bandwidth: Option<f64>,
}

impl Default for SelectParams {
    fn default() -> Self {
        Self { strategy: Geometry::default(), batch: 10, n_init: 10, seed: 0, bandwidth: None }
    }
}

impl SelectParams {
    fn check(&self) -> Result<()> {
        if self.batch == 0 {
            return Err(Error::request("`batch` is 0", "ask for at least one image"));
        }
        if self.n_init == 0 {
            return Err(Error::request("`n_init` is 0", "try at least one start"));
        }
        match self.bandwidth {
            Some(_) if self.strategy != Geometry::MaxHerding => {
                let name = self.strategy.name();
                let message = format!("`bandwidth` has no use with `strategy = \"{name}\"`");
                let help = "leave `bandwidth` out, or set `strategy = \"max-herding\"`";
                Err(Error::request(message, help))
            }
            Some(sigma) if !(sigma > 0.0 && sigma.is_finite()) => {
                let message = format!("`bandwidth` is {sigma}");
                Err(Error::request(message, "give a number above 0, or none"))
            }
            _ => Ok(()),
        }
    }
}

/// The kind `select`.
pub(crate) struct Select;

impl Stage for Select {
    type Params = SelectParams;

    fn describe() -> Description {
        Description::new("select", "Which images to label first, by where they lie")
            .doc(include_str!("select.md"))
            .learns(
                Learns::images("embeddings", Splits::learnable())
                    .and("clusters", Splits::learnable(), Knowledge::Images)
                    .keeping(Splits::learnable())
                    .seeded(),
            )
            .input(Port::table::<Embeddings>("embeddings", "One vector per image"))
            .input(
                Port::table::<Clusters>("clusters", "Groups of the images, for `typiclust`")
                    .optional(),
            )
            .input(
                Port::table::<Labels>("labels", "Labels that are there already").many().optional(),
            )
            .input(
                Port::table::<Images>("images", "All images, and which are for testing").optional(),
            )
            .output(Port::table::<Queries>("queries", "The images to label, by rank"))
    }

    fn run(params: SelectParams, context: &Context) -> Result<(), Failure> {
        params.check()?;
        let pool = Pool::read(context)?;
        let clusters = clusters(&params, context, &pool)?;
        let (batch, left) = (params.batch as usize, pool.id.len() - pool.labelled.len());
        let asked = left.min(batch);
        if asked < batch {
            let left = counted(asked, "image");
            tracing::warn!("`batch` is {batch}, and all that is left is {left}");
        }
        let picks = match asked {
            0 => Vec::new(),
            _ => pick(&params, &pool, clusters, asked)?,
        };
        tracing::info!(
            "{} of {} chosen; labelled already: {}",
            picks.len(),
            counted(left, "image"),
            pool.labelled.len()
        );
        context.write("queries", Empty {}, table(&pool, &picks, params.strategy))
    }
}

/// The clusters that are wired, where they are of use.
fn clusters(
    params: &SelectParams,
    context: &Context,
    pool: &Pool,
) -> Result<Option<Vec<u32>>, Failure> {
    let Some(table) = context.optional::<Clusters>("clusters")? else { return Ok(None) };
    if params.strategy == Geometry::Typiclust {
        return Ok(Some(pool.clusters(&table)?));
    }
    tracing::warn!("`clusters` is wired, but of use only with `strategy = \"typiclust\"`");
    Ok(None)
}

/// The best `count` images; there are as many without a label.
fn pick(
    params: &SelectParams,
    pool: &Pool,
    clusters: Option<Vec<u32>>,
    count: usize,
) -> Result<Vec<Pick>> {
    let x = Matrix::new(&pool.values, pool.id.len(), pool.width)?;
    let (labelled, restarts, seed) = (pool.labelled.as_slice(), params.n_init, params.seed);
    let picks = match params.strategy {
        Geometry::MaxHerding => {
            let how = MaxHerding { bandwidth: params.bandwidth, seed };
            max_herding(x, labelled, count, how)
        }
        Geometry::CoreSet => core_set(x, labelled, count),
        Geometry::Representatives => representatives(x, labelled, count, restarts, seed),
        Geometry::Typiclust => {
            let clusters = if let Some(clusters) = clusters {
                clusters
            } else {
                let clusters = cluster_number(labelled.len(), count);
                KMeans { restarts, seed, ..KMeans::new(clusters) }.fit(x)?.labels
            };
            typical(x, &clusters, labelled, count, NEIGHBOURS)
        }
    };
    Ok(picks?)
}

fn table(pool: &Pool, picks: &[Pick], strategy: Geometry) -> Queries {
    Queries {
        id: picks.iter().map(|pick| pool.id[pick.row]).collect(),
        rank: (0..).take(picks.len()).collect(),
        score: picks.iter().map(|pick| pick.score as f32).collect(),
        strategy: vec![strategy.name().to_owned(); picks.len()],
    }
}

#[cfg(test)]
mod tests;
