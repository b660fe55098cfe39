//! Files and folders that a user drops on the page. `DataTransfer.files` holds a folder as an empty file, so entries are read instead.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File};

fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

fn method(object: &JsValue, name: &str) -> Option<Function> {
    get(object, name).dyn_into().ok()
}

/// The entries of a drop. The browser gives them only while it handles the event. Empty if the browser has no entries.
pub fn entries(event: &DragEvent) -> Vec<JsValue> {
    let Some(data) = event.data_transfer() else { return Vec::new() };
    let items = get(&data, "items");
    if !items.is_object() {
        return Vec::new();
    }
    let entry = |item: JsValue| method(&item, "webkitGetAsEntry")?.call0(&item).ok().filter(JsValue::is_truthy);
    Array::from(&items).iter().filter_map(entry).collect()
}

/// The files of these entries, and those directly in a folder among them.
pub async fn files(entries: Vec<JsValue>) -> Vec<File> {
    let mut files = Vec::new();
    for entry in entries {
        if get(&entry, "isDirectory").is_truthy() {
            for child in children(&entry).await {
                files.extend(file(&child).await);
            }
        } else {
            files.extend(file(&entry).await);
        }
    }
    files
}

/// The entries of a folder. The browser gives them in portions.
async fn children(folder: &JsValue) -> Vec<JsValue> {
    let Some(reader) = method(folder, "createReader").and_then(|create| create.call0(folder).ok()) else { return Vec::new() };
    let mut all = Vec::new();
    while let Some(portion) =
        answer(&reader, "readEntries").await.map(|portion| Array::from(&portion)).filter(|portion| portion.length() > 0)
    {
        all.extend(portion.iter());
    }
    all
}

/// The file of an entry; `None` for a folder.
async fn file(entry: &JsValue) -> Option<File> {
    if get(entry, "isDirectory").is_truthy() { None } else { answer(entry, "file").await?.dyn_into().ok() }
}

/// Calls a method that answers by a callback.
async fn answer(object: &JsValue, name: &str) -> Option<JsValue> {
    let function = method(object, name)?;
    let promise = Promise::new(&mut |resolve, reject| drop(function.call2(object, &resolve, &reject)));
    JsFuture::from(promise).await.ok()
}
