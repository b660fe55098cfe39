//! A helper worker, which performs the lead's jobs on the CPU engine.

use super::inbox::Inbox;
use super::scope::scope;
use crate::config::RunConfig;
use crate::engine::cpu::Kernel;
use crate::locks;
use crate::train::pool::perform_here;
use crate::train::{Job, Outcome, Performer, Plan, TrainError};
use crate::wire::{self, Incoming};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

/// A message from the lead to a helper.
#[derive(Serialize, Deserialize)]
pub enum Order {
    /// The configuration of the following jobs' run.
    Plan(Box<RunConfig>),
    /// Jobs. Their weights travel beside the message as bytes.
    Jobs(Vec<Job>),
}

/// A message from a helper to its lead.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    Ready,
    /// Outcomes in the order of the jobs. Their gradients travel beside the message as bytes, concatenated.
    Done(Vec<Outcome>),
    Failed(String),
}

/// Listens for orders.
pub fn start(kernel: Kernel) {
    let inbox: Inbox<Incoming<Order>> = Inbox::new();
    let filled = inbox.clone();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
        Ok(order) => filled.push(order),
        Err(error) => wire::post(&Reply::Failed(error.to_string()), None),
    });
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    spawn_local(work(inbox, kernel));
    spawn_local(async {
        locks::hold(&scope().name()).await;
        wire::post(&Reply::Ready, None);
    });
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
                    (None, _) | (_, None) => Err(TrainError::Helper("A helper was given jobs without a run or weights.".into())),
                };
                reply(outcomes);
            }
        }
    }
}

fn reply(outcomes: Result<Vec<Outcome>, TrainError>) {
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
        Err(error) => wire::post(&Reply::Failed(error.to_string()), None),
    }
}
