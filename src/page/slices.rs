//! Long work on the page's thread, cut into slices so that the browser answers between them.

use crate::page::browser::{breathe, now};

/// A slice on a fast machine; on a slow one a little more, because work is cut only where it says.
const SLICE_MS: f64 = 8.0;

/// Work in slices.
pub struct Slices {
    begun: f64,
}

impl Slices {
    pub fn new() -> Self {
        Self { begun: now() }
    }

    /// Lets the browser answer if this slice has been long enough.
    pub async fn pause_if_due(&mut self) {
        if now() - self.begun > SLICE_MS {
            breathe().await;
            self.begun = now();
        }
    }
}
