//! Training in the browser: a dedicated worker that drives a [`crate::train::Run`] at the page's commands.
//!
//! The same program is lead and helper; the worker's name says which. The page starts the lead. On the CPU engine, the lead starts helpers.
//! [`crate::wire`] defines the messages.

pub mod burn;
mod card;
mod check;
mod engines;
mod failure;
mod helper;
mod inbox;
mod lead;
mod pool;
mod scope;
mod session;
mod turn;

pub use engines::Engines;

use failure::Failure;
use scope::{HELPER, scope};

#[cfg(target_arch = "wasm32")]
unsafe extern "C" {
    /// The program's constructors, which the linker generates.
    fn __wasm_call_ctors();
}

/// Runs the program's constructors once. Without this call, the linker makes every call from JavaScript run them again. CubeCL registers
/// all its operations in them, which would take some hundred milliseconds each step.
fn construct() {
    // Safety: `start` calls this once, before anything else.
    #[cfg(target_arch = "wasm32")]
    unsafe {
        __wasm_call_ctors();
    }
}

/// Starts this worker as a helper or as the lead, by its name.
pub fn start(engines: Engines) {
    construct();
    if scope().name().starts_with(HELPER) {
        std::panic::set_hook(Box::new(console_error_panic_hook::hook));
        helper::start(engines.kernel);
    } else {
        std::panic::set_hook(Box::new(|info| {
            Failure::Internal.tell(format!("The engine has an internal error and stopped ({info})."));
            console_error_panic_hook::hook(info);
        }));
        lead::start(engines);
    }
}
