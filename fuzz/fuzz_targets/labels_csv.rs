#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scarce_fuzzing::labels_csv(bytes));
