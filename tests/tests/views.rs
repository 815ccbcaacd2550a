//! What people browse: links by stage and variant, which can be thrown away and come back.

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
    for view in ["images", "pixels", "labels/seed=0", "labels/seed=1", "knn/seed=1", "report"] {
        assert!(views.join(view).is_symlink(), "{view}");
    }
    assert!(!views.join("pixels/seed=0").exists(), "a stage varies over the axes that it uses");
    let record = project.read("artifacts/runs/small/run.json");
    assert!(record.contains("\"done\""), "{record}");
    let target = fs_err::read_link(views.join("pixels")).unwrap();
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
    project.run(&["--axis", "seed=1"]).ended(0);
    let views = project.path("artifacts/runs/small");
    assert!(views.join("knn/seed=1").exists() && !views.join("knn/seed=0").exists());
    let text = project.read("pipeline.toml").replace("seed = \"$seed\"\n", "");
    project.write("pipeline.toml", text.replace("collect = [\"seed\"]\n", ""));
    project.run(&[]).ended(0);
    assert!(views.join("knn").is_symlink(), "no axis, no folders");
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
        project.scarce(&["runs"]).ended(0).says(&["small"]);
    }

    #[test]
    fn is_an_error_for_those_who_ask_for_it() {
        let project = spoilt();
        project.scarce(&["runs"]).ended(3).complains_of(&["run.json", "help"]);
        project.scarce(&["gc"]).ended(3);
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0], "nothing was collected");
    }
}
