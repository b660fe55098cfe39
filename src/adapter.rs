//! What the browser says of its graphics adapter before anything is opened on it. The page foretells the engine from it and
//! the worker chooses by it, so that the two cannot disagree.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// An adapter's own description.
pub struct Adapter {
    pub name: String,
    /// Emulated on the CPU: right, but slower than the CPU engine.
    pub software: bool,
}

/// Asks for the high-performance adapter.
///
/// # Errors
/// A sentence that says why there is none.
pub async fn find() -> Result<Adapter, String> {
    let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED);
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err("This browser has no WebGPU (it needs a recent browser and a page served over https or from localhost).".into());
    }
    let none = || "This browser has WebGPU but no graphics adapter answered.".to_string();
    let request: Function = get(&gpu, "requestAdapter").dyn_into().map_err(|_| none())?;
    let options = js_sys::Object::new();
    let _ = Reflect::set(&options, &"powerPreference".into(), &"high-performance".into());
    let promise: Promise = request.call1(&gpu, &options).ok().and_then(|promise| promise.dyn_into().ok()).ok_or_else(none)?;
    let adapter = JsFuture::from(promise).await.ok().filter(|adapter| !adapter.is_null() && !adapter.is_undefined()).ok_or_else(none)?;
    let info = get(&adapter, "info");
    let text = |key: &str| get(&info, key).as_string().unwrap_or_default();
    let words: Vec<String> =
        [text("description"), text("vendor"), text("architecture")].into_iter().filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "adapter without a name".to_string() } else { words.join(" ") };
    let known = ["swiftshader", "llvmpipe", "lavapipe", "basic render", "microsoft basic"];
    let fallback = |object: &JsValue| get(object, "isFallbackAdapter").is_truthy();
    let software = fallback(&info) || fallback(&adapter) || known.iter().any(|word| name.to_lowercase().contains(word));
    Ok(Adapter { name, software })
}
