//! The browser's side of training: a dedicated worker that drives a [`crate::train::Run`] by the page's commands.
//!
//! The same program serves as lead (started by the page) and as helper (started by a lead on the CPU engine, told apart
//! by the worker's name). Messages travel as [`crate::wire`] says.

mod burn;
mod helper;
mod inbox;
mod lead;
mod pool;
mod session;

use crate::engine::cpu::Kernel;
use crate::protocol::Report;
use crate::wire;
use wasm_bindgen::JsCast;
use web_sys::DedicatedWorkerGlobalScope;

/// Name of a helper worker.
const HELPER: &str = "helper";

#[cfg(target_arch = "wasm32")]
unsafe extern "C" {
    /// The program's constructors, made by the linker.
    fn __wasm_call_ctors();
}

/// Runs the program's constructors once. A program that never calls them has them run again on every call from JavaScript,
/// and CubeCL registers all its operations in them: some hundred milliseconds each step.
fn construct() {
    // Safety: this is the first thing the program does, and it does it once.
    #[cfg(target_arch = "wasm32")]
    unsafe {
        __wasm_call_ctors();
    }
}

/// Takes up the role that this worker's name gives it, computing with this kernel on the CPU.
pub fn start(kernel: Kernel) {
    construct();
    if scope().name() == HELPER {
        std::panic::set_hook(Box::new(console_error_panic_hook::hook));
        helper::start(kernel);
    } else {
        std::panic::set_hook(Box::new(|info| {
            failed(&format!("The engine stopped: {info}"));
            console_error_panic_hook::hook(info);
        }));
        lead::start(kernel);
    }
}

/// This worker's global object.
fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since this worker started.
fn now() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Tells the page that a run could not begin.
fn refused(sentence: &str) {
    let remedy = "Nothing is lost: change the setting it names, or the engine, and press Train again.";
    wire::post(&Report::Failed { sentence: sentence.into(), remedy: remedy.into() }, None);
}

/// Tells the page that a model that fits could not be measured here.
fn unopened(sentence: &str) {
    let remedy = "Choose another engine under Settings, Machine, and open the model again.";
    wire::post(&Report::Failed { sentence: sentence.into(), remedy: remedy.into() }, None);
}

/// Tells the page that a run has come to numbers that are none.
fn diverged(sentence: &str) {
    let remedy = "Lower the learning rate or clip the gradient more tightly, then train anew; going on from the last snapshot would end the same way.";
    wire::post(&Report::Failed { sentence: sentence.into(), remedy: remedy.into() }, None);
}

/// Tells the page that the run cannot go on here.
fn failed(sentence: &str) {
    let remedy =
        "Press Resume to go on from the last snapshot in a fresh engine; if it fails again, choose the CPU engine or a smaller batch.";
    wire::post(&Report::Failed { sentence: sentence.into(), remedy: remedy.into() }, None);
}
