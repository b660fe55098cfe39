//! Who performs jobs.

use super::job::{Job, Outcome, Plan};
use crate::engine;
use std::future::Future;
use std::pin::Pin;

/// What a pool promises.
pub type Outcomes<'a> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, String>> + 'a>>;

/// Performs jobs with given weights (all parameters one after the other) and answers in the jobs' order.
pub trait Pool {
    /// # Errors
    /// A sentence that says which worker failed and how.
    fn perform<'a>(&'a mut self, weights: &'a [f32], jobs: Vec<Job>) -> Outcomes<'a>;
    /// How many workers share the jobs.
    fn workers(&self) -> usize;
}

/// Performs everything here and now, on the CPU engine.
pub struct LocalPool {
    pub plan: Plan,
}

impl Pool for LocalPool {
    fn perform<'a>(&'a mut self, weights: &'a [f32], jobs: Vec<Job>) -> Outcomes<'a> {
        Box::pin(perform_here(&self.plan, weights, jobs))
    }

    fn workers(&self) -> usize {
        1
    }
}

/// Performs jobs one after the other on the CPU engine.
///
/// # Errors
/// As [`Plan::perform`].
pub async fn perform_here(plan: &Plan, weights: &[f32], jobs: Vec<Job>) -> Result<Vec<Outcome>, String> {
    let weights = plan.upload(weights, &engine::cpu());
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in &jobs {
        outcomes.push(plan.perform(&weights, job).await?);
    }
    Ok(outcomes)
}

/// Native threads; job i goes to thread i mod n.
#[cfg(feature = "cli")]
pub struct ThreadPool {
    pub plan: Plan,
    pub threads: usize,
}

#[cfg(feature = "cli")]
impl Pool for ThreadPool {
    fn perform<'a>(&'a mut self, weights: &'a [f32], jobs: Vec<Job>) -> Outcomes<'a> {
        let threads = self.threads.min(jobs.len()).max(1);
        let plan = &self.plan;
        let share = |thread: usize| jobs.iter().skip(thread).step_by(threads).cloned().collect::<Vec<_>>();
        let shares: Result<Vec<Vec<Outcome>>, String> = std::thread::scope(|scope| {
            let spawn = |thread: usize| {
                let jobs = share(thread);
                scope.spawn(move || pollster::block_on(perform_here(plan, weights, jobs)))
            };
            let handles: Vec<_> = (0..threads).map(spawn).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| Err("A worker thread of the CPU engine stopped.".into())))
                .collect()
        });
        let outcomes = shares.map(|shares| interleave(shares, jobs.len()));
        Box::pin(std::future::ready(outcomes))
    }

    fn workers(&self) -> usize {
        self.threads
    }
}

/// Puts the outcomes of shares dealt out in turn back into one order.
pub fn interleave(shares: Vec<Vec<Outcome>>, count: usize) -> Vec<Outcome> {
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    let workers = shares.len();
    (0..count).filter_map(|index| shares[index % workers].next()).collect()
}
