//! Long work on the page's thread, cut into slices so that the browser answers between them.

use crate::page::browser::now;
use leptos::prelude::set_timeout;
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;

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
            let pause = js_sys::Promise::new(&mut |go_on, _| {
                set_timeout(move || drop(go_on.call0(&wasm_bindgen::JsValue::NULL)), Duration::ZERO);
            });
            drop(JsFuture::from(pause).await);
            self.begun = now();
        }
    }
}
