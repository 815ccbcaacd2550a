//! Gathers problems, so that one pass reports all of them.

use std::collections::HashSet;

use miette::LabeledSpan;

use crate::{
    Error, Problem,
    error::Text,
    fault::Fault,
    node::{Node, Span},
};

/// A report longer than this helps nobody.
const MOST: usize = 100;

/// The problems found so far, and the texts that they point into.
pub(crate) struct Problems {
    texts: Vec<Text>,
    found: Vec<(Span, Problem)>,
    seen: HashSet<(Span, String)>,
    errors: usize,
}

impl Problems {
    /// None yet, in this file.
    pub(crate) fn new(text: Text) -> Self {
        Self { texts: vec![text], found: Vec::new(), seen: HashSet::new(), errors: 0 }
    }

    /// Another text to point into; returns its number.
    pub(crate) fn text(&mut self, text: Text) -> usize {
        self.texts.push(text);
        self.texts.len() - 1
    }

    /// Adds a problem with one label.
    pub(crate) fn add(&mut self, fault: Fault, span: Span, label: impl Into<String>) {
        self.add_with(fault, span, label, []);
    }

    /// Adds a problem with more labels; those in other texts than the first are left out.
    pub(crate) fn add_with(
        &mut self,
        fault: Fault,
        span: Span,
        label: impl Into<String>,
        more: impl IntoIterator<Item = (Span, String)>,
    ) {
        if !self.seen.insert((span, fault.to_string())) {
            return;
        }
        let labelled = |label: String, span: Span| {
            let text = (!label.is_empty()).then_some(label);
            LabeledSpan::new(text, span.start, span.end - span.start)
        };
        let first = labelled(label.into(), span);
        let rest = more
            .into_iter()
            .filter(|(other, _)| other.text == span.text && *other != span)
            .map(|(other, label)| labelled(label, other));
        let labels = std::iter::once(first).chain(rest).collect();
        let problem = Problem::placed(fault, self.texts[span.text].clone(), labels);
        self.errors += usize::from(!problem.is_warning());
        self.found.push((span, problem));
    }

    /// Adds a problem of type for a value of the file's own grammar.
    pub(crate) fn wrong_type(&mut self, what: &str, expected: &str, node: &Node) {
        let found = node.called().to_owned();
        let fault = Fault::WrongType {
            what: what.to_owned(),
            expected: expected.to_owned(),
            found: found.clone(),
            help: None,
        };
        self.add(fault, node.span, found);
    }

    /// Whether nothing but warnings were found.
    pub(crate) fn none(&self) -> bool {
        self.errors == 0
    }

    /// How many errors were found.
    pub(crate) fn count(&self) -> usize {
        self.errors
    }

    /// Whether there are more errors than a report shows. What helps with one more, and takes a look at
    /// every stage, is then better left: thousands of mistakes would take thousands of such looks.
    pub(crate) fn are_enough(&self) -> bool {
        self.errors > MOST
    }

    /// The warnings; or the errors, in the order of the text.
    pub(crate) fn finish(mut self) -> Result<Vec<Problem>, Error> {
        self.found.sort_by_key(|(span, _)| *span);
        let (mut warnings, mut errors): (Vec<Problem>, Vec<Problem>) =
            self.found.into_iter().map(|(_, problem)| problem).partition(Problem::is_warning);
        errors.truncate(MOST);
        warnings.truncate(MOST);
        Error::of(errors).map_or(Ok(warnings), Err)
    }
}
