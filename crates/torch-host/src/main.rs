//! `scarce-torch`: the host of the stage kinds that need libtorch.
//!
//! It answers `describe` and `exec JOB.json`; `scarce` calls it. The two are apart because
//! linking libtorch costs a third of a second and a hundred megabytes at every start, which
//! `scarce plan` must not pay. A new crate of kinds is one more line here.

use std::process::ExitCode;

fn main() -> ExitCode {
    let kinds = [scarce_autoencoder::kinds(), scarce_neural::kinds()].concat();
    scarce_stage::host::main(&kinds)
}
