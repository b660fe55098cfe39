//! The worker's entry: the training engine in a thread of its own, for every browser.

fn main() {
    lookahead::worker::start(lookahead::engine::cpu::Kernel::separate());
}
