//! From ten thousand to six million vectors: reading them in, mini-batch k-means, the labels of
//! representatives given to whole clusters. Time and the largest memory of each stage; there is no peer.
//!
//! The vectors are made up, as no data set here has so many: a mixture of 50 normal distributions in 64
//! dimensions, whose means lie about six standard deviations apart; each of ten classes has five of
//! them. `scarce` runs all of it afresh, and what it says of its stages is what the table shows. Accuracy
//! is that of the labels over all rows, a hundred of which are given.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;
use scarce_artifact::{Labels, Reader};
use scarce_numeric::random;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    npy,
    quality::Quality,
    say,
    scarce::{self, Scarce},
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "scaling",
    title: "Vectors of 64 numbers: ingest, 100 clusters, labels of their representatives",
    cases: &[
        Case { name: "vectors-10000", title: "10,000 × 64", heavy: false },
        Case { name: "vectors-60000", title: "60,000 × 64", heavy: false },
        Case { name: "vectors-600000", title: "600,000 × 64", heavy: true },
        Case { name: "vectors-6000000", title: "6,000,000 × 64", heavy: true },
    ],
    run,
};

const PIPELINE: &str = "scaling";
/// What is shown of, in the order of the pipeline.
const STAGES: [&str; 3] = ["points", "clusters", "labels"];
const CLASSES: usize = 10;
const DISTRIBUTIONS: usize = 50;
const WIDTH: usize = 64;
/// Rows that are drawn from one stream.
const BLOCK: usize = 4096;
/// Blocks in memory at a time.
const BLOCKS: usize = 32;

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    let scarce = session.scarce()?;
    for case in &choice.cases {
        let rows = case.name.trim_start_matches("vectors-").parse()?;
        let project = Project::new(&session.place.join("scaling").join(case.name), rows)?;
        session.compare(choice, case, Vec::new(), |_| project.turn(&scarce))?;
        // Gigabytes that nobody looks at again.
        fs_err::remove_dir_all(&project.folder)?;
    }
    Ok(())
}

/// A folder with vectors, their classes and a pipeline.
struct Project {
    folder: PathBuf,
    pipeline: PathBuf,
    rows: usize,
}

impl Project {
    fn new(folder: &Path, rows: usize) -> Result<Self> {
        say(format_args!("writing `{}`: {rows} × {WIDTH}", folder.display()));
        let mixture = Mixture::new();
        let starts: Vec<usize> = (0..rows).step_by(BLOCK).collect();
        let blocks = starts.chunks(BLOCKS).flat_map(|starts| {
            let block = |&start: &usize| mixture.block(start, BLOCK.min(rows - start));
            starts.par_iter().map(block).collect::<Vec<_>>()
        });
        npy::write_parts(&folder.join("x.npy"), &format!("({rows}, {WIDTH})"), blocks)?;
        let classes: Vec<u32> = (0..rows).map(class_of).collect();
        npy::write(&folder.join("y.npy"), &format!("({rows},)"), &classes)?;
        let pipeline = folder.join("pipeline.toml");
        fs_err::write(&pipeline, TEXT)?;
        Ok(Self { folder: folder.to_owned(), pipeline, rows })
    }

    fn turn(&self, scarce: &Scarce) -> Result<Turn> {
        let artifacts = self.folder.join("artifacts");
        if artifacts.exists() {
            fs_err::remove_dir_all(&artifacts)?;
        }
        let seconds = scarce.run(&self.folder, &self.pipeline, &[])?.seconds;
        let used = scarce::used(&self.folder, PIPELINE)?;
        let mut quality = Quality::from([("accuracy".to_owned(), self.accuracy()?)]);
        for stage in STAGES {
            let used = used.get(stage).with_context(|| format!("`{stage}` did not run"))?;
            let mebibytes = used.peak_memory_bytes / f64::from(1 << 20);
            quality.insert(format!("{stage}, mebibytes"), mebibytes.round());
            let milliseconds = (used.wall_seconds * 1e3).round();
            quality.insert(format!("{stage}, seconds"), milliseconds / 1e3);
        }
        Ok(Turn { seconds, quality })
    }

    /// The share of rows with the right label.
    fn accuracy(&self) -> Result<f64> {
        let path = scarce::view(&self.folder, PIPELINE).join("labels/labels.parquet");
        let labels = Reader::<Labels>::open(&path)?.read()?;
        let rows = labels.id.iter().zip(&labels.label);
        let right = rows.filter(|&(&id, &label)| label == class_of(id as usize) as i32).count();
        Ok(right as f64 / self.rows as f64)
    }
}

const TEXT: &str = r#"[pipeline]
name = "scaling"

[stages.points]
kind = "ingest-embeddings"
path = "x.npy"
truth = "y.npy"

[stages.clusters]
kind = "minibatch-kmeans"
inputs = { features = "points" }
clusters = 100

[stages.representatives]
kind = "budget"
inputs = { truth = "points", embeddings = "points", clusters = "clusters" }

[stages.labels]
kind = "propagate-clusters"
inputs = { clusters = "clusters", labels = "representatives" }
"#;

/// The distribution of a row: each in turn.
fn distribution_of(row: usize) -> usize {
    row % DISTRIBUTIONS
}

fn class_of(row: usize) -> u32 {
    (distribution_of(row) % CLASSES) as u32
}

/// Normal distributions of variance 1.
struct Mixture {
    /// `[DISTRIBUTIONS, WIDTH]`
    means: Vec<f64>,
}

impl Mixture {
    fn new() -> Self {
        let mut stream = random::stream(0, "benchmark means", 0);
        let means = (0..DISTRIBUTIONS * WIDTH).map(|_| 2.0 * random::uniform(&mut stream) - 1.0);
        Self { means: means.collect() }
    }

    /// So many rows from `start` on, `[rows, WIDTH]`; `start` is the first of a block.
    fn block(&self, start: usize, rows: usize) -> Vec<f32> {
        let mut stream = random::stream(0, "benchmark mixture", (start / BLOCK) as u64);
        let mut values = Vec::with_capacity(rows * WIDTH);
        for row in start..start + rows {
            let mean = &self.means[distribution_of(row) * WIDTH..][..WIDTH];
            for two in mean.chunks_exact(2) {
                // two normal numbers from two uniform ones (Box and Muller 1958)
                let length = (-2.0 * (1.0 - random::uniform(&mut stream)).ln()).sqrt();
                let (sin, cos) = (std::f64::consts::TAU * random::uniform(&mut stream)).sin_cos();
                values.extend([(two[0] + length * cos) as f32, (two[1] + length * sin) as f32]);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_around_the_means_of_their_distributions() {
        let mixture = Mixture::new();
        let block = mixture.block(0, BLOCK);
        assert_eq!(block[..7 * WIDTH], mixture.block(0, 7));
        assert_ne!(block[..WIDTH], mixture.block(BLOCK, 1));
        let squares: f64 = (0..BLOCK)
            .flat_map(|row| {
                let mean = &mixture.means[distribution_of(row) * WIDTH..][..WIDTH];
                let values = &block[row * WIDTH..][..WIDTH];
                values.iter().zip(mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2))
            })
            .sum();
        let variance = squares / block.len() as f64;
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn every_class_has_as_many_distributions() {
        let mut counts = [0; CLASSES];
        for row in 0..DISTRIBUTIONS {
            counts[class_of(row) as usize] += 1;
        }
        assert_eq!(counts, [DISTRIBUTIONS / CLASSES; CLASSES]);
    }

    #[test]
    fn a_project_holds_all_that_its_pipeline_names() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::new(folder.path(), BLOCK + 5).unwrap();
        let bytes = |name: &str| fs_err::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(bytes("x.npy"), 128 + ((BLOCK + 5) * WIDTH * 4) as u64);
        assert_eq!(bytes("y.npy"), 128 + ((BLOCK + 5) * 4) as u64);
        assert!(project.pipeline.exists());
        assert!(STAGES.iter().all(|stage| TEXT.contains(&format!("[stages.{stage}]"))));
    }
}
