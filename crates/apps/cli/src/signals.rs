//! What the program does with signals, whatever whoever started it did.

/// Lets children be waited for. A parent that ignores `SIGCHLD` hands that on, and with it the kernel
/// forgets how a child ended: every stage would seem never to have started.
#[cfg(unix)]
#[allow(unsafe_code)]
pub(crate) fn reset() {
    // SAFETY: sets what every program begins with, before there is another thread.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

#[cfg(not(unix))]
pub(crate) fn reset() {}
