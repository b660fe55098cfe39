//! Chooses the build of the worker for a run. Two builds round differently; the third contains Burn.

use crate::replay::EngineClass;
use js_sys::{Function, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};

/// Rounds the product and the sum separately. Every browser can load it.
pub const SEPARATE: &str = "worker_loader.js";
/// Fuses multiply and add, which is faster by a seventh (docs/bench.md). Needs relaxed SIMD that fuses.
const FUSED: &str = "worker-fused_loader.js";
/// Contains Burn in addition to our own engine. It is larger, so the page loads it only for what Burn computes.
pub const BURN: &str = "worker-burn_loader.js";

/// A module whose `f(a, b, c)` is one relaxed multiply-add.
const PROBE: [u8; 53] = [
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
    0x01, 0x08, 0x01, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d, // type (f32, f32, f32) → f32
    0x03, 0x02, 0x01, 0x00, // one function
    0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, // export "f"
    0x0a, 0x16, 0x01, 0x14, 0x00, // one body
    0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13, // splat a, b, c
    0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b, // f32x4.relaxed_madd, lane 0, end
];

/// The program for a run. `expected` is the class of the link's fingerprint, if it has one: a fingerprint with separate rounding needs the build
/// that rounds separately. A run on Burn needs the build with Burn. All other runs use the fastest build that this browser supports.
pub fn choose(expected: Option<EngineClass>, on_burn: bool) -> &'static str {
    if on_burn {
        return BURN;
    }
    if expected == Some(EngineClass::Separate) || !fuses() { SEPARATE } else { FUSED }
}

/// Whether this browser has relaxed multiply-add and it rounds once. With a = 1 + 2⁻¹², a² − (1 + 2⁻¹¹) is 2⁻²⁴ if rounded once and 0 if
/// rounded twice.
fn fuses() -> bool {
    let a = 1.0 + 2f64.powi(-12);
    probe(a, a, -1.0 - 2f64.powi(-11)).is_some_and(|found| found != 0.0)
}

fn probe(a: f64, b: f64, c: f64) -> Option<f64> {
    let bytes = Uint8Array::from(&PROBE[..]);
    if !WebAssembly::validate(&bytes).ok()? {
        return None;
    }
    let module = WebAssembly::Module::new(&bytes).ok()?;
    let instance = WebAssembly::Instance::new(&module, &js_sys::Object::new()).ok()?;
    let function: Function = Reflect::get(&instance.exports(), &"f".into()).ok()?.dyn_into().ok()?;
    function.call3(&JsValue::NULL, &a.into(), &b.into(), &c.into()).ok()?.as_f64()
}
