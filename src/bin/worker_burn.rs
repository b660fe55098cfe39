//! The worker with Burn beside the engine of our own: fetched only by a run that Burn computes, or a check against it.

fn main() {
    lookahead::worker::start(lookahead::engine::cpu::Kernel::separate());
}
