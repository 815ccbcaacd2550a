//! From the names in a label file to images.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// Finds images by the names that people and tools write: the path below the folder, or the end of a
/// longer or shorter path, with or without the extension, in any form of Unicode, and as uploads
/// mangle it.
pub(super) struct Names<'a> {
    sources: &'a [String],
    /// The same in Unicode's composed form, in which a name is the same however it was typed.
    composed: Vec<String>,
    /// Rows by the last part of the path, with and without its extension.
    by_last: HashMap<String, Vec<usize>>,
    /// Rows by the last part as Label Studio keeps it.
    by_upload: HashMap<String, Vec<usize>>,
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
        let composed: Vec<String> = sources.iter().map(|source| compose(source)).collect();
        let mut by_last: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_upload: HashMap<String, Vec<usize>> = HashMap::new();
        for (row, source) in composed.iter().enumerate() {
            let last = last(source);
            by_last.entry(last.to_owned()).or_default().push(row);
            let stem = stem(last);
            if stem != last {
                by_last.entry(stem.to_owned()).or_default().push(row);
            }
            by_upload.entry(uploaded(last)).or_default().push(row);
        }
        Self { sources, composed, by_last, by_upload }
    }

    pub(super) fn find(&self, key: &str) -> Match {
        let key = key.replace('\\', "/");
        let key = key.trim_start_matches("./");
        match self.as_written(key) {
            Match::Nothing => {}
            found => return found,
        }
        // `/data/local-files/?d=photos/my%20cat.png`
        let path = key.split_once("?d=").map_or(key, |(_, path)| path);
        let plain = unescape(path);
        if plain != key {
            match self.as_written(&plain) {
                Match::Nothing => {}
                found => return found,
            }
        }
        let Some(name) = without_upload_prefix(last(&plain)) else { return Match::Nothing };
        match self.as_written(name) {
            Match::Nothing => several(self.by_upload.get(&uploaded(name)).into_iter().flatten()),
            found => found,
        }
    }

    fn as_written(&self, key: &str) -> Match {
        if let Some(row) = self.exactly(key) {
            return Match::One(row);
        }
        let key = compose(key);
        let Some(rows) = self.by_last.get(last(&key)) else { return Match::Nothing };
        several(rows.iter().filter(|&&row| {
            let source = self.composed[row].as_str();
            same_end(source, &key)
                || (stem(last(source)) == last(&key) && same_end(without_extension(source), &key))
        }))
    }

    /// The row of just this name, if there is one; of a name in two forms the form decides.
    fn exactly(&self, key: &str) -> Option<usize> {
        let composed = compose(key);
        let rows = self.by_last.get(last(&composed))?;
        let whole = |&&row: &&usize| self.composed[row] == composed;
        let mut same = rows.iter().filter(whole);
        match (same.next(), same.next()) {
            (Some(&row), None) => Some(row),
            _ => rows.iter().find(|&&row| self.sources[row] == key).copied(),
        }
    }
}

fn several<'r>(mut rows: impl Iterator<Item = &'r usize>) -> Match {
    match (rows.next(), rows.next()) {
        (None, _) => Match::Nothing,
        (Some(&row), None) => Match::One(row),
        (Some(&one), Some(&other)) => Match::Several(one, other),
    }
}

pub(super) fn compose(text: &str) -> String {
    text.nfc().collect()
}

/// `df8721fe-a.png` without what Label Studio puts before the name of an uploaded file.
fn without_upload_prefix(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_once('-')?;
    let hexadecimal = prefix.len() == 8 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && !rest.is_empty()).then_some(rest)
}

/// The name under which an upload is kept: spaces as `_`, and letters, digits, `-`, `_` and `.`.
fn uploaded(name: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.trim().replace(' ', "_").chars().filter(kept).collect()
}

/// `%20` and the like as the bytes that they stand for, if these are UTF-8.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = || {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        if let Some(value) = (byte == b'%').then(escaped).flatten() {
            bytes.push(value);
            rest = &behind[2..];
        } else {
            bytes.push(byte);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
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

    #[test]
    fn names_as_tools_write_them() {
        let sources = ["a.png", "my cat (1).png", "dead-beef.png", "abcdef12-x.png", "x.png"]
            .map(str::to_owned);
        let names = Names::new(&sources);
        for (key, expected) in [
            ("/data/upload/1/df8721fe-a.png", Match::One(0)),
            ("df8721fe-a.png", Match::One(0)),
            ("/data/upload/1/df8721fe-my_cat_1.png", Match::One(1)),
            ("/data/local-files/?d=photos/my%20cat%20%281%29.png", Match::One(1)),
            ("dead-beef.png", Match::One(2)),
            // A file of just that name comes first.
            ("abcdef12-x.png", Match::One(3)),
            ("01234567-x.png", Match::One(4)),
            ("df8721f-a.png", Match::Nothing),
            ("df8721fe-b.png", Match::Nothing),
            ("100%.png", Match::Nothing),
        ] {
            assert_eq!(names.find(key), expected, "{key}");
        }
    }

    #[test]
    fn unicode_forms_are_the_same_name_unless_both_are_there() {
        let (nfc, nfd) = ("na\u{ef}ve.png".to_owned(), "nai\u{308}ve.png".to_owned());
        let one = [nfd.clone()];
        assert_eq!(Names::new(&one).find(&nfc), Match::One(0));
        let both = [nfc.clone(), nfd.clone()];
        let names = Names::new(&both);
        assert_eq!(names.find(&nfc), Match::One(0));
        assert_eq!(names.find(&nfd), Match::One(1));
        assert_eq!(names.find("na\u{ef}ve"), Match::Several(0, 1));
    }
}
