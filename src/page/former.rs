//! Weights that earlier versions of the page stored: files in the browser's private file system (OPFS), and a list of them in local storage.

use crate::replay::EngineClass;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
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

/// An entry of the list.
#[derive(Serialize, Deserialize)]
pub struct Former {
    pub hash: u64,
    pub label: String,
    pub link: String,
    #[serde(default)]
    pub class: Option<EngineClass>,
    #[serde(default)]
    pub written: f64,
}

fn list() -> Vec<Former> {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(LIST).ok().flatten()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// All of them that are still there, with their files.
pub async fn weights() -> Vec<(Former, Uint8Array)> {
    let mut found = Vec::new();
    for kept in list() {
        match file(kept.hash).await {
            Ok(bytes) => found.push((kept, bytes)),
            Err(_) => forget(kept.hash).await,
        }
    }
    found
}

/// Removes one of them, because it is stored in the new place or is gone.
pub async fn forget(hash: u64) {
    let left: Vec<Former> = list().into_iter().filter(|kept| kept.hash != hash).collect();
    if let (Ok(Some(storage)), Ok(text)) = (window().local_storage(), serde_json::to_string(&left)) {
        let _ = if left.is_empty() { storage.remove_item(LIST) } else { storage.set_item(LIST, &text) };
    }
    if let Ok(folder) = folder().await {
        let _ = call(&folder, "removeEntry", &[&file_name(hash)]).await;
    }
}
