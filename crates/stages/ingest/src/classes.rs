//! From words or numbers to class indices.

use std::path::Path;

use scarce_artifact::{Classes, Split};

use crate::{
    Error, Result,
    columns::{Table, Words},
};

/// Most classes that a column of numbers may imply.
const MAX_CLASSES: i64 = 65_536;

/// What a source says of the true classes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labelling {
    /// Names in label order.
    pub(crate) classes: Vec<String>,
    /// The label of each row; `None` where it is unknown.
    pub(crate) labels: Vec<Option<i32>>,
}

impl Labelling {
    /// Labels that are numbers: `names` in their order, or `0`, `1`, … up to the largest.
    pub(crate) fn of_numbers(
        numbers: &[Option<i64>],
        names: &[String],
        path: &Path,
    ) -> Result<Self> {
        let count =
            if names.is_empty() { MAX_CLASSES } else { i64::try_from(names.len()).unwrap_or(0) };
        let outside = |number: &Option<i64>| number.is_some_and(|n| !(0..count).contains(&n));
        if let Some(row) = numbers.iter().position(outside) {
            let number = numbers[row].unwrap_or_default();
            let help = if names.is_empty() {
                format!(
                    "labels count from 0 and end before {MAX_CLASSES}; leave the cell of an \
                         unlabelled row empty"
                )
            } else {
                format!("`classes` names {count} classes, 0 to {}", count - 1)
            };
            let message = format!("the label {number} is no class");
            return Err(Error::value(path, format!("row {row}"), message, help));
        }
        let used = numbers.iter().flatten().max().map_or(0, |&largest| largest + 1);
        let classes = if names.is_empty() {
            (0..used).map(|class| class.to_string()).collect()
        } else {
            names.to_vec()
        };
        let labels = numbers.iter().map(|number| number.map(|n| n as i32)).collect();
        Ok(Self { classes, labels })
    }

    /// Labels that are words: `names` fix the order, otherwise they have that of [`Classes::in_order`].
    pub(crate) fn of_words(
        words: &[Option<String>],
        names: &[String],
        path: &Path,
    ) -> Result<Self> {
        let classes: Vec<String> = if names.is_empty() {
            Classes::in_order(words.iter().flatten().cloned())
        } else {
            names.to_vec()
        };
        let index: std::collections::HashMap<&str, i32> =
            classes.iter().enumerate().map(|(at, name)| (name.as_str(), at as i32)).collect();
        let label = |(row, word): (usize, &Option<String>)| match word {
            None => Ok(None),
            Some(word) => index.get(word.as_str()).map(|&at| Some(at)).ok_or_else(|| {
                let message = format!("`{word}` is not one of `classes`");
                Error::value(path, format!("row {row}"), message, nearest(word, &classes))
            }),
        };
        let labels = words.iter().enumerate().map(label).collect::<Result<_>>()?;
        Ok(Self { classes, labels })
    }

    pub(crate) fn of(words: &Words, names: &[String], path: &Path) -> Result<Self> {
        match words {
            Words::Text(words) => Self::of_words(words, names, path),
            Words::Numbers(numbers) => Self::of_numbers(numbers, names, path),
        }
    }
}

/// The split and label of every row of a Parquet file, without reading its large columns.
pub(crate) fn census(
    table: &Table<'_>,
    path: &Path,
    split_column: Option<&str>,
    label_column: Option<&str>,
    other: &str,
) -> Result<(Vec<Split>, Option<Words>)> {
    table.require(other)?;
    let wanted: Vec<&str> = split_column.into_iter().chain(label_column).collect();
    if wanted.is_empty() {
        let rows = plausible_rows(table, path)?;
        return Ok((vec![Split::Pool; rows], None));
    }
    let mut splits = Vec::new();
    let mut labels: Option<Words> = None;
    for batch in table.batches(&wanted, 1 << 16)? {
        let batch = batch?;
        match split_column {
            Some(column) => splits.extend(batch.splits(column)?),
            None => splits.extend(std::iter::repeat_n(Split::Pool, batch.rows())),
        }
        let Some(column) = label_column else { continue };
        match (&mut labels, batch.words(column)?) {
            (Some(Words::Text(all)), Words::Text(more)) => all.extend(more),
            (Some(Words::Numbers(all)), Words::Numbers(more)) => all.extend(more),
            (slot, first) => *slot = Some(first),
        }
    }
    if let (Some(column), Some(words)) = (label_column, &labels)
        && words.len() > 0
        && words.is_void()
    {
        let help = "leave `label_column` out where there are no classes, or name the column that \
                    has them";
        return Err(Error::column(path, column, "every value is missing", help));
    }
    Ok((splits, labels))
}

/// The class names in label order: those that the user gives, otherwise those of the file.
pub(crate) fn named_classes<'a>(
    table: &'a Table<'_>,
    label_column: Option<&str>,
    given: &'a [String],
) -> &'a [String] {
    let of_file = label_column.and_then(|column| table.class_names(column));
    if given.is_empty() { of_file.unwrap_or_default() } else { given }
}

/// Rows that the footer promises, unless the file is too small to hold them: a row of pixels or
/// numbers takes more than a bit.
fn plausible_rows(table: &Table<'_>, path: &Path) -> Result<usize> {
    let promised = table.file().metadata().file_metadata().num_rows();
    let bytes = fs_err::metadata(path)?.len();
    match u32::try_from(promised) {
        Ok(rows) if u64::from(rows) <= bytes.saturating_mul(8) => Ok(rows as usize),
        _ => {
            let message = format!("its footer promises {promised} rows in {bytes} bytes");
            Err(scarce_artifact::Error::Parquet { path: path.to_owned(), message }.into())
        }
    }
}

/// `did you mean …`, or the choices.
pub(crate) fn nearest<'a>(
    word: &str,
    choices: impl IntoIterator<Item = &'a String> + Clone,
) -> String {
    let distance = |choice: &&String| strsim::damerau_levenshtein(word, choice);
    let best = choices.clone().into_iter().min_by_key(distance);
    match best {
        Some(best) if distance(&best) <= 2.max(word.chars().count() / 3) => {
            format!("did you mean `{best}`?")
        }
        _ => {
            let mut listed: Vec<&str> = choices.into_iter().take(11).map(String::as_str).collect();
            let more = if listed.len() > 10 { ", …" } else { "" };
            listed.truncate(10);
            format!("known are `{}`{more}", listed.join("`, `"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<Option<String>> {
        words.iter().map(|word| (!word.is_empty()).then(|| (*word).to_owned())).collect()
    }

    #[test]
    fn words_are_sorted_unless_their_order_is_given() {
        let found = Labelling::of_words(&words(&["dog", "", "cat"]), &[], Path::new("f")).unwrap();
        assert_eq!(found.classes, ["cat", "dog"]);
        assert_eq!(found.labels, [Some(1), None, Some(0)]);
        let names = ["dog".to_owned(), "cat".to_owned()];
        let found = Labelling::of_words(&words(&["dog", "cat"]), &names, Path::new("f")).unwrap();
        assert_eq!(found.labels, [Some(0), Some(1)]);
    }

    #[test]
    fn names_that_are_numbers_are_in_the_order_of_numbers() {
        let order = |words: &[&str]| Classes::in_order(words.iter().map(|&word| word.to_owned()));
        assert_eq!(order(&["10", "2", "1", "10"]), ["1", "2", "10"]);
        assert_eq!(order(&["2", "-1", "01", "1"]), ["-1", "01", "1", "2"]);
        assert_eq!(order(&["10", "2", "b"]), ["10", "2", "b"], "one is none");
        let words = words(&["2", "10", "2"]);
        let found = Labelling::of_words(&words, &[], Path::new("f")).unwrap();
        assert_eq!(
            (found.classes, found.labels[1]),
            (vec!["2".to_owned(), "10".to_owned()], Some(1))
        );
    }

    #[test]
    fn an_unknown_word_gets_a_suggestion() {
        let names = ["bird".to_owned(), "cat".to_owned()];
        let error = Labelling::of_words(&words(&["cta"]), &names, Path::new("f")).unwrap_err();
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(help.contains("`cat`"), "{help}");
    }

    #[test]
    fn numbers_are_indices() {
        let found = Labelling::of_numbers(&[Some(2), None], &[], Path::new("f")).unwrap();
        assert_eq!(found.classes, ["0", "1", "2"]);
        assert_eq!(found.labels, [Some(2), None]);
        for wrong in [-1, MAX_CLASSES, i64::MAX] {
            assert!(Labelling::of_numbers(&[Some(wrong)], &[], Path::new("f")).is_err());
        }
        let names = ["a".to_owned()];
        assert!(Labelling::of_numbers(&[Some(1)], &names, Path::new("f")).is_err());
    }
}
