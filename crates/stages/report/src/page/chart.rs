//! Line charts that fit any width: positions are shares of the drawing, text stays the size of text.
//!
//! Colours come from the style sheet by class, so that charts follow light and dark.

use maud::{Markup, html};

/// Lines of more kinds than this cannot be told apart.
pub(super) const COLOURS: usize = 10;

/// One line with its dots and bands.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Below [`COLOURS`].
    pub colour: usize,
    pub marks: Vec<Mark>,
    /// Whether every point is a dot, with its note to hover.
    pub dots: bool,
    /// One of many of its colour.
    pub faint: bool,
    /// Drawn from edge to edge at the height of its only mark.
    pub level: bool,
}

/// One point.
#[derive(Debug, Default)]
pub(super) struct Mark {
    pub x: f64,
    pub y: f64,
    /// The interval around it.
    pub band: Option<(f64, f64)>,
    /// A published figure of the same.
    pub published: Option<f64>,
    pub note: String,
}

/// A direction of a chart.
#[derive(Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

/// What the numbers along a scale are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Shown in per cent, never beyond 0 and 1.
    Share,
    /// Labels, rounds, epochs: no ticks between them.
    Whole,
    Real,
}

/// A chart with the names of its directions, hidden from screen readers, which get the table below it.
pub(super) fn draw(series: &[Series], x: (&Scale, &str), y: (&Scale, &str)) -> Markup {
    let ((x, x_name), (y, y_name)) = (x, y);
    html! {
        div.y-name { (y_name) }
        div.chart {
            svg aria-hidden="true" {
                @for (tick, text) in &y.ticks {
                    @let at = percent(100.0 - y.place(*tick));
                    line.grid x1="0" x2="100%" y1=(at) y2=(at) {}
                    svg.y y=(at) overflow="visible" { text x="-8" dy="0.35em" { (text) } }
                }
                @for (tick, text) in &x.ticks {
                    @let at = percent(x.place(*tick));
                    line.tick x1=(at) x2=(at) y1="100%" y2="101.5%" {}
                    svg.x x=(at) y="100%" overflow="visible" { text y="1.5em" { (text) } }
                }
                svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%" {
                    @for one in series { g class=(class(one)) { (lines(one, x, y)) } }
                }
                @for one in series { g class=(class(one)) { (dots(one, x, y)) } }
            }
            div.x-name { (x_name) }
        }
    }
}

/// A stroke of a line's colour, for a legend.
pub(super) fn key(colour: usize) -> Markup {
    html! {
        svg.key.{ "c" (colour) } aria-hidden="true" {
            polyline points="0,5 24,5" {}
        }
    }
}

fn class(series: &Series) -> String {
    let faint = if series.faint { " faint" } else { "" };
    format!("c{}{faint}", series.colour)
}

fn percent(place: f64) -> String {
    format!("{place:.2}%")
}

fn lines(series: &Series, x: &Scale, y: &Scale) -> Markup {
    let at =
        |mark: &Mark, value: f64| format!("{:.2},{:.2}", x.place(mark.x), 100.0 - y.place(value));
    let marks = &series.marks;
    let banded: Vec<(&Mark, (f64, f64))> =
        marks.iter().filter_map(|mark| Some((mark, mark.band?))).collect();
    let lower = banded.iter().map(|(mark, (low, _))| at(mark, y.within(*low)));
    let upper = banded.iter().rev().map(|(mark, (_, high))| at(mark, y.within(*high)));
    let band: Vec<String> = lower.chain(upper).collect();
    let line: Vec<String> = match (marks.first(), series.level) {
        (Some(mark), true) => {
            let height = 100.0 - y.place(mark.y);
            vec![format!("0,{height:.2}"), format!("100,{height:.2}")]
        }
        _ => marks.iter().map(|mark| at(mark, mark.y)).collect(),
    };
    html! {
        @if banded.len() > 1 { polygon points=(band.join(" ")) {} }
        @if line.len() > 1 { polyline points=(line.join(" ")) {} }
    }
}

fn dots(series: &Series, x: &Scale, y: &Scale) -> Markup {
    // A line of one point cannot be seen.
    let dots = !series.level && (series.dots || series.marks.len() == 1);
    html! {
        @for mark in &series.marks {
            @let (left, top) = (percent(x.place(mark.x)), percent(100.0 - y.place(mark.y)));
            @if series.marks.len() == 1 && !series.level {
                @if let Some((low, high)) = mark.band {
                    line x1=(left) x2=(left) y1=(percent(100.0 - y.place(y.within(low)))) y2=(percent(100.0 - y.place(y.within(high)))) {}
                }
            }
            @if dots {
                circle cx=(left) cy=(top) r=(if series.dots { "3.5" } else { "3" }) {
                    @if !mark.note.is_empty() { title { (mark.note) } }
                }
            }
            @if let Some(published) = mark.published {
                svg x=(left) y=(percent(100.0 - y.place(published))) overflow="visible" {
                    path d="M0-6 6 0 0 6-6 0z" {}
                }
            }
        }
    }
}

impl Scale {
    /// A horizontal scale for sizes: as [`Scale::across`], but logarithmic where they differ much.
    pub(super) fn of_sizes(values: impl Iterator<Item = f64> + Clone, numbers: Numbers) -> Self {
        /// Between the smallest and the largest; 10 to 60,000 labels, say.
        const WIDE: f64 = 30.0;
        let (low, high) = range(values.clone());
        if low > 0.0 && high / low > WIDE {
            Self::logarithmic(low, high)
        } else {
            Self::across(values, numbers)
        }
    }

    /// A horizontal scale: from the lowest to the highest value with a little room.
    pub(super) fn across(values: impl Iterator<Item = f64>, numbers: Numbers) -> Self {
        let (low, high) = range(values);
        let room = if high > low { (high - low) * 0.03 } else { 0.5 };
        let (low, high) = (low - room, high + room);
        let ticks = ticks(low, high, 7, numbers);
        let ticks = ticks.into_iter().filter(|(tick, _)| (low..=high).contains(tick)).collect();
        Self { low, high, log: false, ticks }
    }

    /// A vertical scale that ends on ticks.
    pub(super) fn up(values: impl Iterator<Item = f64>, numbers: Numbers) -> Self {
        let (mut low, mut high) = range(values);
        if numbers == Numbers::Share {
            (low, high) = (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
        }
        if high - low < 1e-9 {
            let room = (high.abs() * 0.05).max(0.01);
            (low, high) = (low - room, high + room);
        }
        let ticks = ticks(low, high, 6, numbers);
        let ends = ticks.first().zip(ticks.last()).map(|(first, last)| (first.0, last.0));
        let (low, high) = ends.unwrap_or((low, high));
        Self { low, high, log: false, ticks }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let room = (high / low).powf(0.03);
        let (low, high) = (low / room, high * room);
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        // Every power of ten, and its double and fivefold where there is room for them.
        let steps: &[f64] = if last - first <= 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = (first..=last)
            .flat_map(|power| steps.iter().map(move |step| (step, power)))
            .map(|(step, power)| {
                let value = step * 10_f64.powi(power);
                let decimals = (-power).max(0) as usize;
                (value, spaced(&format!("{value:.decimals$}")))
            })
            .filter(|(value, _)| (low..=high).contains(value));
        Self { low, high, log: true, ticks: ticks.collect() }
    }

    /// Where a value is, 0 to 100.
    fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_finite() { share * 100.0 } else { 0.0 }
    }

    /// The nearest value that is on the scale.
    fn within(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// Round numbers from the last below `low` to the first above `high`, at most about `most`.
fn ticks(low: f64, high: f64, most: usize, numbers: Numbers) -> Vec<(f64, String)> {
    let span = (high - low).max(1e-9);
    let mut power = (span / most as f64).log10().floor() as i32;
    if numbers == Numbers::Whole {
        power = power.max(0);
    }
    let (factor, power) = [(1_i64, power), (2, power), (5, power), (1, power + 1), (2, power + 1)]
        .into_iter()
        .find(|(factor, power)| span / (*factor as f64 * 10_f64.powi(*power)) <= most as f64)
        .unwrap_or((5, power + 1));
    let step = factor as f64 * 10_f64.powi(power);
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    let (shift, unit) = if numbers == Numbers::Share { (2, " %") } else { (0, "") };
    let decimals = (-(power + shift)).max(0) as usize;
    (first..=last)
        .map(|tick| {
            let shown = tick as f64 * factor as f64 * 10_f64.powi(power + shift);
            (tick as f64 * step, format!("{}{unit}", spaced(&format!("{shown:.decimals$}"))))
        })
        .collect()
}

/// Thousands of a whole number set apart.
fn spaced(text: &str) -> String {
    text.parse().map_or_else(|_| text.replace('-', "−"), super::thousands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn shares_get_round_per_cent() {
        let scale = Scale::up([0.869, 0.956].into_iter(), Numbers::Share);
        assert_eq!(texts(&scale), ["86 %", "88 %", "90 %", "92 %", "94 %", "96 %"]);
        assert!((scale.place(0.91) - 50.0).abs() < 1e-9);
        let whole = Scale::up([-0.1, 1.2].into_iter(), Numbers::Share);
        assert_eq!(texts(&whole), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        let narrow = Scale::up([0.9991, 0.9996].into_iter(), Numbers::Share);
        assert_eq!(texts(&narrow)[0], "99.91 %");
    }

    #[test]
    fn whole_numbers_are_not_cut_up() {
        let scale = Scale::across([0.0, 1.0, 2.0].into_iter(), Numbers::Whole);
        assert_eq!(texts(&scale), ["0", "1", "2"]);
        let labels = Scale::of_sizes([500.0, 1000.0, 2000.0].into_iter(), Numbers::Whole);
        assert_eq!(texts(&labels), ["500", "1000", "1500", "2000"]);
    }

    #[test]
    fn budgets_of_several_sizes_are_logarithmic() {
        let scale = Scale::of_sizes([10.0, 100.0, 60_000.0].into_iter(), Numbers::Whole);
        assert_eq!(texts(&scale), ["10", "100", "1000", "10\u{202f}000"]);
        assert!(scale.place(10.0) > 0.0 && scale.place(60_000.0) < 100.0);
    }

    #[test]
    fn one_value_has_a_scale_around_it() {
        let across = Scale::across([3.0].into_iter(), Numbers::Whole);
        assert!((across.place(3.0) - 50.0).abs() < 1e-9);
        let up = Scale::up([0.5, 0.5].into_iter(), Numbers::Real);
        assert!(up.place(0.5) > 0.0 && up.place(0.5) < 100.0);
        assert_eq!(texts(&Scale::up([].into_iter(), Numbers::Real)).len(), 6);
    }
}
