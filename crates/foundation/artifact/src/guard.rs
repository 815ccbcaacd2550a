//! The last resort against hostile bytes: a decoder that panics is a file that cannot be read.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Once,
};

use crate::{Error, Result};

thread_local! {
    /// Whether this thread is inside a foreign decoder.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// Does `work`, which decodes bytes of the file with another's code; a panic in there is an error
/// about the file.
///
/// The footer and the headers of all pages are checked before (see [`crate::footer`]), but the values
/// within a page are not: the decoders of the `parquet` crate assert, index and unwrap on what they
/// find there, and damaged files reach it (a VLQ number that does not end, a level beyond the highest).
/// As [`contained`].
pub(crate) fn guarded<T>(path: &Path, work: impl FnOnce() -> T) -> Result<T> {
    contained(work).map_err(|reason| Error::Parquet {
        path: path.to_owned(),
        message: format!("the decoder gave up: {reason}"),
    })
}

/// Does `work`, which is other people's code before hostile bytes.
///
/// What was being worked on is dropped, so that nothing half done is seen; nothing is printed. `work`
/// must not hand work to other threads, whose panics are their own.
///
/// # Errors
/// The reason that a panic gave.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    QUIET.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                others(info);
            }
        }));
    });
    let outside = INSIDE.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(outside);
    done.map_err(|payload| words(&*payload).to_owned())
}

fn words(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_leaves_the_thread_usable() {
        let path = Path::new("f.parquet");
        assert_eq!(guarded(path, || 7).unwrap(), 7);
        for _ in 0..2 {
            let error = guarded(path, || panic!("level {} of 1", 3)).unwrap_err().to_string();
            assert!(error.contains("f.parquet") && error.contains("level 3 of 1"), "{error}");
        }
        assert!(!INSIDE.get());
    }
}
