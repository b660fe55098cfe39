//! A memory to try instructions on.

use lookahead::engine::gpu::{self, Gpu, Resident};
use lookahead::engine::program::{At, Instruction, Program, Rows};
use lookahead::engine::update::Update;

/// The adapter, or None with a word of why.
pub fn adapter() -> Option<Gpu> {
    match pollster::block_on(gpu::open(|fault| eprintln!("{fault}"))) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            eprintln!("NOT RUN: {error}");
            None
        }
    }
}

/// Numbers in ±1 that look like probability.
pub struct Chance(pub u64);

impl Chance {
    pub fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        ((self.number() + 1.0) * 0.5 * end as f32) as usize % end
    }
}

/// A memory that is laid out array after array, and the instructions on it.
pub struct Bench {
    pub memory: Vec<f32>,
    pub probability: Chance,
    pub instructions: Vec<Instruction>,
    pub constants: Vec<f32>,
    pub words: Vec<u32>,
}

impl Bench {
    pub fn new(seed: u64) -> Self {
        Self { memory: Vec::new(), probability: Chance(seed), instructions: Vec::new(), constants: Vec::new(), words: Vec::new() }
    }

    /// An array of probability numbers.
    pub fn array(&mut self, count: usize) -> At {
        let offset = self.memory.len();
        for _ in 0..count {
            let number = self.probability.number();
            self.memory.push(number);
        }
        At { buffer: 0, offset }
    }

    /// An array of probability numbers whose rows are `gap` numbers further apart than they are long.
    pub fn rows(&mut self, rows: usize, width: usize, gap: usize) -> Rows {
        Rows { at: self.array(rows * (width + gap)), stride: width + gap }
    }

    /// Runs the instructions on the device, as a program whose weights are the whole memory.
    pub fn run(&self, gpu: &Gpu) -> Vec<f32> {
        let update = Update { adamw: Vec::new(), muon: Vec::new(), weight_decay: 0.0, clip_value: 0.0, clip_norm: 0.0 };
        let mut resident = Resident::new(gpu, update, &self.memory).unwrap();
        let program = resident.add(self.program());
        resident.run(program, &self.words);
        pollster::block_on(resident.read(0, self.memory.len())).unwrap()
    }

    pub fn program(&self) -> Program {
        Program {
            instructions: self.instructions.clone(),
            spans: Vec::new(),
            base: vec![0],
            weights: self.memory.len(),
            constants: self.constants.clone(),
            size: 2 * self.memory.len() + 2,
            words: self.words.len(),
            chains: Vec::new(),
            total: None,
            answers: None,
            generated: None,
            halting_log: None,
            logits: None,
        }
    }

    pub fn f(&self, at: At, index: usize) -> f64 {
        f64::from(self.memory[at.offset + index])
    }

    pub fn numbers(&self, at: At, count: usize) -> Vec<f64> {
        (0..count).map(|index| self.f(at, index)).collect()
    }
}

/// Each number within `tolerance` of what it should be, relative to what is larger than 1.
pub fn close(what: &str, found: &[f32], at: At, expected: &[f64], tolerance: f64) {
    for (index, &expected) in expected.iter().enumerate() {
        let found = f64::from(found[at.offset + index]);
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < tolerance, "{what}: number {index} is {found}, not {expected}");
    }
}
