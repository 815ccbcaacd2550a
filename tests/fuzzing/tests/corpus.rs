//! The kept corpus through every target, without a fuzzer: `fuzz/seeds/TARGET/`, whole and damaged.
//!
//! `SCARCE_MUTATIONS=100 cargo test --release -p scarce-fuzzing` damages each seed a hundred times as
//! often.

#![allow(clippy::unwrap_used)]

use std::{
    alloc::System,
    panic,
    path::{Path, PathBuf},
};

use cap::Cap;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use scarce_fuzzing::TARGETS;

/// Counts what is allocated.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// The most memory that a small file may take, whatever it claims.
const MOST: usize = 512 << 20;
/// Damages done to each seed unless more are asked for.
const TRIES: usize = 25;

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> =
        fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn tries() -> usize {
    let more = std::env::var("SCARCE_MUTATIONS").ok();
    TRIES * more.map_or(1, |text| text.parse::<usize>().unwrap())
}

/// Flips, cuts, repeats or overwrites.
fn damage(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..5) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n'][random.random_range(0..7)],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..(at + random.random_range(1..9)).min(bytes.len()))),
        _ => {
            let piece = bytes[at..(at + random.random_range(1..33)).min(bytes.len())].to_vec();
            let to = random.random_range(0..=bytes.len());
            drop(bytes.splice(to..to, piece));
        }
    }
}

#[test]
fn the_kept_corpus_does_no_harm() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "`{name}` has no seeds");
        for path in seeds {
            let whole = fs_err::read(&path).unwrap();
            let mut random = ChaCha8Rng::seed_from_u64(whole.len() as u64);
            for attempt in 0..=tries() {
                let mut bytes = whole.clone();
                for _ in 0..attempt.min(3) {
                    damage(&mut bytes, &mut random);
                }
                let done = panic::catch_unwind(|| target(&bytes));
                let kept = || {
                    let kept = std::env::temp_dir().join(format!("scarce-fuzzing-{name}"));
                    fs_err::write(&kept, &bytes).unwrap();
                    format!("{}, attempt {attempt}: see {}", path.display(), kept.display())
                };
                assert!(done.is_ok(), "it panicked: {}", kept());
                let peak = MEMORY.max_allocated();
                assert!(peak < MOST, "{peak} bytes: {}", kept());
            }
        }
    }
}
