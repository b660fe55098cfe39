//! A worker, as the page uses it: it takes commands and sends reports.

use crate::locks;
use crate::page::browser;
use crate::protocol::{Command, Report};
use crate::wire::{self, Incoming, WireError};
use js_sys::Uint8Array;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A running worker. Dropping it ends the worker.
pub struct WorkerLink {
    worker: Worker,
    /// Whether the page itself has ended it.
    ended: Rc<Cell<bool>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl WorkerLink {
    /// Starts this program of the page's build. `on_report` gets every report and its bytes. `on_death` gets the reason when the worker fails.
    ///
    /// # Errors
    /// When the browser cannot start module workers.
    pub fn open(
        program: &str,
        on_report: impl Fn(Report, Option<Uint8Array>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, WireError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let name = format!("lead {}", locks::new_name());
        options.set_name(&name);
        let worker = Worker::new_with_options(&format!("{}{program}", browser::build()), &options).map_err(|_| WireError::NoWorker)?;
        let ended = Rc::new(Cell::new(false));
        let program = program.to_string();
        let (dead, gone, still) = (on_death.clone(), on_death.clone(), ended.clone());
        let on_message = Closure::new(move |event: MessageEvent| match wire::read(&event) {
            Ok(Incoming { message, bytes }) => {
                if message == Report::Ready {
                    // static/offline.js stores the programs that are in use.
                    browser::body_attribute("data-program", &program);
                    watch(name.clone(), still.clone(), gone.clone());
                }
                on_report(message, bytes);
            }
            Err(why) => dead(why.to_string()),
        });
        let on_error = Closure::new(move |event: ErrorEvent| {
            // The page shows the failure, so the browser need not print it again.
            event.prevent_default();
            on_death(reason(&event));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, ended, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a command. The page keeps its bytes, because a new worker may need the snapshot again.
    ///
    /// # Errors
    /// When the message cannot be serialised or posted.
    pub fn send(&self, command: &Command, bytes: Option<&Uint8Array>) -> Result<(), WireError> {
        wire::send(&self.worker, command, bytes)
    }

    /// Ends the worker at once. Its unfinished work is lost.
    pub fn end(&self) {
        self.ended.set(true);
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

/// Waits until the worker no longer exists: a browser that ends one for want of memory sends no event.
fn watch(name: String, ended: Rc<Cell<bool>>, on_death: impl Fn(String) + 'static) {
    spawn_local(async move {
        if locks::freed(&name).await && !ended.get() {
            on_death("The training engine was ended by the browser, perhaps for want of memory.".into());
        }
    });
}

fn reason(event: &ErrorEvent) -> String {
    // If the program could not be fetched or compiled, the browser sends a plain Event without a message.
    let message = js_sys::Reflect::get(event, &JsValue::from_str("message")).ok().and_then(|message| message.as_string());
    match message.filter(|message| !message.is_empty()) {
        // A program that finds no more memory executes this instruction.
        Some(message) if message.contains("unreachable") => {
            "The training engine stopped, probably because there was no more memory for it: choose a smaller batch or network.".into()
        }
        Some(message) => format!("The training engine stopped: {message}."),
        // The page is older than the site if the site no longer has the folder of its build.
        None => format!("The training engine could not be loaded from the site. {}", browser::forbidden()).trim_end().into(),
    }
}
