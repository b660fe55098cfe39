//! The worker for browsers whose relaxed SIMD fuses multiplication and addition. Other browsers use `worker`.

#[cfg(target_arch = "wasm32")]
fn main() {
    use lookahead::engine::cpu::Kernel;
    lookahead::worker::start(lookahead::worker::Engines { kernel: Kernel::fused(), burn: None });
}

/// This program is for browsers. A native program finds out at run time whether multiplication and addition fuse.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
