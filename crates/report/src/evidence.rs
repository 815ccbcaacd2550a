//! Everything that a report is made of, gathered from the wired tables.

use std::collections::BTreeSet;

use scarce_artifact::{Clusters, Images, Predictions};
use scarce_stage::{Context, Failure};

use crate::{
    known::Known,
    origin::Methods,
    others::{self, ClusterPortrait, Curves, LabelCounts, Rebuilt, SHOWN_CLUSTERS, Wired},
    params::{Params, Published},
    pictures::Album,
    predictions::Scored,
    published,
    rows::Row,
    summary::{self, Line},
};

/// The ports in the order in which the page lists them.
pub(crate) const PORTS: [&str; 9] = [
    "predictions",
    "truth",
    "images",
    "labels",
    "held_out",
    "propagated",
    "clusters",
    "history",
    "reconstructions",
];

/// More methods than this are not shown picture by picture.
const SHOWN_PORTRAITS: usize = 8;
/// More pictures of one class or cluster than this do not tell more.
const PER_GROUP: usize = 10;

/// All that the page and the tables need.
pub(crate) struct Evidence {
    pub params: Params,
    pub known: Known,
    pub methods: Methods,
    pub scored: Scored,
    /// All rows of the metrics table.
    pub rows: Vec<Row>,
    /// All lines of the summary.
    pub lines: Vec<Line>,
    pub baseline: Option<String>,
    /// Methods with too few held-out labels to estimate anything, and how many they have.
    pub too_few: Vec<(usize, usize)>,
    /// Published figures that fit nothing here.
    pub unused: Vec<Published>,
    pub clusters: Vec<ClusterPortrait>,
    pub curves: Vec<Curves>,
    pub rebuilt: Vec<Rebuilt>,
    pub labels: Vec<LabelCounts>,
    pub wired: Vec<Wired>,
    pub album: Album,
}

impl Evidence {
    /// Reads and scores everything.
    pub(crate) fn gather(params: Params, context: &Context) -> Result<Self, Failure> {
        params.check()?;
        let pictures = params.pictures();
        let mut known = Known::read(context)?;
        let mut methods = Methods::new(&params.seed_axes);
        let mut scored = Scored::default();

        let tables = context.inputs::<Predictions>("predictions")?;
        let total = tables.len() as u64;
        for (done, input) in tables.into_iter().enumerate() {
            context.progress(done as u64, total, "tables", &input.stage);
            scored.add(input, &mut known, &mut methods, pictures)?;
        }
        context.progress(total, total, "tables", "");

        let mut rows = std::mem::take(&mut scored.rows);
        let mut clusters = Vec::new();
        for input in context.inputs::<Clusters>("clusters")? {
            let few = pictures.min(PER_GROUP);
            rows.extend(others::clusters(input, &known, &mut methods, &mut clusters, few)?);
        }
        let added = known.read_labels(context, "propagated")?;
        rows.extend(others::propagated(&added, &known, &mut methods));

        let baseline = summary::baseline(params.baseline.as_deref(), &scored.stages)?;
        let folds = scored.cross_validated(known.classes.names().len())?;
        let mut lines = summary::over_runs(&rows)?;
        lines.extend(folds.lines);
        if let Some(baseline) = &baseline {
            lines.extend(summary::paired(&rows, baseline)?);
        }
        let unused = published::attach(&mut lines, methods.list(), &params.published);
        for figure in &unused {
            tracing::warn!(
                "no result here fits the published {} of `{}` on {}",
                figure.metric,
                figure.stage,
                figure.split
            );
        }

        let mut evidence = Self {
            curves: others::curves(context, &mut methods)?,
            rebuilt: others::rebuilt(context, &mut methods, pictures.max(1))?,
            labels: others::label_counts(&known, &mut methods),
            wired: others::wired(context, &PORTS),
            album: Album::default(),
            params,
            known,
            methods,
            scored,
            rows,
            lines,
            baseline,
            too_few: folds.too_few,
            unused,
            clusters,
        };
        evidence.trim();
        if let Some(images) = context.optional::<Images>("images")? {
            evidence.album = Album::read(&images, &evidence.wanted())?;
        }
        Ok(evidence)
    }

    /// Keeps the portraits that the page will show.
    fn trim(&mut self) {
        self.scored.portraits.truncate(SHOWN_PORTRAITS);
        for portrait in &mut self.scored.portraits {
            portrait.by_class.truncate(SHOWN_CLUSTERS);
            for (_, seen) in &mut portrait.by_class {
                seen.truncate(PER_GROUP);
            }
        }
        self.clusters.truncate(SHOWN_PORTRAITS);
    }

    /// The images that the page will show.
    fn wanted(&self) -> BTreeSet<u32> {
        let of_portraits = self.scored.portraits.iter().flat_map(|portrait| {
            let classes = portrait.by_class.iter().flat_map(|(_, seen)| seen);
            portrait.errors.iter().chain(&portrait.unsure).chain(classes).map(|seen| seen.id)
        });
        let of_clusters = self
            .clusters
            .iter()
            .flat_map(|clusters| clusters.samples.iter().flat_map(|(_, ids)| ids.iter().copied()));
        of_portraits.chain(of_clusters).collect()
    }

    /// The name of a class.
    pub(crate) fn class(&self, class: usize) -> &str {
        self.known.classes.names().get(class).map_or("?", String::as_str)
    }

    /// Lines of a metric that are not about one class.
    pub(crate) fn lines_of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.metric == metric && line.class.is_none())
    }

    /// The line of a metric beside another of the same method and images.
    pub(crate) fn beside(&self, line: &Line, metric: &str) -> Option<&Line> {
        self.lines.iter().find(|other| {
            other.metric == metric
                && other.class.is_none()
                && (other.method, other.setting, other.split)
                    == (line.method, line.setting, line.split)
        })
    }
}
