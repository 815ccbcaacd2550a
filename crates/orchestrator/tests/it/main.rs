//! Plans and runs of small pipelines over a host made for the purpose.

mod caching;
mod faults;
mod finding_hosts;
mod interrupts;
mod keeping_house;
mod pace;
mod project;
