//! `scarce graph`: the pipeline drawn as DOT, Mermaid or SVG.

use layout::{
    backends::svg::SVGWriter,
    gv::{DotParser, GraphBuilder},
};
use scarce_pipeline::{Pipeline, dot, mermaid};

use crate::{
    args::{Drawing, GraphArgs},
    error::CliError,
    output::Output,
};

/// Draws to the named file or to standard output.
pub(crate) fn run(args: &GraphArgs, pipeline: &Pipeline, out: &mut Output) -> Result<(), CliError> {
    let text = match args.format {
        Drawing::Dot => dot(pipeline, args.expand),
        Drawing::Mermaid => mermaid(pipeline, args.expand),
        Drawing::Svg => svg(&dot(pipeline, args.expand))?,
    };
    match &args.output {
        Some(path) => Ok(fs_err::write(path, text)?),
        None => out.line(text.trim_end()),
    }
}

fn svg(dot: &str) -> Result<String, CliError> {
    let graph = DotParser::new(dot).process().map_err(|message| CliError::Drawing { message })?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&graph);
    let mut drawing = builder.get();
    let mut writer = SVGWriter::new();
    drawing.do_it(false, false, false, &mut writer);
    Ok(writer.finalize())
}
