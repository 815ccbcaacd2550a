//! What an orchestrator costs: runs with nothing to do, and stages that do next to nothing.
//!
//! All projects have the same shape: one stage that everything else reads, and so many others, each
//! spelt out. Ours are `ingest` of the digits and label budgets of ten (read a table, draw, write a
//! table); the peers' copy a small file. Whole commands are timed, from start to end.

use std::{fmt::Write, path::Path};

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Case, Choice, Work};
use crate::{
    contest::Turn,
    quality::Quality,
    scarce::{Ran, Scarce},
    session::Session,
};

/// The work.
pub(crate) const WORK: Work = Work {
    name: "runs",
    title: "Running stages, and finding that there is nothing to run",
    cases: &[
        Case { name: "nothing-7", title: "nothing to do, 7 stages", heavy: false },
        Case { name: "nothing-100", title: "nothing to do, 100 stages", heavy: false },
        Case { name: "nothing-1000", title: "nothing to do, 1,000 stages", heavy: true },
        Case { name: "execute-100", title: "100 trivial stages, per stage", heavy: true },
    ],
    run,
};

fn run(session: &mut Session, choice: &Choice) -> Result<()> {
    for case in &choice.cases {
        let (action, count) = match case.name {
            "nothing-7" => ("nothing", 7),
            "nothing-100" => ("nothing", 100),
            "nothing-1000" => ("nothing", 1000),
            _ => ("execute", 101),
        };
        compare(session, choice, case, action, count)?;
    }
    Ok(())
}

fn compare(
    session: &mut Session,
    choice: &Choice,
    case: &'static Case,
    action: &str,
    count: usize,
) -> Result<()> {
    let place = session.place.join("runs");
    let executes = action == "execute";
    let peer = |name: &str| {
        let folder = place.join(format!("{name}-{}", case.name));
        let data = json!({ "folder": folder });
        let params = json!({ "do": action, "stages": count });
        let peer = session.peer(name, &format!("runs_{name}.py"), data, params)?;
        Ok::<_, anyhow::Error>(if executes { peer.per(count) } else { peer })
    };
    let peers = vec![peer("dvc")?, peer("snakemake")?];
    let folder = place.join(format!("scarce-{}", case.name));
    let mut project = Project::new(&folder, count)?;
    let scarce = session.scarce()?;
    project.run(&scarce)?;
    session.compare(choice, case, peers, |_| {
        if executes { project.execute(&scarce) } else { project.nothing(&scarce) }
    })
}

/// A folder with a pipeline.
struct Project<'a> {
    folder: &'a Path,
    count: usize,
    /// Budgets draw with other seeds in every run that is to execute them.
    seed: usize,
}

impl<'a> Project<'a> {
    fn new(folder: &'a Path, count: usize) -> Result<Self> {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        fs_err::create_dir_all(folder)?;
        Ok(Self { folder, count, seed: 0 })
    }

    fn run(&self, scarce: &Scarce) -> Result<Ran> {
        let file = self.folder.join("pipeline.toml");
        fs_err::write(&file, pipeline(self.count, self.seed))?;
        scarce.run(self.folder, &file, &[])
    }

    fn nothing(&self, scarce: &Scarce) -> Result<Turn> {
        let Ran { seconds, computed: ran, cached } = self.run(scarce)?;
        ensure!((ran, cached) == (0, self.count), "{ran} stages ran, {cached} were cached");
        Ok(turn(seconds, self.count))
    }

    fn execute(&mut self, scarce: &Scarce) -> Result<Turn> {
        self.seed += self.count;
        let Ran { seconds, computed: ran, .. } = self.run(scarce)?;
        // the digits are read once for all runs
        ensure!(ran == self.count - 1, "{ran} stages ran");
        Ok(turn(seconds / ran as f64, ran))
    }
}

fn turn(seconds: f64, stages: usize) -> Turn {
    Turn { seconds, quality: Quality::from([("stages".to_owned(), stages as f64)]) }
}

/// `ingest`, and budgets up to `count` stages.
fn pipeline(count: usize, seed: usize) -> String {
    let mut text = "[pipeline]\nname = \"many\"\n\n[stages.base]\nkind = \"ingest\"\n\
                    dataset = \"digits\"\n"
        .to_owned();
    for stage in 1..count {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[stages.s{stage:04}]\nkind = \"budget\"\n\
             inputs = {{ truth = \"base\", images = \"base\" }}\nrandom = 10\nseed = {}\n",
            seed + stage
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_has_as_many_stages_as_asked_for() {
        let text = pipeline(7, 100);
        assert_eq!(text.matches("[stages.").count(), 7);
        assert!(text.contains("[stages.s0006]") && text.contains("seed = 106"));
    }
}
