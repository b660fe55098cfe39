//! A pool of helper workers, of which the lead itself is the first.

use super::helper::{Order, Reply};
use super::inbox::Inbox;
use crate::engine::cpu::Kernel;
use crate::train::pool::{Outcomes, Pool, perform_here};
use crate::train::{Job, Outcome, Performer, Plan};
use crate::wire::{self, Incoming};
use js_sys::Reflect;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

/// The lead and its helpers, on the CPU engine.
pub struct HelperPool {
    own: Performer,
    helpers: Vec<Helper>,
}

struct Helper {
    worker: Worker,
    replies: Inbox<Incoming<Reply>>,
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl HelperPool {
    /// Starts helpers until `workers` share the work, or as many as the browser lets start; then the note says why.
    pub async fn start(plan: Plan, workers: usize, kernel: Kernel) -> (Self, String) {
        let mut helpers = Vec::new();
        let mut note = String::new();
        let started: Vec<_> = (1..workers).map(|_| Helper::start()).collect();
        for helper in started {
            let ready = match helper {
                Ok(helper) => helper.ready(&plan).await,
                Err(sentence) => Err(sentence),
            };
            match ready {
                Ok(helper) => helpers.push(helper),
                Err(sentence) => note = sentence,
            }
        }
        (Self { own: Performer::new(plan, kernel), helpers }, note)
    }
}

impl Helper {
    fn start() -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(super::HELPER);
        let own = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED);
        let address = own(&own(&js_sys::global(), "location"), "href").as_string().unwrap_or_default();
        let worker = Worker::new_with_options(&address, &options)
            .map_err(|error| format!("This browser does not let a worker start helpers ({error:?}); one core computes."))?;
        let replies: Inbox<Incoming<Reply>> = Inbox::new();
        let (filled, failed) = (replies.clone(), replies.clone());
        let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
            Ok(reply) => filled.push(reply),
            Err(sentence) => filled.push(Incoming { message: Reply::Failed(sentence), bytes: None }),
        });
        let complain = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| {
            failed.push(Incoming {
                message: Reply::Failed("A helper worker of the CPU engine stopped, perhaps for want of memory.".into()),
                bytes: None,
            });
        });
        worker.set_onmessage(Some(listen.as_ref().unchecked_ref()));
        worker.set_onerror(Some(complain.as_ref().unchecked_ref()));
        listen.forget();
        complain.forget();
        Ok(Self { worker, replies })
    }

    async fn ready(self, plan: &Plan) -> Result<Self, String> {
        match self.replies.next().await.message {
            Reply::Ready => {
                wire::send(&self.worker, &Order::Plan(Box::new(plan.config.clone())), None)?;
                Ok(self)
            }
            Reply::Done(_) => Err("A helper worker answered before it was asked.".into()),
            Reply::Failed(sentence) => Err(sentence),
        }
    }

    /// The outcomes of the jobs last sent, with their gradients put back.
    async fn outcomes(&self, parameters: usize) -> Result<Vec<Outcome>, String> {
        let reply = self.replies.next().await;
        let mut outcomes = match reply.message {
            Reply::Done(outcomes) => outcomes,
            Reply::Ready => return Err("A helper worker started twice.".into()),
            Reply::Failed(sentence) => return Err(sentence),
        };
        let mut numbers = Vec::new();
        if let Some(bytes) = reply.bytes {
            wire::read_numbers(&bytes, &mut numbers);
        }
        let mut gradients = numbers.chunks_exact(parameters);
        for outcome in &mut outcomes {
            match outcome {
                Outcome::Gradient { gradient, .. } => {
                    *gradient = gradients.next().ok_or("A helper worker sent too few gradients.")?.to_vec()
                }
                Outcome::Answers(_) => {}
            }
        }
        Ok(outcomes)
    }
}

impl Pool for HelperPool {
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a> {
        Box::pin(self.share(weights, shares))
    }

    fn workers(&self) -> usize {
        self.helpers.len() + 1
    }
}

impl HelperPool {
    async fn share(&mut self, weights: &[f32], shares: Vec<Vec<Job>>) -> Result<Vec<Vec<Outcome>>, String> {
        let mut shares = shares.into_iter();
        let own = shares.next().unwrap_or_default();
        let mut asked = Vec::new();
        for (helper, jobs) in self.helpers.iter().zip(shares) {
            wire::send_numbers(&helper.worker, &Order::Jobs(jobs), weights)?;
            asked.push(helper);
        }
        let mut outcomes = vec![perform_here(&mut self.own, weights, own).await?];
        for helper in asked {
            outcomes.push(helper.outcomes(weights.len()).await?);
        }
        Ok(outcomes)
    }
}
