//! What is measured: one file per work, and a line in [`ALL`].

mod graph_learning;
mod hundred_labels;
mod kmeans;
mod label_spreading;
mod logistic;
mod mini_batch;
mod neighbours;
mod parquet;
mod pretrained;
mod runs;
mod scaling;
mod training;
mod tsne;

use anyhow::{Result, bail};

use crate::session::Session;

/// Something that scarce and others can do.
pub(crate) struct Work {
    /// Its name on the command line, in documents, and of its folder.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) title: &'static str,
    /// Its sizes or ways.
    pub(crate) cases: &'static [Case],
    /// Measures the chosen cases.
    pub(crate) run: fn(&mut Session, &Choice) -> Result<()>,
}

/// One size or way of a work.
pub(crate) struct Case {
    /// Its name; no other case of any work has it.
    pub(crate) name: &'static str,
    /// What it is, as the table calls it.
    pub(crate) title: &'static str,
    /// Turns take long: there is no warm-up, there are fewer turns, and `--quick` leaves it out.
    pub(crate) heavy: bool,
}

/// All works, in the order of the document.
pub(crate) const ALL: &[Work] = &[
    kmeans::WORK,
    mini_batch::WORK,
    logistic::WORK,
    neighbours::WORK,
    graph_learning::WORK,
    label_spreading::WORK,
    tsne::WORK,
    training::WORK,
    pretrained::WORK,
    parquet::WORK,
    runs::WORK,
    hundred_labels::WORK,
    scaling::WORK,
];

/// A work and those of its cases that were asked for.
pub(crate) struct Choice {
    /// The work.
    pub(crate) work: &'static Work,
    /// Its cases, in order.
    pub(crate) cases: Vec<&'static Case>,
}

/// The title of a case.
pub(crate) fn case_title(name: &str) -> Option<&'static str> {
    ALL.iter().flat_map(|work| work.cases).find(|case| case.name == name).map(|case| case.title)
}

/// The works and cases that some words name, all if there is no word. With `quick`, heavy cases are
/// left out unless they are named themselves.
pub(crate) fn chosen(words: &[String], quick: bool) -> Result<Vec<Choice>> {
    for word in words {
        let (work, case) = word.split_once('/').map_or((&**word, None), |(w, c)| (w, Some(c)));
        let found = ALL.iter().find(|known| known.name == work);
        let there = |case: &str| found.is_some_and(|w| w.cases.iter().any(|c| c.name == case));
        if found.is_none() || case.is_some_and(|case| !there(case)) {
            bail!("no work is called `{word}`; `target/release/benchmark list` names them");
        }
    }
    let wanted = |work: &Work, case: &Case| {
        let named = words.contains(&format!("{}/{}", work.name, case.name));
        let work_named = words.is_empty() || words.iter().any(|word| word == work.name);
        named || work_named && !(quick && case.heavy)
    };
    let choice = |work: &'static Work| {
        let cases: Vec<_> = work.cases.iter().filter(|case| wanted(work, case)).collect();
        (!cases.is_empty()).then_some(Choice { work, cases })
    };
    Ok(ALL.iter().filter_map(choice).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(words: &[&str], quick: bool) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let choices = chosen(&words, quick).unwrap();
        let cases = |choice: &Choice| {
            let name = choice.work.name;
            choice.cases.iter().map(|case| format!("{name}/{}", case.name)).collect::<Vec<_>>()
        };
        choices.iter().flat_map(cases).collect()
    }

    #[test]
    fn works_and_cases_are_chosen_by_name() {
        let all = names(&[], false);
        assert_eq!(all.len(), ALL.iter().map(|work| work.cases.len()).sum::<usize>());
        let two = names(&["parquet", "k-means/iteration-100"], false);
        assert_eq!(two, ["k-means/iteration-100", "parquet/write", "parquet/read"]);
    }

    #[test]
    fn quick_leaves_out_what_takes_long_unless_it_is_named() {
        let quick = names(&[], true);
        assert!(quick.len() < names(&[], false).len());
        for work in ALL {
            for case in work.cases.iter().filter(|case| case.heavy) {
                let word = format!("{}/{}", work.name, case.name);
                assert!(!quick.contains(&word));
                assert_eq!(names(&[&word], true), [word]);
            }
        }
    }

    #[test]
    fn a_case_is_known_by_its_name_alone() {
        let cases = || ALL.iter().flat_map(|work| work.cases);
        let distinct: BTreeSet<&str> = cases().map(|case| case.name).collect();
        assert_eq!(distinct.len(), cases().count());
        assert!(cases().all(|case| case_title(case.name) == Some(case.title)));
        assert_eq!(case_title("no such case"), None);
    }

    #[test]
    fn unknown_names_are_refused() {
        for word in ["knitting", "k-means/pink", "k-means/"] {
            assert!(chosen(&[word.to_owned()], false).is_err(), "{word}");
        }
    }
}
