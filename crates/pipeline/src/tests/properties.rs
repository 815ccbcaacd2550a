//! What holds for every pipeline.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{labels, resolve};
use crate::{Document, axis_text};

/// Two seeds' worth of axes of the given sizes, each used by a stage or not.
fn pipeline(sizes: [usize; 3], first: [bool; 3], second: [bool; 3], collect: [bool; 3]) -> String {
    let names = ["a", "b", "c"];
    let list = |used: [bool; 3]| {
        let used: Vec<String> = names
            .iter()
            .zip(used)
            .filter(|(_, used)| *used)
            .map(|(n, _)| format!("\"${n}\""))
            .collect();
        used.join(", ")
    };
    let axis = |(n, size): (&&str, usize)| format!("{n} = {{ from = 0, to = {size} }}");
    let axes = names.iter().zip(sizes).map(axis).collect::<Vec<_>>().join("\n");
    let collect: Vec<&str> =
        names.iter().zip(collect).filter(|(_, used)| *used).map(|(name, _)| *name).collect();
    format!(
        "[axes]\n{axes}\n[stages.images]\nkind = 'ingest'\ndataset = 'x'\n\
         [stages.one]\nkind = 'autoencoder'\ninputs.images = 'images'\nlayers = [{}]\n\
         [stages.two]\nkind = 'autoencoder'\ninputs.images = 'images'\nlayers = [{}]\n\
         [stages.both]\nkind = 'histories'\ninputs.histories = ['one', 'two']\ncollect = {collect:?}\n",
        list(first),
        list(second),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tasks_are_the_products_of_the_axes(
        sizes in [1usize..5, 1usize..5, 1usize..5],
        first: [bool; 3],
        second: [bool; 3],
        collect: [bool; 3],
    ) {
        let resolved = resolve(&pipeline(sizes, first, second, collect)).unwrap();
        let product = |used: &dyn Fn(usize) -> bool| -> usize {
            (0..3).filter(|&i| used(i)).map(|i| sizes[i]).product()
        };
        let count = |stage: &str| resolved.stage(stage).unwrap().tasks.len();
        prop_assert_eq!(count("one"), product(&|i| first[i]));
        prop_assert_eq!(count("two"), product(&|i| second[i]));
        prop_assert_eq!(count("both"), product(&|i| (first[i] || second[i]) && !collect[i]));

        let labels = labels(&resolved);
        prop_assert_eq!(labels.iter().collect::<HashSet<_>>().len(), labels.len());
        for &index in &resolved.stage("both").unwrap().tasks {
            let task = &resolved.graph[index];
            let sources = &task.inputs[0].1;
            let folded = product(&|i| first[i] && collect[i]) + product(&|i| second[i] && collect[i]);
            prop_assert_eq!(sources.len(), folded);
            // What is joined agrees on every axis that is not folded.
            for source in sources {
                for (name, value) in &resolved.graph[source.task].axes {
                    let own = task.axes.iter().find(|(own, _)| own == name);
                    prop_assert!(own.is_none_or(|(_, own)| own == value));
                }
            }
            let distinct: HashSet<_> = sources.iter().map(|source| source.task).collect();
            prop_assert_eq!(distinct.len(), sources.len());
        }
    }

    #[test]
    fn texts_of_values_are_one_folder_and_differ_when_the_values_do(a: String, b: String) {
        let (x, y) = (axis_text(&a.as_str().into()), axis_text(&b.as_str().into()));
        prop_assert_eq!(a == b, x == y);
        prop_assert!(!x.contains('/') && !x.starts_with('.') && !x.chars().any(char::is_control));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "([\\[\\]{}='\"a-c\\.,\n$0-9é]|stages|kind|axes|pipeline){0,40}") {
        if let Ok(document) = Document::parse("/house/x.toml".as_ref(), text) {
            let kinds = super::kinds::catalogue();
            let _ = crate::Pipeline::resolve(&document, &kinds, &crate::Overrides::default());
        }
    }
}
