//! The end of a pipeline: metrics over seeds, figures, and the page.
//!
//! The stage kind `report` takes whatever the other stages left behind (predictions above all, and
//! truth where there is any) and writes
//!
//! * `metrics`: every number of every run, a row each, the axes as columns;
//! * `summary`: mean, 95 % interval and n over the runs of each method;
//! * `needed`: how many labels each method needs for a goal, where a score has a learning curve;
//! * `page`: one HTML file with tables, figures and pictures, which needs no network.
//!
//! A *method* is a stage together with the axes that are not seeds; its *runs* differ in seeds only.
//! Every score says what its images were to the learner: held out, seen without their labels, or
//! cross-validated on the labels that were given. Without truth the report shows coverage,
//! confidence and the cross-validated estimate, and says that these are what they are.
//!
//! | module | what it does |
//! | --- | --- |
//! | `known`, `predictions`, `propagated`, `clusters`, `others` | read the inputs and score them ([`scarce_scores`]) |
//! | `rows`, `summary` | the two tables: runs, and means over runs |
//! | `maps`, `pictures` | embeddings of two numbers with the images behind the points |
//! | `lineage` | what the inputs come from: labels that a run saw, parameters, paths |
//! | `paired`, `sweeps`, `goals` | differences to a baseline; scores along an axis; labels needed for a score |
//! | `published` | published figures beside ours, with a verdict |
//! | `overview` | the summary read back, for a terminal |
//! | `page` | the HTML |
//!
//! [`kinds`] is for a host; [`summary_table`] is for whoever shows the outcome of a run:
//!
//! ```no_run
//! for row in scarce_report::summary_table("summary.parquet".as_ref())? {
//!     let accuracy = row.figure("accuracy").map(ToString::to_string).unwrap_or_default();
//!     eprintln!("{} | {} | {accuracy}", row.method(), row.setting);
//! }
//! # Ok::<(), scarce_report::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clusters;
mod confusions;
mod error;
mod evidence;
mod examples;
mod label_efficiency;
mod lineage;
mod maps;
mod origin;
mod others;
mod overview;
mod page;
mod paired;
mod params;
mod pictures;
mod predictions;
mod propagated;
mod published;
mod queries;
mod reference;
mod rows;
mod score;
mod standing;
mod summary;
mod sweeps;

#[cfg(test)]
mod tests;

use scarce_artifact::{
    Clusters, Distributions, Embeddings, History, Images, Labels, Predictions, Queries,
    Reconstructions, Truth,
};
use scarce_stage::{Context, Description, Failure, Format, Kind, Learns, Port, Stage};

pub use error::{Error, Result};
use evidence::Evidence;
pub use label_efficiency::{Bound, NeedTable, Needed, goal_text, needed_by_method, needed_table};
pub use overview::{Figure, PublishedFigure, SummaryRow, metric_words, summary_table};
pub use params::{Along, Curve, OneOrMore, Params, Published};
pub use pictures::data_uri;
pub use published::Verdict;
pub use standing::Marks;
pub use summary::Estimate;

/// The stage kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    vec![Kind::of::<Report>(env!("SCARCE_FINGERPRINT"))]
}

/// The kind `report`.
struct Report;

const DOC: &str = "\
Scores predictions, clusters and propagated labels against the truth, where there is one, and \
averages over the runs that differ only in `seed_axes` (`collect` them on this stage). Intervals are \
95 %, by Student's t over the runs; a single run has none.

`labels` are those that the learners saw: their images are left out of the scores on training \
images. With `held_out` (cross-validation folds of the given labels) accuracy is estimated without \
any truth, with Wilson's interval over the labels; a run whose held-out table is empty is a final \
one. Tables are matched by the axes that they share.

Macro F1 is the mean over the classes that occur in truth or predictions, 0 where a class has no \
predictions. Clusters are named after their most frequent class (`naming_accuracy`), or matched one \
to one (`hungarian_accuracy`).";

/// Without any of these there is nothing to show.
const SHOWN: [&str; 8] = [
    "predictions",
    "propagated",
    "distributions",
    "queries",
    "clusters",
    "map",
    "history",
    "reconstructions",
];

impl Stage for Report {
    type Params = Params;

    fn describe() -> Description {
        Description::new("report", "Metrics over seeds, figures, and a page to show")
            .doc(DOC)
            .with_lineage()
            .with_same_classes()
            .learns(Learns::nothing())
            .input(
                Port::table::<Predictions>("predictions", "What classifiers say of the images")
                    .many()
                    .optional(),
            )
            .input(Port::table::<Truth>("truth", "The full ground truth").optional())
            .input(
                Port::table::<Labels>("labels", "The labels that the learners saw")
                    .many()
                    .optional(),
            )
            .input(
                Port::table::<Labels>("held_out", "Labels kept from each fold, to judge it by")
                    .many()
                    .optional(),
            )
            .input(
                Port::table::<Labels>("propagated", "Labels that propagation stages added")
                    .many()
                    .optional(),
            )
            .input(
                Port::table::<Distributions>("distributions", "What propagations believe")
                    .many()
                    .optional(),
            )
            .input(
                Port::table::<Queries>("queries", "Images that strategies asked for")
                    .many()
                    .optional(),
            )
            .input(Port::table::<Clusters>("clusters", "Clusters of images").many().optional())
            .input(
                Port::table::<Embeddings>("map", "Embeddings of two numbers per image, to draw")
                    .many()
                    .optional(),
            )
            .input(Port::table::<History>("history", "Losses by epoch").many().optional())
            .input(
                Port::table::<Reconstructions>("reconstructions", "Images, codes, and back")
                    .many()
                    .optional(),
            )
            .input(
                Port::table::<Images>("images", "The images, for pictures and coverage").optional(),
            )
            .output(Port::new(
                "metrics",
                "metrics",
                Format::Table,
                "Every number of every run, with a column for each axis",
            ))
            .output(Port::new(
                "summary",
                "summary",
                Format::Table,
                "Mean, 95 % interval and n over the runs of each method",
            ))
            .output(Port::new(
                "needed",
                "needed",
                Format::Table,
                "How many labels each method needs for each of the `goals`",
            ))
            .output(Port::new("page", "page", Format::Page, "The report as one HTML file"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        if SHOWN.iter().all(|port| context.wired(port).is_empty()) {
            return Err(Failure::new("report::nothing", "nothing to report is wired")
                .help("wire at least one stage, for instance `predictions = [\"knn\"]`"));
        }
        let evidence = Evidence::gather(params, context)?;
        let classes = evidence.known.classes.names();
        let metrics = context.output("metrics")?.with_extension("parquet");
        rows::write(&metrics, &evidence.rows, classes)?;
        let summary = context.output("summary")?.with_extension("parquet");
        summary::write(&summary, &evidence.lines, evidence.methods.list(), classes)?;
        label_efficiency::write(
            &context.output("needed")?.with_extension("parquet"),
            &evidence.needed,
        )?;
        let html = page::render(&evidence)?.into_string();
        page::write(&context.output("page")?.with_extension("html"), &html)?;
        Ok(())
    }
}
