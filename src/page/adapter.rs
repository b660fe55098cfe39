//! Which engine “automatic” would choose here, for the badge before a run. The worker chooses for itself; this only foretells.

use super::state::Page;
use crate::config::EngineChoice;
use crate::protocol::Engine;
use crate::replay::EngineClass;
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What the browser answers when asked for a WebGPU adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// No answer yet.
    Asking,
    /// No WebGPU, or no adapter.
    Missing,
    Found {
        name: String,
        software: bool,
    },
}

/// Asks the browser and notes the answer.
pub fn ask(page: Page) {
    wasm_bindgen_futures::spawn_local(async move {
        page.adapter.set(request().await.unwrap_or(Adapter::Missing));
    });
}

async fn request() -> Result<Adapter, JsValue> {
    let gpu = Reflect::get(&window().navigator(), &"gpu".into())?;
    if gpu.is_undefined() || gpu.is_null() {
        return Ok(Adapter::Missing);
    }
    let request: Function = Reflect::get(&gpu, &"requestAdapter".into())?.dyn_into()?;
    let adapter = JsFuture::from(request.call0(&gpu)?.dyn_into::<Promise>()?).await?;
    if adapter.is_undefined() || adapter.is_null() {
        return Ok(Adapter::Missing);
    }
    let info = Reflect::get(&adapter, &"info".into())?;
    let part = |name: &str| Reflect::get(&info, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default();
    let told = [part("description"), format!("{} {}", part("vendor"), part("architecture"))];
    let name = told.iter().map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or("graphics adapter").to_string();
    let flag = |object: &JsValue| Reflect::get(object, &"isFallbackAdapter".into()).ok().and_then(|value| value.as_bool()).unwrap_or(false);
    let lower = told.join(" ").to_lowercase();
    let emulated = ["swiftshader", "llvmpipe", "lavapipe", "basic render"].iter().any(|known| lower.contains(known));
    Ok(Adapter::Found { name, software: flag(&info) || flag(&adapter) || emulated })
}

/// The badge of an engine that answered.
pub fn badge(engine: &Engine) -> String {
    match engine.class {
        EngineClass::Cpu | EngineClass::Native => format!("CPU · {}", workers(engine.workers)),
        EngineClass::WebGpu if engine.software => format!("WebGPU · {} (software adapter)", engine.name),
        EngineClass::WebGpu => format!("WebGPU · {}", engine.name),
    }
}

/// The badge before a run: what this choice will come to.
pub fn foretell(choice: EngineChoice, adapter: &Adapter, asked: usize, cores: usize) -> String {
    let cpu = || {
        if asked == 0 {
            format!("CPU · {cores} {}", if cores == 1 { "core" } else { "cores" })
        } else {
            format!("CPU · {}", workers(asked))
        }
    };
    let gpu = |name: &str, software: bool| format!("WebGPU · {name}{}", if software { " (software adapter)" } else { "" });
    match (choice, adapter) {
        (EngineChoice::Cpu, _) => cpu(),
        (EngineChoice::Auto, Adapter::Asking) => "looking for a graphics card…".into(),
        (EngineChoice::Auto, Adapter::Missing) => cpu(),
        (EngineChoice::Auto, Adapter::Found { software: true, .. }) => cpu(),
        (EngineChoice::Auto, Adapter::Found { name, software: false }) => gpu(name, false),
        (EngineChoice::WebGpu, Adapter::Asking) => "WebGPU · looking for an adapter…".into(),
        (EngineChoice::WebGpu, Adapter::Missing) => "WebGPU · none answers here".into(),
        (EngineChoice::WebGpu, Adapter::Found { name, software }) => gpu(name, *software),
    }
}

fn workers(count: usize) -> String {
    format!("{count} {}", if count == 1 { "worker" } else { "workers" })
}
