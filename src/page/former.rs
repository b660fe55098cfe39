//! Weights that earlier versions of the page stored: files in the browser's private file system (OPFS), and a list of them in local storage.

use js_sys::{Function, Promise, Reflect, Uint8Array};
use leptos::prelude::window;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The key of the list.
const LIST: &str = "lookahead-weights";

/// Calls a method of a JavaScript object and waits for its promise.
async fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let promise: Promise = function.apply(object, &arguments.iter().copied().collect::<js_sys::Array>())?.dyn_into()?;
    JsFuture::from(promise).await
}

fn file_name(hash: u64) -> JsValue {
    format!("weights-{hash:016x}.safetensors").into()
}

async fn folder() -> Result<JsValue, JsValue> {
    call(&Reflect::get(&window().navigator(), &"storage".into())?, "getDirectory", &[]).await
}

async fn file(hash: u64) -> Result<Uint8Array, JsValue> {
    let handle = call(&folder().await?, "getFileHandle", &[&file_name(hash)]).await?;
    let file = call(&handle, "getFile", &[]).await?;
    Ok(Uint8Array::new(&call(&file, "arrayBuffer", &[]).await?))
}

fn list() -> Vec<Value> {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(LIST).ok().flatten()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn hash_of(kept: &Value) -> Option<u64> {
    kept.get("hash")?.as_u64()
}

/// All of them that are still there: description as JSON, and file.
pub async fn weights() -> Vec<(String, Uint8Array)> {
    let mut found = Vec::new();
    for kept in list() {
        let Some(hash) = hash_of(&kept) else { continue };
        match file(hash).await {
            Ok(bytes) => found.push((kept.to_string(), bytes)),
            Err(_) => forget(hash).await,
        }
    }
    found
}

/// Removes one of them, because it is stored in the new place or is gone.
pub async fn forget(hash: u64) {
    let left: Vec<Value> = list().into_iter().filter(|kept| hash_of(kept) != Some(hash)).collect();
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = if left.is_empty() { storage.remove_item(LIST) } else { storage.set_item(LIST, &Value::from(left).to_string()) };
    }
    if let Ok(folder) = folder().await {
        let _ = call(&folder, "removeEntry", &[&file_name(hash)]).await;
    }
}
