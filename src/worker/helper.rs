//! A helper: performs the jobs that its lead sends, on the CPU engine.

use super::inbox::Inbox;
use super::wire::{self, Incoming};
use crate::config::RunConfig;
use crate::train::pool::perform_here;
use crate::train::{Job, Outcome, Plan};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

/// From the lead to a helper.
#[derive(Serialize, Deserialize)]
pub enum Order {
    /// The run that the following jobs belong to.
    Plan(RunConfig),
    /// Jobs; the weights come beside the message.
    Jobs(Vec<Job>),
}

/// From a helper to its lead.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    Ready,
    /// Outcomes in the jobs' order; the gradients come beside the message, one after the other.
    Done(Vec<Outcome>),
    Failed(String),
}

/// Listens for orders.
pub fn start() {
    let inbox: Inbox<Incoming<Order>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(order) => filled.push(order),
        Err(sentence) => wire::post(&Reply::Failed(sentence), None),
    });
    super::scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(work(inbox));
    wire::post(&Reply::Ready, None);
}

async fn work(inbox: Inbox<Incoming<Order>>) {
    let mut plan = None;
    loop {
        let order = inbox.next().await;
        match order.message {
            Order::Plan(config) => plan = Some(Plan::new(&config)),
            Order::Jobs(jobs) => {
                let outcomes = match (&plan, order.bytes) {
                    (Some(plan), Some(bytes)) => perform_here(plan, &wire::as_numbers(&bytes), jobs).await,
                    (None, _) | (_, None) => Err("A helper was given jobs without a run or weights.".into()),
                };
                reply(outcomes);
            }
        }
    }
}

fn reply(outcomes: Result<Vec<Outcome>, String>) {
    match outcomes {
        Ok(outcomes) => {
            let gradients: Vec<u8> = outcomes
                .iter()
                .flat_map(|outcome| match outcome {
                    Outcome::Gradient { gradient, .. } => wire::as_bytes(gradient),
                    Outcome::Answers(_) => Vec::new(),
                })
                .collect();
            wire::post(&Reply::Done(outcomes), Some(&gradients));
        }
        Err(sentence) => wire::post(&Reply::Failed(sentence), None),
    }
}
