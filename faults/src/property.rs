//! The promise of the cache as a state machine: after any sequence of edits, runs, kills, damage and
//! collections, a run shows what a run of the same pipeline in an empty folder shows, byte for byte.
//!
//! The reference is the pipeline's text and its data; the machine itself is a project that has been
//! through everything. A sequence that fails is shortened before it is shown.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use proptest::{
    prelude::*,
    sample::subsequence,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use rustix::process::Signal;
use scarce_tests::{Project, descendants, eventually, files};

use crate::{
    Case, Outcome,
    families::{
        damage::damage,
        kills::{all_end, kill},
    },
    tables::{Tables, assert_same, tables},
};

/// A pipeline and its data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Draft {
    /// Which of some data files lies there.
    data: usize,
    seeds: Vec<usize>,
    per_class: usize,
    k: usize,
    components: Option<usize>,
    clusters: Option<usize>,
    /// Tenths.
    regression: Option<usize>,
    renamed: bool,
}

impl Draft {
    fn toml(&self) -> String {
        let mut text = String::from("[pipeline]\nname = \"draft\"\n\n");
        let swept = !self.seeds.is_empty();
        if swept {
            let _ = writeln!(text, "[axes]\nseed = {:?}\n", self.seeds);
        }
        let labels = if self.renamed { "given" } else { "labels" };
        let seed = if swept { "seed = \"$seed\"\n" } else { "" };
        let _ = write!(
            text,
            "[stages.images]\nkind = \"ingest\"\npath = \"images.idx\"\ntruth = \"truth.idx\"\n\
             test_fraction = 0.25\n\n\
             [stages.{labels}]\nkind = \"budget\"\n\
             inputs = {{ truth = \"images\", images = \"images\" }}\nper_class = {}\n{seed}\n\
             [stages.pixels]\nkind = \"pixels\"\ninputs = {{ images = \"images\" }}\n\n",
            self.per_class
        );
        let mut features = "pixels";
        if let Some(components) = self.components {
            let _ = write!(
                text,
                "[stages.pca]\nkind = \"pca\"\ninputs = {{ images = \"images\" }}\ncomponents = {components}\n\n"
            );
            features = "pca";
        }
        let _ = write!(
            text,
            "[stages.knn]\nkind = \"knn\"\n\
             inputs = {{ features = \"{features}\", labels = \"{labels}\" }}\nk = {}\n\n",
            self.k
        );
        let mut predictions = vec!["knn"];
        let mut propagated = "";
        let mut learnt = labels;
        if let Some(clusters) = self.clusters {
            let _ = write!(
                text,
                "[stages.clusters]\nkind = \"kmeans\"\ninputs = {{ features = \"{features}\" }}\n\
                 clusters = {clusters}\n{seed}\n\
                 [stages.spread]\nkind = \"propagate-clusters\"\n\
                 inputs = {{ clusters = \"clusters\", labels = \"{labels}\" }}\n\n"
            );
            propagated = ", propagated = [\"spread\"]";
            learnt = "spread";
        }
        if let Some(tenths) = self.regression {
            let c = tenths as f64 / 10.0;
            let _ = write!(
                text,
                "[stages.regression]\nkind = \"logistic-regression\"\n\
                 inputs = {{ features = \"pixels\", labels = \"{learnt}\" }}\nc = {c:?}\n\n"
            );
            predictions.push("regression");
        }
        let collect = if swept { "collect = [\"seed\"]\n" } else { "" };
        let _ = write!(
            text,
            "[stages.report]\nkind = \"report\"\n\
             inputs = {{ predictions = {predictions:?}, truth = \"images\"{propagated} }}\n{collect}"
        );
        text
    }

    /// Writes the pipeline and its data.
    fn write(&self, project: &Project) {
        const COUNT: usize = 160;
        let pixels: Vec<u8> =
            (0..COUNT).flat_map(|i| files::square(i % 2, i * 3 + self.data * 7)).collect();
        let truth: Vec<u8> = (0..COUNT).map(|i| (i % 2) as u8).collect();
        let pipeline = self.toml();
        for (name, bytes) in [
            ("images.idx", files::idx(&[COUNT as u32, 8, 8], &pixels)),
            ("truth.idx", files::idx(&[COUNT as u32], &truth)),
            ("pipeline.toml", pipeline.into_bytes()),
        ] {
            if fs_err::read(project.path(name)).ok().as_ref() != Some(&bytes) {
                project.write(name, bytes);
            }
        }
    }

    /// What an uncached run shows.
    fn uncached(&self) -> Arc<Tables> {
        static KNOWN: Mutex<Option<HashMap<Draft, Arc<Tables>>>> = Mutex::new(None);
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get_or_insert_default().get(self) {
            return Arc::clone(found);
        }
        let fresh = Project::new();
        self.write(&fresh);
        fresh.run(&["--jobs", "2"]).ended(0);
        let found = Arc::new(tables(&fresh.path("artifacts"), "draft"));
        known().get_or_insert_default().insert(self.clone(), Arc::clone(&found));
        found
    }
}

/// What happens to a project.
#[derive(Debug, Clone)]
pub enum Step {
    /// The pipeline or its data are edited.
    Edit(Draft),
    /// It is run, so many stages at a time.
    Run(usize),
    /// Only some stages are asked for.
    RunSome,
    /// A stage is computed again although its result is there.
    Force,
    /// A run is killed after so many milliseconds, its stages with it or not.
    Kill(u64, bool),
    /// Everything that no run reaches is removed, or all but what the last run reaches.
    Collect(bool),
    /// Every byte is looked at.
    Verify,
    /// Some file of the artifacts is spoilt, as a seed draws it; then every byte is looked at.
    Damage(u64),
}

/// The pipeline's text and data: what a run should show follows from them alone.
#[derive(Debug)]
pub struct Reference;

fn drafts() -> impl Strategy<Value = Draft> {
    let seeds = subsequence(vec![0, 1, 2], 0..=2);
    let some = |from: usize, to: usize| proptest::option::of(from..=to);
    let shape = (seeds, some(2, 4), some(2, 6), some(1, 30));
    (0..3_usize, 1..3_usize, 1..3_usize, proptest::bool::weighted(0.2), shape).prop_map(
        |(data, per_class, k, renamed, (seeds, components, clusters, regression))| Draft {
            data,
            seeds,
            per_class,
            k,
            components,
            clusters,
            regression,
            renamed,
        },
    )
}

/// One thing of a draft becomes as in another.
fn edited(draft: &Draft) -> impl Strategy<Value = Step> + use<> {
    let before = draft.clone();
    (drafts(), 0..8_usize).prop_map(move |(other, which)| {
        let mut draft = before.clone();
        match which {
            0 => draft.data = other.data,
            1 => draft.seeds = other.seeds,
            2 => draft.per_class = other.per_class,
            3 => draft.k = other.k,
            4 => draft.components = other.components,
            5 => draft.clusters = other.clusters,
            6 => draft.regression = other.regression,
            _ => draft.renamed = other.renamed,
        }
        Step::Edit(draft)
    })
}

impl ReferenceStateMachine for Reference {
    type State = Draft;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Draft> {
        drafts().boxed()
    }

    fn transitions(draft: &Draft) -> BoxedStrategy<Step> {
        prop_oneof![
            6 => edited(draft),
            5 => (1..4_usize).prop_map(Step::Run),
            1 => Just(Step::RunSome),
            1 => Just(Step::Force),
            4 => (0..400_u64, any::<bool>()).prop_map(|(time, all)| Step::Kill(time, all)),
            2 => any::<bool>().prop_map(Step::Collect),
            1 => Just(Step::Verify),
            3 => any::<u64>().prop_map(Step::Damage),
        ]
        .boxed()
    }

    fn apply(draft: Draft, step: &Step) -> Draft {
        match step {
            Step::Edit(draft) => draft.clone(),
            _ => draft,
        }
    }
}

/// A project that goes through everything.
#[derive(Debug)]
pub struct Worn {
    project: Project,
}

impl Worn {
    #[track_caller]
    fn is_right(&self, draft: &Draft, when: &str, more: &[&str]) {
        self.project.run(more).ended(0);
        assert_same(&self.shown(), &draft.uncached(), when);
    }

    fn shown(&self) -> Tables {
        tables(&self.project.path("artifacts"), "draft")
    }
}

/// The real thing, held to the reference.
#[derive(Debug)]
pub struct Machine;

impl StateMachineTest for Machine {
    type SystemUnderTest = Worn;
    type Reference = Reference;

    fn init_test(draft: &Draft) -> Worn {
        let worn = Worn { project: Project::new() };
        draft.write(&worn.project);
        worn
    }

    fn apply(worn: Worn, draft: &Draft, step: Step) -> Worn {
        let project = &worn.project;
        match step {
            Step::Edit(_) => draft.write(project),
            Step::Run(jobs) => worn.is_right(draft, "a run", &["--jobs", &jobs.to_string()]),
            Step::RunSome => {
                project.run(&["knn"]).ended(0);
            }
            Step::Force => worn.is_right(draft, "a forced run", &["--force", "knn"]),
            Step::Kill(time, all) => {
                let run = project.start(&["--jobs", "2"]);
                thread::sleep(Duration::from_millis(time));
                let below = descendants(run.id());
                kill(run.id(), Signal::KILL);
                if all {
                    for &process in &below {
                        kill(process, Signal::KILL);
                    }
                }
                run.finish();
                all_end(&below);
            }
            Step::Collect(strict) => {
                let words: &[&str] = if strict {
                    &["gc", "--grace", "0s", "--keep-runs", "1"]
                } else {
                    &["gc", "--grace", "0s"]
                };
                let answer = eventually("nobody uses the store", || {
                    let answer = project.scarce(words);
                    (!answer.stderr.contains("store::busy")).then_some(answer)
                });
                // 3: a record that was damaged here cannot be read, and nothing is removed.
                assert!(matches!(answer.code, Some(0 | 3)), "{answer}");
            }
            Step::Verify => {
                project.scarce(&["verify"]).ended(0);
            }
            Step::Damage(seed) => {
                let artifacts = project.path("artifacts");
                if !crate::tables::files(&artifacts).is_empty() {
                    damage(&mut Case::new("property", seed, seed % 1000), &artifacts);
                    let answer = project.scarce(&["verify"]);
                    assert!(matches!(answer.code, Some(0 | 3)), "{answer}");
                }
            }
        }
        worn
    }

    fn teardown(worn: Worn, draft: Draft) {
        worn.is_right(&draft, "the last run", &[]);
        worn.project.scarce(&["verify"]).ended(0).says(&[" 0 damaged"]);
        let again = worn.project.run(&[]).ended(0);
        assert_eq!(again.ran(), [""; 0], "a second run computes nothing");
    }
}

/// One sequence, of up to fourteen steps; what fails is shortened.
pub(crate) fn attack(case: &mut Case) -> Outcome {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 30,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let draws = TestRng::from_seed(RngAlgorithm::ChaCha, &case.key());
    let mut runner = TestRunner::new_with_rng(config.clone(), draws);
    let steps = Reference::sequential_strategy(6..=14_usize);
    let tried = runner.run(&steps, |(draft, steps, seen)| {
        Machine::test_sequential(config.clone(), draft, steps, seen);
        Ok(())
    });
    match tried {
        Ok(()) => Outcome::Survived,
        Err(TestError::Fail(why, (draft, steps, _))) => {
            panic!("{why}\nbegins with {draft:#?}\nand then {steps:#?}")
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_pipelines_of_as_many_stages_as_they_say() {
        let mut runner = TestRunner::deterministic();
        runner
            .run(&drafts(), |draft| {
                let text = draft.toml();
                let stages = text.matches("[stages.").count();
                let more = usize::from(draft.components.is_some())
                    + 2 * usize::from(draft.clusters.is_some())
                    + usize::from(draft.regression.is_some());
                prop_assert_eq!(stages, 5 + more);
                Ok(())
            })
            .unwrap();
    }
}
