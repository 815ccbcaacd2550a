//! Photographs through a pretrained network: 1,000 of clothes, about 256 × 341 pixels each, with
//! EfficientNet-Lite0 at 224 × 224.
//!
//! Ours is a run of the built `scarce` whose images are ingested already: start of two processes, the
//! search for every picture, the table of vectors included. The peer's clock sees reading, decoding,
//! preparing and the network, of which it holds a copy for every thread.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use scarce_artifact::{Embeddings, Points, Reader};
use scarce_neighbours::{Metric, neighbours::self_neighbours};
use scarce_numeric::Matrix;
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{contest::Turn, quality::Quality, say, scarce::view, session::Session};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "pretrained",
    title: "Photographs through a pretrained network, EfficientNet-Lite0",
    cases: &[Case { name: "clothes-1000", title: "1,000 JPEGs of clothes", heavy: false }],
    run,
};

const PICTURES: usize = 1000;
const BATCH: u32 = 8;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let Some(case) = choice.cases.first() else { return Ok(()) };
    let model = model(session.data.folders())?;
    let folder = session.place.join("pretrained");
    let (pictures, classes) = pictures(session, &folder.join("pictures"))?;
    let pipeline = folder.join("vectors.toml");
    fs_err::write(&pipeline, text(&pictures, &model))?;
    let scarce = session.scarce()?;
    if let Some(why) = scarce.refuses(&folder, &pipeline)? {
        bail!("the pipeline cannot be run yet:\n{why}");
    }
    scarce.run(&folder, &pipeline, &["images"])?;
    let data = json!({ "model": model, "folder": pictures });
    let params = json!({ "batch": BATCH });
    let peer = session.peer("networks", "pretrained_onnxruntime.py", data, params)?;
    session.compare(choice, case, vec![peer], |_| {
        let ran = scarce.run(&folder, &pipeline, &["vectors", "--force", "vectors"])?;
        let table = view(&folder, "vectors").join("vectors/embeddings.parquet");
        Ok(Turn { seconds: ran.seconds, quality: quality(&table, &classes)? })
    })
}

fn text(pictures: &Path, model: &Path) -> String {
    let (pictures, model) = (pictures.display(), model.display());
    format!(
        "[stages.images]\nkind = \"ingest\"\npath = \"{pictures}\"\n\
         resize = {{ height = 64, width = 64 }}\nchannels = \"rgb\"\n\n\
         [stages.vectors]\nkind = \"pretrained\"\ninputs = {{ images = \"images\" }}\n\
         path = \"{pictures}\"\nmodel = \"{model}\"\nbatch = {BATCH}\n"
    )
}

/// The network, which lies in or beside a data folder.
fn model(data: &[PathBuf]) -> Result<PathBuf> {
    let places = data.iter().flat_map(|data| [data.join("models"), data.join("../models")]);
    let mut places = places.map(|models| models.join("efficientnet-lite0"));
    places.find(|place| place.is_dir()).context("there is no `models/efficientnet-lite0`")
}

/// The first pictures of the training part, unpacked, with their classes.
fn pictures(session: &Session, folder: &Path) -> Result<(PathBuf, Vec<String>)> {
    let archives = session.data.folders().iter().map(|data| data.join("photos/clothing.tar"));
    let archive = archives.into_iter().find(|path| path.is_file());
    let archive = archive.context("there is no `photos/clothing.tar` in a data folder")?;
    let listed = tar(&["-tf"], &archive, &[])?;
    let mut names: Vec<&str> = listed
        .lines()
        .filter(|name| name.contains("/train/") && has_extension(name, "jpg"))
        .collect();
    names.sort_unstable();
    // Spread over the classes, which the names are sorted by.
    let step = (names.len() / PICTURES).max(1);
    let names: Vec<&str> = names.into_iter().step_by(step).take(PICTURES).collect();
    if !folder.join("done").exists() {
        say(format_args!("unpacking {} pictures into `{}`", names.len(), folder.display()));
        fs_err::create_dir_all(folder)?;
        let into = folder.to_string_lossy().into_owned();
        tar(&["-C", &into, "-xf"], &archive, &names)?;
        fs_err::write(folder.join("done"), "")?;
    }
    let top = names.first().and_then(|name| name.split('/').next()).unwrap_or_default();
    let class = |name: &&str| name.rsplit('/').nth(1).unwrap_or_default().to_owned();
    Ok((folder.join(top).join("train"), names.iter().map(class).collect()))
}

fn tar(before: &[&str], archive: &Path, names: &[&str]) -> Result<String> {
    let output = Command::new("tar").args(before).arg(archive).args(names).output();
    let output = output.context("`tar`")?;
    if !output.status.success() {
        bail!("`tar` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How many pictures have a nearest neighbour of their own class.
fn quality(table: &Path, classes: &[String]) -> Result<Quality> {
    let points = Points::read(&Reader::<Embeddings>::open(table)?, |_, _| true)?;
    let x = Matrix::new(&points.values, points.len(), points.width)?;
    let near = self_neighbours(x, 1, Metric::Cosine)?;
    let right = (0..points.len()).filter(|&row| {
        let (others, _) = near.of(row);
        others.first().is_some_and(|&other| classes[other as usize] == classes[row])
    });
    let share = right.count() as f64 / points.len() as f64;
    Ok(Quality::from([("accuracy, nearest neighbour".to_owned(), share)]))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}
