//! Scores along an axis: learning curves, budget curves, sweeps.

use maud::{Markup, html};

use super::{
    boxed,
    chart::{self, COLOURS, Mark, Numbers, Scale, Series},
    mean_text, setting_text, thousands,
};
use crate::{
    evidence::Evidence,
    label_efficiency,
    overview::{as_published, is_index, metric_words},
    summary::Line,
    sweeps::{Sweep, Track},
};

/// More figures than this are not looked at.
const MOST: usize = 24;

/// All figures along an axis.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let sweeps = &evidence.sweeps;
    html! {
        @if !sweeps.is_empty() {
            h2 { (if sweeps.iter().any(|sweep| sweep.along == "labels") { "Learning curves" } else { "Curves" }) }
            p.small.soft { "Dots: means over the runs. Bands: 95 % intervals; a single run has none." }
            div.plots.wide { @for sweep in sweeps.iter().take(MOST) { (figure(evidence, sweep)) } }
            @if sweeps.len() > MOST { p.small.soft { "The first " (MOST) " of " (sweeps.len()) " are shown." } }
        }
        @if !evidence.undrawn.is_empty() {
            div.note { p {
                "Curves of which there is nothing to draw: "
                @for (at, curve) in evidence.undrawn.iter().enumerate() {
                    @if at > 0 { "; " }
                    (metric_words(&curve.metric)) " of " code { (curve.stages.join(", ")) }
                }
                "."
            } }
        }
    }
}

fn figure(evidence: &Evidence, sweep: &Sweep) -> Markup {
    let tracks = &sweep.tracks[..sweep.tracks.len().min(COLOURS)];
    let line = |at: usize| &evidence.lines[at];
    let points = || tracks.iter().flat_map(|track| &track.points);
    let numbers = if is_index(&sweep.metric) { Numbers::Real } else { Numbers::Share };
    let heights = points().flat_map(|point| {
        let estimate = &line(point.line).estimate;
        let published = line(point.line).beside.as_ref().map(|beside| beside.value);
        [Some(estimate.mean), estimate.low, estimate.high, published].into_iter().flatten()
    });
    let placed = || tracks.iter().filter(|track| !track.level).flat_map(|track| &track.points);
    let whole = placed().all(|point| point.x.fract() == 0.0);
    let kind = if whole { Numbers::Whole } else { Numbers::Real };
    let (x, y) = (Scale::of_sizes(placed().map(|p| p.x), kind), Scale::up(heights, numbers));
    let series: Vec<Series> =
        tracks.iter().enumerate().map(|(colour, track)| series(track, colour, evidence)).collect();
    let published = points().any(|point| line(point.line).beside.is_some());
    html! {
        figure {
            figcaption {
                strong { (heading(sweep)) } br;
                (setting_text(sweep.setting, sweep.split))
                @if published { ". Diamonds: published" }
            }
            ul.legend { @for (colour, track) in tracks.iter().enumerate() {
                li { (chart::key(colour)) (track.name) }
            } }
            @if sweep.tracks.len() > tracks.len() {
                p.small.soft { "The first " (COLOURS) " of " (sweep.tracks.len()) " lines are drawn." }
            }
            (chart::draw(&series, (&x, along(sweep)), (&y, metric_words(&sweep.metric))))
            (prices(evidence, sweep))
            details {
                summary { "The numbers" }
                div { (table(evidence, sweep)) }
            }
        }
    }
}

/// Labels needed for the goals, a row for every line of the figure.
fn prices(evidence: &Evidence, sweep: &Sweep) -> Markup {
    let needed = label_efficiency::of_sweep(sweep, &evidence.lines, &evidence.params.goals);
    html! {
        @for table in label_efficiency::needed_by_method(&needed) {
            (boxed(html! { table {
                thead { tr {
                    th.method scope="col" { "Labels needed for" }
                    @for goal in &evidence.params.goals {
                        th.num scope="col" { (label_efficiency::goal_text(*goal)) }
                    }
                } }
                tbody { @for (method, prices) in table.methods { tr {
                    th.method scope="row" { (method) }
                    @for price in prices { td.num { (price) } }
                } } }
            } }))
        }
    }
}

fn heading(sweep: &Sweep) -> String {
    if !sweep.title.is_empty() {
        return sweep.title.clone();
    }
    format!("{} by {}", capital(metric_words(&sweep.metric)), along(sweep))
}

/// What the horizontal axis counts.
fn along(sweep: &Sweep) -> &str {
    match sweep.along.as_str() {
        "labels" => "number of labels",
        axis => axis,
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn series(track: &Track, colour: usize, evidence: &Evidence) -> Series {
    let mark = |point: &crate::sweeps::Point| {
        let line = &evidence.lines[point.line];
        let estimate = &line.estimate;
        Mark {
            x: point.x,
            y: estimate.mean,
            band: estimate.low.zip(estimate.high),
            published: line.beside.as_ref().map(|beside| beside.value),
            note: format!("{}: {}", track.name, note(line, point.x)),
        }
    };
    let marks = track.points.iter().map(mark).collect();
    Series { colour, marks, dots: true, faint: false, level: track.level }
}

/// `55: 94.9 % (261/275)`.
fn note(line: &Line, x: f64) -> String {
    let mean = crate::overview::number(line.metric, line.estimate.mean);
    match (line.counts(), line.estimate.half_width) {
        (Some((right, all)), _) => format!("{}: {mean} ({right}/{all})", place(x)),
        (None, Some(half)) => {
            let half = crate::overview::number(line.metric, half);
            format!("{}: {mean} ± {half} ({} runs)", place(x), line.estimate.n)
        }
        _ => format!("{}: {mean}", place(x)),
    }
}

fn place(x: f64) -> String {
    if x.fract() == 0.0 && x >= 0.0 {
        thousands(x as u64)
    } else {
        format!("{x:.6}").trim_end_matches('0').to_owned()
    }
}

fn table(evidence: &Evidence, sweep: &Sweep) -> Markup {
    let published = sweep
        .tracks
        .iter()
        .flat_map(|track| &track.points)
        .any(|point| evidence.lines[point.line].beside.is_some());
    boxed(html! {
        table {
            thead { tr {
                th.method scope="col" { "Method" }
                th.num scope="col" { (capital(along(sweep))) }
                th.num scope="col" { (if is_index(&sweep.metric) { "Mean" } else { "Mean, %" }) }
                @if published { th.num scope="col" { "Published" } }
                th.num scope="col" { "Runs" }
            } }
            tbody { @for track in &sweep.tracks { @for point in &track.points {
                @let line = &evidence.lines[point.line];
                tr {
                    th.method scope="row" { (track.name) }
                    td.num { @if track.level { "–" } @else { (place(point.x)) } }
                    td.num { (mean_text(evidence, line)) }
                    @if published { td.num {
                        @if let Some(beside) = &line.beside { (as_published(line.metric, beside.value)) }
                    } }
                    td.num { (line.estimate.n) }
                }
            } } }
        }
    })
}
