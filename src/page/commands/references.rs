//! Computes the ceiling and floors of the displayed task, in slices that fit between two frames. The estimates get more precise with every slice.

use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::references::{References, SAMPLES, depths};
use crate::task::{Estimate, Split, Task, estimate};
use leptos::prelude::*;
use std::time::Duration;

/// The length of a slice in milliseconds: half a frame.
const SLICE: f64 = 8.0;
/// The largest computing time for one task, in milliseconds, because some ceilings are expensive to compute.
const BUDGET: f64 = 20_000.0;
/// The time until the first redraw, in milliseconds. Each later one comes after twice the time: the estimates change less and less.
const REDRAW: f64 = 250.0;

/// A computation in progress.
struct Job {
    task: Task,
    seed: u64,
    estimates: Vec<Estimate>,
    next: u64,
    spent: f64,
    /// When they are drawn next, and after how long again.
    due: f64,
    pause: f64,
}

/// Computes the references whenever the subject changes.
pub fn follow(page: Page) {
    let subject = Memo::new(move |_| page.subject());
    Effect::new(move |_| {
        let (task, seed) = subject.get();
        if task.fault().is_some() {
            page.references.set(References::default());
            return;
        }
        let estimates: Vec<Estimate> = depths(&task).into_iter().map(Estimate::empty).collect();
        page.references.set(References { subject: Some((task, seed)), estimates: estimates.clone(), growing: true });
        later(page, Job { task, seed, estimates, next: 0, spent: 0.0, due: browser::now() + REDRAW, pause: REDRAW }, Duration::ZERO);
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
    if !growing || browser::now() > job.due {
        job.pause *= 2.0;
        job.due = browser::now() + job.pause;
        page.references.set(References { subject: Some((job.task, job.seed)), estimates: job.estimates.clone(), growing });
    }
    if growing {
        // The pause is as long as the work, so that the page has half of the time.
        later(page, job, Duration::from_millis(took.clamp(4.0, 500.0) as u64));
    }
}
