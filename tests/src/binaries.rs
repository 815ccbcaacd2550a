use std::path::{Path, PathBuf};

/// The folder of the workspace's own `Cargo.toml`.
///
/// # Panics
/// If this crate has been moved out of the workspace.
pub fn workspace_root() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.parent().expect("`tests` lies in the workspace").to_owned()
}

/// The folder that holds the built `scarce` and `scarce-torch`.
///
/// # Panics
/// If they are not there; the message says how to build them.
pub fn binaries() -> PathBuf {
    let folder = std::env::var_os("SCARCE_BIN_DIR").map_or_else(beside_the_test, PathBuf::from);
    for name in ["scarce", "scarce-torch"] {
        let binary = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
        assert!(
            binary.is_file(),
            "`{}` is not there: run `cargo xtask test`, or `cargo build` in the profile of the test",
            binary.display()
        );
    }
    folder
}

/// `target/PROFILE`, of which this test runs in `deps`.
fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    test.ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}
