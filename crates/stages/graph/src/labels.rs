//! The labels of a graph: those that were given, and those that were found.

use scarce_artifact::{LabelSource, Labels, Nodes, Reader, Split};

use crate::{Error, tables::Network};

/// One label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Label {
    pub(crate) id: u32,
    pub(crate) class: u32,
    pub(crate) source: LabelSource,
    pub(crate) confidence: f32,
}

/// The labels that were given.
pub(crate) struct Given {
    /// By ascending id; those of test images are left out.
    pub(crate) labels: Vec<Label>,
    /// Nodes and classes of those in the graph, by ascending node; there is at least one.
    pub(crate) seeds: Vec<(u32, u32)>,
}

impl Given {
    pub(crate) fn read(
        reader: &Reader<Labels>,
        nodes: &Reader<Nodes>,
        network: &Network,
    ) -> Result<Self, Error> {
        let mut labels = all(reader)?;
        let all = labels.len();
        let is_test = |label: &Label| {
            network.node(label.id).is_some_and(|node| network.split[node] == Split::Test)
        };
        labels.retain(|label| !is_test(label));
        let node = |label: &Label| network.node(label.id).map(|node| (node as u32, label.class));
        let seeds: Vec<(u32, u32)> = labels.iter().filter_map(node).collect();
        let (test, strangers) = (all - labels.len(), labels.len() - seeds.len());
        if test > 0 {
            tracing::warn!("{test} labels are of test images and were not learnt from");
        }
        if strangers > 0 {
            tracing::warn!("{strangers} labels are of images outside the graph; they are kept");
        }
        if seeds.is_empty() {
            let (path, nodes) = (reader.path().to_owned(), nodes.path().to_owned());
            return Err(Error::NoLabelled { labels: path, nodes, labelled: labels.len() });
        }
        Ok(Self { labels, seeds })
    }
}

fn all(reader: &Reader<Labels>) -> Result<Vec<Label>, Error> {
    let path = reader.path();
    let table = reader.read()?;
    let mut labels = Vec::with_capacity(table.id.len());
    for (row, &id) in table.id.iter().enumerate() {
        let class = table.label[row] as u32;
        let (source, confidence) = (table.source[row], table.confidence[row]);
        labels.push(Label { id, class, source, confidence });
    }
    labels.sort_unstable_by_key(|label| label.id);
    match labels.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(pair) => Err(Error::RepeatedImage { path: path.to_owned(), id: pair[0].id }),
        None => Ok(labels),
    }
}

/// The table, by ascending id.
pub(crate) fn table(mut labels: Vec<Label>) -> Labels {
    labels.sort_unstable_by_key(|label| label.id);
    Labels {
        id: labels.iter().map(|label| label.id).collect(),
        label: labels.iter().map(|label| label.class as i32).collect(),
        source: labels.iter().map(|label| label.source).collect(),
        confidence: labels.iter().map(|label| label.confidence).collect(),
    }
}
