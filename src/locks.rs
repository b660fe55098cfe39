//! Web Locks: a name that at most one page or worker of this host holds. The browser frees it when its holder is gone, however it went. So a
//! page can find out that a tab or a worker no longer exists, which the browser does not tell otherwise.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The browser's lock manager. A page without https has none.
fn manager() -> Option<JsValue> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let manager = Reflect::get(&navigator, &"locks".into()).ok()?;
    manager.is_object().then_some(manager)
}

fn method(object: &JsValue, name: &str) -> Result<Function, JsValue> {
    Reflect::get(object, &name.into())?.dyn_into()
}

/// How a lock is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// Gives up if someone holds it, else holds it from then on.
    Now,
    /// Waits until nobody holds it, then holds it from then on.
    #[cfg(feature = "worker")]
    Hold,
    /// Waits until nobody holds it, and leaves it free.
    Watch,
}

/// Asks for a lock. Returns whether it was given; `None` if this browser gives no locks.
async fn ask(name: &str, asking: Asking) -> Option<bool> {
    let manager = manager()?;
    let answer = Promise::new(&mut |resolve, reject| {
        let refused = reject.clone();
        let asked = request(&manager, name, asking, &resolve).and_then(|request| {
            let refused = Closure::once_into_js(move |error: JsValue| drop(refused.call1(&JsValue::NULL, &error)));
            method(&request, "catch")?.call1(&request, &refused)
        });
        if let Err(error) = asked {
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    JsFuture::from(answer).await.ok()?.as_bool()
}

fn request(manager: &JsValue, name: &str, asking: Asking, answer: &Function) -> Result<JsValue, JsValue> {
    let answer = answer.clone();
    let granted = Closure::once_into_js(move |lock: JsValue| {
        let given = !lock.is_null();
        let _ = answer.call1(&JsValue::NULL, &given.into());
        // A lock is held until this promise is settled.
        if given && asking != Asking::Watch { Promise::new(&mut |_, _| {}) } else { Promise::resolve(&JsValue::NULL) }
    });
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &(asking == Asking::Now).into())?;
    method(manager, "request")?.call3(manager, &name.into(), &options, &granted)
}

/// Takes a lock until this page is gone, if nobody holds it. Returns whether this page has it; `None` if this browser gives no locks.
#[cfg(feature = "page")]
pub async fn take(name: &str) -> Option<bool> {
    ask(name, Asking::Now).await
}

/// Holds a lock until this page or worker is gone. Returns once it does, or at once in a browser without locks.
#[cfg(feature = "worker")]
pub async fn hold(name: &str) {
    ask(name, Asking::Hold).await;
}

/// Waits until nobody holds the lock. Returns false at once in a browser without locks, where nothing is known.
pub async fn freed(name: &str) -> bool {
    ask(name, Asking::Watch).await.is_some()
}

/// The names of all locks that pages and workers of this host hold; `None` if this browser does not say.
#[cfg(feature = "page")]
pub async fn held() -> Option<Vec<String>> {
    let manager = manager()?;
    let query: Promise = method(&manager, "query").ok()?.call0(&manager).ok()?.dyn_into().ok()?;
    let answer = JsFuture::from(query).await.ok()?;
    let locks: js_sys::Array = Reflect::get(&answer, &"held".into()).ok()?.dyn_into().ok()?;
    Some(locks.iter().filter_map(|lock| Reflect::get(&lock, &"name".into()).ok()?.as_string()).collect())
}

/// A new name, which nobody has.
pub fn new_name() -> String {
    format!("{:013x}", (js_sys::Math::random() * 2f64.powi(52)) as u64)
}
