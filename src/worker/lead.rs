//! The lead: takes the page's commands one by one and drives the session between them.

use super::inbox::Inbox;
use super::session::Session;
use super::wire::{self, Incoming};
use crate::protocol::{Command, Ending, Report};
use js_sys::Promise;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageChannel, MessageEvent};

/// Longest that commands wait while the lead computes alone.
const BREATH_MILLISECONDS: f64 = 30.0;

/// Listens for commands.
pub fn start() {
    let inbox: Inbox<Incoming<Command>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(command) => filled.push(command),
        Err(sentence) => super::failed(&sentence),
    });
    super::scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(drive(inbox));
    wire::post(&Report::Ready, None);
}

async fn drive(inbox: Inbox<Incoming<Command>>) {
    let mut session: Option<Session> = None;
    let mut breath = super::now();
    loop {
        let running = session.as_ref().is_some_and(Session::running);
        let command = if running { inbox.take() } else { Some(inbox.next().await) };
        let outcome = match (command, &mut session) {
            (Some(Incoming { message: Command::Start { config, workers }, bytes }), _) => {
                session = None;
                match Session::start(config, workers, bytes).await {
                    Ok(started) => {
                        session = Some(started);
                        Ok(())
                    }
                    Err(sentence) => Err(sentence),
                }
            }
            (Some(command), Some(session)) => obey(session, command.message).await,
            (Some(_), None) => Err("There is no run yet: press Train first.".into()),
            (None, Some(session)) => session.advance().await,
            (None, None) => Ok(()),
        };
        if let Err(sentence) = outcome {
            session = None;
            super::failed(&sentence);
        }
        if super::now() - breath > BREATH_MILLISECONDS {
            next_turn().await;
            breath = super::now();
        }
    }
}

async fn obey(session: &mut Session, command: Command) -> Result<(), String> {
    match command {
        Command::Start { .. } => Ok(()),
        Command::Pause => session.pause().await,
        Command::Resume => session.resume(),
        Command::Step => session.single_step().await,
        Command::Stop => session.finish(Ending::Stopped).await,
        Command::Reach { steps } => session.reach(steps),
        Command::Save { which } => session.save(which).await,
    }
}

thread_local! {
    static TURNS: RefCell<Option<MessageChannel>> = const { RefCell::new(None) };
}

/// Lets the browser deliver what has arrived. A message to oneself comes back after those, and sooner than a timer.
async fn next_turn() {
    let promise = Promise::new(&mut |resolve, _| {
        TURNS.with_borrow_mut(|turns| {
            if turns.is_none() {
                *turns = MessageChannel::new().ok();
            }
            if let Some(channel) = turns {
                channel.port1().set_onmessage(Some(&resolve));
                let _ = channel.port2().post_message(&0.into());
            }
        });
    });
    let _ = JsFuture::from(promise).await;
}
