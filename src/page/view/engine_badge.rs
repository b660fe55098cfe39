//! The badge of the engine: the engine that computes the run, or before a run the one that will be chosen. The worker makes the choice; the
//! badge only predicts it.

use crate::config::EngineChoice;
use crate::page::state::adapter::AdapterStatus;
use crate::protocol::Engine;
use crate::replay::EngineClass;

/// The badge of an engine that has answered.
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

/// The badge before a run: the engine that this choice will give. `asked` is the number of CPU workers asked for, 0 for automatic.
pub fn foretell(choice: EngineChoice, adapter: &AdapterStatus, asked: usize, cores: usize) -> String {
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
        (EngineChoice::Cpu | EngineChoice::Portable, _) => cpu(),
        (EngineChoice::Auto, AdapterStatus::Asking) => "looking for a graphics card…".into(),
        (EngineChoice::Auto, AdapterStatus::Missing) => cpu(),
        (EngineChoice::Auto, AdapterStatus::Found { software: true, .. }) => cpu(),
        (EngineChoice::Auto, AdapterStatus::Found { name, software: false }) => gpu(name, false),
        (EngineChoice::WebGpu, AdapterStatus::Asking) => "WebGPU · looking for an adapter…".into(),
        (EngineChoice::WebGpu, AdapterStatus::Missing) => "WebGPU · no adapter answers here".into(),
        (EngineChoice::WebGpu, AdapterStatus::Found { name, software }) => gpu(name, *software),
        (EngineChoice::BurnFlex, _) => flex(),
        (EngineChoice::Burn | EngineChoice::BurnWgpu, AdapterStatus::Asking) => "Burn · looking for an adapter…".into(),
        (EngineChoice::Burn, AdapterStatus::Missing | AdapterStatus::Found { software: true, .. }) => flex(),
        (EngineChoice::Burn, AdapterStatus::Found { name, software: false }) => wgpu(name, false),
        (EngineChoice::BurnWgpu, AdapterStatus::Missing) => "Burn · no adapter answers here".into(),
        (EngineChoice::BurnWgpu, AdapterStatus::Found { name, software }) => wgpu(name, *software),
    }
}

fn workers(count: usize) -> String {
    format!("{count} {}", if count == 1 { "worker" } else { "workers" })
}
