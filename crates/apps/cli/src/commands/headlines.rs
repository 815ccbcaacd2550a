//! What reports found, as tables for a terminal or a document.

use scarce_report::{
    Figure, Marks, NeedTable, Needed, SummaryRow, goal_text, metric_words, needed_by_method,
};

use super::stages::{plain_table, trimmed};

/// The headline figures, those of others published beside ours first; then what must be known of them.
pub(crate) fn tables(rows: &[SummaryRow]) -> Vec<String> {
    let (groups, mut marks) = (groups(rows), Marks::default());
    let mut tables: Vec<String> = claims(rows, &mut marks).into_iter().collect();
    tables.extend(groups.iter().map(|group| headlines(group, &mut marks)));
    let told = marks.list().map(|(letter, sentence)| format!("[{letter}] {sentence}"));
    let told: Vec<String> = told.collect();
    if !told.is_empty() {
        tables.push(told.join("\n"));
    }
    tables
}

/// A figure with the letters that refer to what must be known of it: `98.9 ± 0.1 (10) [a]`.
fn marked(text: &str, row: &SummaryRow, marks: &mut Marks) -> String {
    match marks.of(&row.cautions()).as_str() {
        "" => text.to_owned(),
        letters => format!("{text} [{letters}]"),
    }
}

/// Published figures beside ours, if there are any.
fn claims(rows: &[SummaryRow], marks: &mut Marks) -> Option<String> {
    let claimed = rows.iter().flat_map(|row| row.figures.iter().map(move |figure| (row, figure)));
    let claimed: Vec<_> = claimed.filter(|(_, figure)| figure.published.is_some()).collect();
    let mut table = plain_table();
    table.set_header(["claim", "metric", "published", "ours", "verdict", "on"]);
    for (row, figure) in &claimed {
        table.add_row([
            figure.label.clone(),
            metric_words(&figure.metric).to_owned(),
            figure.published_text().unwrap_or_default(),
            marked(&figure.to_string(), row, marks),
            verdict(figure).to_owned(),
            row.setting.clone(),
        ]);
    }
    (!claimed.is_empty()).then(|| trimmed(&table))
}

fn verdict(figure: &Figure) -> &str {
    figure.published.as_ref().map_or("", |published| &published.verdict)
}

/// Rows with the same figures stand in one table: scores of clusters have other columns than those of
/// classifiers.
fn groups(rows: &[SummaryRow]) -> Vec<Vec<&SummaryRow>> {
    let mut groups: Vec<Vec<&SummaryRow>> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|group| metrics(group[0]).eq(metrics(row))) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

fn metrics(row: &SummaryRow) -> impl Iterator<Item = &str> {
    row.figures.iter().map(|figure| figure.metric.as_str())
}

/// Method, what the images were to it, and a column per metric.
fn headlines(rows: &[&SummaryRow], marks: &mut Marks) -> String {
    let metrics: Vec<&str> = rows.first().map_or(Vec::new(), |row| metrics(row).collect());
    let mut table = plain_table();
    let mut header = vec!["method".to_owned(), "on".to_owned()];
    header.extend(metrics.iter().map(|metric| metric.replace('_', " ")));
    table.set_header(header);
    for row in rows {
        let mut cells = vec![row.label.clone(), row.setting.clone()];
        let figures = metrics.iter().map(|metric| row.figure(metric));
        cells.extend(figures.map(|figure| {
            figure.map_or(String::new(), |figure| marked(&figure.to_string(), row, marks))
        }));
        table.add_row(cells);
    }
    trimmed(&table)
}

/// A table for a document: a row for every published figure, for the first figure of every method, and
/// for clusters matched one to one with classes, by which clusterings are compared.
pub(crate) fn markdown(rows: &[SummaryRow]) -> String {
    let figures = rows.iter().flat_map(|row| {
        let shown = |(at, figure): &(usize, &Figure)| {
            *at == 0 || figure.published.is_some() || figure.metric == "hungarian_accuracy"
        };
        row.figures.iter().enumerate().filter(shown).map(move |(_, figure)| (row, figure))
    });
    let line =
        |cells: [String; 7]| format!("| {} |\n", cells.map(|cell| escaped(&cell)).join(" | "));
    let header = ["method", "metric", "published", "ours", "n", "verdict", "protocol"];
    let mut text = line(header.map(str::to_owned));
    text += "| --- | --- | ---: | ---: | ---: | --- | --- |\n";
    let mut marks = Marks::default();
    for (row, figure) in figures {
        text += &line([
            figure.label.clone(),
            metric_words(&figure.metric).to_owned(),
            figure.published_text().unwrap_or_default(),
            marked(&figure.ours(), row, &mut marks),
            figure.estimate.n.to_string(),
            verdict(figure).to_owned(),
            row.setting.clone(),
        ]);
    }
    for (letter, sentence) in marks.list() {
        text += &format!("\n[{letter}] {sentence}.\n");
    }
    text.trim_end().to_owned()
}

/// How many labels each method needs to be so accurate, a table for every set of images; nothing where
/// no score has a learning curve.
pub(crate) fn needed(all: &[Needed]) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let tables = needed_by_method(all).into_iter().map(|NeedTable { heading, methods }| {
        let goals = methods.first().map_or(&[][..], |(_, goals)| goals);
        let mut head = vec![format!("labels needed for: {}", escaped(&heading))];
        head.extend(goals.iter().map(|one| goal_text(one.goal)));
        let mut rule = vec!["---".to_owned()];
        rule.extend(goals.iter().map(|_| "---:".to_owned()));
        let mut lines = vec![line(head), line(rule)];
        for (method, goals) in methods {
            let mut cells = vec![escaped(method)];
            cells.extend(goals.iter().map(ToString::to_string));
            lines.push(line(cells));
        }
        format!("\n\n{}", lines.join("\n"))
    });
    tables.collect()
}

/// A cell that cannot break out of its table.
fn escaped(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_cell() {
        assert_eq!(escaped("a|b\\c\nd"), "a\\|b\\\\c d");
    }
}
