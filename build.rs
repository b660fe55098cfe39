//! How the WebAssembly programs are linked. The workers: without function names, which take a quarter of their size; `LOOKAHEAD_NAMES=1` keeps the names
//! for a profiler. The page: with its relocations, which `.ci/bin/wasm-bindgen` needs to split it and then removes with the names.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LOOKAHEAD_NAMES");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture != "wasm32") {
        return;
    }
    if std::env::var_os("CARGO_FEATURE_PAGE").is_some() {
        println!("cargo::rustc-link-arg-bin=page=--emit-relocs");
    } else if std::env::var_os("LOOKAHEAD_NAMES").is_none() {
        println!("cargo::rustc-link-arg-bins=--strip-all");
        // wasm-bindgen reads there which instructions it may use.
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
}
