use std::path::{Path, PathBuf};

use super::{TEN_LABELS, feeds, labels, resolve};
use crate::{Catalogue, Document, Overrides, Pipeline, axis_text};

mod runs_each_stage {
    use super::*;

    #[test]
    fn once_for_every_value_of_the_axes_that_concern_it() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        let count = |stage: &str| pipeline.stage(stage).unwrap().tasks.len();
        let counts = ["images", "labels", "encoder", "codes", "knn", "report"].map(count);
        assert_eq!(counts, [1, 3, 6, 6, 6, 2]);
        assert!(pipeline.warnings.is_empty());
        insta::assert_snapshot!(labels(&pipeline).join("\n"));
    }

    #[test]
    fn after_everything_that_it_needs() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        assert!(pipeline.graph.raw_edges().iter().all(|edge| edge.source() < edge.target()));
        let wires: usize =
            pipeline.tasks().flat_map(|(_, task)| &task.inputs).map(|(_, s)| s.len()).sum();
        assert_eq!(wires, pipeline.graph.edge_count());
    }

    #[test]
    fn in_the_order_of_the_file_where_nothing_else_decides() {
        let pipeline = resolve(
            r#"
            [stages.z]
            kind = "relabel"
            inputs.predictions = "b"
            [stages.b]
            kind = "knn"
            k = 1
            inputs = { features = "t.left", labels = "a" }
            [stages.a]
            kind = "budget"
            inputs = { images = "m", truth = "m" }
            [stages.t]
            kind = "twins"
            inputs.images = "m"
            [stages.m]
            kind = "ingest"
            dataset = "digits"
            [stages.c]
            kind = "ingest"
            dataset = "mnist"
            "#,
        );
        assert_eq!(labels(&pipeline.unwrap()), ["m", "a", "t", "b", "z", "c"]);
    }
}

mod joins_its_inputs {
    use super::*;

    #[test]
    fn on_the_axes_that_they_share() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        assert_eq!(
            feeds(&pipeline, "knn [seed=2 architecture=conv]"),
            [
                "features < codes [seed=2 architecture=conv].embeddings",
                "labels < labels [seed=2].labels"
            ]
        );
    }

    #[test]
    fn and_collects_the_axes_that_it_folds() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        assert_eq!(
            feeds(&pipeline, "report [architecture=conv]"),
            [
                "predictions < knn [seed=0 architecture=conv].predictions",
                "predictions < knn [seed=1 architecture=conv].predictions",
                "predictions < knn [seed=2 architecture=conv].predictions",
                "truth < images.truth"
            ]
        );
    }

    #[test]
    fn with_the_outer_axis_varying_slowest_when_several_are_folded() {
        let both =
            TEN_LABELS.replace(r#"collect = ["seed"]"#, r#"collect = ["architecture", "seed"]"#);
        let pipeline = resolve(&both).unwrap();
        let feeds = feeds(&pipeline, "report");
        let order: Vec<&str> =
            feeds.iter().map(|feed| feed.split(['[', ']']).nth(1).unwrap_or("")).collect();
        assert_eq!(
            order,
            [
                "seed=0 architecture=linear",
                "seed=0 architecture=conv",
                "seed=1 architecture=linear",
                "seed=1 architecture=conv",
                "seed=2 architecture=linear",
                "seed=2 architecture=conv",
                ""
            ]
        );
    }
}

mod selected_by_targets {
    use super::*;

    #[test]
    fn keeps_what_they_need_and_nothing_else() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        let part = pipeline.select(&["codes"]).unwrap();
        let names: Vec<&str> = part.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["images", "encoder", "codes"]);
        assert_eq!(part.graph.node_count(), 13);
        assert_eq!(part.graph.edge_count(), 6 + 12);
        assert_eq!(
            feeds(&part, "codes [seed=1 architecture=conv]"),
            ["images < images.images", "model < encoder [seed=1 architecture=conv].model"]
        );
        let stage = part.stage("encoder").unwrap();
        assert!(stage.tasks.iter().all(|&index| part.graph[index].stage == "encoder"));
    }

    #[test]
    fn suggests_the_stage_that_was_meant() {
        let error = resolve(TEN_LABELS).unwrap().select(&["encodr"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no stage `encodr`");
        let help = serde_json::to_value(&error).unwrap()[0]["help"].clone();
        assert_eq!(help, "did you mean `encoder`?");
    }
}

mod has_a_header {
    use super::*;

    #[test]
    fn with_name_and_description() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        assert_eq!(pipeline.name, "ten-labels");
        assert_eq!(pipeline.description, "Ten labelled digits");
        assert_eq!(pipeline.path, Path::new("/house/trial.toml"));
    }

    #[test]
    fn whose_name_is_the_files_by_default() {
        let pipeline = resolve("[stages.a]\nkind = 'ingest'\ndataset = 'x'").unwrap();
        assert_eq!(pipeline.name, "trial");
    }

    #[test]
    fn whose_hosts_are_relative_to_the_file() {
        let text = "[pipeline]\nhosts = ['./my-host.py', '/opt/host', 'scarce-extra', '../h']";
        let document = Document::parse(Path::new("/house/trial.toml"), text.to_owned()).unwrap();
        let hosts = ["/house/my-host.py", "/opt/host", "scarce-extra", "/house/../h"];
        assert_eq!(document.hosts(), hosts.map(PathBuf::from));
    }

    #[test]
    fn that_is_read_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.toml");
        fs_err::write(&path, "[stages.h]\nkind = 'histories'").unwrap();
        let document = Document::read(&path).unwrap();
        let kinds = super::super::kinds::catalogue();
        let pipeline = Pipeline::resolve(&document, &kinds, &Overrides::default()).unwrap();
        assert_eq!((pipeline.name.as_str(), labels(&pipeline)), ("small", vec!["h".to_owned()]));
        let missing = Document::read(&folder.path().join("none.toml")).unwrap_err();
        assert!(missing.to_string().contains("none.toml"), "{missing}");
    }
}

mod names_folders {
    use super::*;

    #[test]
    fn one_level_for_each_axis() {
        let pipeline = resolve(TEN_LABELS).unwrap();
        let (_, task) = pipeline.tasks().last().unwrap();
        assert_eq!(task.folder(), Path::new("report/architecture=conv"));
        assert_eq!(task.label(), "report [architecture=conv]");
    }

    #[test]
    fn that_cannot_leave_their_place() {
        let texts = ["a/b", "..", ".hidden", "a=b", "50%", "tab\t", "naïve", "a.b"];
        let encoded = texts.map(|text| axis_text(&text.into()));
        let expected = ["a%2Fb", "%2E%2E", "%2Ehidden", "a%3Db", "50%25", "tab%09", "naïve", "a.b"];
        assert_eq!(encoded, expected);
        assert_eq!(axis_text(&0.1.into()), "0.1");
        assert_eq!(axis_text(&true.into()), "true");
    }
}

mod says_what_its_stages_need {
    use super::*;
    use crate::Resources;
    use std::time::Duration;

    #[test]
    fn of_the_machine() {
        let text = r#"
            [stages.a]
            kind = "ingest"
            dataset = "x"
            [stages.a.resources]
            threads = 2
            memory = "1.5 GiB"
            memory_limit = "2 GiB"
            gpu = true
            time = "1h30m"
            [stages.b]
            kind = "ingest"
            dataset = "y"
            resources = { memory = 1000, time = 5 }
        "#;
        let pipeline = resolve(text).unwrap();
        let resources: Vec<Resources> = pipeline.tasks().map(|(_, task)| task.resources).collect();
        let first = Resources {
            threads: Some(2),
            memory: Some(3 << 29),
            memory_limit: Some(2 << 30),
            gpu: true,
            time: Some(Duration::from_mins(90)),
        };
        let second = Resources {
            memory: Some(1000),
            time: Some(Duration::from_secs(5)),
            ..Resources::default()
        };
        assert_eq!(resources, [first, second]);
    }
}

/// A pipeline of `stages` chains over one axis of ten values.
pub(super) fn large(stages: usize) -> String {
    use std::fmt::Write;
    let mut text =
        "[axes]\nseed = { from = 0, to = 10 }\n[stages.images]\nkind = 'ingest'\ndataset = 'x'\n"
            .to_owned();
    for i in 0..stages {
        write!(
            text,
            "[stages.s{i}]\nkind = 'autoencoder'\ninputs.images = 'images'\nseed = '$seed'\nlatent = {}\nearly_stopping = {{ patience = 3 }}\n",
            i % 4000 + 1
        )
        .unwrap();
    }
    text
}

mod of_a_thousand_stages {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn resolves_fast_enough_to_not_be_noticed() {
        let text = large(1000);
        let kinds: Catalogue = super::super::kinds::catalogue();
        let start = Instant::now();
        let document = Document::parse(Path::new("/house/large.toml"), text).unwrap();
        let pipeline = Pipeline::resolve(&document, &kinds, &Overrides::default()).unwrap();
        let taken = start.elapsed();
        assert_eq!(pipeline.graph.node_count(), 10_001);
        // The bound is for an unoptimised build on a busy machine: it catches what is quadratic.
        assert!(taken < Duration::from_secs(10), "{taken:?}");
    }
}
