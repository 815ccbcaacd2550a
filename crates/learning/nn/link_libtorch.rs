// Included by the build script of every crate that makes a program with libtorch in it,
// each of which depends on torch-sys so that Cargo hands over its `DEP_TCH_…`.

/// Tells the linker where the program will find libtorch when it runs: where it was
/// found at build time, and beside the program, for those who move both.
fn link_libtorch() {
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(std::path::PathBuf::from)
    else {
        println!("cargo::error=torch-sys does not say where libtorch lies");
        return;
    };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib");
    if folder.join("libtorch_cuda.so").exists() {
        // No symbol of it is named, so the linker would leave it out, and with it every GPU.
        println!("cargo::rustc-link-arg=-L{}", folder.display());
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}
