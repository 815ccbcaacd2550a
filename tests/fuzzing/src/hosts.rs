//! What programs of others print.

use std::path::Path;

use scarce_orchestrator::{described, next_line};
use scarce_stage::Event;

/// No line is longer, whatever is printed; see [`next_line`].
const LONGEST: usize = 300 << 10;

/// Bytes as what a host prints when it is asked for its kinds.
pub fn host(bytes: &[u8]) {
    match described(Path::new("scarce-fuzzed"), bytes) {
        Ok(kinds) => {
            // A program without a fingerprint is digested, and this one does not exist.
            assert!(kinds.iter().all(|kind| !kind.fingerprint.is_empty()));
            let text = serde_json::to_vec(&kinds).unwrap();
            let again: Vec<scarce_stage::Description> = serde_json::from_slice(&text).unwrap();
            assert_eq!(again, kinds);
        }
        Err(message) => assert!(!message.trim().is_empty()),
    }
}

/// Bytes as what a stage prints while it runs.
pub fn events(bytes: &[u8]) {
    let mut pipe = std::io::BufReader::with_capacity(64, bytes);
    let mut lines = 0;
    while let Some(line) = next_line(&mut pipe).unwrap() {
        lines += 1;
        assert!(line.len() < LONGEST, "a line of {} bytes", line.len());
        let Ok(event) = serde_json::from_slice::<Event>(&line) else { continue };
        let text = serde_json::to_vec(&event).unwrap();
        assert_eq!(serde_json::from_slice::<Event>(&text).unwrap(), event);
    }
    assert_eq!(lines, bytes.split_inclusive(|&byte| byte == b'\n').count());
}
