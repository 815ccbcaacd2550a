//! The stage kinds that live in this program: those that need no libtorch.

use scarce_stage::Kind;

/// All light kinds. A new family is one line here and one in `Cargo.toml`.
pub(crate) fn kinds() -> Vec<Kind> {
    [
        scarce_ingest::kinds(),
        scarce_embed::kinds(),
        scarce_pretrained::kinds(),
        scarce_cluster::kinds(),
        scarce_propagate::kinds(),
        scarce_graph::kinds(),
        scarce_query::kinds(),
        scarce_classify::kinds(),
        scarce_report::kinds(),
    ]
    .concat()
}
