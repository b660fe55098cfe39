//! What is split off the page's program: files of their own, fetched when they are needed for the first time. `.ci/bin/wasm-bindgen` makes them: all that
//! only functions with `#[wasm_split(NAME, fallible)]` reach is in the files of NAME.

use wasm_split_helpers::SplitLoaderError;

/// A part of the program could not be fetched. The next call tries again.
#[derive(Clone, Copy, Debug)]
pub struct NotLoaded;

impl From<SplitLoaderError> for NotLoaded {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}
