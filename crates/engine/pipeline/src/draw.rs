//! Drawings of the graph, as text for Graphviz and Mermaid.

use std::{collections::HashMap, fmt::Write};

use crate::Pipeline;

/// A node or an edge of a drawing: the same for both languages.
struct Drawing {
    /// Lines of text by node.
    nodes: Vec<Vec<String>>,
    edges: Vec<Edge>,
}

struct Edge {
    from: usize,
    to: usize,
    label: String,
    /// From each round to the next.
    back: bool,
}

/// The graph in DOT. One node a stage, or one a task if `expanded`.
pub fn dot(pipeline: &Pipeline, expanded: bool) -> String {
    let drawing = Drawing::of(pipeline, expanded);
    let mut text =
        format!("digraph \"{}\" {{\n    rankdir=LR;\n    node [shape=box];\n", pipeline.name);
    for (i, lines) in drawing.nodes.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(|line| escape_dot(line)).collect();
        put(&mut text, format_args!("    n{i} [label=\"{}\"];", lines.join("\\n")));
    }
    for Edge { from, to, label, back } in &drawing.edges {
        let label = escape_dot(label);
        let style = if *back { ", style=dashed" } else { "" };
        put(&mut text, format_args!("    n{from} -> n{to} [label=\"{label}\"{style}];"));
    }
    text.push_str("}\n");
    text
}

/// The graph as a Mermaid flowchart. One node a stage, or one a task if `expanded`.
pub fn mermaid(pipeline: &Pipeline, expanded: bool) -> String {
    let drawing = Drawing::of(pipeline, expanded);
    let mut text = "flowchart LR\n".to_owned();
    for (i, lines) in drawing.nodes.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(|line| escape_html(line)).collect();
        put(&mut text, format_args!("    n{i}[\"{}\"]", lines.join("<br/>")));
    }
    for Edge { from, to, label, back } in &drawing.edges {
        let arrow = if *back { "-.->" } else { "-->" };
        put(&mut text, format_args!("    n{from} {arrow}|\"{}\"| n{to}", escape_html(label)));
    }
    text
}

impl Drawing {
    fn of(pipeline: &Pipeline, expanded: bool) -> Self {
        if expanded { Self::of_tasks(pipeline) } else { Self::of_stages(pipeline) }
    }

    fn of_stages(pipeline: &Pipeline) -> Self {
        let stages = pipeline.stages.iter().enumerate();
        let numbers: HashMap<&str, usize> = stages.map(|(i, s)| (s.name.as_str(), i)).collect();
        let mut drawing = Self { nodes: Vec::new(), edges: Vec::new() };
        for (i, stage) in pipeline.stages.iter().enumerate() {
            let mut lines = vec![stage.name.clone(), stage.kind.clone()];
            if !stage.axes.is_empty() {
                let count = stage.tasks.len();
                let s = if count == 1 { "" } else { "s" };
                lines.push(format!("{count} variant{s} ({})", stage.axes.join(", ")));
            }
            if !stage.collect.is_empty() {
                lines.push(format!("collects {}", stage.collect.join(", ")));
            }
            drawing.nodes.push(lines);
            for link in &stage.inputs {
                let when = if link.back { ", next round" } else { "" };
                let label = format!("{}{when}", link.artifact);
                let (from, back) = (numbers[link.stage.as_str()], link.back);
                drawing.edges.push(Edge { from, to: i, label, back });
            }
        }
        drawing
    }

    fn of_tasks(pipeline: &Pipeline) -> Self {
        let nodes = pipeline.graph.node_weights().map(|task| vec![task.label(), task.kind.clone()]);
        let edge = |edge: &petgraph::graph::Edge<crate::Wire>| Edge {
            from: edge.source().index(),
            to: edge.target().index(),
            label: edge.weight.output.clone(),
            back: false,
        };
        Self {
            nodes: nodes.collect(),
            edges: pipeline.graph.raw_edges().iter().map(edge).collect(),
        }
    }
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

fn escape_dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
