//! Another time of day (`helpers/clock.c`), and files from another time.

use std::{path::Path, process::Command};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// Seconds of a year.
pub const YEAR: i64 = 31_557_600;

/// Makes a program believe that it is so many seconds later.
pub fn shift(command: &mut Command, seconds: i64) {
    command.env("LD_PRELOAD", concat!(env!("OUT_DIR"), "/clock.so"));
    command.env("FAULTS_CLOCK", seconds.to_string());
}

/// Gives a file, folder or link a time of change, in seconds from 1970; whether the file system takes it.
pub fn date(path: &Path, seconds: i64) -> bool {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}
