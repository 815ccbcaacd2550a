//! libtorch, put where `.cargo/config.toml` looks for it: `.libtorch/` in the workspace.
//!
//! It is the processor-only part of the PyTorch wheel, unpacked once per user into
//! a cache and linked into each clone from there. Every step writes beside its goal and
//! renames, so that what is there is whole, and whatever was interrupted is done again.

mod recipe;
mod stamp;
mod unpack;
mod users_own;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use scarce_wheels::{download, onnxruntime::WHEELS, wheels_in};

use crate::{cache, say};
use stamp::Damage;

/// Makes sure that there is a libtorch to build with; when all is there this takes
/// a few milliseconds. With `verify` the libraries are read and compared byte by byte.
pub(crate) fn provision(root: &Path, verify: bool) -> Result<()> {
    let place = root.join(".libtorch");
    if users_own::found(&place)? {
        return Ok(());
    }
    let state = if verify { stamp::verify(&place) } else { stamp::glance(&place) };
    match state {
        Ok(()) => {
            if verify {
                say("`.libtorch` is whole");
            }
            return Ok(());
        }
        Err(Damage::Absent) => {}
        Err(damage) => say(format_args!("`.libtorch` is damaged ({damage}): putting it right")),
    }
    check_the_machine()?;
    with_libtorch(root, |libtorch| cache::link(libtorch, &place))
        .context("libtorch could not be put in place; `cargo xtask setup` tries again")?;
    say(format_args!("libtorch {} is in `.libtorch`", recipe::VERSION));
    Ok(())
}

/// Calls `then` with a whole libtorch of the user's cache, made first if need be.
fn with_libtorch(root: &Path, then: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = cache::folder(root)?;
    let name = format!("libtorch-{}-cpu", recipe::VERSION);
    let _alone = cache::lock(&folder, &name)?;
    let libtorch = folder.join(&name);
    // a clone's links share their bytes with the cache: look at them all
    match stamp::verify(&libtorch) {
        Ok(()) => say(format_args!("taking libtorch from `{}`", libtorch.display())),
        Err(Damage::Absent) => make(&folder, &libtorch)?,
        Err(damage) => {
            say(format_args!("`{}` is damaged ({damage}): making it anew", libtorch.display()));
            make(&folder, &libtorch)?;
        }
    }
    then(&libtorch)
}

fn make(folder: &Path, libtorch: &Path) -> Result<()> {
    let downloads = folder.join(format!("wheels-{}", recipe::VERSION));
    let given = std::env::var_os(WHEELS).map(PathBuf::from);
    if given.is_none() {
        say("libtorch is 540 MB, downloaded once for all clones of this user");
        download(&recipe::WHEELS, &downloads, &|what| say(what))
            .map_err(|error| anyhow!("{error}\n{}", recipe::WAYS_OUT))?;
    }
    let wheels = wheels_in(&recipe::WHEELS, given.as_deref().unwrap_or(&downloads))?;
    let partial = cache::beside(libtorch);
    cache::remove(&partial)?;
    fs_err::create_dir_all(&partial)?;
    unpack::unpack(&wheels, &partial)?;
    cache::remove(libtorch)?;
    fs_err::rename(&partial, libtorch)?;
    if given.is_none() {
        cache::remove(&downloads)?;
    }
    Ok(())
}

/// What would fail later, said early.
fn check_the_machine() -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        bail!(
            "libtorch is provisioned on Linux with glibc on x86_64 only; elsewhere\n{}",
            recipe::WAYS_OUT
        );
    }
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let found = std::process::Command::new(&compiler).arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        bail!(
            "no C++ compiler: `{}` does not run; libtorch's bindings need one\n  \
             Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`",
            compiler.display()
        );
    }
    Ok(())
}
