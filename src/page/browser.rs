//! Calls into the browser: clock, address, clipboard, downloads, colour scheme, window size.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, History, HtmlAnchorElement, HtmlElement, HtmlInputElement, Storage, Url};

/// The key of this tab's name in session storage.
const TAB: &str = "lookahead-tab";

/// The root's attribute in the projector's view.
pub const PROJECTOR: &str = "data-projector";

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Milliseconds since 1970.
pub fn today() -> f64 {
    js_sys::Date::now()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// The name that this tab had before it was loaded again, or empty.
pub fn tab_name() -> String {
    session().and_then(|storage| storage.get_item(TAB).ok().flatten()).unwrap_or_default()
}

/// Stores the name of this tab until it is closed.
pub fn set_tab_name(name: &str) {
    if let Some(storage) = session() {
        // Without it, a reload has no name from before, and the page looks for free records.
        let _ = storage.set_item(TAB, name);
    }
}

/// Forgets the name of this tab: the next load is as a new tab's.
pub fn forget_tab() {
    if let Some(storage) = session() {
        let _ = storage.remove_item(TAB);
    }
}

/// Loads the page anew, without what this visitor did. The number of a student is asked for again.
pub fn open_anew() {
    replace_query(&["seat"], if query("seat").is_some() { "seat=" } else { "" });
    let _ = window().location().reload();
}

/// The folder of this build's workers, as `.ci/finish-site` has named it. It also names the build.
pub fn build() -> String {
    document().body().and_then(|body| body.get_attribute("data-workers")).unwrap_or_else(|| "./".into())
}

/// What the site's Content-Security-Policy has forbidden, as `static/boot.js` noted it; empty if nothing.
pub fn forbidden() -> String {
    document().body().and_then(|body| body.get_attribute("data-forbidden")).unwrap_or_default()
}

/// Number of processor cores that the browser reports.
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
        // A sandboxed frame may refuse. The link box still shows the link.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("#{fragment}")));
    }
}

/// This page's address with another fragment.
pub fn page_url(fragment: &str) -> String {
    address("", fragment)
}

/// This page's address with another query and fragment.
pub fn address(query: &str, fragment: &str) -> String {
    let address = window().location().href().unwrap_or_default();
    let page = address.split(['#', '?']).next().unwrap_or_default();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{page}{mark}{query}#{fragment}")
}

/// The value of a query parameter in the address.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    let pairs = search.trim_start_matches('?').split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_string()).next()
}

/// Adds an entry to the history whose query has `added` instead of the parameters of these names. The fragment stays.
pub fn push_query(names: &[&str], added: &str) {
    change_query(names, added, History::push_state_with_url);
}

/// As [`push_query`], without a new entry.
pub fn replace_query(names: &[&str], added: &str) {
    change_query(names, added, History::replace_state_with_url);
}

type Put = fn(&History, &JsValue, &str, Option<&str>) -> Result<(), JsValue>;

fn change_query(names: &[&str], added: &str, put: Put) {
    let (Ok(history), Ok(search), Ok(fragment)) = (window().history(), window().location().search(), window().location().hash()) else {
        return;
    };
    let kept = search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty() && !names.contains(&pair.split('=').next().unwrap_or(pair)));
    let query = kept.chain(Some(added).filter(|added| !added.is_empty())).collect::<Vec<_>>().join("&");
    let path = window().location().pathname().unwrap_or_default();
    let mark = if query.is_empty() { "" } else { "?" };
    // A sandboxed frame may refuse. The page changes all the same.
    let _ = put(&history, &JsValue::NULL, "", Some(&format!("{path}{mark}{query}{fragment}")));
}

/// Tells all charts that their width may have changed.
pub fn remeasure() {
    // After the layout has changed.
    leptos::prelude::request_animation_frame(|| {
        let _ = web_sys::Event::new("resize").map(|event| window().dispatch_event(&event));
    });
}

/// Lets the browser draw and react, then goes on.
pub async fn breathe() {
    let soon = Promise::new(&mut |resolve, _| {
        // Without timers the work goes on at once.
        if window().set_timeout_with_callback(&resolve).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    });
    let _ = wasm_bindgen_futures::JsFuture::from(soon).await;
}

/// Shows the top of the page.
pub fn scroll_to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// The answer to a request for a file of the site; `None` if it is not there or there is no connection.
pub async fn file(address: &str) -> Option<web_sys::Response> {
    let answer = wasm_bindgen_futures::JsFuture::from(window().fetch_with_str(address)).await.ok()?;
    answer.dyn_into().ok().filter(web_sys::Response::ok)
}

/// Sets an attribute of the body. Tests wait for these attributes.
pub fn body_attribute(name: &str, value: &str) {
    if let Some(body) = document().body() {
        let _ = body.set_attribute(name, value);
    }
}

/// Sets an empty attribute of the root, or removes it. Style sheets read it.
pub fn root_attribute(name: &str, there: bool) {
    if let Some(root) = document().document_element() {
        let _ = root.toggle_attribute_with_force(name, there);
    }
}

/// Sets the colour scheme; an empty name means the system's.
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

/// Copies text, then calls `told` with whether that worked. Pages served without https have no clipboard.
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

/// Selects the text of an input, so that the user can copy it by hand.
pub fn select(id: &str) {
    if let Some(input) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        input.select();
    }
}

/// Puts the keyboard focus on an element.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// The attribute `name` of the clicked element, or of the nearest one around it that has it. `None` if a modifier key makes the browser open a
/// new tab.
pub fn clicked(event: &web_sys::MouseEvent, name: &str) -> Option<String> {
    if event.ctrl_key() || event.meta_key() || event.shift_key() {
        return None;
    }
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    target.closest(&format!("a[{name}]")).ok()??.get_attribute(name)
}

/// Asks a question that is answered with yes or no.
pub fn confirm(question: &str) -> bool {
    window().confirm_with_message(question).unwrap_or(false)
}

/// Opens the browser's window for printing.
pub fn print() {
    let _ = window().print();
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
        // Some browsers read the file only after the click returns.
        leptos::prelude::set_timeout(
            move || {
                let _ = Url::revoke_object_url(&url);
            },
            Duration::from_secs(60),
        );
        Ok(())
    })();
    if let Err(error) = saved {
        web_sys::console::warn_2(&"A download was refused:".into(), &error);
    }
}

/// The position of an element in the window: left, top, right, bottom, in CSS pixels.
pub fn place(element: &HtmlElement) -> (f64, f64, f64, f64) {
    let rectangle = element.get_bounding_client_rect();
    (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
}

/// Whether the element that a selector finds begins below the window.
pub fn is_below(selector: &str) -> bool {
    let element = document().query_selector(selector).ok().flatten();
    element.is_some_and(|element| element.get_bounding_client_rect().top() > window_size().1)
}

/// Ends when the visitor does anything, or nothing for this long.
pub async fn touched(patience: Duration) {
    // Not resize: the page itself sends it (remeasure).
    const DEEDS: [&str; 8] = ["pointerdown", "pointermove", "keydown", "focusin", "wheel", "touchstart", "scroll", "beforeprint"];
    let mut heard = None;
    let done = Promise::new(&mut |resolve, _| {
        let milliseconds = patience.as_millis() as i32;
        // Without timers nobody is waited for.
        if window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
        for deed in DEEDS {
            let _ = window().add_event_listener_with_callback(deed, &resolve);
        }
        heard = Some(resolve);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(done).await;
    if let Some(heard) = heard {
        for deed in DEEDS {
            let _ = window().remove_event_listener_with_callback(deed, &heard);
        }
    }
}

/// Removes all elements that a selector finds.
pub fn remove_all(selector: &str) {
    while let Ok(Some(element)) = document().query_selector(selector) {
        element.remove();
    }
}

/// Width and height of the window, in CSS pixels.
pub fn window_size() -> (f64, f64) {
    let number = |length: Result<JsValue, JsValue>, otherwise: f64| length.ok().and_then(|value| value.as_f64()).unwrap_or(otherwise);
    (number(window().inner_width(), 1366.0), number(window().inner_height(), 768.0))
}

/// How far the document is scrolled (x, y), in CSS pixels.
pub fn scrolled() -> (f64, f64) {
    (window().scroll_x().unwrap_or(0.0), window().scroll_y().unwrap_or(0.0))
}

/// The factor by which charts are enlarged: a window of 1700 CSS pixels or more is probably on a projector. In the projector's view
/// everything is larger once more. `static/style.css` enlarges letters by the same factors.
pub fn magnification() -> f64 {
    let wide = if window_size().0 >= 1700.0 { 1.2 } else { 1.0 };
    let projector = document().document_element().is_some_and(|root| root.has_attribute(PROJECTOR));
    if projector { 1.35 * wide } else { wide }
}
