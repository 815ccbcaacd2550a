//! What can go wrong while nobody does anything wrong: spoilt bytes, signals, neighbours.

#![allow(clippy::unwrap_used)]

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use scarce_tests::{Child, Project, SMALL, descendants, eventually, fixture, is_alive, signal};

/// A stage that takes its time, beside one that does not and one that waits for both.
const PATIENT: &str = r#"
[pipeline]
name = "patient"
hosts = ["HOST"]

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 100

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.slow]
kind = "patient"
seconds = 30
"#;

/// Clusters that take minutes: a stage that `scarce` itself hosts.
const BUSY: &str = r#"
[pipeline]
name = "busy"

[stages.images]
kind = "ingest"
dataset = "digits"

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.clusters]
kind = "kmeans"
inputs = { features = "pixels" }
clusters = 100
n_init = 100000
"#;

fn patient() -> Project {
    Project::with(&PATIENT.replace("HOST", &fixture("scarce-patient").to_string_lossy()))
}

/// The number of the process that runs a stage, when it does.
fn stage_process(run: &Child, kind: &str) -> u32 {
    eventually("the stage runs", || {
        descendants(run.id()).into_iter().find(|id| {
            let words = fs_err::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            let mut words = words.split('\0').skip_while(|word| *word != "exec");
            let job = words.nth(1).map(PathBuf::from).unwrap_or_default();
            let job = fs_err::read_to_string(job).unwrap_or_default();
            job.contains(&format!("\"kind\":\"{kind}\""))
        })
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The store holds nothing half-written, and every byte of it is right.
#[track_caller]
fn the_store_is_whole(project: &Project) {
    let verified = project.scarce(&["verify"]).ended(0);
    verified.says(&["0 damaged"]);
    let left = names(&project.path("artifacts/store/.tmp"));
    assert!(left.is_empty(), "{left:?}");
}

mod a_damaged_artifact {
    use super::*;

    fn writable(path: &Path) {
        let mode = fs_err::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o222, 0, "artifacts are read-only");
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// Damages the pixels, runs again something that reads them, and sees that they came back.
    fn comes_back(damage: impl Fn(&mut Vec<u8>)) {
        let project = Project::with(SMALL);
        assert_eq!(project.run(&[]).ended(0).ran().len(), 5);
        let before = project.digests("small/pixels");
        let path = project.entry("small/pixels").join("embeddings.parquet");
        let mut bytes = fs_err::read(&path).unwrap();
        let whole = bytes.clone();
        damage(&mut bytes);
        writable(&path);
        fs_err::write(&path, &bytes).unwrap();

        let run = project.run(&["--set", "stages.knn.k=3"]).ended(0);
        assert_eq!(run.tasks("damaged"), ["pixels"], "{}", run.answer);
        assert_eq!(run.ran(), ["knn", "pixels", "report"]);
        assert_eq!(project.digests("small/pixels"), before);
        assert_eq!(fs_err::read(&path).unwrap(), whole);

        let aside = project.path("artifacts/store/.quarantine");
        let kept = names(&aside);
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(fs_err::read(aside.join(&kept[0]).join("embeddings.parquet")).unwrap(), bytes);
        let why = fs_err::read_to_string(aside.join(&kept[0]).join("damage.json")).unwrap();
        assert!(why.contains("embeddings.parquet"), "{why}");
        the_store_is_whole(&project);
    }

    #[test]
    fn cut_short_is_computed_again() {
        comes_back(|bytes| bytes.truncate(bytes.len() / 2));
    }

    #[test]
    fn with_a_flipped_bit_is_computed_again() {
        comes_back(|bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    }

    #[test]
    fn that_is_gone_is_computed_again() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        fs_err::remove_file(project.entry("small/images").join("images.parquet")).unwrap();
        let answer = project.ask("run", &[]).ended(0);
        answer.complains_of(&["images.parquet", "computing it again"]);
        the_store_is_whole(&project);
    }

    #[test]
    fn with_a_spoilt_manifest_is_computed_again() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        let manifest = project.entry("small/labels").join("manifest.json");
        fs_err::remove_file(&manifest).unwrap();
        fs_err::write(&manifest, "{").unwrap();
        assert_eq!(project.run(&[]).ended(0).ran(), ["labels"]);
        the_store_is_whole(&project);
    }

    /// What is no regular file where one should be: nobody waits for it, and it is computed again.
    #[test]
    fn that_is_a_pipe_a_file_or_a_folder_is_computed_again() {
        let make = |words: &[&str], path: &Path| {
            let made = std::process::Command::new(words[0]).args(&words[1..]).arg(path).status();
            assert!(made.unwrap().success());
        };
        for words in [&["mkfifo"][..], &["mkdir"], &["touch"], &["ln", "-s", "/dev/zero"]] {
            for of in ["", "manifest.json", "labels.parquet"] {
                let project = Project::with(SMALL);
                project.run(&[]).ended(0);
                let entry = project.entry("small/labels");
                let path = if of.is_empty() { entry } else { entry.join(of) };
                let is_folder = path.is_dir();
                if is_folder {
                    fs_err::remove_dir_all(&path).unwrap();
                } else {
                    fs_err::remove_file(&path).unwrap();
                }
                make(words, &path);
                project.ask("plan", &[]).ended(0).says(&["labels", "artifact damaged"]);
                project.scarce(&["verify"]).ended(3).says(&["5 artifacts read, 1 damaged"]);
                assert_eq!(project.run(&[]).ended(0).ran(), ["labels"], "{words:?} {of}");
                the_store_is_whole(&project);
                project.scarce(&["gc"]).ended(0);
            }
        }
    }

    #[test]
    fn beside_a_folder_of_an_unknown_name_is_still_found() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        let key = project.entry("small/knn").file_name().unwrap().to_owned();
        let strange = project.path("artifacts/store/Strange Kind").join(key);
        fs_err::create_dir_all(&strange).unwrap();
        project.scarce(&["verify"]).ended(0).says(&["Strange Kind", "5 artifacts read, 0 damaged"]);
        project.scarce(&["gc", "--grace", "0s"]).ended(0).says(&["left alone", "Strange Kind"]);
        assert!(strange.exists());
    }

    #[test]
    fn is_found_by_verify() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        let path = project.entry("small/knn").join("predictions.parquet");
        let mut bytes = fs_err::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x80;
        writable(&path);
        fs_err::write(&path, &bytes).unwrap();
        let answer = project.scarce(&["verify"]).ended(3);
        answer.says(&["predictions.parquet", "1 damaged"]);
        assert_eq!(project.run(&[]).ended(0).ran(), ["knn"]);
        the_store_is_whole(&project);
    }
}

mod a_killed_stage {
    use super::*;

    #[test]
    fn fails_alone_and_finishes_next_time() {
        let project = patient();
        let run = project.start(&["--jobs", "2"]);
        signal(stage_process(&run, "patient"), "KILL");
        let run = scarce_tests::Run::from(run.finish()).ended(1);
        assert_eq!(run.ran(), ["images", "pixels"], "the others go on");
        let failure = run.failure("slow");
        assert_eq!(failure["code"], "orchestrator::killed");
        let message = failure["message"].as_str().unwrap_or_default();
        assert!(message.contains("killed by signal 9"), "{message}");
        the_store_is_whole(&project);
        let run = project.run(&["--set", "stages.slow.seconds=0"]).ended(0);
        assert_eq!(run.ran(), ["slow"]);
    }

    #[test]
    fn of_a_built_in_kind_says_the_same() {
        let project = Project::with(BUSY);
        let run = project.start(&[]);
        signal(stage_process(&run, "kmeans"), "KILL");
        let answer = run.finish().ended(1);
        assert!(answer.stdout.contains("perhaps out of memory"), "{answer}");
        assert_eq!(
            project.run(&["--set", "stages.clusters.n_init=1"]).ended(0).ran(),
            ["clusters"]
        );
        the_store_is_whole(&project);
    }
}

mod a_killed_run {
    use super::*;

    fn leaves_nobody_behind(project: &Project, kind: &str) {
        let run = project.start(&[]);
        let stage = stage_process(&run, kind);
        let below = descendants(run.id());
        signal(run.id(), "KILL");
        assert_eq!(run.finish().code, None);
        eventually("the stage has ended too", || (!is_alive(stage)).then_some(()));
        eventually("so has whatever it started", || {
            (!below.iter().any(|&id| is_alive(id))).then_some(())
        });
    }

    #[test]
    fn leaves_no_process_and_finishes_next_time() {
        let project = Project::with(BUSY);
        leaves_nobody_behind(&project, "kmeans");
        let again = project.run(&["--set", "stages.clusters.n_init=1"]).ended(0);
        assert_eq!(again.ran(), ["clusters"], "what was done before is done");
        the_store_is_whole(&project);
    }

    #[test]
    fn ends_the_hosts_of_others_too() {
        let project = patient();
        leaves_nobody_behind(&project, "patient");
        let again = project.run(&["--set", "stages.slow.seconds=0"]).ended(0);
        assert!(again.ran().contains(&"slow".to_owned()), "{}", again.answer);
        the_store_is_whole(&project);
    }
}

mod a_killed_run_and_then_a_collection {
    use super::*;

    #[test]
    fn keeps_what_was_finished() {
        let project = patient();
        let run = project.start(&["--jobs", "1"]);
        stage_process(&run, "patient");
        signal(run.id(), "KILL");
        assert_eq!(run.finish().code, None);
        let records = project.scarce(&["runs", "--json"]).ended(0).json();
        assert_eq!(records[0]["run"]["outcome"], "unfinished", "{records}");
        eventually("the stage has ended too", || {
            let collected = project.scarce(&["gc", "--grace", "0s", "--json"]);
            (collected.code == Some(0)).then(|| {
                assert_eq!(collected.json()["entries"].as_array().unwrap().len(), 0, "{collected}");
            })
        });
        let again = project.run(&["--set", "stages.slow.seconds=0"]).ended(0);
        assert_eq!(again.ran(), ["slow"], "images and pixels are there");
        // And once a later run has ended, it counts as any other.
        project.scarce(&["gc", "--keep-runs", "1"]).ended(0);
        let records = project.scarce(&["runs", "--json"]).ended(0).json();
        assert_eq!(records.as_array().unwrap().len(), 1, "{records}");
    }

    #[test]
    fn what_no_record_knows_of_has_a_day() {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        fs_err::remove_dir_all(project.path("artifacts/runs")).unwrap();
        project.scarce(&["gc"]).ended(0).says(&["5 artifacts that no record knows of", "in 0"]);
        project.scarce(&["gc", "--grace", "0s"]).ended(0).says(&["in 5 artifacts"]);
    }
}

mod an_interrupted_run {
    use super::*;

    #[test]
    fn ends_with_130_and_leaves_the_store_whole() {
        let project = Project::with(BUSY);
        let run = project.start(&[]);
        let stage = stage_process(&run, "kmeans");
        signal(run.id(), "INT");
        let answer = run.finish().ended(130);
        assert!(!is_alive(stage));
        let end = answer.json_lines().pop().unwrap();
        assert_eq!(end["event"], "ended", "{answer}");
        the_store_is_whole(&project);
        let runs = project.scarce(&["runs", "--json"]).ended(0).json();
        assert_eq!(runs[0]["run"]["outcome"], "interrupted", "{runs}");
        assert_eq!(
            project.run(&["--set", "stages.clusters.n_init=1"]).ended(0).ran(),
            ["clusters"]
        );
    }
}

mod a_live_run {
    use super::*;

    #[test]
    fn keeps_what_it_uses_from_being_collected() {
        let project = Project::with(BUSY);
        let run = project.start(&[]);
        stage_process(&run, "kmeans");
        let answer = project.scarce(&["gc"]).ended(2);
        answer.complains_of(&["a run is using", "store::busy"]);
        project.scarce(&["gc", "--dry-run"]).ended(0);
        signal(run.id(), "TERM");
        run.finish().ended(130);
        project.scarce(&["gc"]).ended(0);
        the_store_is_whole(&project);
    }
}

mod two_runs_at_once {
    use super::*;

    #[test]
    fn both_end_well_and_share_the_work() {
        let mut project = patient();
        project.edit("seconds = 30", "seconds = 1");
        let log = project.path("times").to_string_lossy().into_owned();
        project.set("PATIENT_LOG", &log);
        let runs = [project.start(&[]), project.start(&[])];
        let runs = runs.map(|run| scarce_tests::Run::from(run.finish()).ended(0));
        let mut ran: Vec<String> = runs.iter().flat_map(scarce_tests::Run::ran).collect();
        ran.sort();
        assert_eq!(ran, ["images", "pixels", "slow"], "each stage ran once, in one of the two");
        assert_eq!(project.read("times"), "run\n");
        the_store_is_whole(&project);
    }

    /// One that showed something used to take away the links that the other was about to put in place.
    #[test]
    fn change_views_one_after_the_other() {
        let project = Project::with(SMALL);
        project.run(&["images"]).ended(0);
        let lock = fs_err::File::open(project.path("artifacts/runs/small/.lock")).unwrap();
        lock.lock().unwrap();
        let run = project.start(&["--jobs", "1"]);
        eventually("something is published", || {
            let kinds = ["budget", "pixels"];
            let store = project.path("artifacts/store");
            kinds.iter().any(|kind| !names(&store.join(kind)).is_empty()).then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        for stage in ["labels", "pixels"] {
            assert!(!project.path("artifacts/runs/small").join(stage).exists(), "{stage} is shown");
        }
        drop(lock);
        scarce_tests::Run::from(run.finish()).ended(0);
        assert!(project.path("artifacts/runs/small/labels/labels.parquet").exists());
        the_store_is_whole(&project);
    }

    #[test]
    fn of_the_same_axes_in_another_order() {
        let axes = "[axes]\nseed = [0, 1, 2, 3]\n\n[stages.images]";
        let text = SMALL.replace("[stages.images]", axes);
        let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
        let project = Project::with(&(text + "collect = [\"seed\"]\n"));
        let runs = [project.start(&["--jobs", "1"]), project.start(&["--axis", "seed=3,2,1,0"])];
        let runs = runs.map(|run| scarce_tests::Run::from(run.finish()).ended(0));
        let count = |stage: &str| {
            let all = runs.iter().flat_map(scarce_tests::Run::ran);
            all.filter(|task| task.starts_with(stage)).count()
        };
        assert_eq!([count("images"), count("labels"), count("pixels"), count("knn")], [1, 4, 1, 4]);
        the_store_is_whole(&project);
    }
}
