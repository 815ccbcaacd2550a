//! Vectors to embed further, from embeddings or straight from images.

use scarce_artifact::{Embeddings, Images, Metric, Reader, Vectors, batch_rows};
use scarce_stage::{Context, Description, Failure, Port};

use crate::Error;

/// Batches of vectors.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<Embeddings, Error>>>;

/// One of two tables.
pub(crate) enum Source {
    Features(Reader<Embeddings>),
    Images(Reader<Images>),
}

impl Source {
    /// Adds the two inputs to a description.
    pub(crate) fn inputs(description: Description) -> Description {
        description
            .input(Port::table::<Embeddings>("features", "Vectors to project").optional())
            .input(
                Port::table::<Images>("images", "Or images, whose pixels are scaled to [0, 1]")
                    .optional(),
            )
    }

    /// The input that is wired.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let features = context.optional::<Embeddings>("features")?;
        let images = context.optional::<Images>("images")?;
        match (features, images) {
            (Some(features), None) => Ok(Self::Features(features)),
            (None, Some(images)) => Ok(Self::Images(images)),
            (None, None) => Err(Error::OneInput { found: 0 }.into()),
            (Some(_), Some(_)) => Err(Error::OneInput { found: 2 }.into()),
        }
    }

    /// Numbers in each vector.
    pub(crate) fn width(&self) -> Result<usize, Error> {
        match self {
            Self::Features(reader) => Ok(reader.width()?),
            Self::Images(reader) => Ok(reader.meta().shape.pixels()),
        }
    }

    /// The number of vectors.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Features(reader) => reader.rows(),
            Self::Images(reader) => reader.rows(),
        }
    }

    /// What made the vectors.
    pub(crate) fn origin(&self) -> &str {
        match self {
            Self::Features(reader) => &reader.meta().origin,
            Self::Images(_) => "pixels",
        }
    }

    /// One pass over the vectors.
    pub(crate) fn batches(&self) -> Result<Batches, Error> {
        match self {
            Self::Features(reader) => {
                if reader.meta().metric == Metric::Cosine {
                    tracing::debug!("the features are meant for the cosine, PCA is Euclidean");
                }
                Ok(Box::new(reader.stream()?.map(|batch| Ok(batch?))))
            }
            Self::Images(reader) => {
                let divisor = unit(reader)?;
                let batches = image_batches(reader);
                Ok(Box::new(batches.map(move |batch| Ok(vectors(batch?, divisor)))))
            }
        }
    }
}

/// The divisor that brings pixels to [0, 1].
pub(crate) fn unit(images: &Reader<Images>) -> Result<f32, Error> {
    match images.meta().max_value {
        0 => Err(Error::MaxValue { path: images.path().to_owned() }),
        most => Ok(f32::from(most)),
    }
}

/// Streams images so that a batch is not too large as floats.
pub(crate) fn image_batches(images: &Reader<Images>) -> scarce_artifact::Batches<Images> {
    images.batches(batch_rows(images.meta().shape.pixels().saturating_mul(4)))
}

/// Pixels divided by `divisor`.
pub(crate) fn vectors(images: Images, divisor: f32) -> Embeddings {
    let Images { id, split, pixels, .. } = images;
    let values = pixels.values.iter().map(|&pixel| f32::from(pixel) / divisor).collect();
    Embeddings { id, split, embedding: Vectors::new(pixels.width, values) }
}
