//! This worker's global object.

use wasm_bindgen::JsCast;
use web_sys::DedicatedWorkerGlobalScope;

/// The names of helper workers begin with this.
pub const HELPER: &str = "helper ";

/// This worker's global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since this worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}
