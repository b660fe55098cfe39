//! Asks the browser for its WebGPU adapter, so that the badge can show before a run where it will be computed.

use crate::adapter;
use crate::page::state::Page;
use crate::page::state::adapter::AdapterStatus;
use leptos::prelude::*;

/// Asks the browser and stores the answer.
pub fn ask(page: Page) {
    wasm_bindgen_futures::spawn_local(async move {
        page.adapter.set(match adapter::find().await {
            Ok(found) => AdapterStatus::Found { name: found.name, software: found.software },
            Err(_) => AdapterStatus::Missing,
        });
    });
}
