use std::collections::BTreeMap;
use std::path::Path;

use scarce_artifact::{
    Embeddings, History, Images, ImagesMeta, Model, Reader, Reconstructions, Shape, Split, Vectors,
    Writer,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::{Value, json};

use super::*;

mod contrastive;
mod manual_backward;
mod variational;

const ODD: Shape = Shape { height: 9, width: 7, channels: 3 };
const GREY: Shape = Shape { height: 8, width: 8, channels: 1 };
const ROWS: usize = 60;

/// Sixty images, the last ten of them for testing, each of a slope and a brightness of its own.
fn write_images(stem: &Path, shape: Shape, max_value: u8) {
    write_rows(stem, shape, max_value, ROWS);
}

fn write_rows(stem: &Path, shape: Shape, max_value: u8, rows: usize) {
    let pixel = |row: usize, at: usize| {
        let (x, y) = (at / shape.channels % shape.width, at / shape.channels / shape.width);
        let slope = (row % 6) * x + (row % 5) * y;
        ((slope * 4 + row * 2) % (usize::from(max_value) + 1)) as u8
    };
    let values = (0..rows).flat_map(|row| (0..shape.pixels()).map(move |at| pixel(row, at)));
    let split = |row| if row + 10 < rows { Split::Train } else { Split::Test };
    let images = Images {
        // ids need not be row numbers
        id: (0..rows).map(|row| 1000 + row as u32).collect(),
        split: (0..rows).map(split).collect(),
        source: (0..rows).map(|row| row.to_string()).collect(),
        pixels: Vectors::new(shape.pixels(), values.collect()),
    };
    let meta = ImagesMeta { shape, dataset: "test".to_owned(), max_value, ..Default::default() };
    Writer::write_all(&stem.with_extension("parquet"), meta, images).unwrap();
}

/// Runs a kind in `folder`, where its inputs and outputs lie under the names of their ports.
fn run(folder: &Path, kind: &str, params: Value) -> Result<(), Failure> {
    let kinds = kinds();
    let kind = kinds.iter().find(|found| found.description().kind == kind).unwrap();
    let description = kind.description();
    let input = |name: &str| JobInput {
        stage: name.to_owned(),
        port: name.to_owned(),
        axes: Vec::new(),
        path: folder.join(name),
    };
    let Value::Object(params) = params else { panic!("parameters are an object") };
    let inputs = description.inputs.iter().map(|port| (port.name.clone(), vec![input(&port.name)]));
    let outputs =
        description.outputs.iter().map(|port| (port.name.clone(), folder.join(&port.name)));
    let job = Job {
        protocol: PROTOCOL,
        kind: description.kind.clone(),
        stage: "test".to_owned(),
        params: params.clone(),
        inputs: inputs.collect::<BTreeMap<_, _>>(),
        outputs: outputs.collect(),
        threads: 1,
        data: Vec::new(),
        ..Job::default()
    };
    kind.run(params, &Context::new(job, std::io::sink()))
}

/// A folder with images in it.
fn folder(shape: Shape) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_images(&folder.path().join("images"), shape, 255);
    folder
}

fn history(folder: &Path) -> History {
    Reader::open(&folder.join("history.parquet")).unwrap().read().unwrap()
}

fn embeddings(folder: &Path) -> Embeddings {
    Reader::open(&folder.join("embeddings.parquet")).unwrap().read().unwrap()
}

fn quick(more: Value) -> Value {
    let mut params = json!({ "latent": 6, "epochs": 4, "batch": 10, "device": "cpu" });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

mod training {
    use super::*;

    #[test]
    fn lowers_the_loss_of_either_architecture_with_either_loss() {
        for (architecture, loss) in [("linear", "mse"), ("linear", "bce"), ("conv", "mse")] {
            let folder = folder(ODD);
            let more = json!({
                "architecture": architecture, "loss": loss, "hidden": [20], "channels": [4, 6],
                "epochs": 40, "learning_rate": 0.01,
            });
            run(folder.path(), "autoencoder", quick(more)).unwrap();
            let losses = history(folder.path()).train_loss;
            assert!(losses[39] < 0.9 * losses[0], "{architecture} {loss}: {losses:?}");
        }
    }

    #[test]
    fn of_the_same_seed_gives_the_same_bytes() {
        let outputs =
            ["model.safetensors", "model.json", "history.parquet", "reconstructions.parquet"];
        let bytes = |seed: u64| {
            let folder = folder(GREY);
            let more = json!({ "architecture": "conv", "seed": seed, "early_stopping": {} });
            run(folder.path(), "autoencoder", quick(more)).unwrap();
            outputs.map(|name| fs_err::read(folder.path().join(name)).unwrap())
        };
        let first = bytes(1);
        assert_eq!(first, bytes(1));
        assert_ne!(first[0], bytes(2)[0]);
    }

    #[test]
    fn shows_unseen_images_beside_their_reconstructions() {
        let folder = folder(ODD);
        run(folder.path(), "autoencoder", quick(json!({ "samples": 4 }))).unwrap();
        let reader =
            Reader::<Reconstructions>::open(&folder.path().join("reconstructions.parquet"))
                .unwrap();
        assert_eq!(reader.meta().shape, ODD);
        let shown = reader.read().unwrap();
        assert_eq!(shown.id.len(), 4);
        assert!(shown.id.iter().all(|&id| id >= 1050), "{:?}", shown.id);
        let images = Reader::<Images>::open(&folder.path().join("images.parquet")).unwrap();
        let images = images.read().unwrap();
        for (row, id) in shown.id.iter().enumerate() {
            assert_eq!(shown.original.row(row), images.pixels.row(*id as usize - 1000));
        }
        assert_eq!((shown.code.width, shown.reconstruction.width), (6, ODD.pixels()));
    }

    #[test]
    fn sets_validation_aside_and_stops_early() {
        let folder = folder(GREY);
        let more = json!({
            "epochs": 300, "learning_rate": 0.5,
            "early_stopping": { "patience": 2, "validation": 0.2 },
        });
        run(folder.path(), "autoencoder", quick(more)).unwrap();
        let history = history(folder.path());
        assert!(history.epoch.len() < 300);
        assert!(history.validation_loss.iter().all(Option::is_some));
    }

    #[test]
    fn may_stop_by_the_loss_of_a_split_that_it_does_not_learn_from() {
        let trained = |more: Value| {
            let folder = folder(GREY);
            run(folder.path(), "autoencoder", quick(more)).unwrap();
            (history(folder.path()), Model::read(&folder.path().join("model")).unwrap().tensors)
        };
        let (plain, weights) = trained(json!({}));
        assert!(plain.validation_loss.iter().all(Option::is_none));
        // all training images are learnt from, and in the same order
        let stopping = json!({ "early_stopping": { "validation_split": "test", "patience": 50 } });
        let (history, _) = trained(stopping);
        assert_eq!(history.train_loss, plain.train_loss);
        assert!(history.validation_loss.iter().all(Option::is_some));
        // with weights that improve to the last, the test images have changed nothing
        if history.validation_loss.is_sorted_by(|a, b| a > b) {
            let stopping = json!({ "early_stopping": { "validation_split": "test" } });
            assert_eq!(trained(stopping).1, weights);
        }
        let hasty = json!({
            "epochs": 300, "learning_rate": 0.5,
            "early_stopping": { "patience": 2, "validation_split": "test" },
        });
        let losses: Vec<f64> = trained(hasty).0.validation_loss.into_iter().flatten().collect();
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(losses.len() < 300 && losses[losses.len() - 3] == best, "{losses:?}");
    }

    #[test]
    fn refuses_to_validate_on_what_it_learns_from_or_on_nothing() {
        let folder = folder(GREY);
        let refused = |stopping: Value| {
            let more = json!({ "early_stopping": stopping });
            run(folder.path(), "autoencoder", quick(more)).unwrap_err()
        };
        let failure = refused(json!({ "validation_split": "train" }));
        assert_eq!(failure.code, "autoencoder::validation");
        assert!(failure.message.contains("`train`, which `splits` learns from"));
        let failure = refused(json!({ "validation_split": "test", "validation": 0.1 }));
        assert_eq!(failure.code, "autoencoder::validation");
        let more = json!({ "splits": ["train"], "early_stopping": { "validation_split": "pool" } });
        let failure = run(folder.path(), "autoencoder", quick(more)).unwrap_err();
        assert_eq!(failure.code, "autoencoder::no_images");
    }

    #[test]
    fn learns_from_the_splits_it_is_told() {
        let trained = |splits: Value| {
            let folder = folder(GREY);
            let outcome = run(folder.path(), "autoencoder", quick(json!({ "splits": splits })));
            outcome.map(|()| history(folder.path()).train_loss)
        };
        assert_ne!(trained(json!(["train"])).unwrap(), trained(json!(["train", "test"])).unwrap());
        assert_eq!(trained(json!(["train"])).unwrap(), trained(json!(["train", "pool"])).unwrap());
        let failure = trained(json!(["pool"])).unwrap_err();
        assert_eq!(failure.code, "autoencoder::no_images");
        assert!(failure.help.unwrap().contains("`train`, `test`"));
    }

    #[test]
    fn that_diverges_says_what_to_do() {
        let folder = folder(GREY);
        let more = json!({ "learning_rate": 1e30, "output_activation": "none", "epochs": 9 });
        let failure = run(folder.path(), "autoencoder", quick(more)).unwrap_err();
        assert_eq!(failure.code, "nn::diverged");
        assert!(failure.help.unwrap().contains("learning_rate"));
    }

    #[test]
    fn refuses_parameters_that_cannot_be_meant() {
        let folder = folder(GREY);
        let code = |more| run(folder.path(), "autoencoder", quick(more)).unwrap_err().code;
        assert_eq!(code(json!({ "latnet": 3 })), "stage::params");
        assert_eq!(
            code(json!({ "loss": "bce", "output_activation": "relu" })),
            "autoencoder::loss"
        );
        assert_eq!(code(json!({ "latent": 1_u64 << 50 })), "nn::too_large");
        assert_eq!(code(json!({ "device": "cuda:99" })), "nn::no_such_device");
    }
}

mod encoding {
    use super::*;

    #[test]
    fn gives_every_image_of_every_split_its_code() {
        for architecture in ["linear", "conv"] {
            let folder = folder(ODD);
            let more = json!({ "architecture": architecture, "samples": 10 });
            run(folder.path(), "autoencoder", quick(more)).unwrap();
            run(folder.path(), "encode", json!({})).unwrap();
            let codes = embeddings(folder.path());
            assert_eq!(codes.id, (1000..1060).collect::<Vec<u32>>());
            assert_eq!(codes.split.iter().filter(|&&split| split == Split::Test).count(), 10);
            // what the decoder was shown is what the saved model gives
            let path = folder.path().join("reconstructions.parquet");
            let shown = Reader::<Reconstructions>::open(&path).unwrap().read().unwrap();
            for (row, id) in shown.id.iter().enumerate() {
                let code = codes.embedding.row(*id as usize - 1000);
                for (a, b) in shown.code.row(row).iter().zip(code) {
                    assert!((a - b).abs() < 1e-4, "{a} is not {b}");
                }
            }
        }
    }

    #[test]
    fn is_the_same_for_pixels_of_another_range() {
        // 0..=16 holds the same pictures as 0..=255 after scaling
        let folder = tempfile::tempdir().unwrap();
        write_images(&folder.path().join("images"), GREY, 16);
        run(folder.path(), "autoencoder", quick(json!({}))).unwrap();
        run(folder.path(), "encode", json!({})).unwrap();
        assert_eq!(embeddings(folder.path()).embedding.width, 6);
        let losses = history(folder.path()).train_loss;
        assert!(losses.iter().all(|&loss| loss < 0.5), "{losses:?}");
    }

    #[test]
    fn refuses_images_of_another_shape() {
        let folder = folder(GREY);
        run(folder.path(), "autoencoder", quick(json!({}))).unwrap();
        write_images(&folder.path().join("images"), ODD, 255);
        let failure = run(folder.path(), "encode", json!({})).unwrap_err();
        assert_eq!(failure.code, "autoencoder::shape");
        assert!(failure.message.contains("9 × 7 RGB") && failure.message.contains("8 × 8 grey"));
    }

    #[test]
    fn refuses_a_model_that_is_damaged_or_of_another_family() {
        let folder = folder(GREY);
        run(folder.path(), "autoencoder", quick(json!({}))).unwrap();
        let stem = folder.path().join("model");
        let whole = Model::read(&stem).unwrap();

        let mut other = whole.clone();
        other.card.kind = "logistic-regression".to_owned();
        other.write(&stem).unwrap();
        let failure = run(folder.path(), "encode", json!({})).unwrap_err();
        assert_eq!(failure.code, "autoencoder::not_an_autoencoder");

        let mut lying = whole.clone();
        lying.card.architecture["latent"] = json!(1_u64 << 40);
        lying.write(&stem).unwrap();
        assert!(run(folder.path(), "encode", json!({})).is_err());

        let mut poor = whole;
        poor.tensors.remove("encoder.dense.0.bias");
        poor.write(&stem).unwrap();
        let failure = run(folder.path(), "encode", json!({})).unwrap_err();
        assert!(failure.message.contains("encoder.dense.0.bias"), "{}", failure.message);
    }
}

mod described {
    use super::*;

    #[test]
    fn parameters_have_documentation_and_defaults() {
        for kind in kinds() {
            let params = &kind.description().params;
            assert_eq!(params["additionalProperties"], json!(false));
            for (name, schema) in params["properties"].as_object().unwrap() {
                assert!(schema["description"].is_string(), "{name} has no documentation");
                assert!(schema.get("default").is_some(), "{name} has no default");
            }
            assert_eq!(kind.description().fingerprint.len(), 64);
        }
    }
}
