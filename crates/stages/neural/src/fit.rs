//! What all kinds that fit share.

use scarce_artifact::{Empty, History, Labels};
use scarce_nn::tch::{self, Tensor};
use scarce_nn::{Device, LIBTORCH, Mode, Progress, Rows, Training, Variables};
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Splits};

use crate::{
    Blueprint, Error, Network,
    answers::{Classifier, predictions},
    objective::Objective,
    params::Fitting,
    source::{Examples, Seen, Source},
    start::{CONVOLUTIONS, Start},
};

/// The type of the port that a network goes through.
pub(crate) const MODEL: &str = "network";

/// A kind that fits, with the ports and facts that all of them have, but for what it sees.
pub(crate) fn fitting_kind(kind: &str, summary: &str, doc: &str, sees: Port) -> Description {
    let model = "The trained network, for `neural-predict`";
    let seen = Splits::learnable();
    on_libtorch(Description::new(kind, summary).doc(doc))
        .learns(Learns::labels(&sees.name, seen).keeping(predicted()).seeded())
        .input(sees)
        .input(Port::table::<Labels>("labels", "The labels to learn from, joined by image id"))
        .output(predictions())
        .output(Port::model("model", MODEL, model))
        .output(Port::table::<History>("history", "Losses by epoch"))
}

/// The images that are predicted.
pub(crate) fn predicted() -> Splits {
    Splits::Parameter("/splits".to_owned())
}

/// Says that a kind's bytes depend on libtorch and on the device.
pub(crate) fn on_libtorch(description: Description) -> Description {
    description
        .needs(Needs { gpu: true, ..Needs::default() })
        .environment("libtorch", LIBTORCH)
        .environment("device", Device::default_class())
}

/// Trains the network that `blueprint` draws for the classes that have labels, on the labelled
/// rows of `source`, and writes all outputs. Its convolutions begin as those of `start`.
pub(crate) fn fit(
    context: &Context,
    source: &Source,
    fitting: &Fitting,
    start: Option<Start>,
    blueprint: impl FnOnce(crate::Input, Vec<usize>) -> Blueprint,
) -> Result<(), Failure> {
    let objective = Objective::new(fitting)?;
    let labels = context.input::<Labels>("labels")?;
    let examples = source.labelled(&labels)?;
    let learnt = learnt_classes(&examples, fitting.weight_by_confidence)?;
    let blueprint = blueprint(source.input()?, learnt);

    let device = fitting.device.open()?;
    let seed = fitting.training.seed;
    let variables = match start {
        Some(Start { model, stem, .. }) => {
            Variables::begun(device, seed, model, &stem, CONVOLUTIONS)
        }
        None => Variables::fresh(device, seed),
    };
    let lesson = Lesson::new(&examples, &blueprint, fitting.weight_by_confidence, device)?;
    let history = lesson.teach(&variables, &blueprint, objective, fitting, context)?;

    let preprocessing = source.preprocessing();
    let model = blueprint.model(&variables, &examples.classes, preprocessing)?;
    context.write_model("model", &model)?;
    context.write("history", Empty {}, history)?;
    let mut classifier = Classifier::new(&variables, &blueprint, &examples.classes)?;
    classifier.predict(context, source, &fitting.splits)
}

/// The classes that have labelled images of some weight: at least two.
fn learnt_classes(examples: &Examples, weighted: bool) -> Result<Vec<usize>, Error> {
    let Examples { label, confidence, classes, .. } = examples;
    let mut seen = vec![false; classes.len()];
    for (&label, &confidence) in label.iter().zip(confidence) {
        seen[label as usize] |= !weighted || confidence > 0.0;
    }
    let learnt: Vec<usize> = (0..seen.len()).filter(|&class| seen[class]).collect();
    match learnt[..] {
        [] => Err(Error::NoConfidence { labelled: label.len() }),
        [class] => {
            Err(Error::OneClass { class: classes.classes[class].clone(), labelled: label.len() })
        }
        _ => Ok(learnt),
    }
}

/// The examples on the device, as the network's outputs number the classes.
struct Lesson {
    seen: Seen,
    /// Which output each row should raise: `[n]`.
    targets: Tensor,
    /// What each row counts, 1 on average: `[n]`.
    weights: Option<Tensor>,
    /// The labels of the rows that are learnt from.
    labels: Vec<u32>,
    /// The numbers of these rows: all but those of no weight.
    rows: Vec<i64>,
}

impl Lesson {
    fn new(
        examples: &Examples,
        blueprint: &Blueprint,
        weighted: bool,
        device: tch::Device,
    ) -> Result<Self, Error> {
        let Examples { values, label, confidence, .. } = examples;
        let counts = |row: &usize| !weighted || confidence[*row] > 0.0;
        let rows: Vec<usize> = (0..label.len()).filter(counts).collect();
        let output = |label: &u32| {
            blueprint.learnt.binary_search(&(*label as usize)).unwrap_or_default() as i64
        };
        let targets: Vec<i64> = label.iter().map(output).collect();
        let weights = if weighted {
            let sum: f64 = confidence.iter().map(|&weight| f64::from(weight)).sum();
            let mean = (sum / rows.len() as f64) as f32;
            let weights: Vec<f32> = confidence.iter().map(|weight| weight / mean).collect();
            Some(Tensor::f_from_slice(&weights)?.f_to(device)?)
        } else {
            None
        };
        Ok(Self {
            seen: values.all().seen(device, blueprint.input)?,
            targets: Tensor::f_from_slice(&targets)?.f_to(device)?,
            weights,
            labels: rows.iter().map(|&row| label[row]).collect(),
            rows: rows.iter().map(|&row| row as i64).collect(),
        })
    }

    /// Trains the network.
    fn teach(
        &self,
        variables: &Variables,
        blueprint: &Blueprint,
        objective: Objective,
        fitting: &Fitting,
        context: &Context,
    ) -> Result<History, Error> {
        let rows = self.split(fitting)?;
        let epochs = fitting.epochs;
        let default = || Training::epochs_for(rows.train.len(), fitting.training.batch);
        let training =
            Training { epochs: epochs.unwrap_or_else(default), ..fitting.training.clone() };
        let mut progress = |at: &Progress| {
            context.progress(at.done as u64, at.total as u64, "steps", &at.to_string());
        };
        let learner = |replica: &Variables| {
            let network = Network::new(replica, blueprint)?;
            let (seen, targets) = (self.seen.replica(), self.targets.shallow_clone());
            let weights = self.weights.as_ref().map(Tensor::shallow_clone);
            let bent = fitting.augmentation.zip(blueprint.input.shape());
            Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
                let mut x = seen.gather(rows)?;
                if let (Mode::Training(stream), Some((augmentation, shape))) = (&mut *mode, bent) {
                    x = augmentation.apply(&x, shape, stream)?;
                }
                let outputs = network.forward(&x, mode)?;
                let weights = weights.as_ref().map(|all| all.f_index_select(0, rows));
                let targets = targets.f_index_select(0, rows)?;
                objective.mean(&outputs, &targets, weights.transpose()?.as_ref())
            })
        };
        let epochs = scarce_nn::train(variables, rows, &training, &mut progress, learner)?;
        Ok(scarce_nn::history(&epochs))
    }

    /// Which rows are for learning and which for validation.
    fn split(&self, fitting: &Fitting) -> Result<Rows, Error> {
        let mut split = match fitting.early_stopping {
            None => Rows::all(self.rows.len()),
            Some(stopping) => {
                let seed = fitting.training.seed;
                Rows::set_aside_stratified(&self.labels, stopping.validation, seed)?
            }
        };
        for row in split.train.iter_mut().chain(&mut split.validation) {
            *row = self.rows[*row as usize];
        }
        Ok(split)
    }
}
