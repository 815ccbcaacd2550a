//! Compiles the two small C programs of `helpers/` with the compiler that libtorch's bindings need too.

use std::{env, path::Path, process::Command};

fn main() {
    let out = env::var("OUT_DIR").expect("Cargo names a folder");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let shared = ["-shared", "-fPIC"].as_slice();
    for (source, made, flags) in [("inject.c", "inject", &[][..]), ("clock.c", "clock.so", shared)]
    {
        let source = Path::new("helpers").join(source);
        println!("cargo::rerun-if-changed={}", source.display());
        let mut command = Command::new(&compiler);
        command.args(["-O1", "-Wall"]).args(flags).arg("-o").arg(Path::new(&out).join(made));
        let compiled = command.arg(&source).status();
        assert!(
            compiled.is_ok_and(|status| status.success()),
            "`{compiler}` cannot compile `{}`",
            source.display()
        );
    }
    println!("cargo::rerun-if-env-changed=CC");
}
