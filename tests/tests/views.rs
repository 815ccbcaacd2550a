//! What people browse: folders by stage and variant with links to the results, which can be thrown away
//! and come back.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, SMALL};

/// With an axis that the labels and what is below them use.
fn with_seeds() -> Project {
    let text = SMALL.replace("[stages.images]", "[axes]\nseed = [0, 1]\n\n[stages.images]");
    let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
    let project = Project::with(&(text + "collect = [\"seed\"]\n"));
    project.run(&[]).ended(0);
    project
}

#[test]
fn lie_by_stage_and_axis() {
    let project = with_seeds();
    let views = project.path("artifacts/runs/small");
    for (view, file) in [
        ("images", "images.parquet"),
        ("images", "truth.parquet"),
        ("pixels", "embeddings.parquet"),
        ("labels/seed=0", "labels.parquet"),
        ("labels/seed=1", "labels.parquet"),
        ("knn/seed=1", "predictions.parquet"),
        ("report", "page.html"),
    ] {
        let view = views.join(view);
        assert!(view.is_dir() && !view.is_symlink(), "readers do not go through links to folders");
        assert!(view.join(file).is_symlink() && view.join(file).is_file(), "{file}");
    }
    let beside = fs_err::read_dir(views.join("labels/seed=1")).unwrap().count();
    assert_eq!(
        beside, 1,
        "nothing lies beside the table that a reader might take for a part of it"
    );
    assert!(!views.join("pixels/seed=0").exists(), "a stage varies over the axes that it uses");
    let record = project.read("artifacts/runs/small/run.json");
    assert!(record.contains("\"done\""), "{record}");
    let target = fs_err::read_link(views.join("pixels/embeddings.parquet")).unwrap();
    assert!(target.is_relative(), "so that the folder may move");
}

#[test]
fn come_back_when_they_were_deleted() {
    let project = with_seeds();
    fs_err::remove_dir_all(project.path("artifacts/runs")).unwrap();
    assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    assert!(project.path("artifacts/runs/small/knn/seed=1/predictions.parquet").is_file());
}

#[test]
fn without_a_store_are_computed_again() {
    let project = with_seeds();
    let before = project.digests("small/knn/seed=1");
    fs_err::remove_dir_all(project.path("artifacts/store")).unwrap();
    assert_eq!(project.run(&[]).ended(0).ran().len(), 7);
    assert_eq!(project.digests("small/knn/seed=1"), before, "to the same bytes");
}

#[test]
fn of_what_is_no_longer_there_are_gone() {
    let project = with_seeds();
    let all = project.read("pipeline.toml");
    project.write("pipeline.toml", all.replace("seed = [0, 1]", "seed = [1]"));
    project.run(&[]).ended(0);
    let views = project.path("artifacts/runs/small");
    assert!(views.join("knn/seed=1").exists() && !views.join("knn/seed=0").exists());
    let text = project.read("pipeline.toml").replace("seed = \"$seed\"\n", "");
    project.write("pipeline.toml", text.replace("collect = [\"seed\"]\n", ""));
    project.run(&[]).ended(0);
    assert!(views.join("knn/predictions.parquet").is_symlink(), "no axis, no folders");
    assert!(!views.join("knn/seed=1").exists());
}

#[test]
fn of_variants_that_were_not_asked_for_stay_and_so_does_what_is_known_of_them() {
    let project = with_seeds();
    project.run(&["--axis", "seed=0..1"]).ended(0);
    let views = project.path("artifacts/runs/small");
    assert!(views.join("knn/seed=0/predictions.parquet").exists());
    assert!(views.join("knn/seed=1/predictions.parquet").exists());
    project.edit("k = 1", "k = 3");
    let plan = project.plan(&[]);
    for seed in [0, 1] {
        let line = format!("knn: run [seed={seed}] because param k 1 → 3");
        assert!(plan.contains(&line), "{plan:?}");
    }
    project.scarce(&["gc", "--keep-runs", "1", "--grace", "0s"]).ended(0);
    project.edit("k = 3", "k = 1");
    assert_eq!(project.run(&[]).ended(0).ran(), ["report"], "of both seeds again");
}

#[test]
fn leave_what_people_put_beside_them() {
    let project = with_seeds();
    let views = project.path("artifacts/runs/small");
    let mine = ["notes.txt", "pixels/notes.txt", "knn/seed=0/notes.txt"];
    for name in mine {
        fs_err::write(views.join(name), "mine").unwrap();
    }
    let folders = ["empty", "pixels/empty", "knn/empty"];
    for name in folders {
        fs_err::create_dir(views.join(name)).unwrap();
    }
    let links = [("elsewhere", "../../../pipeline.toml"), ("pixels/far", "/nowhere")];
    for (name, target) in links {
        fs_err::os::unix::fs::symlink(target, views.join(name)).unwrap();
    }
    project.edit("k = 1", "k = 3");
    project.run(&[]).ended(0);
    let text = project.read("pipeline.toml").replace("seed = \"$seed\"\n", "");
    project.write("pipeline.toml", text.replace("collect = [\"seed\"]\n", ""));
    project.run(&[]).ended(0);
    assert!(
        mine.iter().all(|name| project.read(&format!("artifacts/runs/small/{name}")) == "mine")
    );
    assert!(folders.iter().all(|name| views.join(name).is_dir()));
    assert!(links.iter().all(|(name, _)| views.join(name).is_symlink()));
    assert!(!views.join("knn/seed=1").exists(), "ours go");
}

#[test]
fn do_not_replace_what_is_in_their_place_and_say_so() {
    let project = Project::with(SMALL);
    let views = project.path("artifacts/runs/small");
    fs_err::create_dir_all(views.join("pixels")).unwrap();
    fs_err::write(views.join("pixels/embeddings.parquet"), "mine").unwrap();
    fs_err::write(views.join("knn"), "mine").unwrap();
    let answer = project.ask("run", &[]).ended(0);
    answer.complains_of(&["small/pixels/embeddings.parquet", "small/knn", "is not a view"]);
    assert_eq!(fs_err::read(views.join("knn")).unwrap(), b"mine");
    assert_eq!(fs_err::read(views.join("pixels/embeddings.parquet")).unwrap(), b"mine");
    assert!(views.join("report/page.html").exists());
}

/// Version 0.1 made one link to the whole entry.
#[test]
fn of_an_older_version_become_folders() {
    let project = with_seeds();
    let views = project.path("artifacts/runs/small");
    for view in ["pixels", "knn/seed=0"] {
        let entry = project.entry(&format!("small/{view}"));
        fs_err::remove_dir_all(views.join(view)).unwrap();
        fs_err::os::unix::fs::symlink(&entry, views.join(view)).unwrap();
    }
    let knn = project.entry("small/knn/seed=1");
    project.run(&[]).ended(0);
    for view in ["pixels/embeddings.parquet", "knn/seed=0/predictions.parquet"] {
        let folder = views.join(view);
        assert!(!folder.parent().unwrap().is_symlink() && folder.is_symlink(), "{view}");
    }
    // A stage that had no axes and has some now.
    fs_err::remove_dir_all(views.join("knn")).unwrap();
    fs_err::os::unix::fs::symlink(&knn, views.join("knn")).unwrap();
    project.run(&[]).ended(0);
    assert!(!views.join("knn").is_symlink() && views.join("knn/seed=0").is_dir());
    assert!(!knn.join("seed=0").exists(), "nothing is written through the link");
}

#[test]
fn of_a_failed_stage_do_not_show_what_was_before() {
    let project = with_seeds();
    project.run(&["--set", "stages.knn.k=5000"]).ended(1);
    let views = project.path("artifacts/runs/small");
    assert!(!views.join("knn/seed=0/predictions.parquet").exists());
    assert!(!views.join("report/page.html").exists());
    assert!(views.join("labels/seed=0/labels.parquet").exists());
}

#[test]
fn of_stages_that_were_not_asked_for_stay() {
    let project = with_seeds();
    project.run(&["labels"]).ended(0);
    assert!(project.path("artifacts/runs/small/report/page.html").exists());
}

#[test]
fn of_two_stages_that_are_the_same_lead_to_one_entry() {
    let twin = "\n[stages.twin]\nkind = \"pixels\"\ninputs = { images = \"images\" }\n";
    let project = Project::with(&format!("{SMALL}{twin}"));
    let run = project.run(&["--jobs", "4"]).ended(0);
    let pixels = run.ran().into_iter().filter(|task| task == "pixels" || task == "twin").count();
    assert_eq!(pixels, 1, "computed once: {}", run.answer);
    assert_eq!(project.entry("small/pixels"), project.entry("small/twin"));
}

#[test]
fn in_a_folder_with_blanks_and_umlauts() {
    let mut project = Project::new();
    project.write("süße Bilder/my pipeline.toml", SMALL);
    project.file = "süße Bilder/my pipeline.toml".into();
    let run = project.run(&["--artifacts", "süße Bilder/the artifacts"]).ended(0);
    assert_eq!(run.ran().len(), 5);
    assert!(project.path("süße Bilder/the artifacts/runs/small/report/page.html").is_file());
}

mod a_record_that_is_spoilt {
    use super::*;

    fn spoilt() -> Project {
        let project = Project::with(SMALL);
        project.run(&[]).ended(0);
        project.write("artifacts/runs/small/run.json", "{");
        project
    }

    #[test]
    fn does_not_keep_a_run_from_its_results() {
        let project = spoilt();
        let answer = project.ask("run", &[]).ended(0);
        answer.complains_of(&["run.json", "0 ran, 5 cached"]);
        let kept = fs_err::read_dir(project.path("artifacts/runs/small/history")).unwrap();
        assert_eq!(kept.count(), 1, "who can read something in it still may");
        project.scarce(&["runs"]).ended(0).says(&["small"]);
    }

    #[test]
    fn is_an_error_for_those_who_ask_for_it() {
        let project = spoilt();
        project.scarce(&["runs"]).ended(3).complains_of(&["run.json", "help"]);
        project.scarce(&["gc"]).ended(3);
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0], "nothing was collected");
    }

    /// A flipped bit, as disks have them: still JSON, still a key, but another one.
    #[test]
    fn in_one_bit_makes_gc_refuse() {
        let project = Project::with(SMALL);
        let run = project.run(&[]).ended(0);
        let key = run.key("pixels");
        let text = project.read("artifacts/runs/small/run.json");
        let other = if key.starts_with('0') {
            key.replacen('0', "1", 1)
        } else {
            format!("0{}", &key[1..])
        };
        project.write("artifacts/runs/small/run.json", text.replace(&key, &other));
        for words in [&["gc"][..], &["gc", "--grace", "0s"], &["runs"]] {
            project.scarce(words).ended(3).complains_of(&["run.json", "has changed"]);
        }
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0], "nothing was collected");
    }

    #[test]
    fn by_being_a_pipe_or_a_folder_keeps_nobody_waiting() {
        for make in ["mkfifo", "mkdir"] {
            let project = spoilt();
            let path = project.path("artifacts/runs/small/run.json");
            fs_err::remove_file(&path).unwrap();
            assert!(std::process::Command::new(make).arg(&path).status().unwrap().success());
            project.scarce(&["runs"]).ended(3).complains_of(&["run.json", "not a regular file"]);
            project.scarce(&["gc"]).ended(3);
            assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
            assert!(path.is_file());
        }
    }
}
