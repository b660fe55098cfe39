//! The few things asked of the browser itself: clock, address, clipboard, downloads, small memory.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlElement, HtmlInputElement, Url};

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Processor cores that the browser admits to.
pub fn cores() -> usize {
    window().navigator().hardware_concurrency() as usize
}

/// The address's fragment without its `#`; empty when there is none.
pub fn fragment() -> String {
    window().location().hash().unwrap_or_default().trim_start_matches('#').to_string()
}

/// Puts a fragment into the address bar without adding to the history.
pub fn set_fragment(fragment: &str) {
    if let Ok(history) = window().history() {
        // A sandboxed frame may refuse; the link box shows the link all the same.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("#{fragment}")));
    }
}

/// This page's address with another fragment.
pub fn page_url(fragment: &str) -> String {
    let address = window().location().href().unwrap_or_default();
    let page = address.split('#').next().unwrap_or_default();
    format!("{page}#{fragment}")
}

/// The value of a query parameter of the address.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    let pairs = search.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_string()).next()
}

/// Sets an attribute of the body, by which tests follow the page.
pub fn body_attribute(name: &str, value: &str) {
    if let Some(body) = document().body() {
        let _ = body.set_attribute(name, value);
    }
}

/// Chooses the colour scheme; an empty name leaves it to the system.
pub fn set_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        let _ = if theme.is_empty() { root.remove_attribute("data-theme") } else { root.set_attribute("data-theme", theme) };
    }
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("lookahead-theme", theme);
    }
}

/// The colour scheme chosen earlier, or empty.
pub fn theme() -> String {
    let storage = window().local_storage().ok().flatten();
    storage.and_then(|storage| storage.get_item("lookahead-theme").ok().flatten()).unwrap_or_default()
}

/// Copies text, then says whether that worked. Pages served without https have no clipboard at all.
pub fn copy(text: &str, told: impl Fn(bool) + 'static) {
    let promise = (|| {
        let clipboard = Reflect::get(&window().navigator(), &"clipboard".into()).ok()?;
        let write: Function = Reflect::get(&clipboard, &"writeText".into()).ok()?.dyn_into().ok()?;
        write.call1(&clipboard, &text.into()).ok()?.dyn_into::<Promise>().ok()
    })();
    wasm_bindgen_futures::spawn_local(async move {
        let done = match promise {
            Some(promise) => wasm_bindgen_futures::JsFuture::from(promise).await.is_ok(),
            None => false,
        };
        told(done);
    });
}

/// Selects the text of an input, to be copied by hand.
pub fn select(id: &str) {
    if let Some(input) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        input.select();
    }
}

/// Presses an element as a click would.
pub fn click(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.click();
    }
}

/// Saves text as a file.
pub fn download_text(name: &str, mime: &str, text: &str) {
    download(name, mime, &Array::of1(&JsValue::from_str(text)), Blob::new_with_str_sequence_and_options);
}

/// Saves bytes as a file.
pub fn download_bytes(name: &str, bytes: &Uint8Array) {
    download(name, "application/octet-stream", &Array::of1(bytes), |parts, options| {
        Blob::new_with_u8_array_sequence_and_options(parts, options)
    });
}

fn download(name: &str, mime: &str, parts: &Array, blob: impl Fn(&JsValue, &BlobPropertyBag) -> Result<Blob, JsValue>) {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let saved = (|| -> Result<(), JsValue> {
        let url = Url::create_object_url_with_blob(&blob(parts, &options)?)?;
        let anchor: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
        // Some browsers read the file only after the click has returned.
        leptos::prelude::set_timeout(
            move || {
                let _ = Url::revoke_object_url(&url);
            },
            std::time::Duration::from_secs(60),
        );
        Ok(())
    })();
    if let Err(error) = saved {
        web_sys::console::warn_2(&"A download was refused:".into(), &error);
    }
}

/// Where an element stands in the window: left, top, right, bottom, in CSS pixels.
pub fn place(element: &HtmlElement) -> (f64, f64, f64, f64) {
    let rectangle = element.get_bounding_client_rect();
    (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
}

/// Width and height of the window, CSS pixels.
pub fn window_size() -> (f64, f64) {
    let number = |length: Result<JsValue, JsValue>, otherwise: f64| length.ok().and_then(|value| value.as_f64()).unwrap_or(otherwise);
    (number(window().inner_width(), 1366.0), number(window().inner_height(), 768.0))
}

/// How far the document is scrolled, CSS pixels.
pub fn scrolled() -> (f64, f64) {
    (window().scroll_x().unwrap_or(0.0), window().scroll_y().unwrap_or(0.0))
}

/// How much larger than on a desk things are drawn: a large window is probably a projector's.
pub fn magnification() -> f64 {
    if window_size().0 >= 1700.0 { 1.2 } else { 1.0 }
}
