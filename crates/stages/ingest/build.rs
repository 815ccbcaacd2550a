//! Gives the crate its code fingerprint.

fn main() {
    scarce_fingerprint::emit();
}
