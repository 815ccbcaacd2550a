//! From the keys of a label file to ids.

use std::collections::HashMap;

/// Finds images by the names that people write: the path below the folder, or the end of a longer or
/// shorter path, with or without the extension.
pub(super) struct Names<'a> {
    sources: &'a [String],
    /// Rows by the last part of the path, with and without its extension.
    by_last: HashMap<&'a str, Vec<usize>>,
}

/// What a name leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Match {
    /// One row.
    One(usize),
    /// Several rows, of which these are two.
    Several(usize, usize),
    /// None.
    Nothing,
}

impl<'a> Names<'a> {
    pub(super) fn new(sources: &'a [String]) -> Self {
        let mut by_last: HashMap<&str, Vec<usize>> = HashMap::new();
        for (row, source) in sources.iter().enumerate() {
            let last = last(source);
            by_last.entry(last).or_default().push(row);
            let stem = stem(last);
            if stem != last {
                by_last.entry(stem).or_default().push(row);
            }
        }
        Self { sources, by_last }
    }

    pub(super) fn find(&self, key: &str) -> Match {
        let key = key.replace('\\', "/");
        let key = key.trim_start_matches("./");
        let Some(rows) = self.by_last.get(last(key)) else { return Match::Nothing };
        if let Some(&row) = rows.iter().find(|&&row| self.sources[row] == key) {
            return Match::One(row);
        }
        let mut fitting = rows.iter().filter(|&&row| {
            let source = self.sources[row].as_str();
            same_end(source, key)
                || (stem(last(source)) == last(key) && same_end(without_extension(source), key))
        });
        match (fitting.next(), fitting.next()) {
            (None, _) => Match::Nothing,
            (Some(&row), None) => Match::One(row),
            (Some(&one), Some(&other)) => Match::Several(one, other),
        }
    }
}

/// Whether the shorter of two paths is the end of the longer, part by part.
fn same_end(a: &str, b: &str) -> bool {
    a.rsplit('/').zip(b.rsplit('/')).all(|(a, b)| a == b)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

fn without_extension(path: &str) -> &str {
    let extension = last(path).len() - stem(last(path)).len();
    &path[..path.len() - extension]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_images() {
        let sources = ["cat/1.png", "cat/2.png", "dog/1.png", "3.tar.png"].map(str::to_owned);
        let names = Names::new(&sources);
        for (key, expected) in [
            ("cat/1.png", Match::One(0)),
            ("./cat/1.png", Match::One(0)),
            ("cat\\1.png", Match::One(0)),
            ("/home/me/images/dog/1.png", Match::One(2)),
            ("2.png", Match::One(1)),
            ("2", Match::One(1)),
            ("dog/1", Match::One(2)),
            ("3.tar", Match::One(3)),
            ("1.png", Match::Several(0, 2)),
            ("dog/2.png", Match::Nothing),
            ("4.png", Match::Nothing),
            ("", Match::Nothing),
        ] {
            assert_eq!(names.find(key), expected, "{key}");
        }
    }
}
