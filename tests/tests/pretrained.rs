//! Photographs through a pretrained network: from a folder to predictions, by a person who knows no
//! parameter. What runs a network wants ONNX Runtime and `../shared/models`, and says so when it skips.

#![allow(clippy::unwrap_used)]

use scarce_tests::Project;
use scarce_tests::photos::{MODEL, clothes, labels, name, photographs, with_network as data};
use serde_json::Value;

#[test]
fn a_folder_and_a_few_labels_become_predictions() {
    let Some(data) = data() else { return };
    let mut project = clothes(&data);
    project.write("labels.csv", labels());
    let new = ["new", "--images", "photos", "--labels", "labels.csv", "-o", "mine.toml"];
    let answer = project.scarce(&new).ended(0);
    answer.says(&[
        "20 pictures in colour",
        "10 labels of 5 classes",
        MODEL,
        "scarce run mine.toml",
    ]);
    project.file = "mine.toml".into();
    let answer = project.ask("run", &[]).ended(0);
    answer.says(&["labels over the graph with logistic regression", "cross-validated"]);
    let vectors = project.rows("mine/vectors/embeddings.parquet");
    assert_eq!(vectors.len(), 20);
    let predictions = project.rows("mine/answers/fold=all/predictions.parquet");
    assert_eq!(predictions.len(), 20, "every image has a prediction");
    let asked = project.rows("mine/next/queries.parquet");
    assert!(!asked.is_empty() && asked.len() <= 10, "what is labelled is not asked for");
    assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
}

#[test]
fn without_any_label_it_asks_for_the_first_ones() {
    let Some(data) = data() else { return };
    let mut project = clothes(&data);
    let answer = project.scarce(&["new", "--images", "photos", "-o", "first.toml"]).ended(0);
    answer.says(&[MODEL, "which pictures to label first", "scarce new --images photos --labels"]);
    project.file = "first.toml".into();
    project.run(&[]).ended(0);
    assert_eq!(project.rows("first/first/queries.parquet").len(), 20);
    assert!(project.read("artifacts/runs/first/report/page.html").contains("label these first"));
}

#[test]
fn class_folders_are_an_experiment_and_it_says_so() {
    let Some(data) = data() else { return };
    let project = clothes(&data);
    for path in photographs() {
        let name = name(&path);
        let class = name.rsplit_once('-').unwrap().0;
        project.write(&format!("sorted/{class}/{name}"), fs_err::read(&path).unwrap());
    }
    let answer = project.scarce(&["new", "--images", "sorted", "-o", "trial.toml"]).ended(0);
    answer.says(&["dress, hat,", "true class of every picture", "--labels"]);
    project.scarce(&["check", "trial.toml"]).ended(0);
    let json = ["new", "--images", "sorted", "-o", "other.toml", "--json"];
    let json = project.scarce(&json).ended(0).json();
    assert_eq!(json["task"], "experiment");
    assert_eq!(json["found"]["class_folders"]["hat"], 2);
}

#[test]
fn with_no_network_to_be_had_it_says_what_that_costs_and_goes_on() {
    let project = Project::new();
    for path in photographs() {
        project.write(&format!("photos/{}", name(&path)), fs_err::read(&path).unwrap());
    }
    project.write("labels.csv", labels());
    let new = ["new", "--images", "photos", "--labels", "labels.csv", "-o"];
    let answer = project.scarce(&[&new[..], &["a.toml"]].concat()).ended(0);
    answer.says(&["no pretrained network was found", "costs", "scarce data fetch"]);
    project.scarce(&["check", "a.toml"]).ended(0);
    assert!(project.read("a.toml").contains("channels = \"rgb\""));
    // Who wants none is not told about it.
    let answer = project.scarce(&[&new[..], &["b.toml", "--encoder", "none"]].concat()).ended(0);
    assert!(!answer.stdout.contains("costs"), "{answer}");
    // Without labels too.
    project.scarce(&["new", "--images", "photos", "-o", "c.toml"]).ended(0);
    project.scarce(&["check", "c.toml"]).ended(0);
    let unknown = [&new[..], &["d.toml", "--encoder", "dinov2-smal"]].concat();
    project.scarce(&unknown).ended(2).complains_of(&["`dinov2-small`"]);
    let missing = [&new[..], &["d.toml", "--encoder", "dinov2-small"]].concat();
    project.scarce(&missing).ended(2).complains_of(&["scarce data fetch dinov2-small"]);
}

const VECTORS: &str = r#"
[stages.images]
kind = "ingest"
path = "photos"
resize = { height = 8, width = 8 }

[stages.vectors]
kind = "pretrained"
inputs = { images = "images" }
path = "photos"
model = "efficientnet-lite0"
"#;

#[test]
fn a_model_by_name_counts_by_its_content() {
    let Some(data) = data() else { return };
    let mut project = clothes(&data);
    project.write("pipeline.toml", VECTORS);
    project.run(&[]).ended(0);
    // The same model elsewhere is the same model.
    let copy = project.path("copy/models").join(MODEL);
    fs_err::create_dir_all(&copy).unwrap();
    for file in ["model.onnx", "preprocessor_config.json"] {
        fs_err::copy(data.join("models").join(MODEL).join(file), copy.join(file)).unwrap();
    }
    project.set("SCARCE_DATA", "copy");
    assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
    // Another description of its preprocessing is another model.
    let description = copy.join("preprocessor_config.json");
    let text = fs_err::read_to_string(&description).unwrap().replace("256", "224");
    fs_err::remove_file(&description).unwrap();
    fs_err::write(&description, text).unwrap();
    assert_eq!(project.run(&[]).ended(0).ran(), ["vectors"]);
    // None at all is an error that says where models come from.
    project.set("SCARCE_DATA", "nowhere");
    project.scarce(&["run", "pipeline.toml"]).ended(2).complains_of(&["scarce data fetch"]);
}

#[test]
fn without_a_runtime_everything_else_works_and_the_stage_says_how_to_get_it() {
    let Some(data) = data() else { return };
    let mut project = clothes(&data);
    project.write("pipeline.toml", VECTORS);
    project.set("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
    project.scarce(&["--version"]).ended(0);
    project.scarce(&["check", "pipeline.toml"]).ended(0);
    let answer = project.scarce(&["run", "pipeline.toml"]).ended(1);
    answer.complains_of(&["ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so"]);
    let listed = project.scarce(&["data", "list", "--json"]).ended(0).json();
    let runtime = listed.as_array().unwrap().iter().find(|entry| entry["name"] == "onnxruntime");
    assert_eq!(runtime.unwrap()["complete"], Value::Bool(false));
}
