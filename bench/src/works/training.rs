//! Autoencoders on the 60,000 training digits, seconds per epoch: the networks of three published
//! experiments, as `mnist-code-36.toml`, `mnist-ten-labels.toml` and `mnist-frontier.toml` in
//! `pipelines/` have them, without early stopping.
//!
//! Ours are stages that `scarce` runs: one that trains for one epoch, one that trains for some more. The
//! time of an epoch is their difference over the number of epochs more, so that starting a process,
//! reading images, and writing the model, which PyTorch's side does not do either, do not count.
//! PyTorch trains in a process that stays; its images lie in memory as floats, ours as bytes, which are
//! made floats batch by batch. Its second way, a `DataLoader`, is the one that most programs have.
//!
//! All weights start from the same distributions, which for transposed convolutions is not PyTorch's
//! own. Both sides report the mean loss of the last epoch that is timed, while it was learnt from. So early,
//! that of the convolutions depends much on the seed.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use scarce_artifact::{History, Reader};
use scarce_ingest::datasets::Dataset;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    data::Part,
    quality::Quality,
    scarce::{self, Scarce},
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "training",
    title: "Training an autoencoder on MNIST, per epoch of 60,000 images",
    cases: &[
        Case { name: "dense-36", title: "784–36–784, batches of 2,024", heavy: false },
        Case { name: "vae-20", title: "variational 784–400–20, batches of 128", heavy: false },
        Case {
            name: "conv-128",
            title: "2 convolutions, code of 128, batches of 128",
            heavy: true,
        },
    ],
    run,
};

const PIPELINE: &str = "training";
/// Step size of Adam.
const RATE: f64 = 1e-3;

/// A network and how it is trained.
struct Network {
    /// Parameters of the stage, but for the number of epochs.
    params: &'static str,
    batch: usize,
    /// Epochs that are timed.
    epochs: usize,
    /// What the loss is called: how close two of them should be.
    measure: &'static str,
    /// Whether there is a second peer with a `DataLoader`.
    loader: bool,
}

fn network(case: &str) -> Network {
    match case {
        "dense-36" => Network {
            params: "latent = 36\ncode_activation = \"relu\"\nloss = \"bce\"\n\
                     initialisation = \"glorot\"\n",
            batch: 2024,
            epochs: 20,
            measure: "loss",
            loader: false,
        },
        "vae-20" => Network {
            params: "variational = true\nhidden = [400]\nlatent = 20\nloss = \"bce\"\n",
            batch: 128,
            epochs: 3,
            measure: "loss",
            loader: true,
        },
        _ => Network {
            params: "architecture = \"conv\"\nlatent = 128\nloss = \"mse\"\n",
            batch: 128,
            epochs: 2,
            measure: "one-seed loss",
            loader: false,
        },
    }
}

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let x = session.data.scaled(Dataset::Mnist, Part::Train)?;
    let scarce = session.scarce()?;
    for case in &choice.cases {
        let network = network(case.name);
        let Network { batch, epochs, measure, .. } = network;
        let ask = |loader: bool| {
            let params = json!({
                "network": case.name, "batch": batch, "epochs": epochs, "rate": RATE,
                "loader": loader, "measure": measure,
            });
            let peer =
                session.peer("torch", "training_torch.py", json!({ "x": x.path }), params)?;
            Ok::<_, anyhow::Error>(peer.per(epochs))
        };
        let mut peers = vec![ask(false)?];
        if network.loader {
            peers.push(ask(true)?);
        }
        let folder = session.place.join("training").join(case.name);
        fs_err::create_dir_all(&folder)?;
        let file = folder.join("pipeline.toml");
        fs_err::write(&file, pipeline(&network))?;
        session.compare(choice, case, peers, |_| {
            let (seconds, loss) = train(&scarce, &folder, &file, epochs)?;
            Ok(Turn { seconds, quality: Quality::from([(measure.to_owned(), loss)]) })
        })?;
    }
    Ok(())
}

/// Images, and two stages that train: for one epoch, and for so many more.
fn pipeline(network: &Network) -> String {
    let Network { params, batch, epochs, .. } = network;
    let stage = |name: &str, epochs: usize| {
        format!(
            "\n[stages.{name}]\nkind = \"autoencoder\"\ninputs = {{ images = \"images\" }}\n\
             {params}batch = {batch}\nlearning_rate = {RATE}\ndevice = \"cpu\"\n\
             epochs = {epochs}\n"
        )
    };
    format!(
        "[pipeline]\nname = \"{PIPELINE}\"\n\n[stages.images]\nkind = \"ingest\"\n\
         dataset = \"mnist\"\n{}{}",
        stage("one", 1),
        stage("more", epochs + 1)
    )
}

/// Seconds of an epoch, and the mean loss of the last of so many.
fn train(scarce: &Scarce, folder: &Path, file: &Path, epochs: usize) -> Result<(f64, f64)> {
    // one after the other, each with all threads
    scarce.run(folder, file, &["--jobs", "1", "--force", "one", "--force", "more"])?;
    let used = scarce::used(folder, PIPELINE)?;
    let seconds = |stage: &str| {
        let used = used.get(stage).with_context(|| format!("`{stage}` did not run"))?;
        Ok::<_, anyhow::Error>(used.wall_seconds)
    };
    let seconds = (seconds("more")? - seconds("one")?) / epochs as f64;
    ensure!(seconds > 0.0, "one epoch took as long as {}", epochs + 1);
    let history = scarce::view(folder, PIPELINE).join("more/history.parquet");
    let losses = Reader::<History>::open(&history)?.read()?.train_loss;
    let loss = losses.get(epochs - 1).context("the history is too short")?;
    Ok((seconds, *loss))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_trains_twice_on_the_same_images() {
        for case in WORK.cases {
            let text = pipeline(&network(case.name));
            assert_eq!(text.matches("kind = \"autoencoder\"").count(), 2, "{text}");
            assert_eq!(text.matches("\nlearning_rate = 0.001\n").count(), 2, "{text}");
            assert!(text.contains("\nepochs = 1\n"), "{text}");
        }
        assert!(pipeline(&network("dense-36")).contains("\nbatch = 2024\n"));
    }
}
