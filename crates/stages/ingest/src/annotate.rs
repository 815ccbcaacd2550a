//! The kind `annotate`: answers what a strategy asks for, and keeps what was known before.

use std::collections::BTreeMap;

use scarce_artifact::{Embeddings, Images, LabelSource, Labels, Queries, Truth};
use scarce_numeric::random;
use scarce_stage::{Context, Description, Failure, Input, Learns, Needs, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, id_list::IdList, image_index::ImageIndex, labelling_pool::LabellingPool,
};

/// Parameters of `annotate`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Answer at most so many queries, by rank; by default all of them.
    pub first: Option<u32>,
    /// Share of the answers that are wrong, from 0 to 1: the annotator then names another class, each
    /// with the same probability. Labels that are there already stay as they are.
    #[schemars(range(min = 0, max = 1))]
    pub error_rate: f64,
    /// Seed of the wrong answers. Whoever is asked for the same image again says the same.
    pub seed: u64,
}

/// The kind `annotate`.
pub(crate) struct Annotate;

/// What is known of an image.
#[derive(Debug, Clone, Copy)]
struct Known {
    label: i32,
    source: LabelSource,
    confidence: f32,
}

impl Stage for Annotate {
    type Params = Params;

    fn describe() -> Description {
        Description::new("annotate", "Answer queries with true labels, beside those known before")
            .needs(Needs::light())
            .with_same_classes()
            .learns(
                Learns::nothing().keeping(Splits::learnable()).seeded_with(&["error_rate"]),
            )
            .doc(
                "The simulated annotator of active learning: the labels that are there already, and \
                 for every image that `queries` asks for its true label, with the source `queried`. \
                 In rounds, `labels` are those to begin with and this stage's own of the round \
                 before; without `queries`, as in a first round, they are handed on as they are.\n\n\
                 An image has one label: two tables that disagree are an error, and what is \
                 labelled already is not asked again. Propagated labels are refused: wire what was \
                 given. Images in the `test` split are refused where `images` or `embeddings` say \
                 which those are.",
            )
            .input(Port::table::<Truth>("truth", "Where the answers come from"))
            .input(
                Port::table::<Labels>("labels", "Labels that are there already").many().optional(),
            )
            .input(Port::table::<Queries>("queries", "The images to label").optional())
            .input(Port::table::<Images>("images", "Says which images are for testing").optional())
            .input(
                Port::table::<Embeddings>("embeddings", "The same, where there are no images")
                    .optional(),
            )
            .output(Port::table::<Labels>("labels", "All of them, sorted by id"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        if !(0.0..=1.0).contains(&params.error_rate) {
            let message = format!("`error_rate` is {}", params.error_rate);
            return Err(Error::request(message, "give a number from 0 to 1").into());
        }
        let tables = context.inputs::<Labels>("labels")?;
        let queries = context.optional::<Queries>("queries")?;
        if tables.is_empty() && queries.is_none() {
            let help = "wire `labels`, `queries` or both";
            return Err(Error::request("there are no labels and none are asked for", help).into());
        }
        let image_index = ImageIndex::find(context)?;
        if image_index.is_none() && queries.is_some() {
            tracing::warn!(
                "neither `images` nor `embeddings` is wired: test images cannot be told from others"
            );
        }
        let truth = context.input::<Truth>("truth")?;
        let classes = &truth.meta().classes;
        let eligible = LabellingPool::new(truth.read()?, classes, image_index.as_ref())?;
        let mut known = unite(&tables, classes, &eligible)?;
        if let Some(queries) = queries {
            answer(IdList::queried(queries.read()?), &params, &eligible, &mut known)?;
        }
        context.write("labels", truth.meta().clone(), table(known))
    }
}

/// All labels that are there, one for each image.
fn unite(
    tables: &[Input<Labels>],
    classes: &[String],
    eligible: &LabellingPool<'_>,
) -> Result<BTreeMap<u32, Known>> {
    let mut known: BTreeMap<u32, (Known, &str)> = BTreeMap::new();
    for input in tables {
        let from = input.stage.as_str();
        if input.table.meta().classes != classes {
            let message = format!("the labels of `{from}` are of other classes than the truth");
            let help = "name the same classes in the same order where the two enter";
            return Err(Error::request(message, help));
        }
        let rows = input.table.read()?;
        for (row, &id) in rows.id.iter().enumerate() {
            let (label, source) = (rows.label[row], rows.source[row]);
            refuse(id, label, source, from, eligible)?;
            let found = Known { label, source, confidence: rows.confidence[row] };
            let (first, whose) = *known.entry(id).or_insert((found, from));
            if first.label != label {
                let name = |label: i32| &classes[label as usize];
                let message = format!(
                    "id {id} is `{}` in the labels of `{whose}` and `{}` in those of `{from}`",
                    name(first.label),
                    name(label)
                );
                return Err(Error::request(message, "an image has one label: keep one of the two"));
            }
        }
    }
    Ok(known.into_iter().map(|(id, (known, _))| (id, known)).collect())
}

/// Refuses a label that nobody may have given.
fn refuse(
    id: u32,
    label: i32,
    source: LabelSource,
    from: &str,
    eligible: &LabellingPool<'_>,
) -> Result<()> {
    let (problem, help) = if source == LabelSource::Propagated {
        ("is propagated", "wire the labels that it was propagated from")
    } else if eligible.is_test(id) {
        ("is of an image in the `test` split", "label images that may be learnt from")
    } else {
        return Ok(());
    };
    let message = format!("the labels of `{from}`: label {label} of id {id} {problem}");
    Err(Error::request(message, help))
}

/// Labels what is asked for and not labelled yet.
fn answer(
    mut listed: IdList,
    params: &Params,
    eligible: &LabellingPool<'_>,
    known: &mut BTreeMap<u32, Known>,
) -> Result<()> {
    listed.ids.truncate(params.first.map_or(usize::MAX, |first| first as usize));
    eligible.check(&listed)?;
    let asked = listed.ids.len();
    listed.ids.retain(|id| !known.contains_key(id));
    if listed.ids.len() < asked {
        tracing::warn!(
            "{} of {asked} queried images are labelled already",
            asked - listed.ids.len()
        );
    }
    for id in listed.ids {
        let label = said(id, eligible.label[&id], eligible.classes.len(), params);
        known.insert(id, Known { label, source: LabelSource::Queried, confidence: 1.0 });
    }
    Ok(())
}

/// What the annotator says of an image of this class.
fn said(id: u32, class: i32, classes: usize, params: &Params) -> i32 {
    let mut stream = random::stream(params.seed, "annotator", u64::from(id));
    if classes < 2 || random::uniform(&mut stream) >= params.error_rate {
        return class;
    }
    let other = (random::uniform(&mut stream) * (classes - 1) as f64) as i32;
    // The other classes, counted without this one.
    if other < class { other } else { other + 1 }
}

fn table(known: BTreeMap<u32, Known>) -> Labels {
    let mut labels = Labels::default();
    for (id, known) in known {
        labels.id.push(id);
        labels.label.push(known.label);
        labels.source.push(known.source);
        labels.confidence.push(known.confidence);
    }
    labels
}

#[cfg(test)]
mod tests;
