//! Ceiling and floors of the task on show, computed here in slices that fit between two frames, refined as they grow.

use super::browser;
use super::state::Page;
use crate::task::{Estimate, MULTI_DEPTHS, Split, Task, estimate};
use leptos::prelude::*;
use std::time::Duration;

/// Held-out samples to average over.
pub const SAMPLES: u64 = 1_000;
/// A slice ends after so many milliseconds: half a frame.
const SLICE: f64 = 8.0;
/// Nothing is refined beyond so much computing, in milliseconds: some tasks have ceilings that are dear to compute.
const BUDGET: f64 = 20_000.0;
/// Between two redrawings, milliseconds.
const REDRAW: f64 = 250.0;

/// Estimates of one subject, one a depth, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    subject: Option<(Task, u64)>,
    estimates: Vec<Estimate>,
    /// Whether more samples are to come.
    pub growing: bool,
}

impl References {
    /// The estimates of this subject; empty while there are none, or when those at hand are of another.
    pub fn of(&self, subject: &(Task, u64)) -> &[Estimate] {
        let ready = self.subject.as_ref() == Some(subject) && self.samples() > 0;
        if ready { &self.estimates } else { &[] }
    }

    /// Samples averaged over so far, at every depth.
    pub fn samples(&self) -> usize {
        self.estimates.iter().map(|estimate| estimate.samples).min().unwrap_or(0)
    }
}

/// The depths that the depth chart shows: 1 … 4, and the asked one.
pub fn depths(task: &Task) -> Vec<usize> {
    let mut depths: Vec<usize> = (1..=MULTI_DEPTHS).chain(task.depths()).collect();
    depths.sort_unstable();
    depths.dedup();
    depths
}

/// Where a computation stands.
struct Job {
    task: Task,
    seed: u64,
    estimates: Vec<Estimate>,
    next: u64,
    spent: f64,
    drawn: f64,
}

/// Computes the references of every subject that the page comes to.
pub fn follow(page: Page) {
    let subject = Memo::new(move |_| page.subject());
    Effect::new(move |_| {
        let (task, seed) = subject.get();
        if task.validate().is_err() {
            page.references.set(References::default());
            return;
        }
        let estimates: Vec<Estimate> = depths(&task).into_iter().map(Estimate::empty).collect();
        page.references.set(References { subject: Some((task, seed)), estimates: estimates.clone(), growing: true });
        later(page, Job { task, seed, estimates, next: 0, spent: 0.0, drawn: browser::now() }, Duration::ZERO);
    });
}

fn later(page: Page, job: Job, wait: Duration) {
    set_timeout(move || slice(page, job), wait);
}

fn slice(page: Page, mut job: Job) {
    let wanted = page.references.with_untracked(|references| references.subject == Some((job.task, job.seed)));
    if !wanted {
        return;
    }
    let begun = browser::now();
    while job.next < SAMPLES && browser::now() - begun < SLICE {
        for total in &mut job.estimates {
            *total = total.merge(&estimate(&job.task, job.seed, Split::Validation, job.next..job.next + 1, total.depth));
        }
        job.next += 1;
    }
    let took = browser::now() - begun;
    job.spent += took;
    let growing = job.next < SAMPLES && job.spent < BUDGET;
    if !growing || browser::now() - job.drawn > REDRAW {
        job.drawn = browser::now();
        page.references.set(References { subject: Some((job.task, job.seed)), estimates: job.estimates.clone(), growing });
    }
    if growing {
        // A pause as long as the work leaves the other half of the time to the page.
        later(page, job, Duration::from_millis(took.clamp(4.0, 500.0) as u64));
    }
}
