//! The labelled nodes, and how far their labels can reach.

use super::Graph;
use scarce_numeric::{Error, error::check_labels};

/// Labelled nodes and their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Seeds {
    /// Nodes, ascending.
    nodes: Vec<u32>,
    /// The class of each.
    labels: Vec<u32>,
    classes: usize,
}

impl Seeds {
    /// Seeds from pairs of node and class, in any order.
    ///
    /// # Errors
    /// [`Error::TooFew`] if there is none, [`Error::Label`] for a class that is not below `classes`,
    /// [`Error::Parameter`] for a node that occurs twice.
    pub fn new(pairs: &[(u32, u32)], classes: usize) -> Result<Self, Error> {
        if pairs.is_empty() {
            return Err(Error::TooFew { what: "labelled nodes", wanted: 1, available: 0 });
        }
        let mut pairs = pairs.to_vec();
        pairs.sort_unstable();
        let (nodes, labels): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        check_labels(&labels, classes)?;
        match nodes.windows(2).find(|two| two[0] == two[1]) {
            Some(two) => {
                let value = format!("{} twice", two[0]);
                Err(Error::Parameter { name: "nodes", must: "different nodes", value })
            }
            None => Ok(Self { nodes, labels, classes }),
        }
    }

    /// The number of classes, those without a label included.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of labelled nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none; never after [`Seeds::new`].
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Nodes with their classes, by ascending node.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, usize)> {
        self.nodes.iter().zip(&self.labels).map(|(&node, &label)| (node, label as usize))
    }

    /// Labelled nodes of each class: `[classes]`.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for (_, class) in self.iter() {
            counts[class] += 1;
        }
        counts
    }

    /// Places with their classes.
    ///
    /// # Errors
    /// [`Error::TooFew`] for a node that the graph does not have.
    pub(super) fn places(&self, graph: &Graph) -> Result<Vec<(usize, usize)>, Error> {
        let largest = self.nodes.last().map_or(0, |&node| node as usize + 1);
        if largest > graph.nodes() {
            let available = graph.nodes();
            return Err(Error::TooFew { what: "nodes", wanted: largest, available });
        }
        Ok(self.iter().map(|(node, class)| (graph.place(node), class)).collect())
    }
}

/// The labels of each class in each component.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    classes: usize,
    /// The component of every node.
    component: Vec<u32>,
    /// `[components, classes]`.
    counts: Vec<usize>,
}

impl Reach {
    /// Counts the labels of each component.
    ///
    /// # Errors
    /// [`Error::TooFew`] for a node that the graph does not have.
    pub fn new(graph: &Graph, seeds: &Seeds) -> Result<Self, Error> {
        seeds.places(graph)?;
        let (component, classes) = (graph.component_of_nodes(), seeds.classes());
        let mut counts = vec![0; graph.components() * classes];
        for (node, class) in seeds.iter() {
            counts[component[node as usize] as usize * classes + class] += 1;
        }
        Ok(Self { classes, component, counts })
    }

    /// As if all nodes were in one component: for methods by which every label reaches every node.
    ///
    /// # Errors
    /// [`Error::TooFew`] for a node that the graph does not have.
    pub(super) fn everywhere(graph: &Graph, seeds: &Seeds) -> Result<Self, Error> {
        seeds.places(graph)?;
        let component = vec![0; graph.nodes()];
        Ok(Self { classes: seeds.classes(), component, counts: seeds.counts() })
    }

    /// Labels of each class in the component of a node: `[classes]`.
    pub fn counts(&self, node: usize) -> &[usize] {
        self.of(self.component[node] as usize)
    }

    /// Labels of each class in a component: `[classes]`.
    pub(super) fn of(&self, component: usize) -> &[usize] {
        &self.counts[component * self.classes..][..self.classes]
    }

    /// Whether any label reaches a node.
    pub fn reaches(&self, node: usize) -> bool {
        self.counts(node).iter().any(|&count| count > 0)
    }

    /// How many nodes no label reaches, and in how many components they lie.
    pub fn unreached(&self) -> (usize, usize) {
        let components = self.counts.chunks(self.classes.max(1));
        let dark = components.filter(|counts| counts.iter().all(|&count| count == 0)).count();
        ((0..self.component.len()).filter(|&node| !self.reaches(node)).count(), dark)
    }
}

/// Whether each place has a label.
pub(super) fn labelled(graph: &Graph, places: &[(usize, usize)]) -> Vec<bool> {
    let mut labelled = vec![false; graph.nodes()];
    for &(place, _) in places {
        labelled[place] = true;
    }
    labelled
}
