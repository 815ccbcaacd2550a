//! Pixels as they are.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Images, Metric};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::{image_batches, unit, vectors};

/// What pixel values become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Divided by the largest value that the images can have, so that they lie in [0, 1].
    #[default]
    Unit,
    /// As they are.
    Raw,
}

/// Parameters of `pixels`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// What pixel values become: `unit` divides them by the largest value that the images can have
    /// (255 for most, 16 for the digits), `raw` leaves them.
    pub scale: Scale,
}

/// The kind `pixels`.
pub struct Pixels;

impl Stage for Pixels {
    type Params = Params;

    fn describe() -> Description {
        Description::new("pixels", "The pixels of each image as a vector")
            .doc(
                "Each image of height × width × channels becomes a vector of as many numbers, row \
                 by row, channels innermost; meant for the Euclidean distance. Streamed.",
            )
            .learns(Learns::nothing())
            .input(Port::table::<Images>("images", "The images"))
            .output(Port::table::<Embeddings>("embeddings", "One vector per image"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let images = context.input::<Images>("images")?;
        let divisor = match params.scale {
            Scale::Unit => unit(&images)?,
            Scale::Raw => 1.0,
        };
        let meta = EmbeddingsMeta { origin: "pixels".to_owned(), metric: Metric::Euclidean };
        let mut writer = context.writer::<Embeddings>("embeddings", meta)?;
        let mut done = 0;
        for batch in image_batches(&images) {
            let batch = batch?;
            done += batch.id.len() as u64;
            writer.write(vectors(batch, divisor))?;
            context.progress(done, images.rows() as u64, "images", "");
        }
        writer.finish()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use scarce_artifact::Split;
    use serde_json::json;

    use crate::testing::{Bench, images};

    #[test]
    fn pixels_are_scaled_by_the_largest_value_of_the_source() {
        let bench = Bench::new();
        bench.images("x", images(2, 16, |id, pixel| (id * 13 + pixel) as u8));
        bench.run("pixels", json!({}), &[("images", "x")]).unwrap();
        let found = bench.embeddings();
        assert_eq!(found.embedding.row(0), [0.0, 1.0 / 16.0, 2.0 / 16.0, 3.0 / 16.0]);
        assert_eq!(found.embedding.row(1)[3], 1.0);
        assert_eq!(found.split, [Split::Train, Split::Train]);
        assert_eq!(bench.meta().origin, "pixels");
        bench.run("pixels", json!({ "scale": "raw" }), &[("images", "x")]).unwrap();
        assert_eq!(bench.embeddings().embedding.row(1), [13.0, 14.0, 15.0, 16.0]);
    }

    #[test]
    fn images_without_a_scale_are_refused() {
        let bench = Bench::new();
        bench.images("x", images(2, 0, |_, _| 0));
        let failure = bench.run("pixels", json!({}), &[("images", "x")]).unwrap_err();
        assert_eq!(failure.code, "embed::max_value");
        bench.run("pixels", json!({ "scale": "raw" }), &[("images", "x")]).unwrap();
        assert!(bench.run("pixels", json!({ "scale": "log" }), &[("images", "x")]).is_err());
    }
}
