//! The worker as the page sees it: commands go in, reports come out.

use crate::protocol::{Command, Report};
use crate::wire::{self, Incoming};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A running worker. Dropped, it ends.
pub struct WorkerLink {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl WorkerLink {
    /// Starts the worker's program at this address. `on_report` gets every report with the bytes beside it; `on_death` why there will be none any more.
    ///
    /// # Errors
    /// When the browser cannot start module workers.
    pub fn open(
        program: &str,
        on_report: impl Fn(Report, Option<Uint8Array>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(program, &options)
            .map_err(|_| "This browser could not start the training engine (a module worker).".to_string())?;
        let dead = on_death.clone();
        let on_message = Closure::new(move |event: MessageEvent| match wire::read(&event) {
            Ok(Incoming { message, bytes }) => on_report(message, bytes),
            Err(why) => dead(why),
        });
        let on_error = Closure::new(move |event: ErrorEvent| {
            // The failure is told on the page; the browser need not print it a second time.
            event.prevent_default();
            on_death(reason(&event));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a command. The bytes stay the page's own: a snapshot may be needed again in a fresh worker.
    ///
    /// # Errors
    /// When the message cannot be written or posted.
    pub fn send(&self, command: &Command, bytes: Option<&Uint8Array>) -> Result<(), String> {
        wire::send(&self.worker, command, bytes)
    }

    /// Ends the worker at once; what it was doing is lost.
    pub fn end(&self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl Drop for WorkerLink {
    fn drop(&mut self) {
        self.end();
    }
}

fn reason(event: &ErrorEvent) -> String {
    // A program that could not be fetched or compiled raises a plain Event, without a message.
    let message = js_sys::Reflect::get(event, &JsValue::from_str("message")).ok().and_then(|message| message.as_string());
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("The training engine stopped: {message}."),
        None => "The training engine could not be loaded.".into(),
    }
}
