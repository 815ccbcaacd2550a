//! Fingerprints the code, so that results are never taken for those of other code.

fn main() {
    scarce_fingerprint::emit();
}
