//! The page's program: see [`lookahead::page`].

fn main() {
    lookahead::page::start();
}
