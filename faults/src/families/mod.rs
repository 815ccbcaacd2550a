//! The kinds of attack.

mod clocks;
pub(crate) mod damage;
mod disks;
mod edits;
mod environments;
mod hostile;
mod hosts;
pub(crate) mod kills;
mod older;
mod permissions;
mod signals;
mod sweeps;
mod together;

use crate::{Case, Outcome, property};

/// A kind of attack.
#[derive(Debug)]
pub struct Family {
    /// Its name on the command line.
    pub name: &'static str,
    /// What scarce promises under it, in a line.
    pub promise: &'static str,
    /// Cases of a long campaign.
    pub cases: u64,
    /// Cases that `cargo test` tries.
    pub short: u64,
    /// One attack; panics when the promise is broken.
    pub attack: fn(&mut Case) -> Outcome,
}

/// All of them.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "kills",
        promise: "the run, a stage or both killed at any moment: a rerun finishes the job, all tables \
                  are those of an undisturbed run, `verify` is clean and `gc` loses nothing",
        cases: 600,
        short: 5,
        attack: kills::at_random,
    },
    Family {
        name: "kill-points",
        promise: "the same, killed before the Nth change that the run makes to a file or folder",
        cases: 400,
        short: 5,
        attack: kills::at_a_call,
    },
    Family {
        name: "signals",
        promise: "INT, TERM, HUP, a closed terminal or a closed pipe end a run with a documented code, \
                  leave no process behind, and a rerun finishes the job",
        cases: 200,
        short: 6,
        attack: signals::attack,
    },
    Family {
        name: "disks",
        promise: "ENOSPC or EIO at any write or read, once or from there on: no panic, no half entry, \
                  no wrong table; with the disk mended a rerun finishes the job",
        cases: 400,
        short: 6,
        attack: disks::attack,
    },
    Family {
        name: "damage",
        promise: "any file of the artifacts cut short, flipped, overwritten, removed or replaced by \
                  something else: noticed, set aside, computed again to the same bytes",
        cases: 400,
        short: 6,
        attack: damage::attack,
    },
    Family {
        name: "edits",
        promise: "data that change while a stage reads them, and change back: what is published under \
                  their key is what they held",
        cases: 150,
        short: 3,
        attack: edits::attack,
    },
    Family {
        name: "together",
        promise: "two to eight runs with `gc` and `verify` at once, one of them killed perhaps: all end \
                  well, all show what an undisturbed run shows, nothing is called damaged",
        cases: 120,
        short: 2,
        attack: together::attack,
    },
    Family {
        name: "permissions",
        promise: "files and folders of the artifacts that cannot be read or written, or are another \
                  user's: said so; with the permissions back all is as before",
        cases: 150,
        short: 4,
        attack: permissions::attack,
    },
    Family {
        name: "clocks",
        promise: "a clock that is centuries off or jumps, and files of the past and the future: the same \
                  tables; data that changed with their time put back are noticed",
        cases: 120,
        short: 4,
        attack: clocks::attack,
    },
    Family {
        name: "hostile-toml",
        promise: "any mutation of the repository's pipelines: `check` and `plan` answer in bounded time \
                  and memory with exit code 0 or 2, and never panic",
        cases: 2000,
        short: 20,
        attack: hostile::attack,
    },
    Family {
        name: "sweeps",
        promise: "cycles, huge axes and huge rounds: refused or planned in bounded time and memory",
        cases: 120,
        short: 6,
        attack: sweeps::attack,
    },
    Family {
        name: "environments",
        promise: "no HOME, few file descriptors, closed standard streams, names that are not UTF-8, odd \
                  locales: a run does its work, or refuses before it begins",
        cases: 120,
        short: 6,
        attack: environments::attack,
    },
    Family {
        name: "hosts",
        promise: "programs of others that hang, lie, flood, fork or die: one failed stage, the others \
                  finish, nothing outside the store is touched",
        cases: 150,
        short: 5,
        attack: hosts::attack,
    },
    Family {
        name: "older-stores",
        promise: "a store that an earlier version has written: read or computed again, never mistaken; \
                  its records are still listed",
        cases: 40,
        short: 2,
        attack: older::attack,
    },
    Family {
        name: "property",
        promise: "after any sequence of edits, kills, damage and collections, a cached run equals an \
                  uncached one byte for byte",
        cases: 60,
        short: 3,
        attack: property::attack,
    },
];

/// The family of a name.
pub fn named(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}
