//! What runs again, and what does not: the promise of the store, from outside.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, SMALL, files};

const ALL: [&str; 5] = ["images", "knn", "labels", "pixels", "report"];

/// A small project that has run.
fn ran() -> Project {
    let project = Project::with(SMALL);
    assert_eq!(project.run(&[]).ended(0).ran(), ALL);
    project
}

mod a_second_run {
    use super::*;

    #[test]
    fn computes_nothing() {
        let project = ran();
        let again = project.run(&[]).ended(0);
        assert_eq!(again.ran(), [""; 0]);
        assert_eq!(again.cached(), ALL);
    }

    #[test]
    fn computes_nothing_after_the_folder_has_moved() {
        let project = ran();
        let elsewhere = tempfile::tempdir().unwrap();
        let moved = elsewhere.path().join("moved");
        fs_err::create_dir(&moved).unwrap();
        for name in ["pipeline.toml", "artifacts"] {
            fs_err::rename(project.path(name), moved.join(name)).unwrap();
        }
        let command = project.command_in(&moved, &["run", "--json", "pipeline.toml"]);
        let again = scarce_tests::Run::from(scarce_tests::Child::start(command).finish()).ended(0);
        assert_eq!(again.ran(), [""; 0]);
        let page = moved.join("artifacts/runs/small/report/page.html");
        assert!(page.is_file(), "views lead into the store where it is now");
    }

    #[test]
    fn computes_only_the_targets_and_what_they_need() {
        let project = Project::with(SMALL);
        let labels = project.run(&["labels"]).ended(0);
        assert_eq!(labels.ran(), ["images", "labels"]);
        assert_eq!(project.run(&["pixels"]).ended(0).ran(), ["pixels"]);
    }
}

mod what_does_not_matter {
    use super::*;

    #[track_caller]
    fn nothing_runs(project: &Project) {
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    }

    #[test]
    fn comments_blanks_and_the_order_of_keys_and_stages() {
        let project = ran();
        project.edit("per_class = 2", "per_class  =  2   # a few");
        project.edit("[stages.knn]", "# the classifier\n\n[stages.knn]");
        project.edit("limit = 200\ntest_fraction = 0.25", "test_fraction = 0.25\n\nlimit = 200");
        let text = project.read("pipeline.toml");
        let (before, after) = text.split_once("[stages.images]").unwrap();
        let (images, rest) = after.split_once("[stages.labels]").unwrap();
        let text = format!("{before}[stages.labels]{rest}\n[stages.images]{images}");
        project.write("pipeline.toml", text);
        nothing_runs(&project);
    }

    #[test]
    fn a_default_written_out() {
        let project = ran();
        project.edit("k = 1\n", "k = 1\nweights = \"uniform\"\n");
        nothing_runs(&project);
    }

    #[test]
    fn the_name_of_the_file() {
        let mut project = ran();
        fs_err::rename(project.path("pipeline.toml"), project.path("other.toml")).unwrap();
        project.file = "other.toml".into();
        nothing_runs(&project);
    }
}

/// The page of a report shows the names of stages, their parameters and their folders: another name
/// makes another page, and nothing else.
mod what_only_the_report_shows {
    use super::*;

    #[track_caller]
    fn only_the_report_runs(project: &Project) {
        assert_eq!(project.run(&[]).ended(0).ran(), ["report"]);
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    }

    #[track_caller]
    fn page(project: &Project) -> String {
        project.read("artifacts/runs/small/report/page.html")
    }

    #[test]
    fn the_name_of_a_stage() {
        let project = ran();
        project.edit("[stages.labels]", "[stages.a-few]");
        project.edit("labels = \"labels\"", "labels = \"a-few\"");
        only_the_report_runs(&project);
        assert!(project.path("artifacts/runs/small/a-few/labels.parquet").is_file());
        assert!(page(&project).contains("runs/small/a-few"));
    }

    #[test]
    fn the_name_of_a_data_file() {
        let project = Project::with(
            &SMALL.replace("dataset = \"digits\"", "path = \"a.idx\"\ntruth = \"t.idx\""),
        );
        let pixels: Vec<u8> = (0..400).flat_map(|i| files::square(i % 2, i)).collect();
        let labels: Vec<u8> = (0..400).map(|i| (i % 2) as u8).collect();
        project.write("a.idx", files::idx(&[400, 8, 8], &pixels));
        project.write("t.idx", files::idx(&[400], &labels));
        assert_eq!(project.run(&[]).ended(0).ran(), ALL);
        assert!(page(&project).contains("a.idx"));
        fs_err::rename(project.path("a.idx"), project.path("b.idx")).unwrap();
        project.edit("a.idx", "b.idx");
        only_the_report_runs(&project);
        assert!(page(&project).contains("b.idx"));
    }
}

mod one_changed_parameter {
    use super::*;

    #[test]
    fn runs_its_stage_and_what_is_below() {
        let project = ran();
        project.edit("per_class = 2", "per_class = 3");
        let run = project.run(&[]).ended(0);
        assert_eq!(run.ran(), ["knn", "labels", "report"]);
        assert_eq!(run.cached(), ["images", "pixels"]);
    }

    #[test]
    fn on_the_command_line_is_as_good_as_in_the_file() {
        let project = ran();
        let run = project.run(&["--set", "stages.knn.k=3"]).ended(0);
        assert_eq!(run.ran(), ["knn", "report"]);
        project.edit("k = 1", "k = 3");
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    }

    #[test]
    fn and_back_again_finds_what_was_there() {
        let project = ran();
        project.edit("k = 1", "k = 3");
        assert_eq!(project.run(&[]).ended(0).ran(), ["knn", "report"]);
        project.edit("k = 3", "k = 1");
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    }

    #[test]
    fn a_new_value_of_an_axis_runs_only_that_variant() {
        let text = SMALL.replace("[stages.images]", "[axes]\nseed = [0, 1]\n\n[stages.images]");
        let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
        let project = Project::with(&(text + "collect = [\"seed\"]\n"));
        assert_eq!(project.run(&[]).ended(0).ran().len(), 7);
        project.edit("seed = [0, 1]", "seed = [0, 1, 2]");
        let run = project.run(&[]).ended(0);
        assert_eq!(run.ran(), ["knn [seed=2]", "labels [seed=2]", "report"]);
    }
}

mod a_number_with_a_point {
    use super::*;

    const PCA: &str = "\n[stages.pca]\nkind = \"pca\"\ninputs = { images = \"images\" }\n";

    #[test]
    fn is_the_same_as_without_where_only_one_of_them_can_be_meant() {
        let project = Project::with(&format!("{SMALL}{PCA}components = 2\nwhiten = 1\n"));
        assert!(project.run(&[]).ended(0).ran().contains(&"pca".to_owned()));
        project.edit("whiten = 1", "whiten = 1.0");
        project.edit("k = 1", "k = 1.0");
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    }

    /// Whichever of `1` and `1.0` ran first used to be served for the other.
    #[test]
    fn is_refused_where_it_might_mean_something_else() {
        let project = Project::with(&format!("{SMALL}{PCA}components = 1\n"));
        project.run(&[]).ended(0);
        let set = |value: &str| format!("stages.pca.components={value}");
        let plan = |value: &str| project.plan(&["pca", "--set", &set(value)]);
        assert!(plan("1").contains(&"pca: cached".to_owned()));
        assert!(plan("0.95").contains(&"pca: run because param components 1 → 0.95".to_owned()));
        for (value, way_out) in [("1.0", ["`1`", "0.999"]), ("2.0", ["`2`", "1.999"])] {
            let answer = project.ask("check", &["--set", &set(value)]).ended(2);
            answer.complains_of(&["components", value]).complains_of(&way_out);
        }
        project.edit("components = 1", "components = 1.0");
        project.ask("run", &[]).ended(2).complains_of(&["pipeline.toml", "components", "`1`"]);
    }
}

mod a_stage_that_comes_out_the_same {
    use super::*;

    /// Labels from a file, in place of a budget.
    fn with_own_labels() -> Project {
        let budget = "kind = \"budget\"\ninputs = { truth = \"images\", images = \"images\" }\nper_class = 2";
        let given = "kind = \"labels\"\ninputs = { images = \"images\" }\npath = \"labels.csv\"";
        assert!(SMALL.contains(budget));
        let text = SMALL.replace(budget, given).replace("limit = 200\ntest_fraction = 0.25\n", "");
        let project = Project::with(&text);
        project.write("labels.csv", "id,label\n0,even\n1,odd\n2,even\n3,odd\n");
        assert_eq!(project.run(&["knn"]).ended(0).ran(), ["images", "knn", "labels", "pixels"]);
        project
    }

    #[test]
    fn leaves_what_is_below_alone() {
        let project = with_own_labels();
        project.write("labels.csv", "id,label\n3,odd\n2,even\n1,odd\n0,even\n");
        let run = project.run(&["knn"]).ended(0);
        assert_eq!(run.ran(), ["labels"]);
        assert_eq!(run.cached(), ["images", "knn", "pixels"]);
    }

    #[test]
    fn unlike_one_that_does_not() {
        let project = with_own_labels();
        project.write("labels.csv", "id,label\n0,odd\n1,even\n2,even\n3,odd\n");
        assert_eq!(project.run(&["knn"]).ended(0).ran(), ["knn", "labels"]);
    }

    #[test]
    fn a_file_that_was_only_touched_runs_nothing() {
        let project = with_own_labels();
        let text = project.read("labels.csv");
        fs_err::remove_file(project.path("labels.csv")).unwrap();
        project.write("labels.csv", text);
        assert_eq!(project.run(&["knn"]).ended(0).ran(), [""; 0]);
    }
}

mod force {
    use super::*;

    #[test]
    fn runs_the_stage_and_nothing_below() {
        let project = ran();
        let before = project.digests("small/pixels");
        let run = project.run(&["--force", "pixels"]).ended(0);
        assert_eq!(run.ran(), ["pixels"]);
        assert_eq!(project.digests("small/pixels"), before);
    }

    #[test]
    fn of_a_stage_that_is_not_there_names_those_that_are() {
        let project = ran();
        let answer = project.ask("run", &["--force", "pixel"]).ended(2);
        answer.complains_of(&["`pixel`", "`pixels`"]);
    }
}

mod the_plan_says {
    use super::*;

    #[test]
    fn that_nothing_ever_ran_and_what_waits_for_that() {
        let project = Project::with(SMALL);
        assert_eq!(
            project.plan(&[]),
            [
                "images: run because never ran",
                "labels: depends on images",
                "pixels: depends on images",
                "knn: depends on pixels, labels",
                "report: depends on knn, images",
            ]
        );
        assert!(!project.path("artifacts/runs").exists(), "a plan writes nothing");
    }

    #[test]
    fn which_parameter_changed_and_how() {
        let project = ran();
        project.edit("per_class = 2", "per_class = 3");
        project.edit("k = 1", "k = 2");
        assert_eq!(
            project.plan(&[]),
            [
                "images: cached",
                "labels: run because param per_class 2 → 3",
                "pixels: cached",
                "knn: depends on labels",
                "report: depends on knn",
            ]
        );
        assert!(
            project
                .plan(&["knn", "--set", "stages.labels.per_class=2"])
                .contains(&"knn: run because param k 1 → 2".to_owned())
        );
    }

    #[test]
    fn that_the_data_behind_a_path_changed() {
        let project = Project::with(
            "[pipeline]\nname = \"vectors\"\n[stages.vectors]\nkind = \"ingest-embeddings\"\npath = \"x.npy\"\n",
        );
        project.write("x.npy", files::npy(&[vec![1.0, 2.0]]));
        assert_eq!(project.run(&[]).ended(0).ran(), ["vectors"]);
        project.write("x.npy", files::npy(&[vec![1.0, 3.0]]));
        assert_eq!(project.plan(&[]), ["vectors: run because the data behind path changed"]);
    }

    #[test]
    fn that_an_input_changed() {
        let project = ran();
        project.edit("per_class = 2", "per_class = 3");
        assert_eq!(project.run(&["labels"]).ended(0).ran(), ["labels"]);
        assert!(project.plan(&[]).contains(&"knn: run because input labels changed".to_owned()));
    }

    #[test]
    fn that_a_stage_is_forced() {
        let project = ran();
        let plan = project.plan(&["--force", "pixels"]);
        assert!(plan.contains(&"pixels: run because forced".to_owned()), "{plan:?}");
    }

    #[test]
    fn that_a_result_is_gone_or_damaged() {
        let project = ran();
        fs_err::remove_dir_all(project.entry("small/labels")).unwrap();
        let pixels = project.entry("small/pixels").join("embeddings.parquet");
        fs_err::remove_file(&pixels).unwrap();
        fs_err::write(&pixels, "PAR1PAR1").unwrap();
        let plan = project.plan(&[]);
        assert!(plan.contains(&"labels: run because its result is gone".to_owned()), "{plan:?}");
        let damaged = plan.iter().find(|line| line.starts_with("pixels")).unwrap();
        assert!(damaged.starts_with("pixels: run because artifact damaged:"), "{damaged}");
        assert!(damaged.contains("embeddings.parquet"), "{damaged}");
    }

    #[test]
    fn that_a_stage_failed_last_time() {
        let project = Project::with(&SMALL.replace("k = 1", "k = 1000"));
        assert_eq!(project.run(&[]).ended(1).tasks("failed"), ["knn"]);
        let plan = project.plan(&[]);
        assert!(plan.contains(&"knn: run because failed last time".to_owned()), "{plan:?}");
    }
}
