//! The lead worker: it obeys the page's commands one by one, and advances the run between them.

use super::check;
use super::engines::Engines;
use super::failure::{Failure, WorkerError};
use super::inbox::Inbox;
use super::scope::{now, scope};
use super::session::{Begin, Session};
use super::turn::next_turn;
use crate::config::RunConfig;
use crate::engine::cpu::Kernel;
use crate::locks;
use crate::protocol::{Command, Report};
use crate::results::Ending;
use crate::train::{Opened, OpeningError, opening};
use crate::wire::{self, Incoming};
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

/// After this time the lead lets the browser deliver commands. During a step it cannot.
const BREATH_MILLISECONDS: f64 = 30.0;

/// Listens for commands.
pub fn start(engines: Engines) {
    let inbox: Inbox<Incoming<Command>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(command) => filled.push(command),
        Err(error) => Failure::Engine.tell(error),
    });
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(drive(inbox, engines));
    spawn_local(async {
        locks::hold(&scope().name()).await;
        wire::post(&Report::Ready, None);
    });
}

async fn drive(inbox: Inbox<Incoming<Command>>, engines: Engines) {
    let mut session: Option<Session> = None;
    let mut breath = now();
    loop {
        let running = session.as_ref().is_some_and(Session::running);
        let command = if running { inbox.take() } else { Some(inbox.next().await) };
        let outcome = match (command, &mut session) {
            (Some(Incoming { message: Command::Start { config, workers, bytes: kind }, bytes }), _) => {
                session = None;
                let begin = Begin::of(kind, bytes);
                match Session::start(config, workers, begin, engines, inbox.clone()).await {
                    Ok(started) => session = Some(started),
                    Err(error) => Failure::Start.tell(error),
                }
                Ok(())
            }
            (Some(Incoming { message: Command::Open { config, config_json, workers }, bytes }), _) => {
                match read_model(session.as_ref(), &config, &config_json, bytes) {
                    Ok(opened) if opened.config.on_burn() && engines.burn.is_none() => wire::post(&Report::OpensOnBurn, None),
                    Ok(opened) => {
                        session = None;
                        match Session::open(opened, workers, engines, inbox.clone()).await {
                            Ok(measured) => session = Some(measured),
                            Err(error) => Failure::Opening.tell(error),
                        }
                    }
                    Err(error) => wire::post(&Report::NotOpened { sentence: error.to_string() }, None),
                }
                Ok(())
            }
            (Some(Incoming { message: Command::Check { config, steps, bytes: kind }, bytes }), _) => {
                if let Err(error) = check::check(config, steps, Begin::of(kind, bytes), engines).await {
                    Failure::Start.tell(error);
                }
                Ok(())
            }
            (Some(command), Some(session)) => obey(session, command.message, engines.kernel).await,
            // The page may ask about a run that no longer exists. It then gets an empty attribution.
            (Some(Incoming { message: Command::Attribute { split, index, depth }, .. }), None) => {
                wire::post(&Report::Attributed { step: 0, split, index, depth, layers: Vec::new() }, None);
                Ok(())
            }
            (Some(_), None) => Err(WorkerError::NoRun),
            (None, Some(session)) => session.advance().await,
            (None, None) => Ok(()),
        };
        if let Err(error) = outcome {
            session = None;
            Failure::of_run(&error).tell(error);
        }
        if now() - breath > BREATH_MILLISECONDS {
            next_turn().await;
            breath = now();
        }
    }
}

/// Checks the files of a model. The worker keeps its current session until this has succeeded.
fn read_model(held: Option<&Session>, config: &RunConfig, config_json: &str, bytes: Option<Uint8Array>) -> Result<Opened, OpeningError> {
    if held.is_some_and(|session| !session.over()) {
        return Err(OpeningError::Busy);
    }
    let bytes = bytes.ok_or(OpeningError::NoWeights)?;
    opening::open(config, config_json, &bytes.to_vec())
}

async fn obey(session: &mut Session, command: Command, kernel: Kernel) -> Result<(), WorkerError> {
    match command {
        Command::Start { .. } | Command::Open { .. } | Command::Check { .. } => Ok(()),
        Command::Pause => session.pause().await,
        Command::Resume => session.resume(),
        Command::Step => session.single_step().await,
        Command::Stop => session.finish(Ending::Stopped).await,
        Command::Reach { steps } => session.reach(steps),
        Command::Save { which } => session.save(which).await,
        Command::Attribute { split, index, depth } => session.attribute(kernel, split, index, depth).await,
    }
}
