//! The kind `pretrained`.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Images, Metric, Split, Vectors};
use scarce_stage::{Context, Description, Failure, Learns, Memo, Needs, Port, Stage};
use scarce_wheels::onnxruntime::VERSION;

use crate::{
    Error, Params, Result, lanes,
    model::Model,
    network::Network,
    params::Augment,
    preprocessing::Prepared,
    runtime,
    source::{Item, Source},
};

/// Vectors that are held before they are written.
const ROWS: usize = 1024;

/// The kind `pretrained`.
pub(crate) struct Pretrained;

impl Stage for Pretrained {
    type Params = Params;

    fn describe() -> Description {
        Description::new("pretrained", "Vectors of images by a network that others trained")
            .doc(include_str!("pretrained.md"))
            .learns(Learns::nothing().from_elsewhere())
            .input(Port::table::<Images>(
                "images",
                "The images: ids, splits and file names; their pixels are used only without `path`",
            ))
            .output(Port::table::<Embeddings>("embeddings", "One vector per image"))
            .needs(Needs { gpu: true, ..Needs::default() })
            .environment("onnxruntime", VERSION)
            .with_memo_of(&[
                "model",
                "preprocessor",
                "preprocessing",
                "output",
                "pooling",
                "augment",
                "normalise",
                "device",
            ])
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let model = Model::read(&params)?;
        let images = context.input::<Images>("images")?;
        let source = Source::open(&params, &images)?;
        let environment = runtime::open(context.data())?;
        let network = Network::open(environment, &model, &params, context.threads())?;
        let encoder = Encoder {
            prepared: Prepared::new(model.recipe, network.layout),
            augment: params.augment,
            normalise: params.normalise,
            memo: Memo::open(context.memo()),
            network,
        };
        let batch = encoder.batch(params.batch as usize);
        let meta = EmbeddingsMeta { origin: "pretrained".to_owned(), metric: Metric::Cosine };
        let mut writer = context.writer::<Embeddings>("embeddings", meta)?;
        let mut waiting = Rows::default();
        let (mut done, total) = (0, images.rows() as u64);
        lanes::run(
            context.threads(),
            |give| source.chunks(batch, give),
            |chunk| encoder.encode(chunk),
            |rows| {
                done += rows.id.len() as u64;
                waiting.append(rows)?;
                if waiting.id.len() >= ROWS {
                    writer.write(std::mem::take(&mut waiting).into_table())?;
                }
                context.progress(done, total, "images", "");
                Ok(())
            },
        )?;
        if !waiting.id.is_empty() {
            writer.write(waiting.into_table())?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// Vectors with whose they are.
#[derive(Default)]
struct Rows {
    id: Vec<u32>,
    split: Vec<Split>,
    width: usize,
    vectors: Vec<f32>,
}

impl Rows {
    fn append(&mut self, other: Self) -> Result<()> {
        if !self.id.is_empty() && self.width != other.width {
            let message = format!(
                "the network gives {} numbers for some images and {} for others",
                self.width, other.width
            );
            return Err(Error::request(message, "take another `output` or `pooling`"));
        }
        self.width = other.width;
        self.id.extend(other.id);
        self.split.extend(other.split);
        self.vectors.extend(other.vectors);
        Ok(())
    }

    fn into_table(self) -> Embeddings {
        let embedding = Vectors::new(self.width, self.vectors);
        Embeddings { id: self.id, split: self.split, embedding }
    }
}

/// A vector as it is kept between runs: its numbers, little-endian.
fn remembered(bytes: &[u8]) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let whole = rest.is_empty() && !numbers.is_empty();
    (whole && numbers.iter().all(|x| x.is_finite())).then_some(numbers)
}

/// From pictures to vectors.
struct Encoder {
    network: Network,
    /// Vectors of earlier runs by the bytes of their pictures. Everything else that they depend on, the
    /// content of the model included, its folder stands for.
    memo: Memo,
    prepared: Prepared,
    augment: Augment,
    normalise: bool,
}

impl Encoder {
    /// Images that go through the network together.
    fn batch(&self, asked: usize) -> usize {
        match self.network.fixed_batch {
            None => asked,
            Some(fixed) => (fixed / self.views()).max(1),
        }
    }

    /// How often the network sees each image.
    fn views(&self) -> usize {
        match self.augment {
            Augment::None => 1,
            Augment::Flip => 2,
        }
    }

    /// The vectors of some images: those that are remembered, and of the others what the network says.
    fn encode(&self, chunk: Vec<Item>) -> Result<Rows> {
        let (numbers, views) = (self.prepared.numbers(), self.views());
        let mut vectors = Vec::with_capacity(chunk.len());
        let (mut new, mut pixels) = (Vec::new(), Vec::new());
        for (at, item) in chunk.iter().enumerate() {
            let bytes = item.bytes()?;
            let key = item.key(&bytes);
            let known = self.memo.get(&key).and_then(|bytes| remembered(&bytes));
            if known.is_none() {
                let picture = item.picture(&bytes, self.prepared.needs())?;
                let start = pixels.len();
                pixels.resize(start + views * numbers, 0.0);
                let (image, mirrored) = pixels[start..].split_at_mut(numbers);
                self.prepared.write(&picture, image, (views == 2).then_some(mirrored));
                new.push((at, key));
            }
            vectors.push(known.unwrap_or_default());
        }
        if let Some(&(first, _)) = new.first() {
            let said = self.through(&mut pixels, new.len() * views, &chunk[first].name)?;
            for ((at, key), views) in new.into_iter().zip(said.chunks_exact(views)) {
                vectors[at] = self.finish(views, &chunk[at].name)?;
                let bytes: Vec<u8> = vectors[at].iter().flat_map(|x| x.to_le_bytes()).collect();
                self.memo.put(&key, &bytes);
            }
        }
        let mut rows = Rows::default();
        for (item, vector) in chunk.iter().zip(vectors) {
            rows.append(Rows {
                id: vec![item.id],
                split: vec![item.split],
                width: vector.len(),
                vectors: vector,
            })?;
        }
        Ok(rows)
    }

    /// Runs the network, in batches of its own size where the file fixes one.
    fn through(&self, pixels: &mut Vec<f32>, count: usize, name: &str) -> Result<Vec<Vec<f32>>> {
        let Some(fixed) = self.network.fixed_batch else {
            return self.network.vectors(pixels, count, name);
        };
        let whole = count.div_ceil(fixed) * fixed;
        let numbers = self.prepared.numbers();
        pixels.resize(whole * numbers, 0.0);
        let mut vectors = Vec::with_capacity(whole);
        for batch in pixels.chunks_exact(fixed * numbers) {
            vectors.extend(self.network.vectors(batch, fixed, name)?);
        }
        vectors.truncate(count);
        Ok(vectors)
    }

    /// One vector of all views of an image.
    fn finish(&self, views: &[Vec<f32>], name: &str) -> Result<Vec<f32>> {
        let mut vector = if let [only] = views {
            only.clone()
        } else {
            let share = 1.0 / views.len() as f32;
            let mean = |at: usize| views.iter().map(|view| view[at]).sum::<f32>() * share;
            (0..views[0].len()).map(mean).collect()
        };
        if let Some(bad) = vector.iter().find(|x| !x.is_finite()) {
            let message = format!("its vector holds {bad}");
            return Err(Error::Network { name: name.to_owned(), message });
        }
        if self.normalise {
            let length = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                for x in &mut vector {
                    *x = (f64::from(*x) / length) as f32;
                }
            }
        }
        Ok(vector)
    }
}
