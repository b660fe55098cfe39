//! The same worker for browsers whose relaxed SIMD fuses multiplication and addition; others cannot load it.

fn main() {
    lookahead::worker::start(lookahead::engine::cpu::Kernel::fused());
}
