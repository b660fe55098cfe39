//! Lets the browser deliver messages while the worker is busy.

use js_sys::{Array, Function, Promise, Reflect};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static TURNS: RefCell<Option<Turns>> = const { RefCell::new(None) };
}

/// Both ports of a message channel by which the worker sends messages to itself.
struct Turns {
    listening: JsValue,
    post: Function,
    posting: JsValue,
}

impl Turns {
    fn new() -> Option<Self> {
        let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).ok();
        let channel: Function = get(&js_sys::global(), "MessageChannel")?.dyn_into().ok()?;
        let channel = Reflect::construct(&channel, &Array::new()).ok()?;
        let posting = get(&channel, "port2")?;
        let post = get(&posting, "postMessage")?.dyn_into().ok()?;
        Some(Self { listening: get(&channel, "port1")?, post, posting })
    }
}

/// Lets the browser deliver waiting messages. The worker sends itself a message, which arrives after those and earlier than a timer.
pub async fn next_turn() {
    let promise = Promise::new(&mut |resolve, _| {
        TURNS.with_borrow_mut(|turns| {
            if turns.is_none() {
                *turns = Turns::new();
            }
            let posted = turns.as_ref().map(|turns| {
                let _ = Reflect::set(&turns.listening, &"onmessage".into(), &resolve);
                turns.post.call1(&turns.posting, &JsValue::NULL)
            });
            if !matches!(posted, Some(Ok(_))) {
                let _ = resolve.call0(&JsValue::NULL);
            }
        });
    });
    let _ = JsFuture::from(promise).await;
}
