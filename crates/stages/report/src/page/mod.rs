//! The page: one HTML file, which needs neither network nor scripts.

mod chart;
mod claims;
mod clusters;
mod compared;
mod confusions;
mod curves;
mod details;
mod figures;
mod gallery;
mod headline;
mod lineage;
mod losses;
mod map;
mod markdown;
mod queries;

use std::{io::Write, path::Path};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    Result,
    evidence::Evidence,
    origin::{Axes, Method, text},
    overview::number,
    rows::Setting,
    summary::Line,
};

const STYLE: &str = include_str!("style.css");

/// Nothing is fetched and nothing is run, whatever the names in the tables are.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The whole page.
pub(crate) fn render(evidence: &Evidence) -> Result<Markup> {
    let params = &evidence.params;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content="scarce";
                title { (params.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (params.title) }
                    (markdown::blocks(&params.notes))
                    (details::data(evidence))
                }
                main {
                    (headline::section(evidence))
                    (curves::section(evidence))
                    (figures::accuracies(evidence))
                    (compared::differences(evidence))
                    (compared::clusters(evidence))
                    (compared::propagated(evidence))
                    (map::section(evidence))
                    (losses::section(evidence))
                    (gallery::reconstructions(evidence)?)
                    (confusions::section(evidence))
                    (details::shares(evidence))
                    (gallery::predictions(evidence))
                    (queries::section(evidence))
                    (clusters::section(evidence))
                    (details::labels(evidence))
                    (details::runs(evidence))
                    (details::inputs(evidence))
                    (lineage::section(evidence))
                }
                footer.small.soft {
                    "Made by scarce. Every number is in " code { "metrics.parquet" }
                    " (each run) and " code { "summary.parquet" } " (means and intervals)"
                    @if !evidence.needed.is_empty() {
                        "; labels that goals take are in " code { "needed.parquet" }
                    }
                    "."
                }
            }
        }
    })
}

/// Writes the page and waits until it is on the disk.
pub(crate) fn write(path: &Path, html: &str) -> Result<()> {
    let mut file = fs_err::File::create(path)?;
    file.write_all(html.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// A method's name; its stage, where that has another name, and its axes in a line below.
fn method_name(method: &Method) -> Markup {
    let renamed = method.title != method.stage;
    html! {
        (method.title)
        @if renamed || !method.axes.is_empty() {
            span.axis {
                @if renamed { (method.stage) }
                @if renamed && !method.axes.is_empty() { ", " }
                (axes_text(&method.axes))
            }
        }
    }
}

fn axes_text(axes: &Axes) -> String {
    let pairs: Vec<String> =
        axes.iter().map(|(axis, value)| format!("{axis} = {}", text(value))).collect();
    pairs.join(", ")
}

/// The run of a method that something is shown of: `seed = 0`.
fn run_text(method: &Method, axes: &Axes) -> String {
    let seeds: Axes = axes.iter().filter(|axis| !method.axes.contains(axis)).cloned().collect();
    if seeds.is_empty() { "the only run".to_owned() } else { axes_text(&seeds) }
}

/// `56.1 ± 3.0`; a single run has no interval, and shows its count where it can:
/// `86.9 252/290`.
fn mean_text(evidence: &Evidence, line: &Line) -> Markup {
    html! { (bare_text(line)) (mark(evidence, line)) }
}

/// The same, without the letters that refer to what must be known of it.
fn bare_text(line: &Line) -> Markup {
    let (metric, estimate) = (line.metric, &line.estimate);
    let half = estimate.half_width.map(|half| number(metric, half));
    html! {
        (number(metric, estimate.mean))
        @match (line.counts(), half) {
            (Some((right, all)), _) => {
                span.pm { " " (thousands(right.into())) "/" (thousands(all.into())) }
            }
            (None, Some(half)) => span.pm { " ± " (half) },
            (None, None) => {}
        }
    }
}

/// Letters that refer to what must be known of a figure.
fn mark(evidence: &Evidence, line: &Line) -> Markup {
    let sentences = line.cautions();
    html! {
        @if !sentences.is_empty() {
            sup.mark title=(sentences.join("; ")) { (evidence.marks.letters(&sentences)) }
        }
    }
}

/// What the letters stand for.
fn marks(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.marks.is_empty() {
            div.note.marks {
                @for (letter, sentence) in evidence.marks.list() {
                    p { sup.mark { (letter) } " " (markdown::inline(sentence)) "." }
                }
            }
        }
    }
}

/// A heading for images of one setting: `test (held out)`, with the split where it adds something.
fn setting_text(setting: Setting, split: &str) -> String {
    match setting {
        setting if setting.is_test() || setting == Setting::CrossValidated => {
            setting.words().to_owned()
        }
        _ => format!("{} · {split}", setting.words()),
    }
}

/// Thousands set apart by a narrow space: `10 000`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// The shade of a cell that holds so many of all; its root, since a twentieth is to be seen.
fn shade(count: u64, total: u64) -> String {
    format!("--v:{:.2}", (count as f64 / total.max(1) as f64).sqrt())
}

/// `1 run`, `2 runs`.
fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count as u64), if count == 1 { one } else { many })
}

/// A table in a box of its own that scrolls when the screen is narrow.
fn boxed(table: Markup) -> Markup {
    html! { div.scroll tabindex="0" { (table) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(9_999), "9999");
        assert_eq!(thousands(60_000), "60\u{202f}000");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
