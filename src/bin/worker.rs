//! The worker's entry: the training engine in a thread of its own.

fn main() {
    lookahead::worker::start();
}
