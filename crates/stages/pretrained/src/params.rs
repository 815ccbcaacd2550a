//! Parameters of `pretrained`.

use std::{borrow::Cow, fmt, path::PathBuf, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::preprocessing::Overrides;

/// Parameters of `pretrained`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The network: a folder with an ONNX file and a description of its preprocessing
    /// (`preprocessor_config.json` of Hugging Face, or `config.json` of timm), the ONNX file alone,
    /// or a name such as `dinov2-small`, which is looked for below `models/` in the data folders.
    #[schemars(extend("format" = "path", "below" = "models"))]
    pub model: PathBuf,
    /// The picture files: the folder or Parquet file that `ingest` read, whose full resolution the
    /// network then sees. Without it the network sees the pixels of `images`.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub path: Option<PathBuf>,
    /// With a Parquet file: the column of encoded images, as in `ingest`.
    #[serde(default = "image_column")]
    pub image_column: String,
    /// With a Parquet file: the column of image names, as in `ingest`.
    #[serde(default)]
    pub name_column: Option<String>,
    /// The description of the preprocessing, where it does not lie in the folder of the model.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub preprocessor: Option<PathBuf>,
    /// What to do otherwise than the description says, or instead of one.
    #[serde(default)]
    pub preprocessing: Overrides,
    /// The network's output to take, by name. By default the only one, or the first of
    /// `image_embeds`, `pooler_output`, `features`, `cls`, `embeddings`, `last_hidden_state`.
    #[serde(default)]
    pub output: Option<String>,
    /// How an output of many vectors becomes one.
    #[serde(default)]
    pub pooling: Pooling,
    /// What else the network sees of each image.
    #[serde(default)]
    pub augment: Augment,
    /// Scale each vector to length 1. Cosine distances are the same either way.
    #[serde(default)]
    pub normalise: bool,
    /// Images that go through the network at a time. Results do not depend on it.
    #[serde(default = "batch")]
    #[schemars(range(min = 1, max = 1024))]
    pub batch: u32,
    /// Where the network runs: `cpu`, or `cuda:0` with an ONNX Runtime of your own that has CUDA.
    #[serde(default)]
    pub device: Device,
}

fn image_column() -> String {
    "image".to_owned()
}

fn batch() -> u32 {
    8
}

/// How an output of many vectors becomes one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// One vector as it is. Of a sequence of patches the first vector where there is one more than
    /// a square number of patches (the class token), else the mean; the mean of a feature map.
    #[default]
    Auto,
    /// The first vector of the sequence: the class token of a vision transformer.
    Cls,
    /// The mean over the sequence, or over the places of a feature map.
    Mean,
    /// The output as it is, all its numbers in a row.
    None,
}

/// What else the network sees of each image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// The image alone.
    #[default]
    None,
    /// Its mirror image too: the vector is the mean of both. Takes twice the time.
    Flip,
}

/// Where the network runs: `cpu`, `cuda` or `cuda:N`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The GPU of this number.
    Cuda(u16),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a device: use `cpu` or `cuda:0`");
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(wrong)?;
                number.parse().map(Self::Cuda).map_err(|_| wrong())
            }
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl JsonSchema for Device {
    fn schema_name() -> Cow<'static, str> {
        "Device".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(cpu|cuda(:[0-9]+)?)$" })
    }
}
