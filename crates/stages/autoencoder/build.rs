//! Fingerprints the code, so that results are never taken for those of other code, and lets the
//! tests of this crate find libtorch.

include!("../../learning/nn/link_libtorch.rs");

fn main() {
    scarce_fingerprint::emit();
    link_libtorch();
}
