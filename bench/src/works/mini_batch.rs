//! Mini-batch k-means on 60,000 images of clothes, 784 numbers each, k = 100.
//!
//! Both sides have their defaults and batches of the same size, and draw their own starts and batches:
//! how many steps they take and how well they end differs from draw to draw. So a turn is ten fits with
//! ten seeds; seconds are those of one, inertia (of all rows) and steps are means. Ours takes fewer steps
//! than the peer, and rounds over all rows after them.

use std::time::Instant;

use anyhow::Result;
use scarce_clustering::kmeans::MiniBatchKMeans;
use scarce_ingest::datasets::Dataset;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{contest::Turn, data::Part, session::Session};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "mini-batch-k-means",
    title: "Mini-batch k-means, Fashion-MNIST, 60,000 × 784, batches of 1,024",
    cases: &[Case { name: "mini-batch-100", title: "k = 100, mean of 10 seeds", heavy: false }],
    run,
};

const CLUSTERS: usize = 100;
const SEEDS: u64 = 10;
/// scikit-learn's default: steps without improvement before it stops.
const PEER_PATIENCE: usize = 10;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let Some(case) = choice.cases.first() else { return Ok(()) };
    let x = session.data.scaled(Dataset::FashionMnist, Part::Train)?;
    let model = MiniBatchKMeans::new(CLUSTERS);
    let params = json!({
        "clusters": CLUSTERS, "seeds": SEEDS, "batch": model.batch, "passes": model.max_passes,
        "patience": PEER_PATIENCE, "reassignment": model.reassignment_ratio,
    });
    let data = json!({ "x": x.path });
    let peer = session.peer("numeric", "mini_batch_sklearn.py", data, params)?;
    session.compare(choice, case, vec![peer.per(SEEDS as usize)], |_| {
        let (mut inertia, mut steps, mut seconds) = (0.0, 0.0, 0.0);
        for seed in 0..SEEDS {
            let model = MiniBatchKMeans { seed, ..model.clone() };
            let begin = Instant::now();
            let fitted = model.fit(x.matrix()?)?;
            seconds += begin.elapsed().as_secs_f64();
            inertia += fitted.inertia;
            steps += fitted.iterations as f64;
        }
        let quality = [("mean-inertia", inertia), ("iterations", steps)];
        let mean = |(name, sum): (&str, f64)| (name.to_owned(), sum / SEEDS as f64);
        Ok(Turn { seconds: seconds / SEEDS as f64, quality: quality.map(mean).into() })
    })
}
