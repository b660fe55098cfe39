//! The browser's description of its graphics adapter, before a device is opened on it. The page uses it to predict the engine and the worker
//! uses it to choose the engine, so both always agree.

use js_sys::{Function, Promise, Reflect};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The description of an adapter.
pub struct BrowserAdapter {
    pub name: String,
    /// Whether the adapter is emulated on the CPU. It computes correctly, but slower than the CPU engine.
    pub software: bool,
}

/// Why there is no adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AdapterError {
    #[error("This browser has no WebGPU. WebGPU needs a recent browser and a page served over https or from localhost.")]
    NoWebGpu,
    #[error("This browser has WebGPU, but no graphics adapter.")]
    NoAdapter,
    #[error("The graphics card has not answered for {} seconds.", PATIENCE_MS / 1000)]
    Silent,
}

/// How long a graphics card may take to answer, in milliseconds. A driver that hangs never answers.
const PATIENCE_MS: i32 = 8_000;

/// Waits for a future, but at most `milliseconds`; `None` if that is over first.
pub async fn within<T>(milliseconds: i32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let timer = Promise::new(&mut |resolve, _| {
        let set_timeout =
            Reflect::get(&js_sys::global(), &"setTimeout".into()).ok().and_then(|function| function.dyn_into::<Function>().ok());
        if let Some(set_timeout) = set_timeout {
            drop(set_timeout.call2(&js_sys::global(), &resolve, &milliseconds.into()));
        }
    });
    let mut timer = pin!(JsFuture::from(timer));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if timer.as_mut().poll(context).is_ready() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Asks for the high-performance adapter.
///
/// # Errors
/// When there is no adapter.
pub async fn find() -> Result<BrowserAdapter, AdapterError> {
    let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED);
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(AdapterError::NoWebGpu);
    }
    let request: Function = get(&gpu, "requestAdapter").dyn_into().map_err(|_| AdapterError::NoAdapter)?;
    let options = js_sys::Object::new();
    let _ = Reflect::set(&options, &"powerPreference".into(), &"high-performance".into());
    let promise: Promise = request.call1(&gpu, &options).ok().and_then(|promise| promise.dyn_into().ok()).ok_or(AdapterError::NoAdapter)?;
    let adapter = within(PATIENCE_MS, JsFuture::from(promise)).await.ok_or(AdapterError::Silent)?;
    let adapter = adapter.ok().filter(|adapter| !adapter.is_null() && !adapter.is_undefined()).ok_or(AdapterError::NoAdapter)?;
    let info = get(&adapter, "info");
    let text = |key: &str| get(&info, key).as_string().unwrap_or_default();
    let words: Vec<String> =
        [text("description"), text("vendor"), text("architecture")].into_iter().filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "adapter without a name".to_string() } else { words.join(" ") };
    let known = ["swiftshader", "llvmpipe", "lavapipe", "basic render", "microsoft basic"];
    let fallback = |object: &JsValue| get(object, "isFallbackAdapter").is_truthy();
    let software = fallback(&info) || fallback(&adapter) || known.iter().any(|word| name.to_lowercase().contains(word));
    Ok(BrowserAdapter { name, software })
}
