//! A network in ONNX Runtime: its one input, the output that is taken, and batches through it.

use std::{
    path::Path,
    sync::{Condvar, Mutex},
};

use ort::{
    environment::Environment,
    session::{Session, builder::SessionBuilder},
    value::{Outlet, TensorElementType, TensorRef, ValueType},
};
use scarce_wheels::onnxruntime::{OWN, VERSION};

use crate::{
    Error, Params, Result,
    model::Model,
    params::Device,
    pooling::Pool,
    preprocessing::{Layout, Size},
};

/// Copies of a network, one for each thread, take up to so many bytes together, roughly.
const COPIES: u64 = 2 << 30;
/// A running network takes about so many times the bytes of its files.
const RUNNING: u64 = 3;
/// Outputs that are taken without being asked for, the first that is there.
const OUTPUTS: [&str; 8] = [
    "image_embeds",
    "pooler_output",
    "features",
    "cls",
    "embeddings",
    "embedding",
    "last_hidden_state",
    "image_features",
];

/// A network ready to run.
pub(crate) struct Network {
    sessions: Mutex<Vec<Session>>,
    returned: Condvar,
    /// In which order it wants its numbers.
    pub(crate) layout: Layout,
    size: Size,
    /// A batch of a size that the file fixes, or 1 where images must not see each other.
    pub(crate) fixed_batch: Option<usize>,
    output: usize,
    output_name: String,
    pooling: crate::params::Pooling,
}

impl Network {
    /// Opens the network as often as `threads` can use it.
    pub(crate) fn open(
        environment: &Environment,
        model: &Model,
        params: &Params,
        threads: usize,
    ) -> Result<Self> {
        let copies = match params.device {
            Device::Cpu => {
                let fit = COPIES / (RUNNING * model.bytes.max(1));
                (fit as usize).clamp(1, threads.max(1))
            }
            Device::Cuda(_) => 1,
        };
        let within = (threads / copies).max(1);
        let mut sessions = Vec::with_capacity(copies);
        for _ in 0..copies {
            sessions.push(session(environment, &model.file, params.device, within)?);
        }
        let first = &sessions[0];
        let input = Input::of(first.inputs(), &model.file)?;
        let size = model.recipe.size();
        input.check(size, &model.file)?;
        let output = output(first.outputs(), params.output.as_deref(), &model.file)?;
        let output_name = first.outputs()[output].name().to_owned();
        Ok(Self {
            sessions: Mutex::new(sessions),
            returned: Condvar::new(),
            layout: input.layout,
            size,
            fixed_batch: if model.one_by_one { Some(1) } else { input.batch },
            output,
            output_name,
            pooling: params.pooling,
        })
    }

    /// The vectors of so many prepared images, one after the other in `pixels`; `name` is the first
    /// of them, for messages.
    pub(crate) fn vectors(
        &self,
        pixels: &[f32],
        count: usize,
        name: &str,
    ) -> Result<Vec<Vec<f32>>> {
        let stopped = |error: &dyn std::fmt::Display| Error::Network {
            name: name.to_owned(),
            message: error.to_string(),
        };
        let [height, width] = [self.size.height as usize, self.size.width as usize];
        let shape = match self.layout {
            Layout::Planes => [count, 3, height, width],
            Layout::Pixels => [count, height, width, 3],
        };
        let tensor = TensorRef::from_array_view((shape, pixels)).map_err(|e| stopped(&e))?;
        let mut session = self.take();
        let result = session.run(ort::inputs![tensor]).map_err(|e| stopped(&e)).and_then(
            |outputs| -> Result<Vec<Vec<f32>>> {
                let value = &outputs[self.output];
                let (shape, numbers) =
                    value.try_extract_tensor::<f32>().map_err(|e| stopped(&e))?;
                let shape: Vec<usize> = shape.iter().map(|&n| n.max(0) as usize).collect();
                self.pooled(&shape, numbers, count)
            },
        );
        self.give_back(session);
        result
    }

    fn pooled(&self, shape: &[usize], numbers: &[f32], count: usize) -> Result<Vec<Vec<f32>>> {
        let each = numbers.len() / count.max(1);
        let pool = match shape {
            [images, rest @ ..] if *images == count && each * count == numbers.len() => {
                Pool::of(self.pooling, rest)
            }
            _ => Err(format!("it has shape {shape:?} for {count} images")),
        };
        let pool = pool.map_err(|message| {
            Error::request(
                format!("the output `{}` cannot be used: {message}", self.output_name),
                "set `pooling` to `cls`, `mean` or `none`, or take another `output`",
            )
        })?;
        if pool.width(each) == 0 {
            let message = format!("the output `{}` has no numbers", self.output_name);
            return Err(Error::request(message, "take another `output`"));
        }
        Ok(numbers.chunks_exact(each).map(|image| pool.vector(image)).collect())
    }

    /// Waits for a copy of the network that nobody uses.
    fn take(&self) -> Session {
        let mut free = self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        loop {
            if let Some(session) = free.pop() {
                return session;
            }
            free = self.returned.wait(free).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn give_back(&self, session: Session) {
        self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(session);
        self.returned.notify_one();
    }
}

fn session(
    environment: &Environment,
    file: &Path,
    device: Device,
    threads: usize,
) -> Result<Session> {
    let refuse = |error: &dyn std::fmt::Display| {
        let help = "was it exported for ONNX Runtime 1.32 or older? copy or export it again";
        Error::model(file, format!("ONNX Runtime cannot load it: {error}"), help)
    };
    let configured = || -> ort::Result<SessionBuilder> {
        let builder = Session::builder(environment)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            // Threads that wait for work leave the cores to those that decode.
            .with_intra_op_spinning(false)?;
        Ok(builder)
    };
    let mut builder = configured().map_err(|error| refuse(&error))?;
    if let Device::Cuda(number) = device {
        let cuda = ort::ep::CUDA::default().with_device_id(i32::from(number)).build();
        builder = builder.with_execution_providers([cuda.error_on_failure()]).map_err(|error| {
            let message = format!("`device = \"{device}\"`, but ONNX Runtime does not start there: {error}");
            let help = format!(
                "name a build of ONNX Runtime {VERSION} with CUDA by {OWN}, and see that the driver, CUDA and \
                 cuDNN are there; or leave `device` out"
            );
            Error::runtime(message, help)
        })?;
    }
    builder.commit_from_file(file).map_err(|error| refuse(&error))
}

/// The one input: a batch of pictures.
struct Input {
    layout: Layout,
    batch: Option<usize>,
    height: Option<u32>,
    width: Option<u32>,
}

impl Input {
    fn of(inputs: &[Outlet], file: &Path) -> Result<Self> {
        let refuse = |message: String| {
            let help = "the network must take pictures and nothing else: a batch of 32-bit numbers \
                        of shape [batch, 3, height, width] or [batch, height, width, 3]; of CLIP \
                        and SigLIP take the image part (`vision_model.onnx`)";
            Err(Error::model(file, message, help))
        };
        let names: Vec<&str> = inputs.iter().map(Outlet::name).collect();
        let [input] = inputs else {
            return refuse(format!("it has {} inputs: {}", names.len(), names.join(", ")));
        };
        let ValueType::Tensor { ty, shape, .. } = input.dtype() else {
            return refuse(format!("its input `{}` is no tensor", names[0]));
        };
        if *ty != TensorElementType::Float32 {
            return refuse(format!("its input `{}` is of type {ty:?}", names[0]));
        }
        let known = |n: i64| u32::try_from(n).ok().filter(|n| *n > 0);
        let batch = |n: i64| known(n).map(|n| n as usize);
        match shape[..] {
            [n, 3 | -1, height, width] if width != 3 || height == -1 => Ok(Self {
                layout: Layout::Planes,
                batch: batch(n),
                height: known(height),
                width: known(width),
            }),
            [n, height, width, 3] => Ok(Self {
                layout: Layout::Pixels,
                batch: batch(n),
                height: known(height),
                width: known(width),
            }),
            _ => refuse(format!("its input `{}` has the shape {shape:?}", names[0])),
        }
    }

    fn check(&self, size: Size, file: &Path) -> Result<()> {
        let fits = |own: Option<u32>, given: u32| own.is_none_or(|own| own == given);
        if fits(self.height, size.height) && fits(self.width, size.width) {
            return Ok(());
        }
        let shown = |side: Option<u32>| side.map_or("any".to_owned(), |side| side.to_string());
        let message = format!(
            "it takes pictures of {} × {} pixels, and the preprocessing makes {} × {}",
            shown(self.height),
            shown(self.width),
            size.height,
            size.width
        );
        let help = "is the description of the preprocessing that of this network? otherwise set \
                    `preprocessing.crop` or `preprocessing.resize`";
        Err(Error::model(file, message, help))
    }
}

/// The output that is asked for, or the one that is most likely meant.
fn output(outputs: &[Outlet], asked: Option<&str>, file: &Path) -> Result<usize> {
    let position = |name: &str| outputs.iter().position(|output| output.name() == name);
    let names: Vec<&str> = outputs.iter().map(Outlet::name).collect();
    let names = names.join(", ");
    let found = match asked {
        Some(name) => position(name).ok_or_else(|| {
            let message = format!("it has no output `{name}`");
            Error::model(file, message, format!("its outputs are: {names}"))
        })?,
        None if outputs.len() == 1 => 0,
        None => OUTPUTS.iter().find_map(|name| position(name)).ok_or_else(|| {
            let message = "which of its outputs is the embedding cannot be told";
            Error::model(file, message, format!("set `output` to one of: {names}"))
        })?,
    };
    if asked.is_none() && outputs[found].name() == "logits" {
        tracing::warn!(
            "`{}` gives class scores (`logits`): an output before them describes images better",
            file.display()
        );
    }
    match outputs[found].dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, .. } => Ok(found),
        other => {
            let message = format!("its output `{}` is {other:?}", outputs[found].name());
            Err(Error::model(file, message, "an embedding is a tensor of 32-bit numbers"))
        }
    }
}
