//! Plans and runs of small pipelines over a host made for the purpose.
#![allow(clippy::unwrap_used, clippy::print_stderr)]
// The closures that this lint would have replaced are not general enough without being closures.
#![allow(clippy::redundant_closure_for_method_calls)]

mod caching;
mod disks;
mod faults;
mod finding_hosts;
mod interrupts;
mod keeping_house;
mod lineage;
mod memo;
mod moved;
mod outputs;
mod pace;
mod project;
