//! What the page knows of this browser's WebGPU adapter.

/// The browser's answer when the page asks for a WebGPU adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdapterStatus {
    /// No answer yet.
    Asking,
    /// No WebGPU, or no adapter.
    Missing,
    Found {
        name: String,
        software: bool,
    },
}
