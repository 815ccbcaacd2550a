//! `scarce graph`: the pipeline drawn as DOT, Mermaid or SVG.

use clap::ValueEnum;
use layout::{
    backends::svg::SVGWriter,
    gv::{DotParser, GraphBuilder},
};
use scarce_pipeline::{Pipeline, Stage, dot, mermaid};
use serde_json::{Value, json};

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
    if let Some(path) = &args.output {
        fs_err::write(path, &text)?;
    }
    if out.json() {
        return out.print_json(&as_json(args, pipeline, &text));
    }
    match &args.output {
        Some(_) => Ok(()),
        None => out.line(text.trim_end()),
    }
}

/// Stages and wires for programs that draw it themselves, and the drawing.
fn as_json(args: &GraphArgs, pipeline: &Pipeline, drawing: &str) -> Value {
    let stage = |stage: &Stage| {
        json!({ "name": stage.name, "kind": stage.kind, "axes": stage.axes,
                "collect": stage.collect, "variants": stage.tasks.len() })
    };
    let wires = pipeline.stages.iter().flat_map(|reader| {
        reader.inputs.iter().map(|link| {
            json!({ "from": link.stage, "output": link.output, "to": reader.name,
                    "input": link.input, "artifact": link.artifact, "back": link.back })
        })
    });
    json!({
        "name": pipeline.name,
        "stages": pipeline.stages.iter().map(stage).collect::<Vec<_>>(),
        "wires": wires.collect::<Vec<_>>(),
        "format": args.format.to_possible_value().map(|word| word.get_name().to_owned()),
        "drawing": drawing,
        "file": args.output,
    })
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
