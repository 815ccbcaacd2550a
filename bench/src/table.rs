//! The table: what, ours, the peer's, how many times as fast, how good both answers are.

use std::fmt::Write;

use comfy_table::{Table, presets};

use crate::{
    contest::Series,
    quality::is_worse,
    results::Measured,
    statistics::{Ratio, median},
    works,
};

const HEADER: [&str; 5] = ["work", "scarce", "peer", "ratio", "quality: scarce, peer"];

/// For a terminal.
pub(crate) fn text(results: &[Measured]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(HEADER);
    for row in results.iter().flat_map(rows) {
        table.add_row(row);
    }
    let lines: Vec<String> =
        table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n\n{}", lines.join("\n"), circumstances(results))
}

/// For a document.
pub(crate) fn markdown(results: &[Measured]) -> String {
    let mut text = format!("| {} |\n|{}\n", HEADER.join(" | "), " --- |".repeat(HEADER.len()));
    for row in results.iter().flat_map(rows) {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    format!("{text}\n{}", circumstances(results))
}

/// One row per peer; one row if there is none.
fn rows(measured: &Measured) -> Vec<[String; 5]> {
    let Some((ours, peers)) = measured.series.split_last() else { return Vec::new() };
    if peers.is_empty() {
        let quality = of_all(ours, |name, our| format!("{name} {}", number(our)));
        let none = || "–".to_owned();
        return vec![[title(measured), middle(ours), none(), none(), quality]];
    }
    peers.iter().map(|peer| row(measured, ours, peer)).collect()
}

fn title(measured: &Measured) -> String {
    works::case_title(&measured.case).unwrap_or(&measured.case).to_owned()
}

/// The median time of a side.
fn middle(series: &Series) -> String {
    median(&series.seconds()).map_or(String::new(), seconds)
}

fn row(measured: &Measured, ours: &Series, peer: &Series) -> [String; 5] {
    let ratio = Ratio::of(&ours.seconds(), &peer.seconds());
    let ratio = ratio.map_or(String::new(), |ratio| match (ratio.least, ratio.greatest) {
        (least, greatest) if least == greatest => times(least),
        (least, greatest) => {
            format!("{} ({} to {})", times(ratio.median), times(least), times(greatest))
        }
    });
    [
        title(measured),
        middle(ours),
        format!("{}: {}", peer.name, middle(peer)),
        ratio,
        quality(ours, peer),
    ]
}

/// `inertia 1227158, 1227160`; `(worse)` behind what is.
fn quality(ours: &Series, peer: &Series) -> String {
    of_all(ours, |name, our| match middle_of(peer, name) {
        None => format!("{name} {}, –", number(our)),
        Some(theirs) => {
            let worse = if is_worse(name, our, theirs) { " (worse)" } else { "" };
            format!("{name} {}, {}{worse}", number(our), number(theirs))
        }
    })
}

/// What is said of each of our measures.
fn of_all(ours: &Series, say: impl Fn(&str, f64) -> String) -> String {
    let names = ours.turns.first().into_iter().flat_map(|turn| turn.quality.keys());
    let parts = names.filter_map(|name| Some(say(name, middle_of(ours, name)?)));
    parts.collect::<Vec<_>>().join("; ")
}

fn middle_of(series: &Series, name: &str) -> Option<f64> {
    let values = series.turns.iter().filter_map(|turn| turn.quality.get(name).copied());
    median(&values.collect::<Vec<_>>())
}

/// Seconds with three digits, in a unit that reads well.
pub(crate) fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

fn times(ratio: f64) -> String {
    format!("{}×", if ratio < 9.95 { format!("{ratio:.2}") } else { three_digits(ratio) })
}

fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// Whole numbers and large ones without a fraction, others with seven digits.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1e6 {
        return format!("{value:.0}");
    }
    let whole = value.abs().log10().floor().max(0.0) as usize + 1;
    let text = format!("{value:.*}", 7_usize.saturating_sub(whole));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// On what and how: once if it was the same for all cases.
fn circumstances(results: &[Measured]) -> String {
    let mut all: Vec<String> = Vec::new();
    for measured in results {
        let pairs = measured.series.last().map_or(0, |series| series.turns.len());
        let Measured { processor, threads, .. } = measured;
        let text = format!(
            "{processor}, {threads} {}, {pairs} {}",
            if *threads == 1 { "thread" } else { "threads" },
            if pairs == 1 { "turn of each side" } else { "turns of each side" },
        );
        if !all.contains(&text) {
            all.push(text);
        }
    }
    let load = results.iter().map(|measured| measured.load).fold(0.0, f64::max);
    format!("Measured on {}; load of the machine before: up to {load:.1}.", all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::measured;

    #[test]
    fn a_row_has_medians_the_ratio_of_pairs_and_both_qualities() {
        let expected = "\
| work | scarce | peer | ratio | quality: scarce, peer |
| --- | --- | --- | --- | --- |
| small | 2.00 s | others 1.2: 6.00 s | 3.00× (2.00× to 3.00×) | recall 0.75, 1 (worse) |

Measured on Abacus, 2 threads, 3 turns of each side; load of the machine before: up to 0.2.";
        assert_eq!(markdown(&[measured("small")]), expected);
    }

    #[test]
    fn every_peer_has_a_row() {
        let mut three = measured("small");
        three.series.insert(0, Series { name: "faster 2".into(), ..three.series[1].clone() });
        three.threads = 1;
        let text = text(&[three, measured("large")]);
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[1].contains("faster 2: 2.00 s") && rows[1].contains("1.00×"), "{text}");
        assert!(rows[1].ends_with("recall 0.75, 0.75"), "{text}");
        assert!(rows[2].contains("others 1.2") && rows[3].contains("large"), "{text}");
        assert!(text.contains("Abacus, 1 thread, 3 turns of each side; Abacus, 2 threads"));
    }

    #[test]
    fn a_work_without_a_peer_has_a_row_too() {
        let mut alone = measured("small");
        alone.series.remove(0);
        let text = markdown(&[alone]);
        assert!(text.contains("\n| small | 2.00 s | – | – | recall 0.75 |\n"), "{text}");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        assert_eq!(seconds(0.001_234), "1.23 ms");
        assert_eq!(seconds(0.0999), "99.9 ms");
        assert_eq!(seconds(0.4567), "457 ms");
        assert_eq!(seconds(65.32), "65.3 s");
        assert_eq!(times(0.873), "0.87×");
        assert_eq!(times(26.94), "26.9×");
        assert_eq!(number(1_227_158.4), "1227158");
        assert_eq!(number(0.281_672_345), "0.281672");
        assert_eq!(number(453.0), "453");
        assert_eq!(number(137.25), "137.25");
    }
}
