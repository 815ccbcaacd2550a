//! Loss curves, drawn by plotters.
//!
//! Colours are stand-ins that the style sheet replaces, so that the figure follows light and dark.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;
use scarce_artifact::History;

use super::{method_name, plural};
use crate::{Error, Result, evidence::Evidence, others::Curves};

const TEXT: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const TRAIN: RGBColor = RGBColor(3, 3, 3);
const VALIDATION: RGBColor = RGBColor(4, 4, 4);

/// Narrow enough that text stays readable on a phone.
const SIZE: (u32, u32) = (420, 260);
/// More figures than this are not looked at.
const MOST: usize = 12;

/// A figure per trained method.
pub(super) fn section(evidence: &Evidence) -> Result<Markup> {
    let mut figures = Vec::new();
    for curves in evidence.curves.iter().take(MOST) {
        figures.push((curves, draw(&curves.runs)?));
    }
    Ok(html! {
        @if !figures.is_empty() {
            h2 { "Losses" }
            p.small.soft {
                span.key {} "training" span.key.warm {} "validation; one line per run, by epoch"
            }
            div.plots { @for (curves, svg) in &figures {
                figure {
                    figcaption {
                        strong { (method_name(&evidence.methods.list()[curves.method])) }
                        div { (ending(curves)) }
                    }
                    (PreEscaped(svg))
                }
            } }
            @if evidence.curves.len() > MOST {
                p.small.soft { "The first " (MOST) " of " (evidence.curves.len()) " are shown." }
            }
        }
    })
}

/// What the curves end in: `10 runs, 31 to 56 epochs`.
fn ending(curves: &Curves) -> Markup {
    let epochs = curves.runs.iter().filter_map(|run| run.epoch.iter().max().copied());
    let (least, most) = epochs.fold((u32::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    html! {
        (plural(curves.runs.len(), "run", "runs")) ", "
        @if least == most { (most) } @else { (least) " to " (most) } " epochs"
    }
}

fn draw(runs: &[History]) -> Result<String> {
    let failed = |message: String| Error::Figure { what: "the losses", message };
    let epochs = runs.iter().flat_map(|run| run.epoch.iter().copied()).max().unwrap_or(1);
    let losses = runs.iter().flat_map(|run| {
        run.train_loss.iter().copied().chain(run.validation_loss.iter().flatten().copied())
    });
    let (low, high) =
        losses.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-9);

    let span = high - low + 2.0 * margin;

    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(28)
            .y_label_area_size(60)
            .build_cartesian_2d(1.0..f64::from(epochs.max(2)), low - margin..high + margin)
            .map_err(|error| failed(error.to_string()))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_labels(6)
            .y_labels(5)
            .x_label_formatter(&|epoch| format!("{epoch:.0}"))
            .y_label_formatter(&|loss| short(*loss, span))
            .label_style(("sans-serif", 12).into_font().color(&TEXT))
            .draw()
            .map_err(|error| failed(error.to_string()))?;
        let faint = if runs.len() > 1 { 0.55 } else { 1.0 };
        for run in runs {
            let train = points(run, |at| Some(run.train_loss[at]));
            let validation = points(run, |at| run.validation_loss[at]);
            for (points, colour) in [(train, TRAIN), (validation, VALIDATION)] {
                // A line of one point cannot be seen.
                if let [only] = points[..] {
                    chart
                        .draw_series([Circle::new(only, 3, colour.filled())])
                        .map_err(|error| failed(error.to_string()))?;
                } else {
                    let style = colour.mix(faint).stroke_width(2);
                    chart
                        .draw_series(LineSeries::new(points, style))
                        .map_err(|error| failed(error.to_string()))?;
                }
            }
        }
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    Ok(scalable(&svg))
}

fn points(run: &History, loss: impl Fn(usize) -> Option<f64>) -> Vec<(f64, f64)> {
    (0..run.epoch.len()).filter_map(|at| Some((f64::from(run.epoch[at]), loss(at)?))).collect()
}

/// As many digits as tell the ticks of an axis of this `span` apart.
fn short(value: f64, span: f64) -> String {
    if value != 0.0 && (span < 1e-3 || value.abs() >= 1e6) {
        return format!("{value:.1e}");
    }
    let decimals = (1.0 - span.log10().floor()).clamp(0.0, 5.0) as usize;
    format!("{value:.decimals$}")
}

/// As part of a page: without a fixed size (the style sheet sets the width) or a namespace, and
/// hidden from screen readers, which get the caption.
fn scalable(svg: &str) -> String {
    let (width, height) = SIZE;
    svg.replacen(&format!("width=\"{width}\" height=\"{height}\""), "aria-hidden=\"true\"", 1)
        .replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}
