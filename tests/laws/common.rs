//! The engines of this build, as functions from programs to what they find.

use lookahead::engine::cpu::{Kernel, Machine};
use lookahead::engine::{Program, Target};
use serde_json::Value;

/// Both classes of arithmetic, where this machine has both.
pub fn kernels() -> Vec<Kernel> {
    [Some(Kernel::separate()), Kernel::fused()].into_iter().flatten().collect()
}

/// The numbers of a golden value, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        other => vec![other.as_f64().unwrap()],
    }
}

/// What a program with a loss leaves behind.
pub struct Found {
    pub loss: f32,
    pub hits: f32,
    pub answers: Vec<f32>,
    pub logits: Vec<f32>,
    pub gradient: Vec<f32>,
}

/// Carries programs out one after the other in one memory, and gives what the last one left.
pub type Run = Box<dyn FnMut(&[Program], &[f32], &[u32]) -> Found>;

/// Name, tolerance of values (ten times that of gradients), whom programs are written for, and the engine.
pub fn engines() -> Vec<(&'static str, f32, Target, Run)> {
    let cpu = |kernel: Kernel| -> Run { Box::new(move |programs, weights, words| on_cpu(kernel, programs, weights, words)) };
    let mut all = vec![("the CPU, separate", 3e-6, Target::Thread, cpu(Kernel::separate()))];
    match Kernel::fused() {
        Some(kernel) => all.push(("the CPU, fused", 3e-6, Target::Thread, cpu(kernel))),
        None => eprintln!("NOT RUN: this machine has no fused multiply-add"),
    }
    all.extend(gpu::engines());
    all
}

fn on_cpu(kernel: Kernel, programs: &[Program], weights: &[f32], words: &[u32]) -> Found {
    let mut machine = Machine::new(kernel);
    machine.load(weights);
    // Space that a program wrongly takes for zero shows up as a NaN.
    for program in programs {
        machine.elements_mut(weights.len()..program.size).fill(f32::NAN);
    }
    for program in programs {
        machine.run(program, words);
    }
    let program = programs.last().unwrap();
    let numbers = |address: usize, count: usize| machine.numbers(address, count).to_vec();
    collect(program, weights.len(), numbers)
}

fn collect(program: &Program, weights: usize, mut numbers: impl FnMut(usize, usize) -> Vec<f32>) -> Found {
    // A policy's loss has neither answers nor logits.
    let at = |part: Option<(lookahead::engine::program::At, usize)>| part.map_or((0, 0), |(at, count)| (program.address(at), count));
    let total = numbers(program.address(program.total.unwrap()), 2);
    let ((answers, rows), (logits, count)) = (at(program.answers), at(program.logits));
    Found {
        loss: total[0],
        hits: total[1],
        answers: numbers(answers, rows),
        logits: numbers(logits, count),
        gradient: numbers(weights, weights),
    }
}

pub use gpu::{ADAPTER, adapter, adapters};

mod gpu {
    use super::{Found, Program, Run, Target, collect};
    use lookahead::engine::gpu::{Gpu, Resident, open};
    use lookahead::engine::update::Update;

    /// The adapter that answers here, and the same with the kernels of a graphics card where it is a software one.
    pub fn engines() -> Vec<(&'static str, f32, Target, Run)> {
        let engine = |gpu: Gpu| -> Run { Box::new(move |programs, weights, words| run(&gpu, programs, weights, words)) };
        adapter().map_or(Vec::new(), |gpu| {
            vec![
                ("the graphics adapter", 3e-6, Target::Gpu, engine(gpu.clone())),
                ("a graphics card's kernels", 3e-6, Target::Gpu, engine(gpu.as_hardware())),
            ]
        })
    }

    /// The name of the adapter that answers here, with its own kernels.
    pub const ADAPTER: &str = "the adapter";

    /// That adapter, and the same with the kernels of a graphics card; nothing where none answers.
    pub fn adapters() -> Vec<(&'static str, Gpu)> {
        adapter().map_or(Vec::new(), |gpu| vec![(ADAPTER, gpu.clone()), ("a graphics card's kernels", gpu.as_hardware())])
    }

    /// The adapter that answers here.
    pub fn adapter() -> Option<Gpu> {
        pollster::block_on(open(|sentence| panic!("{sentence}")))
            .inspect_err(|why| eprintln!("NOT RUN: no graphics adapter answers here ({why})"))
            .ok()
    }

    fn run(gpu: &Gpu, programs: &[Program], weights: &[f32], words: &[u32]) -> Found {
        let all = std::iter::once(0..weights.len()).collect();
        let update = Update { adamw: all, muon: Vec::new(), weight_decay: 0.0, clip_value: 0.0, clip_norm: 0.0 };
        let mut resident = Resident::new(gpu, update, weights).unwrap();
        let ids: Vec<usize> = programs.iter().map(|program| resident.add(program.clone())).collect();
        for id in ids {
            resident.run(id, words);
        }
        let program = programs.last().unwrap();
        collect(program, weights.len(), |address, count| pollster::block_on(resident.read(address, count)).unwrap())
    }
}
