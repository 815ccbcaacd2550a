//! The images that strategies asked for.

use scarce_artifact::Queries;
use scarce_stage::{Context, Failure};

use crate::origin::{Methods, Origin};

/// What the first run of a strategy asked for: of rounds, in each round.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub method: usize,
    pub origin: Origin,
    /// Name of the strategy; of several the first.
    pub strategy: String,
    /// How many images it asked for.
    pub count: usize,
    /// The first of them with their scores, the most wanted first.
    pub images: Vec<(u32, f32)>,
}

/// Reads the queries of the first run of each method.
pub(crate) fn read(
    context: &Context,
    methods: &mut Methods,
    pictures: usize,
) -> Result<Vec<Asked>, Failure> {
    let mut all: Vec<Asked> = Vec::new();
    for input in context.inputs::<Queries>("queries")? {
        let origin = Origin { stage: input.stage, axes: input.axes };
        let method = methods.of(&origin);
        if all.iter().any(|asked| asked.method == method) {
            continue;
        }
        let table = input.table.read()?;
        let mut order: Vec<usize> = (0..table.id.len()).collect();
        order.sort_by_key(|&at| (table.rank[at], table.id[at]));
        let images = order.iter().take(pictures).map(|&at| (table.id[at], table.score[at]));
        all.push(Asked {
            method,
            strategy: table.strategy.first().cloned().unwrap_or_default(),
            count: table.id.len(),
            images: images.collect(),
            origin,
        });
    }
    Ok(all)
}
