//! What holds for every pipeline.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{TEN_LABELS, labels, render, resolve};
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

/// A stage of a round: which members of the group it reads, and which of two stages outside.
type Member = ([bool; 4], [bool; 2]);

/// A group of such stages in so many rounds. The stages outside vary over an axis each.
fn group(count: usize, members: &[Member], sizes: [usize; 2]) -> String {
    use std::fmt::Write;
    let names: Vec<String> = (0..members.len()).map(|i| format!("m{i}")).collect();
    let mut text = format!(
        "[axes]\na = {{ from = 0, to = {} }}\nb = {{ from = 0, to = {} }}\n\
         [rounds.some]\ncount = {count}\nstages = {names:?}\n\
         [stages.images]\nkind = 'ingest'\ndataset = 'x'\n",
        sizes[0], sizes[1]
    );
    for (stage, axis) in [("oa", "a"), ("ob", "b")] {
        let inputs = "inputs = { images = 'images', truth = 'images' }";
        write!(text, "[stages.{stage}]\nkind = 'budget'\n{inputs}\nseed = '${axis}'\n").unwrap();
    }
    write!(
        text,
        "[stages.base]\nkind = 'budget'\ninputs = {{ images = 'images', truth = 'images' }}\n"
    )
    .unwrap();
    // Backwards, so that the order of the file is not the order of a round.
    for (i, (reads, outside)) in members.iter().enumerate().rev() {
        let inner = (0..members.len()).filter(|&j| reads[j]).map(|j| names[j].clone());
        let outer = ["oa", "ob"].iter().zip(outside).filter(|(_, reads)| **reads);
        let wires: Vec<String> = std::iter::once("base".to_owned())
            .chain(inner)
            .chain(outer.map(|(name, _)| (*name).to_owned()))
            .collect();
        write!(text, "[stages.m{i}]\nkind = 'unite'\ninputs = {{ labels = {wires:?} }}\n").unwrap();
    }
    write!(
        text,
        "[stages.all]\nkind = 'unite'\ninputs = {{ labels = {names:?} }}\ncollect = ['round']\n"
    )
    .unwrap();
    text
}

/// Which of the axes `a` and `b` reach each member, by following every wire.
fn reached(members: &[Member]) -> Vec<[bool; 2]> {
    let n = members.len();
    let reaches = |start: usize, axis: usize| {
        let (mut seen, mut waiting) = (vec![false; n], vec![start]);
        while let Some(i) = waiting.pop() {
            if !std::mem::replace(&mut seen[i], true) {
                waiting.extend((0..n).filter(|&j| members[i].0[j]));
            }
        }
        (0..n).any(|i| seen[i] && members[i].1[axis])
    };
    (0..n).map(|i| [reaches(i, 0), reaches(i, 1)]).collect()
}

/// What a pipeline is made of, and what it had better not be.
fn words() -> Vec<&'static str> {
    let words = "[ ] [[ { } = . , \" ' # $ $$ \n \r \r\n \t \0 é \u{308} \u{feff} -1 0 1e400 nan inf \
                 99999999999999999999 2020-01-01 true kind inputs collect round resources \"$seed\" \
                 \"$round\" images knn ../.. [axes] [stages.knn] [1,1] {from=0,to=3} threads=0 \
                 \n[rounds.a]\ncount=2\nstages=[\"codes\",\"knn\"]\n";
    words.split(' ').collect()
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

    /// Neither a panic nor an endless report: what people see is rendered too.
    #[test]
    fn whatever_is_written_is_a_pipeline_or_a_report(
        edits in prop::collection::vec(
            (0..TEN_LABELS.len(), 0usize..12, prop::sample::select(words())),
            1..8,
        ),
    ) {
        let mut text = TEN_LABELS.to_owned();
        for (at, length, word) in edits {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, word);
        }
        match resolve(&text) {
            Ok(pipeline) => {
                let labels = labels(&pipeline);
                prop_assert_eq!(labels.iter().collect::<HashSet<_>>().len(), labels.len());
            }
            Err(error) => {
                prop_assert!(render(&error).len() < 100_000);
                prop_assert!(serde_json::to_string(&error).unwrap().len() < 100_000);
            }
        }
    }

    #[test]
    fn rounds_read_what_they_should_and_never_ahead(
        count in 1usize..5,
        members in prop::collection::vec(any::<Member>(), 1..5),
        sizes in [1usize..3, 1usize..3],
    ) {
        let resolved = resolve(&group(count, &members, sizes)).unwrap();
        // Every task comes after what it needs, so there is no circle.
        prop_assert!(resolved.graph.raw_edges().iter().all(|edge| edge.source() < edge.target()));
        let round = |task: &crate::Task| {
            let found = task.axes.iter().find(|(name, _)| name == "round");
            found.and_then(|(_, value)| value.as_u64()).map(|round| round as usize)
        };
        let mut total = 0;
        for (i, axes) in reached(&members).into_iter().enumerate() {
            let stage = resolved.stage(&format!("m{i}")).unwrap();
            let variants: usize = (0..2).filter(|&axis| axes[axis]).map(|axis| sizes[axis]).product();
            prop_assert_eq!(stage.tasks.len(), count * variants);
            total += count * variants;
            for &index in &stage.tasks {
                let task = &resolved.graph[index];
                let now = round(task).unwrap();
                for j in 0..members.len() {
                    let name = format!("m{j}");
                    let sources = task.inputs.iter().flat_map(|(_, sources)| sources);
                    let from: Vec<&crate::Task> = sources
                        .map(|source| &resolved.graph[source.task])
                        .filter(|from| from.stage == name)
                        .collect();
                    let expected = match (members[i].0[j], j < i) {
                        (false, _) => None,
                        (true, true) => Some(now),
                        (true, false) => now.checked_sub(1),
                    };
                    let found: Vec<usize> = from.iter().filter_map(|from| round(from)).collect();
                    prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
                    // What is joined agrees on every other axis.
                    for (name, value) in from.iter().flat_map(|from| &from.axes) {
                        prop_assert!(name == "round" || task.axes.contains(&(name.clone(), value.clone())));
                    }
                }
            }
        }
        let all = resolved.stage("all").unwrap();
        let wires: usize =
            all.tasks.iter().map(|&task| resolved.graph[task].inputs[0].1.len()).sum();
        // Each of its variants takes every round of the members, joined on the axes they have.
        let joined = |axes: &[bool; 2]| -> usize { (0..2).filter(|&x| axes[x]).map(|x| sizes[x]).product() };
        let any = reached(&members).iter().fold([false; 2], |any, one| [any[0] | one[0], any[1] | one[1]]);
        prop_assert_eq!(all.tasks.len(), joined(&any));
        prop_assert_eq!(wires, all.tasks.len() * count * members.len());
        let labels = labels(&resolved);
        prop_assert_eq!(labels.iter().collect::<HashSet<_>>().len(), labels.len());
        let outside = 2 + all.tasks.len() + sizes[0] + sizes[1];
        prop_assert_eq!(resolved.graph.node_count(), outside + total);
    }

    #[test]
    fn selecting_keeps_just_what_is_reached(
        count in 1usize..4,
        members in prop::collection::vec(any::<Member>(), 1..5),
        target in 0usize..4,
    ) {
        let resolved = resolve(&group(count, &members, [1, 2])).unwrap();
        let target = format!("m{}", target % members.len());
        let part = resolved.select(&[&target]).unwrap();
        prop_assert!(part.graph.raw_edges().iter().all(|edge| edge.source() < edge.target()));
        let inputs = |pipeline: &crate::Pipeline, task: &crate::Task| -> Vec<String> {
            let sources = task.inputs.iter().flat_map(|(_, sources)| sources);
            sources.map(|source| pipeline.graph[source.task].label()).collect()
        };
        // Walk the whole pipeline up from the target by labels.
        let whole: std::collections::HashMap<String, &crate::Task> =
            resolved.tasks().map(|(_, task)| (task.label(), task)).collect();
        let mut waiting: Vec<String> =
            whole.values().filter(|task| task.stage == target).map(|task| task.label()).collect();
        let mut reached = HashSet::new();
        while let Some(label) = waiting.pop() {
            if reached.insert(label.clone()) {
                waiting.extend(inputs(&resolved, whole[&label]));
            }
        }
        let kept: HashSet<String> = labels(&part).into_iter().collect();
        prop_assert_eq!(&kept, &reached);
        for (_, task) in part.tasks() {
            prop_assert_eq!(inputs(&part, task), inputs(&resolved, whole[&task.label()]));
        }
        for stage in &part.stages {
            prop_assert!(!stage.tasks.is_empty());
            prop_assert!(stage.tasks.iter().all(|&index| part.graph[index].stage == stage.name));
        }
    }

    #[test]
    fn texts_of_values_are_one_folder_and_differ_when_the_values_do(a: String, b: String) {
        let (x, y) = (axis_text(&a.as_str().into()), axis_text(&b.as_str().into()));
        prop_assert_eq!(a == b, x == y);
        prop_assert!(!x.contains('/') && !x.starts_with('.') && !x.chars().any(char::is_control));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "([\\[\\]{}='\"a-c\\.,\n$0-9é]|stages|kind|axes|rounds|count|pipeline){0,40}") {
        if let Ok(document) = Document::parse("/house/x.toml".as_ref(), text) {
            let kinds = super::kinds::catalogue();
            let _ = crate::Pipeline::resolve(&document, &kinds, &crate::Overrides::default());
        }
    }
}
