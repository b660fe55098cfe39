//! The page's program is linked with its relocations: `.ci/bin/wasm-bindgen` needs them to split it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") && std::env::var_os("CARGO_FEATURE_PAGE").is_some() {
        println!("cargo:rustc-link-arg-bin=page=--emit-relocs");
    }
}
