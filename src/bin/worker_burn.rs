//! The worker with Burn in addition to our own engine. The page loads it only for a run that Burn computes, or for a check with Burn.

use lookahead::engine::cpu::Kernel;
use lookahead::worker::{Engines, burn};

fn main() {
    lookahead::worker::start(Engines { kernel: Kernel::separate(), burn: Some(burn::open) });
}
