//! `scarce-torch`: the host of the stage kinds that need libtorch.
//!
//! It answers `describe` and `exec JOB.json`; `scarce` calls it. The two are apart because
//! linking libtorch costs a third of a second and a hundred megabytes at every start, which
//! `scarce plan` must not pay. A new crate of kinds is one more line here.

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_memory();
    let kinds = [scarce_autoencoder::kinds(), scarce_neural::kinds()].concat();
    scarce_stage::host::main(&kinds)
}

/// Keeps freed memory for the next tensor. Training asks for the same few megabytes again and again,
/// and the system clears every page that it hands out: a tenth of the time of a small network.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn keep_memory() {
    /// The most that glibc takes.
    const FROM_HEAP: i32 = 32 << 20;
    const KEPT: i32 = 512 << 20;
    const AT_ONCE: i32 = 64 << 20;
    // SAFETY: sets numbers of glibc's allocator, before there is another thread; one that it refuses
    // stays as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, FROM_HEAP);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_TOP_PAD, AT_ONCE);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory() {}
