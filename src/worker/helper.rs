//! A helper: performs the jobs that its lead sends, on the CPU engine.

use super::inbox::Inbox;
use crate::config::RunConfig;
use crate::engine::cpu::Kernel;
use crate::train::pool::perform_here;
use crate::train::{Job, Outcome, Performer, Plan};
use crate::wire::{self, Incoming};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

/// From the lead to a helper.
#[derive(Serialize, Deserialize)]
pub enum Order {
    /// The run that the following jobs belong to.
    Plan(Box<RunConfig>),
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
pub fn start(kernel: Kernel) {
    let inbox: Inbox<Incoming<Order>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(order) => filled.push(order),
        Err(sentence) => wire::post(&Reply::Failed(sentence), None),
    });
    super::scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(work(inbox, kernel));
    wire::post(&Reply::Ready, None);
}

async fn work(inbox: Inbox<Incoming<Order>>, kernel: Kernel) {
    let mut performer = None;
    let mut weights = Vec::new();
    loop {
        let order = inbox.next().await;
        match order.message {
            Order::Plan(config) => performer = Some(Performer::new(Plan::new(&config), kernel)),
            Order::Jobs(jobs) => {
                let outcomes = match (&mut performer, order.bytes) {
                    (Some(performer), Some(bytes)) => {
                        wire::read_numbers(&bytes, &mut weights);
                        perform_here(performer, &weights, jobs).await
                    }
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
            let gradients: Vec<&[f32]> = outcomes
                .iter()
                .filter_map(|outcome| match outcome {
                    Outcome::Gradient { gradient, .. } => Some(&gradient[..]),
                    Outcome::Answers(_) => None,
                })
                .collect();
            wire::post_numbers(&Reply::Done(outcomes.iter().map(Outcome::without_gradient).collect()), &gradients);
        }
        Err(sentence) => wire::post(&Reply::Failed(sentence), None),
    }
}
