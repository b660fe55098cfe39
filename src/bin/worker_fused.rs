//! The same worker for browsers whose relaxed SIMD fuses multiplication and addition; others cannot load it.

#[cfg(target_arch = "wasm32")]
fn main() {
    lookahead::worker::start(lookahead::engine::cpu::Kernel::fused());
}

/// Natively whether multiplication and addition fuse is known only at run time: this program is for browsers.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
