//! Lets the tests of this crate find libtorch.

include!("link_libtorch.rs");

fn main() {
    link_libtorch();
}
