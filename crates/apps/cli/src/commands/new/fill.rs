//! A template of `pipelines/`, filled in.

use toml_edit::{DocumentMut, Item, TableLike, Value, value};

use super::{Encoder, Found};
use crate::{args::NewArgs, error::CliError};

/// The same files that a user may edit by hand.
const LABELLED: &str = include_str!("../../../../../../pipelines/own-photos.toml");
const LABELLED_OWN: &str = include_str!("../../../../../../pipelines/own-images.toml");
const FIRST: &str = include_str!("../../../../../../pipelines/own-first-labels.toml");
const LABELLING: &str = include_str!("../../../../../../pipelines/own-labelling.toml");
const EXPERIMENT: &str = include_str!("../../../../../../pipelines/own-experiment.toml");

/// An encoder of one's own sees small pictures: training takes minutes.
const SMALL: u32 = 32;
/// Copies for the page are no larger than this.
const COPY: u32 = 64;

/// What is asked of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Learn from the labels that there are.
    Labelled,
    /// Say which pictures to label first.
    First,
    /// See how few labels would do, where folders give the class of every picture.
    Experiment,
    /// Label them on a page.
    Labelling,
}

/// What goes into the template.
pub(super) struct Places {
    pub(super) name: String,
    pub(super) images: String,
    pub(super) labels: Option<String>,
}

impl Task {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::First => "first-labels",
            Self::Experiment => "experiment",
            Self::Labelling => "labelling",
        }
    }

    /// What to do now.
    pub(super) fn next_step(self, run: &str, args: &NewArgs, found: &Found) -> String {
        let images = args.images.display();
        match self {
            Self::Labelled | Self::Labelling => format!("next: {run}"),
            Self::First => format!(
                "next: {run}\n\
                 its page shows which pictures to label first; write their names and classes into a file \
                 with the columns `file` and `label`, then\n\
                 scarce new --images {images} --labels labels.csv --output labelled.toml"
            ),
            Self::Experiment => {
                let classes: Vec<&str> =
                    found.classes.iter().map(|(name, _)| name.as_str()).collect();
                let shown = if classes.len() > 6 {
                    format!("{}, … ({} in all)", classes[..5].join(", "), classes.len())
                } else {
                    classes.join(", ")
                };
                format!(
                    "the folders {shown} are taken for the true class of every picture: this is an \
                     experiment, which shows how few labels would have done.\n\
                     For pictures whose class you do not know, put them all into one folder and give the \
                     labels that you have by --labels.\n\
                     next: {run}"
                )
            }
        }
    }
}

/// The text of the pipeline.
pub(super) fn pipeline(
    task: Task,
    encoder: &Encoder,
    found: &Found,
    places: &Places,
) -> Result<String, CliError> {
    let template = match (task, encoder) {
        (Task::Labelled, Encoder::Pretrained(_)) => LABELLED,
        (Task::Labelled, Encoder::Own) => LABELLED_OWN,
        (Task::First, _) => FIRST,
        (Task::Experiment, _) => EXPERIMENT,
        (Task::Labelling, _) => LABELLING,
    };
    let mut document: DocumentMut = template.parse().map_err(std::io::Error::other)?;
    set(&mut document, "pipeline", "name", places.name.as_str());
    set_stage(&mut document, "images", "path", places.images.as_str());
    if let Some(labels) = &places.labels {
        set_stage(&mut document, "given", "path", labels.as_str());
    }
    match encoder {
        Encoder::Pretrained(model) => {
            set_stage(&mut document, "vectors", "path", places.images.as_str());
            set_stage(&mut document, "vectors", "model", model.as_str());
            size(&mut document, found, COPY);
        }
        Encoder::Own => {
            if task != Task::Labelled {
                without_network(&mut document);
            }
            size(&mut document, found, SMALL);
        }
    }
    let channels = if found.colour { "rgb" } else { "grey" };
    set_stage(&mut document, "images", "channels", channels);
    if !found.unreadable.is_empty() {
        set_stage(&mut document, "images", "skip_unreadable", true);
    }
    fit(&mut document, task, found);
    Ok(document.to_string())
}

/// The size of the copies: never larger than the pictures.
fn size(document: &mut DocumentMut, found: &Found, most: u32) {
    let (height, width) = found.usual_size().unwrap_or((most, most));
    let side = height.min(width).clamp(8, most);
    if let Some(images) = stage(document, "images")
        && let Some(resize) = images.get_mut("resize").and_then(Item::as_table_like_mut)
    {
        for key in ["height", "width"] {
            replace(resize, key, i64::from(side).into());
        }
    }
}

/// Numbers that a small folder does not have room for.
fn fit(document: &mut DocumentMut, task: Task, found: &Found) {
    let pictures = found.pictures as i64;
    let limits = [
        ("levelled", "components", 48, pictures / 2),
        ("reduced", "components", 128, pictures / 2),
        ("graph", "k", 10, pictures - 1),
        ("first", "batch", if task == Task::Labelling { 10 } else { 40 }, pictures),
        ("next", "batch", if task == Task::Labelling { 10 } else { 20 }, pictures),
        ("groups", "clusters", 40, pictures / 2),
        ("map", "perplexity", 30, pictures / 4),
    ];
    for (name, key, usual, most) in limits {
        if most < usual && stage(document, name).is_some() {
            set_stage(document, name, key, most.max(1));
        }
    }
}

/// In place of the pretrained network an encoder that learns from the pictures alone.
fn without_network(document: &mut DocumentMut) {
    let own: DocumentMut = match LABELLED_OWN.parse() {
        Ok(own) => own,
        Err(_) => return,
    };
    let Some(stages) = document.get_mut("stages").and_then(Item::as_table_mut) else { return };
    let position =
        stages.get("vectors").and_then(Item::as_table).and_then(toml_edit::Table::position);
    let take = |name: &str| own["stages"].get(name).and_then(Item::as_table).cloned();
    let (Some(mut encoder), Some(mut codes)) = (take("encoder"), take("codes")) else { return };
    for table in [&mut encoder, &mut codes] {
        table.set_position(position);
    }
    stages.insert("encoder", Item::Table(encoder));
    stages.insert("vectors", Item::Table(codes));
}

fn stage<'a>(document: &'a mut DocumentMut, name: &str) -> Option<&'a mut dyn TableLike> {
    document.get_mut("stages")?.get_mut(name)?.as_table_like_mut()
}

fn set_stage(document: &mut DocumentMut, name: &str, key: &str, new: impl Into<Value>) {
    if let Some(table) = stage(document, name) {
        replace(table, key, new.into());
    }
}

fn set(document: &mut DocumentMut, table: &str, key: &str, new: impl Into<Value>) {
    if let Some(table) = document.get_mut(table).and_then(Item::as_table_like_mut) {
        replace(table, key, new.into());
    }
}

/// Replaces a value and keeps the comment behind it.
fn replace(table: &mut dyn TableLike, key: &str, new: Value) {
    let decor = table.get(key).and_then(Item::as_value).map(|old| old.decor().clone());
    let mut item = value(new);
    if let (Some(new), Some(decor)) = (item.as_value_mut(), decor) {
        *new.decor_mut() = decor;
    }
    table.insert(key, item);
}
