//! The claims at the top: published figures beside ours, and what is not shown to be better.

use indexmap::{IndexMap, IndexSet};
use maud::{Markup, html};

use super::{boxed, mean_text, method_name, setting_text, thousands};
use crate::{
    evidence::Evidence,
    overview::{as_published, is_index, metric_words, number, rank},
    paired::COMPARED,
    published::{Beside, Verdict},
    rows::Setting,
    summary::{Line, row_label},
};

/// More names than this in one sentence are not read.
const NAMED: usize = 8;

/// Sources of published figures, numbered in the order in which they are met.
type Sources<'a> = IndexSet<&'a str>;

/// Lines of one metric on the same images.
type Group<'a> = ((Setting, usize, &'static str, &'static str), Vec<&'a Line>);

/// Published figures beside ours, by protocol and metric.
pub(super) fn published(evidence: &Evidence) -> Markup {
    let mut groups: IndexMap<(Setting, usize, &'static str, &'static str), Vec<&Line>> =
        IndexMap::new();
    for line in evidence.lines.iter().filter(|line| line.beside.is_some()) {
        let key = (line.setting, rank(line.metric), line.split, line.metric);
        groups.entry(key).or_default().push(line);
    }
    groups.sort_by_key(|key, _| *key);
    let mut sources = Sources::new();
    let table = html! {
        table.wide.claims {
            thead { tr {
                th.method scope="col" { "Claim" }
                th.num scope="col" { "Published" }
                th.num scope="col" { "Ours" }
                th scope="col" { "Verdict" }
                th.num scope="col" { "Runs" }
            } }
            @for group in &groups { (group_rows(evidence, (*group.0, group.1.clone()), &mut sources)) }
        }
    };
    html! {
        @if !groups.is_empty() {
            (boxed(table))
            (source_list(&sources))
        }
        (unused(evidence))
    }
}

fn group_rows<'a>(
    evidence: &'a Evidence,
    ((setting, _, split, metric), lines): Group<'a>,
    sources: &mut Sources<'a>,
) -> Markup {
    let unit = if is_index(metric) { "" } else { ", %" };
    html! {
        tbody {
            tr { th.group colspan="5" scope="rowgroup" {
                (capital(metric_words(metric))) (unit)
                span.soft.small { " · " (setting_text(setting, split)) (images(&lines)) }
            } }
            @for line in lines {
                @if let Some(beside) = &line.beside {
                    tr {
                        th.method scope="row" { (claim_name(evidence, line)) }
                        td.num {
                            (as_published(metric, beside.value))
                            (cite(beside, sources))
                        }
                        td.num { (mean_text(line)) }
                        td { span.verdict.(tone(beside.verdict)) { (beside.verdict.words()) } }
                        td.num { (line.estimate.n) }
                    }
                }
            }
        }
    }
}

/// The row's own name with the method below it, or the method's name.
fn claim_name(evidence: &Evidence, line: &Line) -> Markup {
    let method = &evidence.methods.list()[line.method];
    let named = line.beside.as_ref().is_some_and(|beside| !beside.label.is_empty());
    html! {
        @if named {
            (row_label(line, evidence.methods.list()))
            span.axis { (method.name()) }
        } @else {
            (method_name(method))
        }
        @if let Some(beside) = line.beside.as_ref().filter(|beside| !beside.note.is_empty()) {
            span.axis { (beside.note) }
        }
    }
}

fn cite<'a>(beside: &'a Beside, sources: &mut Sources<'a>) -> Markup {
    let number = (!beside.source.is_empty()).then(|| sources.insert_full(&beside.source).0 + 1);
    html! { @if let Some(number) = number { span.cite { "[" (number) "]" } } }
}

/// How many images a group is over, where all lines agree.
fn images(lines: &[&Line]) -> Markup {
    let first = lines.first().and_then(|line| line.support);
    let same = first.filter(|_| lines.iter().all(|line| line.support == first));
    html! { @if let Some(count) = same { " · " (thousands(u64::from(count))) " images" } }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Inside | Verdict::Same => "good",
        Verdict::Higher => "warm",
        Verdict::Lower => "cool",
        Verdict::AmongRuns | Verdict::NoInterval => "plain",
    }
}

fn source_list(sources: &Sources<'_>) -> Markup {
    html! {
        p.small.soft {
            @if !sources.is_empty() {
                "Published: "
                @for (at, source) in sources.iter().enumerate() {
                    @if at > 0 { "; " }
                    "[" (at + 1) "] " (source)
                }
                ". "
            }
            "Ours: mean ± half of the 95 % interval; of a single run the exact count. A figure is \
             inside our interval when our mean cannot be told from it; a single published run may \
             well lie outside and still be one of ours, hence “among our runs”."
        }
    }
}

fn unused(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.unused.is_empty() {
            div.note { p {
                "Published figures that fit no result here: "
                @for (at, figure) in evidence.unused.iter().enumerate() {
                    @if at > 0 { "; " }
                    @if !figure.label.is_empty() { (figure.label) ": " }
                    (metric_words(&figure.metric)) " of " code { (figure.stage) } " on " (figure.split) ", "
                    (as_published(&figure.metric, figure.value))
                }
                "."
            } }
        }
    }
}

/// What a difference to the baseline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Shown {
    Better,
    Worse,
    NoDifference,
    OnePair,
}

impl Shown {
    pub(super) fn by(line: &Line) -> Self {
        match (line.estimate.low, line.estimate.high) {
            (Some(low), _) if low > 0.0 => Self::Better,
            (_, Some(high)) if high < 0.0 => Self::Worse,
            (None, None) => Self::OnePair,
            _ => Self::NoDifference,
        }
    }
}

/// In words: which methods are not shown to be better than what they are compared with.
pub(super) fn not_better(evidence: &Evidence) -> Markup {
    let mut groups: IndexMap<(&str, Setting, &str, Shown), Vec<&Line>> = IndexMap::new();
    for (metric, difference) in COMPARED {
        for line in evidence.lines_of(difference) {
            let (shown, baseline) = (Shown::by(line), line.baseline.as_deref().unwrap_or("?"));
            if shown != Shown::Better {
                let key = (baseline, line.setting, metric, shown);
                groups.entry(key).or_default().push(line);
            }
        }
    }
    html! {
        @if !groups.is_empty() {
            div.note {
                @for ((baseline, setting, metric, shown), lines) in &groups {
                    p {
                        @match shown {
                            Shown::Worse => { strong { "Worse than " code { (baseline) } } }
                            Shown::OnePair => { strong { "Compared with " code { (baseline) } " on a single pair of runs" } ", which cannot tell merit from chance" }
                            _ => { strong { "Not shown to be better than " code { (baseline) } } }
                        }
                        " (" (metric_words(metric)) ", " (setting.words()) "): "
                        @for (at, line) in lines.iter().take(NAMED).enumerate() {
                            @if at > 0 { ", " }
                            (evidence.methods.list()[line.method].name()) " "
                            span.soft { (difference(line)) }
                        }
                        @if lines.len() > NAMED { " and " (lines.len() - NAMED) " more" }
                        "."
                    }
                }
            }
        }
    }
}

/// `+1.2 ± 0.4` points.
pub(super) fn difference(line: &Line) -> String {
    let plus = if line.estimate.mean > 0.0 { "+" } else { "" };
    let half = line.estimate.half_width.map(|half| format!(" ± {}", number(line.metric, half)));
    format!("{plus}{}{}", number(line.metric, line.estimate.mean), half.unwrap_or_default())
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
