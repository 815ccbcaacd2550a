//! Lets the program find libtorch from any folder.

include!("../../learning/nn/link_libtorch.rs");

fn main() {
    link_libtorch();
}
