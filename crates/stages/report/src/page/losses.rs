//! Loss curves.

use maud::{Markup, html};
use scarce_artifact::History;

use super::{
    chart::{self, Mark, Numbers, Scale, Series},
    method_name, plural,
};
use crate::{evidence::Evidence, others::Curves};

/// Colours of the two kinds of lines.
const TRAIN: usize = 0;
const VALIDATION: usize = 1;
/// More figures than this are not looked at.
const MOST: usize = 12;

/// A figure per trained method.
pub(super) fn section(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.curves.is_empty() {
            h2 { "Losses" }
            div.plots { @for curves in evidence.curves.iter().take(MOST) {
                figure {
                    figcaption {
                        strong { (method_name(&evidence.methods.list()[curves.method])) }
                        div { (ending(curves)) }
                    }
                    ul.legend.small {
                        li { (chart::key(TRAIN)) "training" }
                        @if curves.runs.iter().any(validated) {
                            li { (chart::key(VALIDATION)) "validation" }
                        }
                    }
                    (draw(&curves.runs))
                }
            } }
            @if evidence.curves.len() > MOST {
                p.small.soft { "The first " (MOST) " of " (evidence.curves.len()) " are shown." }
            }
        }
    }
}

/// What the curves end in: `10 runs, 31 to 56 epochs; the last loss 0.081 on training images, 0.085
/// on validation images`, averaged over the runs.
fn ending(curves: &Curves) -> Markup {
    let epochs = curves.runs.iter().filter_map(|run| run.epoch.iter().max().copied());
    let (least, most) = epochs.fold((u32::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    let last = |losses: Vec<f64>| {
        (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
    };
    let train = last(curves.runs.iter().filter_map(|run| run.train_loss.last().copied()).collect());
    let lowest = |run: &History| run.validation_loss.iter().flatten().copied().reduce(f64::min);
    let validation = last(curves.runs.iter().filter_map(lowest).collect());
    html! {
        (plural(curves.runs.len(), "run", "runs")) ", "
        @if least == most { (most) } @else { (least) " to " (most) } " epochs"
        @if let Some(loss) = train { "; last training loss " (digits(loss)) }
        @if let Some(loss) = validation { ", lowest validation loss " (digits(loss)) }
        @if curves.runs.len() > 1 { " (means; a line for each run)" }
    }
}

/// Four digits that count.
fn digits(value: f64) -> String {
    let size = value.abs().max(1e-12).log10().floor();
    let decimals = (3.0 - size).clamp(0.0, 8.0) as usize;
    format!("{value:.decimals$}")
}

fn validated(run: &History) -> bool {
    run.validation_loss.iter().any(Option::is_some)
}

fn draw(runs: &[History]) -> Markup {
    let epochs = runs.iter().flat_map(|run| run.epoch.iter().copied().map(f64::from));
    let losses = runs.iter().flat_map(|run| {
        run.train_loss.iter().copied().chain(run.validation_loss.iter().flatten().copied())
    });
    let (x, y) = (Scale::across(epochs, Numbers::Whole), Scale::up(losses, Numbers::Real));
    let series: Vec<Series> = runs
        .iter()
        .flat_map(|run| {
            let train = marks(run, |at| Some(run.train_loss[at]));
            [(TRAIN, train), (VALIDATION, marks(run, |at| run.validation_loss[at]))]
        })
        .map(|(colour, marks)| Series { colour, marks, faint: runs.len() > 1, ..Series::default() })
        .collect();
    chart::draw(&series, (&x, "epoch"), (&y, "loss"))
}

fn marks(run: &History, loss: impl Fn(usize) -> Option<f64>) -> Vec<Mark> {
    let mark =
        |at: usize| Some(Mark { x: f64::from(run.epoch[at]), y: loss(at)?, ..Mark::default() });
    (0..run.epoch.len()).filter_map(mark).collect()
}
