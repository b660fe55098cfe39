//! Who performs jobs.

#[cfg(feature = "cli")]
use super::job::Plan;
use super::job::{Job, Outcome};
use super::performer::Performer;
#[cfg(feature = "cli")]
use crate::engine::cpu::Kernel;
use std::future::Future;
use std::pin::Pin;

/// What a pool promises: each share's outcomes in its order.
pub type Outcomes<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<Outcome>>, String>> + 'a>>;

/// Performs jobs with given weights (all parameters one after the other), one share of them by each worker.
pub trait Pool {
    /// At most as many shares as there are workers.
    ///
    /// # Errors
    /// A sentence that says which worker failed and how.
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a>;
    /// How many workers there are.
    fn workers(&self) -> usize;
}

/// Performs everything here and now, in one thread of the CPU engine.
impl Pool for Performer {
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a> {
        Box::pin(async move {
            let mut outcomes = Vec::with_capacity(shares.len());
            for jobs in shares {
                outcomes.push(perform_here(self, weights, jobs).await?);
            }
            Ok(outcomes)
        })
    }

    fn workers(&self) -> usize {
        1
    }
}

/// Performs jobs one after the other.
///
/// # Errors
/// As [`Performer::perform`].
pub async fn perform_here(performer: &mut Performer, weights: &[f32], jobs: Vec<Job>) -> Result<Vec<Outcome>, String> {
    performer.load(weights);
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in &jobs {
        outcomes.push(performer.perform(job).await?);
    }
    Ok(outcomes)
}

/// Native threads.
#[cfg(feature = "cli")]
pub struct ThreadPool {
    performers: Vec<Performer>,
}

#[cfg(feature = "cli")]
impl ThreadPool {
    /// At most as many threads as a batch has shards.
    pub fn new(plan: &Plan, kernel: Kernel, threads: usize) -> Self {
        let threads = threads.clamp(1, plan.shards().len());
        Self { performers: (0..threads).map(|_| Performer::new(plan.clone(), kernel)).collect() }
    }
}

#[cfg(feature = "cli")]
impl Pool for ThreadPool {
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a> {
        let outcomes = std::thread::scope(|scope| {
            let spawn = |(performer, jobs)| scope.spawn(move || pollster::block_on(perform_here(performer, weights, jobs)));
            let handles: Vec<_> = self.performers.iter_mut().zip(shares).map(spawn).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| Err("A worker thread of the CPU engine stopped.".into())))
                .collect()
        });
        Box::pin(std::future::ready(outcomes))
    }

    fn workers(&self) -> usize {
        self.performers.len()
    }
}

/// Deals jobs out in turn to so many workers.
pub fn deal(jobs: Vec<Job>, workers: usize) -> Vec<Vec<Job>> {
    (0..workers).map(|worker| jobs.iter().skip(worker).step_by(workers).cloned().collect()).collect()
}

/// Puts the outcomes of jobs dealt out in turn back into one order.
pub fn collect(shares: Vec<Vec<Outcome>>) -> Vec<Outcome> {
    let count = shares.iter().map(Vec::len).sum();
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    let workers = shares.len();
    (0..count).filter_map(|index| shares[index % workers].next()).collect()
}
