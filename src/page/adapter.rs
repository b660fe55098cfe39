//! Which engine “automatic” would choose here, for the badge before a run. The worker chooses for itself; this only foretells.

use super::state::Page;
use crate::adapter;
use crate::config::EngineChoice;
use crate::protocol::Engine;
use crate::replay::EngineClass;
use leptos::prelude::*;

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
        page.adapter.set(match adapter::find().await {
            Ok(found) => Adapter::Found { name: found.name, software: found.software },
            Err(_) => Adapter::Missing,
        });
    });
}

/// The badge of an engine that answered.
pub fn badge(engine: &Engine) -> String {
    match engine.class {
        EngineClass::Fused | EngineClass::Separate | EngineClass::Cpu | EngineClass::Native => {
            format!("CPU · {}", workers(engine.workers))
        }
        EngineClass::WebGpu if engine.software => format!("WebGPU · {}{}", engine.name, emulated(true)),
        EngineClass::WebGpu => format!("WebGPU · {}", engine.name),
        EngineClass::BurnFlex => "Burn · burn-flex on the CPU".into(),
        EngineClass::BurnWgpu => format!("Burn · burn-wgpu on {}{}", engine.name, emulated(engine.software)),
    }
}

fn emulated(software: bool) -> &'static str {
    if software { " (software adapter)" } else { "" }
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
    let gpu = |name: &str, software: bool| format!("WebGPU · {name}{}", emulated(software));
    let flex = || "Burn · on the CPU".to_string();
    let wgpu = |name: &str, software: bool| format!("Burn · on {name}{}", emulated(software));
    match (choice, adapter) {
        (EngineChoice::Cpu, _) => cpu(),
        (EngineChoice::Auto, Adapter::Asking) => "looking for a graphics card…".into(),
        (EngineChoice::Auto, Adapter::Missing) => cpu(),
        (EngineChoice::Auto, Adapter::Found { software: true, .. }) => cpu(),
        (EngineChoice::Auto, Adapter::Found { name, software: false }) => gpu(name, false),
        (EngineChoice::WebGpu, Adapter::Asking) => "WebGPU · looking for an adapter…".into(),
        (EngineChoice::WebGpu, Adapter::Missing) => "WebGPU · none answers here".into(),
        (EngineChoice::WebGpu, Adapter::Found { name, software }) => gpu(name, *software),
        (EngineChoice::BurnFlex, _) => flex(),
        (EngineChoice::Burn | EngineChoice::BurnWgpu, Adapter::Asking) => "Burn · looking for an adapter…".into(),
        (EngineChoice::Burn, Adapter::Missing | Adapter::Found { software: true, .. }) => flex(),
        (EngineChoice::Burn, Adapter::Found { name, software: false }) => wgpu(name, false),
        (EngineChoice::BurnWgpu, Adapter::Missing) => "Burn · no adapter answers here".into(),
        (EngineChoice::BurnWgpu, Adapter::Found { name, software }) => wgpu(name, *software),
    }
}

fn workers(count: usize) -> String {
    format!("{count} {}", if count == 1 { "worker" } else { "workers" })
}
