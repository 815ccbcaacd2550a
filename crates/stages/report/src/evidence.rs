//! Everything that a report is made of, gathered from the wired tables.

use std::collections::BTreeSet;

use scarce_artifact::{Clusters, Images, Predictions};
use scarce_stage::{Context, Failure};

use crate::{
    clusters::{ClusterPortrait, Clusterings, SHOWN_CLUSTERS},
    confusions::Confusions,
    examples::Example,
    label_efficiency::{self, Needed},
    maps::{self, Map},
    origin::{Methods, text},
    others::{self, Curves, LabelCounts, Rebuilt, Wired},
    paired::{self, Baselines},
    params::{Curve, Params},
    pictures::{Album, Sheet},
    predictions::Scored,
    propagated::Propagations,
    published::{self, NotRun, Unmatched},
    queries::{self, Asked},
    reference::Reference,
    rows::Row,
    standing::Marks,
    summary::{self, Line},
    sweeps::{self, Sweep},
};

/// The ports in the order in which the page lists them.
pub(crate) const PORTS: [&str; 12] = [
    "predictions",
    "truth",
    "images",
    "labels",
    "held_out",
    "propagated",
    "distributions",
    "queries",
    "clusters",
    "map",
    "history",
    "reconstructions",
];

/// More methods than this are not shown picture by picture.
const SHOWN_PORTRAITS: usize = 8;
/// More queries than this are not shown one by one.
const SHOWN_QUERIES: usize = 60;
/// More pictures of one class or cluster than this do not tell more.
const PER_GROUP: usize = 10;

/// All that the page and the tables need.
pub(crate) struct Evidence {
    pub params: Params,
    pub known: Reference,
    pub methods: Methods,
    /// Stages whose predictions came in.
    pub predictors: Vec<String>,
    /// All rows of the metrics table.
    pub rows: Vec<Row>,
    /// All lines of the summary.
    pub lines: Vec<Line>,
    /// What must be known of some of them.
    pub marks: Marks,
    /// Methods with too few held-out labels to estimate anything, and how many they have.
    pub too_few: Vec<(usize, usize)>,
    /// Published figures that nothing here stands beside.
    pub unmatched: Unmatched,
    pub sweeps: Vec<Sweep>,
    /// Labels needed for the goals, by figure.
    pub needed: Vec<Needed>,
    /// Figures that were asked for and of which there is nothing to draw.
    pub undrawn: Vec<Curve>,
    pub confusions: Confusions,
    pub examples: Vec<Example>,
    /// Methods that could have a example.
    pub portrayed: usize,
    pub asked: Vec<Asked>,
    pub clusters: Vec<ClusterPortrait>,
    pub curves: Vec<Curves>,
    pub rebuilt: Vec<Rebuilt>,
    pub labels: Vec<LabelCounts>,
    pub wired: Vec<Wired>,
    pub maps: Vec<Map>,
    pub album: Album,
    /// The pictures of the points on maps.
    pub sheet: Option<Sheet>,
}

impl Evidence {
    /// Reads and scores everything.
    pub(crate) fn gather(params: Params, context: &Context) -> Result<Self, Failure> {
        params.check()?;
        let pictures = params.pictures();
        let mut known = Reference::read(context)?;
        let mut methods = Methods::new(&params.seed_axes, &params.names);
        let scored = predictions(context, &mut known, &mut methods, pictures)?;
        let folds = scored.cross_validated(known.classes.names().len())?;
        let Scored { mut rows, stages: predictors, mut confusions, mut examples, .. } = scored;

        let mut clusterings = Clusterings::default();
        for input in context.inputs::<Clusters>("clusters")? {
            let few = pictures.min(PER_GROUP);
            clusterings.add(input, &known, &mut methods, &mut confusions, few)?;
        }
        rows.extend(clusterings.rows);
        let added =
            Propagations::read(context, &mut known, &mut methods, &mut confusions, pictures)?;
        rows.extend(added.rows);
        examples.extend(added.examples);

        let mut lines = summary::over_runs(&rows, &known.lineage)?;
        lines.extend(folds.lines);
        let stages = [predictors.clone(), added.stages].concat();
        let asked = params.baseline.as_deref();
        let baselines = Baselines::new(asked, &params.baselines, &stages, predictors.first())?;
        lines.extend(paired::differences(&rows, &baselines, &params.seed_axes)?);
        let unmatched = published::attach(&mut lines, methods.list(), &params.published);
        let (sweeps, undrawn) = sweeps::find(&lines, methods.list(), params.curves.as_deref());
        let needed = sweeps
            .iter()
            .flat_map(|sweep| label_efficiency::of_sweep(sweep, &lines, &params.goals))
            .collect();

        let mut marks = Marks::default();
        for line in lines.iter().filter(|line| line.class.is_none()) {
            marks.of(&line.cautions());
        }
        let mut evidence = Self {
            marks,
            asked: queries::read(context, &mut methods, pictures)?,
            curves: others::curves(context, &mut methods)?,
            rebuilt: others::rebuilt(context, &mut methods, pictures.max(1))?,
            labels: others::label_counts(&known, &mut methods),
            wired: others::wired(context, &PORTS),
            maps: maps::read(context, &known, &mut methods)?,
            album: Album::default(),
            sheet: None,
            params,
            known,
            methods,
            predictors,
            rows,
            lines,
            too_few: folds.too_few,
            unmatched,
            sweeps,
            needed,
            undrawn,
            confusions,
            portrayed: examples.len(),
            examples,
            clusters: clusterings.examples,
        };
        evidence.warn();
        evidence.trim();
        if let Some(images) = context.optional::<Images>("images")? {
            evidence.album = Album::read(&images, &evidence.wanted())?;
            let points = evidence.maps.iter().flat_map(|map| &map.points);
            let mapped: BTreeSet<u32> = points.map(|point| point.id).collect();
            if !mapped.is_empty() {
                evidence.sheet = Sheet::read(&images, &mapped)?;
            }
        }
        Ok(evidence)
    }

    /// Tells the log what the parameters ask for in vain.
    fn warn(&self) {
        for NotRun { figure, .. } in &self.unmatched.not_run {
            let axes: Vec<String> = figure
                .axes
                .iter()
                .map(|(axis, value)| format!("{axis} = {}", text(value)))
                .collect();
            tracing::warn!(
                "the published {} of `{}` at {} has nothing beside it: that was not run",
                figure.metric,
                figure.stage,
                axes.join(", ")
            );
        }
        for figure in &self.unmatched.unknown {
            tracing::warn!(
                "no result here fits the published {} of `{}` on {}",
                figure.metric,
                figure.stage,
                figure.split
            );
        }
        for curve in &self.undrawn {
            let stages = curve.stages.join("`, `");
            tracing::warn!("no result here fits the curve of {} of `{stages}`", curve.metric);
        }
    }

    /// Keeps the examples that the page will show.
    fn trim(&mut self) {
        self.examples.truncate(SHOWN_PORTRAITS);
        for example in &mut self.examples {
            example.by_class.truncate(SHOWN_CLUSTERS);
            for (_, seen) in &mut example.by_class {
                seen.truncate(PER_GROUP);
            }
        }
        self.clusters.truncate(SHOWN_PORTRAITS);
        self.asked.truncate(SHOWN_QUERIES);
    }

    /// The images that the page will show.
    fn wanted(&self) -> BTreeSet<u32> {
        let of_portraits = self.examples.iter().flat_map(Example::ids);
        let of_clusters = self
            .clusters
            .iter()
            .flat_map(|clusters| clusters.samples.iter().flat_map(|(_, ids)| ids.iter().copied()));
        let of_queries = self.asked.iter().flat_map(|asked| asked.images.iter().map(|(id, _)| *id));
        of_portraits.chain(of_clusters).chain(of_queries).collect()
    }

    /// What people call a stage.
    pub(crate) fn title<'a>(&'a self, stage: &'a str) -> &'a str {
        self.params.names.get(stage).map_or(stage, String::as_str)
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

/// Reads and scores the predictions.
fn predictions(
    context: &Context,
    known: &mut Reference,
    methods: &mut Methods,
    pictures: usize,
) -> Result<Scored, Failure> {
    let mut scored = Scored::default();
    let tables = context.inputs::<Predictions>("predictions")?;
    let total = tables.len() as u64;
    for (done, input) in tables.into_iter().enumerate() {
        context.progress(done as u64, total, "tables", &input.stage);
        scored.add(input, known, methods, pictures)?;
    }
    context.progress(total, total, "tables", "");
    Ok(scored)
}
