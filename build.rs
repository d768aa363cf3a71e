//! Compiles the C++ shim over libtorch, and tells the linker where libtorch will be found at run time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "libtorch")]
    libtorch();
}

#[cfg(feature = "libtorch")]
fn libtorch() {
    use std::path::PathBuf;

    println!("cargo:rerun-if-changed=src/ops/shim.cpp");
    // torch-sys, a direct dependency with `links = "tch"`, passes on the library folder it resolved.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else {
        println!(
            "cargo:error=torch-sys reported no libtorch; run scripts/setup.sh, or build with --no-default-features"
        );
        return;
    };
    let lib = PathBuf::from(lib);
    let include = lib.join("..").join("include");
    cc::Build::new()
        .cpp(true)
        .pic(true)
        .warnings(false) // libtorch's headers are not warning-free
        .opt_level(2)
        .debug(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .flag("-std=c++17")
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        .file("src/ops/shim.cpp")
        .compile("driftscope_shim");
    // The shim's own symbols: torch-sys names torch, torch_cpu and c10 to the linker.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
}
