//! Where data enters: images, embeddings, true labels, labels of one's own, label budgets.
//!
//! | kind | what it makes | of what |
//! | --- | --- | --- |
//! | `ingest` | [`Images`](scarce_artifact::Images), [`Truth`](scarce_artifact::Truth) | digits, MNIST, Fashion-MNIST, IDX, folders of pictures, Parquet |
//! | `ingest-embeddings` | [`Embeddings`](scarce_artifact::Embeddings), truth | a Parquet column of vectors, `.npy` |
//! | `labels` | [`Labels`](scarce_artifact::Labels) | CSV, JSON lines, Parquet: file name or id, and class |
//! | `budget` | labels | the truth, of which a few are revealed |
//! | `annotate` | labels | the truth, as far as queries ask for it, and labels known before |
//! | `holdout` | labels kept and held out | given labels, in stratified folds |
//!
//! Two rules hold for everything that is read. *A file is believed only as far as it goes:* no length
//! in a header sets an allocation, a file that is cut short, goes on for too long or holds a NaN is an
//! [`Error`] that names file and place. *The same source gives the same rows under the same ids*,
//! whatever the number of threads.
//!
//! Images are read and written batch by batch. Truth is a table of its own and optional: real users
//! have none.
//!
//! [`datasets`] finds, checks and downloads the known data sets; the command line uses it too.
//!
//! ```
//! use scarce_ingest::datasets::{Dataset, known};
//!
//! let kinds: Vec<String> =
//!     scarce_ingest::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(kinds, ["ingest", "ingest-embeddings", "labels", "budget", "annotate", "holdout", "ingest-model"]);
//! assert_eq!(Dataset::FashionMnist.known().classes[9], "Ankle boot");
//! assert_eq!(known().len(), 3);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotate;
mod budget;
mod classes;
mod columns;
pub mod datasets;
mod embeddings;
mod error;
mod holdout;
mod id_list;
mod image_index;
mod images;
mod labelling_pool;
mod labels;
mod model;
mod sampling;
mod stream;

#[cfg(test)]
mod testing;

use scarce_stage::Kind;

pub use annotate::Params as AnnotateParams;
pub use budget::Params as BudgetParams;
pub use embeddings::Params as EmbeddingsParams;
pub use error::{Error, Result};
pub use holdout::{All, Fold, Params as HoldoutParams};
pub use images::{Channels, Params as IngestParams, RawShape, Size};
pub use labels::{
    MatchBy, Params as LabelsParams, ReadLabel, ReadLabels, label_counts, read_labels,
};
pub use model::{Params as ModelParams, Role};

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let fingerprint = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<images::Ingest>(fingerprint),
        Kind::of::<embeddings::IngestEmbeddings>(fingerprint),
        Kind::of::<labels::GivenLabels>(fingerprint),
        Kind::of::<budget::Budget>(fingerprint),
        Kind::of::<annotate::Annotate>(fingerprint),
        Kind::of::<holdout::Holdout>(fingerprint),
        Kind::of::<model::IngestModel>(fingerprint),
    ]
}
