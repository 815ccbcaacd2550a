//! The claims at the top: published figures beside ours, and what is not shown to be better.

use indexmap::{IndexMap, IndexSet};
use maud::{Markup, html};

use super::{boxed, mean_text, method_name, setting_text, thousands};
use crate::{
    evidence::Evidence,
    origin::{Axes, Method},
    overview::{as_published, is_index, metric_words, number, rank},
    paired::COMPARED,
    params::Published,
    published::{Beside, NotRun, Verdict},
    rows::Setting,
    summary::{Line, row_label},
};

/// More names than this in one sentence are not read.
const NAMED: usize = 8;

/// Sources of published figures, numbered in the order in which they are met.
type Sources<'a> = IndexSet<&'a str>;

/// What the rows of a group have in common: setting, rank of the metric, split, metric.
type Key<'a> = (Setting, usize, &'a str, &'a str);

/// A published figure with ours, or with nothing.
#[derive(Clone, Copy)]
enum Claim<'a> {
    Ran(&'a Line, &'a Beside),
    NotRun(&'a NotRun),
}

impl Claim<'_> {
    /// Its place among the published figures.
    fn place(&self) -> usize {
        match self {
            Self::Ran(_, beside) => beside.place,
            Self::NotRun(absent) => absent.place,
        }
    }
}

/// Published figures beside ours, by protocol and metric, in the order in which they are given.
pub(super) fn published(evidence: &Evidence) -> Markup {
    let mut groups: IndexMap<Key<'_>, Vec<Claim<'_>>> = IndexMap::new();
    for line in &evidence.lines {
        if let Some(beside) = &line.beside {
            let key = (line.setting, rank(line.metric), line.split, line.metric);
            groups.entry(key).or_default().push(Claim::Ran(line, beside));
        }
    }
    for absent in &evidence.unmatched.not_run {
        let metric = absent.figure.metric.as_str();
        let key = (absent.setting, rank(metric), absent.split, metric);
        groups.entry(key).or_default().push(Claim::NotRun(absent));
    }
    groups.sort_by_key(|key, _| *key);
    for claims in groups.values_mut() {
        claims.sort_by_key(Claim::place);
    }
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
            @for (key, claims) in &groups { (group_rows(evidence, *key, claims, &mut sources)) }
        }
    };
    html! {
        @if !groups.is_empty() {
            (boxed(table))
            (source_list(&sources))
        }
        (unknown(evidence))
    }
}

fn group_rows<'a>(
    evidence: &'a Evidence,
    (setting, _, split, metric): Key<'a>,
    claims: &[Claim<'a>],
    sources: &mut Sources<'a>,
) -> Markup {
    let unit = if is_index(metric) { "" } else { ", %" };
    html! {
        tbody {
            tr { th.group colspan="5" scope="rowgroup" {
                (capital(metric_words(metric))) (unit)
                span.soft.small { " · " (setting_text(setting, split)) (images(claims)) }
            } }
            @for claim in claims {
                @match *claim {
                    Claim::Ran(line, beside) => (ran(evidence, line, beside, sources)),
                    Claim::NotRun(absent) => (not_run(evidence, &absent.figure, sources)),
                }
            }
        }
    }
}

fn ran<'a>(
    evidence: &'a Evidence,
    line: &'a Line,
    beside: &'a Beside,
    sources: &mut Sources<'a>,
) -> Markup {
    html! {
        tr {
            th.method scope="row" { (claim_name(evidence, line)) }
            td.num { (as_published(line.metric, beside.value)) (cite(&beside.source, sources)) }
            td.num { (mean_text(evidence, line)) }
            td { span.verdict.(tone(beside.verdict)) { (beside.verdict.words()) } }
            td.num { (line.estimate.n) }
        }
    }
}

/// A figure of a variant that these runs leave out.
fn not_run<'a>(evidence: &'a Evidence, figure: &'a Published, sources: &mut Sources<'a>) -> Markup {
    let axes: Axes =
        figure.axes.iter().map(|(axis, value)| (axis.clone(), value.clone())).collect();
    let title = evidence.title(&figure.stage).to_owned();
    let method = Method { stage: figure.stage.clone(), axes, title };
    html! {
        tr.absent {
            th.method scope="row" {
                @if figure.label.is_empty() {
                    (method_name(&method))
                } @else {
                    (figure.label)
                    span.axis { (method.name()) }
                }
                @if !figure.note.is_empty() { span.axis { (figure.note) } }
            }
            td.num { (as_published(&figure.metric, figure.value)) (cite(&figure.source, sources)) }
            td.num { "–" }
            td { span.verdict.plain { "not run" } }
            td.num { "0" }
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

fn cite<'a>(source: &'a str, sources: &mut Sources<'a>) -> Markup {
    let number = (!source.is_empty()).then(|| sources.insert_full(source).0 + 1);
    html! { @if let Some(number) = number { span.cite { "[" (number) "]" } } }
}

/// How many images a group is over, where all lines agree.
fn images(claims: &[Claim<'_>]) -> Markup {
    let supports = claims.iter().filter_map(|claim| match claim {
        Claim::Ran(line, _) => Some(line.support),
        Claim::NotRun(_) => None,
    });
    let all: IndexSet<Option<u32>> = supports.collect();
    let same = all.first().copied().flatten().filter(|_| all.len() == 1);
    html! { @if let Some(count) = same { " · " (thousands(u64::from(count))) " images" } }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Inside | Verdict::SameMean | Verdict::Same => "good",
        Verdict::Above | Verdict::AboveMean => "warm",
        Verdict::Below | Verdict::BelowMean => "cool",
        Verdict::NoInterval => "plain",
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
            "Of a single run of ours the exact count is shown. A published single run is inside our \
             range if it lies where 95 % of single runs like ours lie (prediction interval: mean ± t·s·√(1 + 1/n), \
             wider than ±). A published mean is compared with our mean (Student’s t, or Welch’s where \
             its spread is known)."
        }
    }
}

/// Figures of a stage, metric, split or axis that is not here: most likely a slip of the pen.
fn unknown(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.unmatched.unknown.is_empty() {
            div.note { p {
                "Published figures that fit no result here: "
                @for (at, figure) in evidence.unmatched.unknown.iter().enumerate() {
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
                            Shown::Worse => { strong { "Worse than " (evidence.title(baseline)) } }
                            Shown::OnePair => { strong { "Compared with " (evidence.title(baseline)) " on a single pair of runs" } ", which cannot tell merit from chance" }
                            _ => { strong { "Not shown to be better than " (evidence.title(baseline)) } }
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
