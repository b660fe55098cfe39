//! Starts the worker early, sends it commands once it is ready, and replaces it after a failure. Every event goes to a handler, so this
//! module does not depend on the page.

use super::link::WorkerLink;
use crate::protocol::{Command, Report};
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::rc::Rc;
use std::time::Duration;

/// An event for the handler.
pub enum Event {
    /// A report and its bytes.
    Report(Report, Option<Uint8Array>),
    /// The worker has ended, with the reason.
    Lost(String),
    /// No worker could be started, or a command could not be sent, with the reason.
    Unsent(String),
    /// A run cannot begin although the worker works, with the reason and what to do.
    Refused(String),
}

type Handler = Rc<dyn Fn(Event)>;

#[derive(Default)]
struct Inner {
    handler: Option<Handler>,
    link: Option<WorkerLink>,
    /// The program that the worker runs.
    program: &'static str,
    /// Whether the worker has said that it is ready.
    ready: bool,
    /// The command to send when the worker is ready.
    waiting: Option<(Command, Option<Uint8Array>)>,
}

/// The page's worker, if there is one. This is an index and cheap to copy.
#[derive(Clone, Copy)]
pub struct Session(StoredValue<Inner, LocalStorage>);

impl Default for Session {
    fn default() -> Self {
        Self(StoredValue::new_local(Inner::default()))
    }
}

impl Session {
    /// Sets the handler for all events from now on.
    pub fn listen(self, handler: impl Fn(Event) + 'static) {
        self.0.update_value(|inner| inner.handler = Some(Rc::new(handler)));
    }

    /// Passes an event to the handler.
    pub fn tell(self, event: Event) {
        // Cloned: the handler uses the session itself.
        if let Some(handler) = self.0.with_value(|inner| inner.handler.clone()) {
            handler(event);
        }
    }

    /// Whether there is a worker.
    pub fn is_open(self) -> bool {
        self.0.with_value(|inner| inner.link.is_some())
    }

    /// Whether there is a worker that takes commands.
    pub fn is_ready(self) -> bool {
        self.0.with_value(|inner| inner.link.is_some() && inner.ready)
    }

    /// Whether there is a worker that runs this program.
    pub fn runs(self, program: &str) -> bool {
        self.0.with_value(|inner| inner.link.is_some() && inner.program == program)
    }

    /// Starts a worker with this program, if there is none.
    pub fn open(self, program: &'static str) {
        if self.is_open() {
            return;
        }
        let report = move |report, bytes| self.tell(Event::Report(report, bytes));
        match WorkerLink::open(program, report, move |why| self.tell(Event::Lost(why))) {
            Ok(link) => self.0.update_value(|inner| {
                inner.link = Some(link);
                inner.program = program;
                inner.ready = false;
            }),
            Err(why) => self.tell(Event::Unsent(why.to_string())),
        }
    }

    /// Sends a command, at once or as soon as the worker is ready. Only one command can wait, because only a start is sent that early.
    pub fn send(self, command: Command, bytes: Option<Uint8Array>) {
        let sent = self.0.try_update_value(|inner| match &inner.link {
            Some(link) if inner.ready => link.send(&command, bytes.as_ref()),
            Some(_) | None => {
                inner.waiting = Some((command, bytes));
                Ok(())
            }
        });
        if let Some(Err(why)) = sent {
            self.tell(Event::Unsent(why.to_string()));
        }
    }

    /// Notes that the worker is ready. Returns the command that waited for it.
    pub fn ready(self) -> Option<(Command, Option<Uint8Array>)> {
        let waiting = self.0.try_update_value(|inner| {
            inner.ready = true;
            inner.waiting.take()
        });
        waiting.flatten()
    }

    /// Ends the worker.
    pub fn close(self) {
        let link = self.0.try_update_value(|inner| {
            inner.ready = false;
            inner.waiting = None;
            inner.link.take()
        });
        if let Some(Some(link)) = link {
            link.end();
            // This may run inside one of the link's own closures, which must not be freed while it runs.
            set_timeout(move || drop(link), Duration::ZERO);
        }
    }
}
