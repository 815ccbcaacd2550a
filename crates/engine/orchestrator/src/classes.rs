//! Tables that meet in a stage must name the same classes: found out as soon as two of them are
//! there, not after all that lies between has been computed.

use std::collections::HashMap;

use petgraph::graph::NodeIndex;
use scarce_artifact::open_parquet;
use scarce_pipeline::Pipeline;
use scarce_stage::{Failure, Format};
use scarce_store::Entry;

use crate::Hosts;

/// The class names that each stage has been promised so far.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    said: HashMap<usize, Said>,
}

/// Class names, and the table that says them: `images.truth`.
#[derive(Debug)]
struct Said {
    by: String,
    names: Vec<String>,
}

impl Meetings {
    /// Looks at what a task has left; a stage that it cannot go into together with what is there
    /// already, and why.
    pub(crate) fn look(
        &mut self,
        pipeline: &Pipeline,
        hosts: &Hosts,
        index: usize,
        entry: &Entry,
    ) -> Option<(usize, Failure)> {
        let stage = &pipeline.graph[NodeIndex::new(index)].stage;
        let mut known: HashMap<&str, Option<Vec<String>>> = HashMap::new();
        let mut readers: Vec<NodeIndex> = pipeline.graph.neighbors(NodeIndex::new(index)).collect();
        readers.sort_unstable();
        readers.dedup();
        for reader in readers {
            let task = &pipeline.graph[reader];
            let together =
                hosts.get(&task.kind).is_some_and(|(_, description)| description.same_classes);
            if !together {
                continue;
            }
            let sources = task.inputs.iter().flat_map(|(_, sources)| sources);
            for source in sources.filter(|source| source.task.index() == index) {
                let names = known
                    .entry(&source.port)
                    .or_insert_with(|| class_names(entry, &source.port))
                    .clone();
                let Some(names) = names else { continue };
                let by = format!("{stage}.{}", source.port);
                let said = self.said.entry(reader.index());
                let said = said.or_insert_with(|| Said { by: by.clone(), names: names.clone() });
                if said.names != names {
                    return Some((reader.index(), differ(said, &Said { by, names })));
                }
            }
        }
        None
    }
}

/// The class names in the metadata of an output, if it is a table that has any.
fn class_names(entry: &Entry, port: &str) -> Option<Vec<String>> {
    let file = Format::Table.files(port).into_iter().next()?;
    let table = open_parquet(&entry.folder.join(file)).ok()?;
    let mut pairs = table.metadata().file_metadata().key_value_metadata()?.iter();
    let text = pairs.find(|pair| pair.key == "scarce.classes")?.value.as_deref()?;
    let names: Vec<String> = serde_json::from_str(text).ok()?;
    // A table without labels names none.
    (!names.is_empty()).then_some(names)
}

fn differ(first: &Said, second: &Said) -> Failure {
    let sorted = |said: &Said| {
        let mut names = said.names.clone();
        names.sort();
        names
    };
    let how = if sorted(first) == sorted(second) { ", in another order" } else { "" };
    let message = format!(
        "`{}` has the classes {}, `{}` has {}{how}",
        first.by,
        listed(&first.names),
        second.by,
        listed(&second.names)
    );
    Failure::new("orchestrator::classes", message).help(format!(
        "labels are numbers that count these names: give both stages the same ones in the same \
         order, for instance `classes = {}`",
        serde_json::json!(first.names)
    ))
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let first = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("`, `");
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { format!("`{first}`") } else { format!("`{first}` and {rest} more") }
}
