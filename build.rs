//! Links the WebAssembly programs without function names, which take a quarter of their size. `LOOKAHEAD_NAMES=1` keeps the names for a
//! profiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LOOKAHEAD_NAMES");
    let wasm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "wasm32");
    if wasm && std::env::var_os("LOOKAHEAD_NAMES").is_none() {
        println!("cargo::rustc-link-arg-bins=--strip-all");
        // wasm-bindgen reads there which instructions it may use.
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
}
