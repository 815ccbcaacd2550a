//! Who is there: ids, splits and source names of a table, without its pixels or vectors.

use std::collections::HashMap;

use scarce_artifact::{Embeddings, Images, Reader, Split};
use scarce_stage::{Context, Failure};

use crate::{Error, Result, columns::Table};

/// Rows read at a time.
const BATCH_ROWS: usize = 1 << 16;

/// The rows of an images or embeddings table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ImageIndex {
    pub(crate) id: Vec<u32>,
    pub(crate) split: Vec<Split>,
    /// File names, for images.
    pub(crate) source: Option<Vec<String>>,
    /// Ids and names of pictures that could not be read.
    pub(crate) left_out: Vec<(u32, String)>,
}

impl ImageIndex {
    /// From whichever of the optional inputs `images` and `embeddings` is wired, images first.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        Self::find(context)?.ok_or_else(|| {
            Error::request(
                format!("stage `{}` has neither `images` nor `embeddings` wired", context.stage()),
                "add `images = \"…\"` or `embeddings = \"…\"` to its inputs",
            )
            .into()
        })
    }

    /// The same, or nothing where neither is wired.
    pub(crate) fn find(context: &Context) -> Result<Option<Self>, Failure> {
        if let Some(images) = context.optional::<Images>("images")? {
            let left_out = images.meta().left_out.clone();
            return Ok(Some(Self { left_out, ..read(&images, true)? }));
        }
        if let Some(embeddings) = context.optional::<Embeddings>("embeddings")? {
            return Ok(Some(read(&embeddings, false)?));
        }
        Ok(None)
    }

    /// The split of each id.
    pub(crate) fn splits(&self) -> HashMap<u32, Split> {
        self.id.iter().copied().zip(self.split.iter().copied()).collect()
    }
}

fn read<T: scarce_artifact::Table>(reader: &Reader<T>, with_source: bool) -> Result<ImageIndex> {
    let table = Table::open(reader.path())?;
    let mut image_index =
        ImageIndex { source: with_source.then(Vec::new), ..ImageIndex::default() };
    let mut wanted = vec!["id", "split"];
    if with_source {
        wanted.push("source");
    }
    for batch in table.batches(&wanted, BATCH_ROWS)? {
        let batch = batch?;
        image_index.id.extend(batch.ids("id")?);
        image_index.split.extend(batch.splits("split")?);
        if let Some(source) = &mut image_index.source {
            source.extend(batch.words("source")?.into_text().into_iter().flatten());
        }
    }
    Ok(image_index)
}
