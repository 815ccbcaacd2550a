//! A few cases of every family, always the same ones; `cargo xtask faults` tries thousands.

#![allow(clippy::unwrap_used)]

use scarce_faults::{Outcome, campaign, families};

/// Where the draws of these tests begin. Campaigns begin elsewhere unless asked.
const SEED: u64 = 14;

#[track_caller]
fn survives(name: &str) {
    let family = families::named(name).unwrap();
    for number in 0..family.short {
        match campaign::try_case(family, SEED, number) {
            Ok(Outcome::Survived) => {}
            Ok(Outcome::Skipped(why)) => {
                scarce_tests::skipped(&format!("case {number} of {name}: {why}"));
            }
            Err(message) => panic!(
                "lost: `cargo xtask faults --family {name} --seed {SEED} --case {number}`\n{message}"
            ),
        }
    }
}

macro_rules! families {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { survives($name); })*

        #[test]
        fn no_family_is_left_out() {
            let tested = [$($name),*];
            for family in scarce_faults::FAMILIES {
                assert!(tested.contains(&family.name), "`{}` has no test here", family.name);
            }
        }
    };
}

families! {
    kills_at_any_moment: "kills",
    kills_before_a_change_of_the_disk: "kill-points",
    signals_and_closed_terminals: "signals",
    full_and_broken_disks: "disks",
    damaged_files: "damage",
    data_that_change_meanwhile: "edits",
    many_runs_at_once: "together",
    permissions: "permissions",
    clocks: "clocks",
    hostile_toml: "hostile-toml",
    cycles_and_huge_sweeps: "sweeps",
    environments: "environments",
    bad_hosts: "hosts",
    older_stores: "older-stores",
    a_cached_run_equals_an_uncached_one: "property",
}
