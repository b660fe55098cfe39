//! A pool that consists of the lead itself and its helper workers.

use super::helper::{Order, Reply};
use super::inbox::Inbox;
use super::scope::HELPER;
use crate::engine::cpu::Kernel;
use crate::locks;
use crate::train::pool::{Outcomes, Pool, perform_here};
use crate::train::{Job, Outcome, Performer, Plan, TrainError};
use crate::wire::{self, Incoming};
use js_sys::Reflect;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

const ENDED: &str = "A helper worker of the CPU engine was ended by the browser, perhaps for want of memory.";

/// The lead and its helpers, on the CPU engine.
pub struct HelperPool {
    own: Performer,
    helpers: Vec<Helper>,
}

struct Helper {
    worker: Worker,
    replies: Inbox<Incoming<Reply>>,
    /// The lock that it holds as long as it exists.
    name: String,
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl HelperPool {
    /// Starts helpers until `workers` workers share the work, the lead included. If the browser allows fewer, the returned note says why.
    pub async fn start(plan: Plan, workers: usize, kernel: Kernel) -> (Self, String) {
        let mut helpers = Vec::new();
        let mut note = String::new();
        let started: Vec<_> = (1..workers).map(|_| Helper::start()).collect();
        for helper in started {
            let ready = match helper {
                Ok(helper) => helper.ready(&plan).await,
                Err(error) => Err(error),
            };
            match ready {
                Ok(helper) => helpers.push(helper),
                Err(error) => note = error.to_string(),
            }
        }
        (Self { own: Performer::new(plan, kernel), helpers }, note)
    }
}

impl Helper {
    fn start() -> Result<Self, TrainError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let name = format!("{HELPER}{}", locks::new_name());
        options.set_name(&name);
        let own = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED);
        let address = own(&own(&js_sys::global(), "location"), "href").as_string().unwrap_or_default();
        let worker = Worker::new_with_options(&address, &options)
            .map_err(|error| helper(format!("This browser does not let a worker start helpers ({error:?}); one core computes.")))?;
        let replies: Inbox<Incoming<Reply>> = Inbox::new();
        let (filled, failed) = (replies.clone(), replies.clone());
        let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match wire::read(&event) {
            Ok(reply) => filled.push(reply),
            Err(error) => filled.push(Incoming { message: Reply::Failed(error.to_string()), bytes: None }),
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
        Ok(Self { worker, replies, name })
    }

    async fn ready(self, plan: &Plan) -> Result<Self, TrainError> {
        match self.replies.next().await.message {
            Reply::Ready => {
                let (name, replies) = (self.name.clone(), self.replies.clone());
                spawn_local(async move {
                    if locks::freed(&name).await {
                        replies.push(Incoming { message: Reply::Failed(ENDED.into()), bytes: None });
                    }
                });
                wire::send(&self.worker, &Order::Plan(Box::new(plan.config.clone())), None).map_err(helper)?;
                Ok(self)
            }
            Reply::Done(_) => Err(helper("A helper worker answered before it was asked.")),
            Reply::Failed(sentence) => Err(helper(sentence)),
        }
    }

    /// Waits for the outcomes of the jobs sent last, and fills in their gradients.
    async fn outcomes(&self, parameters: usize) -> Result<Vec<Outcome>, TrainError> {
        let reply = self.replies.next().await;
        let mut outcomes = match reply.message {
            Reply::Done(outcomes) => outcomes,
            Reply::Ready => return Err(helper("A helper worker started twice.")),
            Reply::Failed(sentence) => return Err(helper(sentence)),
        };
        let mut numbers = Vec::new();
        if let Some(bytes) = reply.bytes {
            wire::read_numbers(&bytes, &mut numbers);
        }
        let mut gradients = numbers.chunks_exact(parameters);
        for outcome in &mut outcomes {
            match outcome {
                Outcome::Gradient { gradient, .. } => {
                    *gradient = gradients.next().ok_or_else(|| helper("A helper worker sent too few gradients."))?.to_vec()
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
    async fn share(&mut self, weights: &[f32], shares: Vec<Vec<Job>>) -> Result<Vec<Vec<Outcome>>, TrainError> {
        let mut shares = shares.into_iter();
        let own = shares.next().unwrap_or_default();
        let mut asked = Vec::new();
        for (other, jobs) in self.helpers.iter().zip(shares) {
            wire::send_numbers(&other.worker, &Order::Jobs(jobs), weights).map_err(helper)?;
            asked.push(other);
        }
        let mut outcomes = vec![perform_here(&mut self.own, weights, own).await?];
        for other in asked {
            outcomes.push(other.outcomes(weights.len()).await?);
        }
        Ok(outcomes)
    }
}

/// The error of a helper worker that failed.
fn helper(why: impl ToString) -> TrainError {
    TrainError::Helper(why.to_string())
}
