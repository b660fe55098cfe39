//! Pools of workers that perform jobs.

use super::error::TrainError;
use super::job::{Job, Outcome};
use super::performer::Performer;
#[cfg(feature = "cli")]
use super::plan::Plan;
#[cfg(feature = "cli")]
use crate::engine::cpu::Kernel;
use std::future::Future;
use std::pin::Pin;

/// The future that [`Pool::perform`] returns: for each share, its outcomes in the order of its jobs.
pub type Outcomes<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<Outcome>>, TrainError>> + 'a>>;

/// Performs jobs with given weights (all parameters, concatenated). Each worker performs one share of the jobs.
pub trait Pool {
    /// Performs the shares. There may be at most as many shares as workers.
    ///
    /// # Errors
    /// When a worker failed; the sentence says which one and how.
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a>;
    /// The number of workers.
    fn workers(&self) -> usize;
}

/// Performs all jobs in the calling thread, on the CPU engine.
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

/// Performs jobs in sequence, in the calling thread.
///
/// # Errors
/// As [`Performer::perform`].
pub async fn perform_here(performer: &mut Performer, weights: &[f32], jobs: Vec<Job>) -> Result<Vec<Outcome>, TrainError> {
    performer.load(weights);
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in &jobs {
        outcomes.push(performer.perform(job).await?);
    }
    Ok(outcomes)
}

/// A pool of native threads.
#[cfg(feature = "cli")]
pub struct ThreadPool {
    performers: Vec<Performer>,
}

#[cfg(feature = "cli")]
impl ThreadPool {
    /// Uses `threads` threads, but at least one and at most as many as a batch has shards.
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
            handles.into_iter().map(|handle| handle.join().unwrap_or(Err(TrainError::ThreadStopped))).collect()
        });
        Box::pin(std::future::ready(outcomes))
    }

    fn workers(&self) -> usize {
        self.performers.len()
    }
}

/// Deals jobs out in turn: job i goes to worker i mod `workers`.
pub fn deal(jobs: Vec<Job>, workers: usize) -> Vec<Vec<Job>> {
    (0..workers).map(|worker| jobs.iter().skip(worker).step_by(workers).cloned().collect()).collect()
}

/// The inverse of [`deal`] for outcomes: restores the order of the jobs.
pub fn collect(shares: Vec<Vec<Outcome>>) -> Vec<Outcome> {
    let count = shares.iter().map(Vec::len).sum();
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    let workers = shares.len();
    (0..count).filter_map(|index| shares[index % workers].next()).collect()
}
