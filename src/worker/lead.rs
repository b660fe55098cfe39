//! The lead: takes the page's commands one by one and drives the session between them.

use super::inbox::Inbox;
use super::session::{Begin, Session};
use crate::config::RunConfig;
use crate::engine::cpu::Kernel;
use crate::protocol::{Command, Ending, Report};
use crate::train::{Opened, opening};
use crate::wire::{self, Incoming};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::MessageEvent;

/// Longest that commands wait while the lead computes alone.
const BREATH_MILLISECONDS: f64 = 30.0;

/// Listens for commands.
pub fn start(kernel: Kernel) {
    let inbox: Inbox<Incoming<Command>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(command) => filled.push(command),
        Err(sentence) => super::failed(&sentence),
    });
    super::scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(drive(inbox, kernel));
    wire::post(&Report::Ready, None);
}

async fn drive(inbox: Inbox<Incoming<Command>>, kernel: Kernel) {
    let mut session: Option<Session> = None;
    let mut breath = super::now();
    loop {
        let running = session.as_ref().is_some_and(Session::running);
        let command = if running { inbox.take() } else { Some(inbox.next().await) };
        let outcome = match (command, &mut session) {
            (Some(Incoming { message: Command::Start { config, workers, bytes: kind }, bytes }), _) => {
                session = None;
                let begin = Begin::of(kind, bytes);
                match Session::start(config, workers, begin, kernel).await {
                    Ok(started) => session = Some(started),
                    Err(sentence) => super::refused(&sentence),
                }
                Ok(())
            }
            (Some(Incoming { message: Command::Open { config, config_json, workers }, bytes }), _) => {
                match read_model(session.as_ref(), &config, &config_json, bytes) {
                    Ok(opened) => {
                        session = None;
                        match Session::open(opened, workers, kernel).await {
                            Ok(measured) => session = Some(measured),
                            Err(sentence) => super::unopened(&sentence),
                        }
                    }
                    Err(sentence) => wire::post(&Report::NotOpened { sentence }, None),
                }
                Ok(())
            }
            (Some(Incoming { message: Command::Check { config, steps, bytes: kind }, bytes }), _) => {
                if let Err(sentence) = super::burn::check(config, steps, Begin::of(kind, bytes)).await {
                    super::refused(&sentence);
                }
                Ok(())
            }
            (Some(command), Some(session)) => obey(session, command.message, kernel).await,
            // Asked about a run that is gone: nothing is lost by that.
            (Some(Incoming { message: Command::Look { split, index, depth }, .. }), None) => {
                wire::post(&Report::Looked { step: 0, split, index, depth, layers: Vec::new() }, None);
                Ok(())
            }
            (Some(_), None) => Err("There is no run yet: press Train first.".into()),
            (None, Some(session)) => session.advance().await,
            (None, None) => Ok(()),
        };
        if let Err(sentence) = outcome {
            let diverged = session.as_ref().is_some_and(Session::diverged);
            session = None;
            if diverged { super::diverged(&sentence) } else { super::failed(&sentence) }
        }
        if super::now() - breath > BREATH_MILLISECONDS {
            next_turn().await;
            breath = super::now();
        }
    }
}

/// Checks the files of a model before anything that the worker holds is given up.
fn read_model(held: Option<&Session>, config: &RunConfig, config_json: &str, bytes: Option<Uint8Array>) -> Result<Opened, String> {
    if held.is_some_and(|session| !session.over()) {
        return Err("A run is in progress: stop it first, then open the model.".into());
    }
    let bytes = bytes.ok_or("The weights did not arrive: open the files again.")?;
    opening::open(config, config_json, &bytes.to_vec())
}

async fn obey(session: &mut Session, command: Command, kernel: Kernel) -> Result<(), String> {
    match command {
        Command::Start { .. } | Command::Open { .. } | Command::Check { .. } => Ok(()),
        Command::Pause => session.pause().await,
        Command::Resume => session.resume(),
        Command::Step => session.single_step().await,
        Command::Stop => session.finish(Ending::Stopped).await,
        Command::Reach { steps } => session.reach(steps),
        Command::Save { which } => session.save(which).await,
        Command::Look { split, index, depth } => session.look(kernel, split, index, depth).await,
    }
}

thread_local! {
    static TURNS: RefCell<Option<Turns>> = const { RefCell::new(None) };
}

/// The two ports of a message channel to oneself.
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

/// Lets the browser deliver what has arrived. A message to oneself comes back after those, and sooner than a timer.
async fn next_turn() {
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
