//! Promises that the rows of a table keep together.

use std::collections::HashMap;

use super::{
    Broken, WholePromise,
    columns::{Unique, each},
};
use crate::{Clusters, Distributions, Edges, GraphMeta, LabelSource, Labels, Nodes, Queries};

/// A person or a budget says it once; propagations may differ.
#[derive(Default)]
pub(crate) struct GivenOnce(Unique);

impl WholePromise<Labels> for GivenOnce {
    const WORDS: &'static str =
        "an image has one label that is not propagated, at most, and any number of propagated ones";

    fn rows(&mut self, table: &Labels) -> Result<(), (&'static str, Broken)> {
        let given = (0..).zip(&table.id).zip(&table.source);
        let mut given = given.filter(|(_, source)| **source != LabelSource::Propagated);
        given
            .try_for_each(|((row, &id), _)| self.0.insert(row, id))
            .map_err(|broken| ("id", broken))
    }
}

/// Edges lead from the smaller id to the larger and come in order.
#[derive(Default)]
pub(crate) struct EachEdgeOnce(Option<(u32, u32)>);

impl WholePromise<Edges> for EachEdgeOnce {
    const WORDS: &'static str =
        "`source` is smaller than `target`; rows ascend by `source`, then `target`, each pair once";

    fn rows(&mut self, table: &Edges) -> Result<(), (&'static str, Broken)> {
        for (row, pair) in
            table.source.iter().copied().zip(table.target.iter().copied()).enumerate()
        {
            let (source, target) = pair;
            if source >= target {
                return Err(("target", (row, format!("the edge leads from {source} to {target}"))));
            }
            if let Some(before) = self.0.replace(pair).filter(|before| *before >= pair) {
                let how = if before == pair { "occurs twice" } else { "is out of order" };
                return Err(("source", (row, format!("the edge from {source} to {target} {how}"))));
            }
        }
        Ok(())
    }
}

/// The nodes are as many as the graph says, in components that it knows.
#[derive(Default)]
pub(crate) struct Counted {
    nodes: usize,
    components: usize,
    rows: usize,
}

impl WholePromise<Nodes> for Counted {
    const WORDS: &'static str =
        "as many rows as `nodes` says, in as many components as `components`";

    fn told(&mut self, meta: &GraphMeta) {
        (self.nodes, self.components) = (meta.nodes, meta.components);
    }

    fn rows(&mut self, table: &Nodes) -> Result<(), (&'static str, Broken)> {
        self.rows += table.id.len();
        let (components, known) =
            (self.components, |component| (component as usize) < self.components);
        each(&table.component, known, |component| {
            format!("{component} is no component: there are {components}")
        })
        .map_err(|broken| ("component", broken))
    }

    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        if self.rows == self.nodes {
            return Ok(());
        }
        let Self { rows, nodes, .. } = self;
        Err(("id", (*rows, format!("the table ends after {rows} of {nodes} images"))))
    }
}

/// Every cluster has one image that stands for it.
#[derive(Default)]
pub(crate) struct OneRepresentative(HashMap<i32, Member>, usize);

/// The first image of a cluster, and whether a representative was seen.
struct Member {
    row: usize,
    represented: bool,
}

impl WholePromise<Clusters> for OneRepresentative {
    const WORDS: &'static str = "every cluster has exactly one representative";

    fn rows(&mut self, table: &Clusters) -> Result<(), (&'static str, Broken)> {
        for (row, (&cluster, &is)) in table.cluster.iter().zip(&table.is_representative).enumerate()
        {
            let member = Member { row: self.1 + row, represented: false };
            let member = self.0.entry(cluster).or_insert(member);
            if is && std::mem::replace(&mut member.represented, true) {
                let message = format!("cluster {cluster} has a representative already");
                return Err(("is_representative", (row, message)));
            }
        }
        self.1 += table.id.len();
        Ok(())
    }

    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        let bare = self.0.iter().filter(|(_, member)| !member.represented);
        match bare.min_by_key(|(_, member)| member.row) {
            None => Ok(()),
            Some((cluster, member)) => {
                let message = format!("cluster {cluster} has no representative");
                Err(("is_representative", (member.row, message)))
            }
        }
    }
}

/// Something is believed of an image exactly where a label reached it.
#[derive(Default)]
pub(crate) struct ReachedIsKnown;

impl WholePromise<Distributions> for ReachedIsKnown {
    const WORDS: &'static str =
        "`label` is null and all probabilities are 0 exactly where `reached` is false";

    fn rows(&mut self, table: &Distributions) -> Result<(), (&'static str, Broken)> {
        let rows = table.reached.iter().zip(&table.label).zip(table.probabilities.iter_rows());
        for (row, ((&reached, label), probabilities)) in rows.enumerate() {
            let zero = probabilities.iter().all(|&p| p == 0.0);
            let (column, message) = match (reached, label) {
                (true, Some(_)) if !zero => continue,
                (false, None) if zero => continue,
                (true, None) => ("label", "it is missing, but a label reached the image"),
                (false, Some(_)) => ("label", "it is there, but no label reached the image"),
                (true, _) => ("probabilities", "all are 0, but a label reached the image"),
                (false, _) => ("probabilities", "they are not 0, but no label reached the image"),
            };
            return Err((column, (row, message.to_owned())));
        }
        Ok(())
    }
}

/// Ranks count from 0.
#[derive(Default)]
pub(crate) struct Ranked {
    seen: Unique,
    /// The largest rank and its row.
    last: Option<(u32, usize)>,
    rows: usize,
}

impl WholePromise<Queries> for Ranked {
    const WORDS: &'static str = "ranks count from 0, each once";

    fn rows(&mut self, table: &Queries) -> Result<(), (&'static str, Broken)> {
        for (row, &rank) in table.rank.iter().enumerate() {
            self.seen.insert(row, rank).map_err(|broken| ("rank", broken))?;
            self.last = self.last.max(Some((rank, self.rows + row)));
        }
        self.rows += table.rank.len();
        Ok(())
    }

    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        match self.last {
            Some((rank, row)) if rank as usize >= self.rows => {
                Err(("rank", (row, format!("rank {rank} of {} rows", self.rows))))
            }
            _ => Ok(()),
        }
    }
}
