//! `scarce export --as`: every picture with its label, in a form that other tools read.

use std::path::Path;

use scarce_label::{
    journal::WhoWins,
    outcome::{Form, Outcome, Source},
};
use scarce_pipeline::Document;
use serde_json::json;

use crate::{
    args::{CollectionForm, ExportArgs, Global},
    data_folders,
    error::CliError,
    hosts,
    output::Output,
};

/// Puts the collection together and writes it.
pub(crate) fn run(args: &ExportArgs, global: &Global, out: &mut Output) -> Result<(), CliError> {
    let pipeline = Path::new(&args.run);
    let document = Document::read(pipeline)?;
    let hosts = hosts(document.hosts(), &global.artifacts)?;
    let journal = args.journal.clone().unwrap_or_else(|| pipeline.with_extension("labels.jsonl"));
    let root = std::path::absolute(&global.artifacts)?;
    let data = data_folders(global);
    let rule = WhoWins::parse(&args.who_wins);
    let outcome = Outcome::gather(pipeline, &hosts, (&root, &data), &journal, &rule)?;
    let form = match args.form {
        Some(CollectionForm::Parquet) => Form::Parquet,
        Some(CollectionForm::Folders) => Form::Folders,
        Some(CollectionForm::Imagefolder) => Form::ImageFolder,
        Some(CollectionForm::LabelStudio) => Form::LabelStudio,
        Some(CollectionForm::Coco) => Form::Coco,
        Some(CollectionForm::Csv) | None => Form::Csv,
    };
    outcome.write(form, &args.to, args.link)?;
    let given = outcome.rows().iter().filter(|row| row.source == Source::Given).count();
    let predicted = outcome.rows().len() - given;
    let (unusable, unknown) = (outcome.unusable, outcome.unknown);
    if out.json() {
        return out.print_json(&json!({
            "path": args.to,
            "given": given,
            "predicted": predicted,
            "unusable": unusable,
            "unknown": unknown,
        }));
    }
    let mut line = format!("{}: {given} given labels, {predicted} predicted", args.to.display());
    for (count, why) in [(unusable, "unusable"), (unknown, "with neither label nor prediction")] {
        if count > 0 {
            line.push_str(&format!("; left out: {count} {why}"));
        }
    }
    out.line(&line)
}
