//! The worker's program for every browser: the training engine, in its own thread.

use lookahead::engine::cpu::Kernel;
use lookahead::worker::Engines;

fn main() {
    lookahead::worker::start(Engines { kernel: Kernel::separate(), burn: None });
}
