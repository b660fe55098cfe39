//! A steady step of the CPU engine allocates nothing: forward pass, loss, gradient and update run in memory they have.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use lookahead::config::{Optimizer, presets};
use lookahead::engine::cpu::{Kernel, Machine, Moments, Updater};
use lookahead::engine::{Purpose, Target};
use lookahead::model::weights::initial;
use lookahead::train::{Plan, loss, optimizer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// Safety: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_steady_step_allocates_nothing() {
    for optimizer in [Optimizer::AdamW, Optimizer::Muon] {
        let mut config = presets::quick();
        config.training.optimizer = optimizer;
        let plan = Plan::new(&config);
        let mut weights = initial(&plan.parameters, 1);
        let mut moments = Moments::zero(weights.len());
        let mut updater = Updater::new(optimizer::update(&config.training, &plan.parameters), Kernel::best());
        let mut machine = Machine::new(Kernel::best());
        let batch = plan.batch(1, 0..4);
        let from = batch.first_labelled();
        let program =
            loss::program(&plan.model, &plan.shapes, batch.shape(from), plan.totals(1), Purpose::Gradient, Target::Thread).unwrap();
        let words = batch.words(from);
        let mut gradient = vec![0.0; weights.len()];
        let mut counts = Vec::new();
        for step in 1..=3 {
            let rates = optimizer::rates(&config, step);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            machine.load(&weights);
            machine.run(&program, &words);
            gradient.copy_from_slice(machine.numbers(program.weights, program.weights));
            updater.apply(&rates, &mut weights, &mut gradient, &mut moments);
            counts.push(ALLOCATIONS.load(Ordering::Relaxed) - before);
        }
        assert!(counts[0] > 0, "the counter counts");
        assert_eq!(counts[1..], [0, 0], "allocations of three steps with {optimizer:?}: {counts:?}");
    }
}
