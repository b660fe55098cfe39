//! Files that outlive the page: the browser's private file system (OPFS), of which nothing leaves the machine.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Calls a method of a JavaScript object and waits for what it promises.
async fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let given = arguments.iter().copied().collect::<js_sys::Array>();
    let result = function.apply(object, &given)?;
    match result.dyn_into::<Promise>() {
        Ok(promise) => JsFuture::from(promise).await,
        Err(plain) => Ok(plain),
    }
}

/// The handle of a file.
async fn file(name: &str, create: bool) -> Result<JsValue, JsValue> {
    let storage = Reflect::get(&window().navigator(), &"storage".into())?;
    let folder = call(&storage, "getDirectory", &[]).await?;
    let options = Object::new();
    Reflect::set(&options, &"create".into(), &create.into())?;
    call(&folder, "getFileHandle", &[&name.into(), &options]).await
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// A sentence that says why it is not kept: an old browser, a private window, or a full disk.
pub async fn write(name: &str, bytes: &JsValue) -> Result<(), String> {
    let written = async {
        let handle = file(name, true).await?;
        let stream = call(&handle, "createWritable", &[]).await?;
        call(&stream, "write", &[bytes]).await?;
        call(&stream, "close", &[]).await
    };
    written.await.map(drop).map_err(|error| {
        let kind = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_default();
        if kind == "QuotaExceededError" {
            "This browser's space for the page is full, so this will be lost when the page is closed: download what you want to keep, or clear the site's data.".into()
        } else {
            "This browser keeps no files for the page (a private window, perhaps, or an old browser), so this will be lost when the page is closed: download what you want to keep.".into()
        }
    })
}

/// Whether a file is there.
pub async fn has(name: &str) -> bool {
    file(name, false).await.is_ok()
}

/// Reads a file; none where there is none.
pub async fn read(name: &str) -> Option<Uint8Array> {
    let handle = file(name, false).await.ok()?;
    let file = call(&handle, "getFile", &[]).await.ok()?;
    let bytes = call(&file, "arrayBuffer", &[]).await.ok()?;
    Some(Uint8Array::new(&bytes))
}

/// Removes a file, if there is one.
pub async fn remove(name: &str) {
    let removed = async {
        let storage = Reflect::get(&window().navigator(), &"storage".into())?;
        let folder = call(&storage, "getDirectory", &[]).await?;
        call(&folder, "removeEntry", &[&name.into()]).await
    };
    // What is not there need not be removed.
    let _ = removed.await;
}

/// A short text kept under a key; empty where there is none.
pub fn note(key: &str) -> String {
    let storage = window().local_storage().ok().flatten();
    storage.and_then(|storage| storage.get_item(key).ok().flatten()).unwrap_or_default()
}

/// Keeps a short text under a key.
pub fn set_note(key: &str, text: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Where nothing can be kept the files cannot either, and they say so.
        let _ = storage.set_item(key, text);
    }
}
