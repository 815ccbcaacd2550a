//! Where the numbers are crunched.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Error, replicas::alone};

/// The libtorch that the bindings are made for; other versions refuse to build.
pub const LIBTORCH: &str = "2.13.0";

/// A device as a parameter names it: `auto`, `cpu`, `cuda` or `cuda:N`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// The first GPU if there is one, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The GPU of this number.
    Cuda(usize),
}

impl Device {
    /// Makes the device ready. What runs on the processor runs in the thread that asks for it,
    /// so that results do not depend on the number of threads; see [`Replicas`](crate::Replicas). On a GPU
    /// cuDNN does not choose its algorithms by how fast they happen to be.
    ///
    /// # Errors
    /// When the GPU asked for is not there.
    pub fn open(self) -> Result<tch::Device, Error> {
        alone();
        let device = self.find()?;
        if device.is_cuda() {
            tch::Cuda::cudnn_set_benchmark(false);
        }
        Ok(device)
    }

    fn find(self) -> Result<tch::Device, Error> {
        match self {
            Self::Auto if tch::Cuda::is_available() => Ok(tch::Device::Cuda(0)),
            Self::Auto | Self::Cpu => Ok(tch::Device::Cpu),
            Self::Cuda(number) => {
                let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
                if !tch::Cuda::is_available() || number >= count {
                    let found = match count {
                        0 => "libtorch sees no GPU".to_owned(),
                        1 => "there is one GPU, `cuda:0`".to_owned(),
                        n => format!("there are {n} GPUs, from `cuda:0`"),
                    };
                    return Err(Error::NoSuchDevice { asked: number, found });
                }
                Ok(tch::Device::Cuda(number))
            }
        }
    }

    /// `cpu` or `cuda`: what `auto` comes to on this machine. Results differ between the two.
    pub fn default_class() -> &'static str {
        if tch::Cuda::is_available() { "cuda" } else { "cpu" }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a device: use `auto`, `cpu` or `cuda:0`");
        match text {
            "auto" => Ok(Self::Auto),
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
            Self::Auto => write!(f, "auto"),
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
        json_schema!({ "type": "string", "pattern": "^(auto|cpu|cuda(:[0-9]+)?)$" })
    }
}
