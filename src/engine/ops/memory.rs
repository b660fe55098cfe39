//! An associative memory that is read by key and overwritten by key: the delta rule.

use crate::engine::program::{At, FEATURES, Instruction, Memory, MemoryShape, Window};
use crate::engine::recorder::{Recorder, Var};

/// An associative memory of each of B sequences: A `[B·F, d]` and z `[B, F]`.
#[derive(Clone, Copy)]
pub struct MemoryVar {
    a: Var,
    z: Var,
}

impl MemoryVar {
    fn arrays(self) -> Memory {
        Memory { a: self.a.at, z: self.z.at }
    }
}

impl Recorder {
    /// DPFP-3 features of unit length: x' = [relu x; relu −x], `φ = concat over j = 1, 2, 3 of x' ⊙ roll(x', j)`, divided by its norm.
    /// x `[N, m]`, result `[N, 6m]`. Source: Schlag et al., arXiv 2102.11174.
    ///
    /// Backwards: `dφ̂ = (dφ − φ (φ · dφ)) / ‖φ̂‖`, then the product rule over x' and the slope of relu.
    pub fn features(&mut self, x: Var) -> Var {
        let (rows, width) = (x.rows, x.width);
        let out = self.var(rows, FEATURES * width);
        let norms = self.buffer(rows);
        self.push(Instruction::Features { x: x.at, out: out.at, norms, rows, width, pitch: 1 });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(x);
            assert!(carried.is_none(), "the features are the only reader of their input");
            recorder.push(Instruction::FeaturesBackward { x: x.at, out: out.at, norms, gradient, into, rows, width });
        });
        out
    }

    /// `x + (q A) / (q · z + 1e-5)` by row, what the memory holds under each row's query: x `[B·n, d]`, q `[B·n, F]`, result `[B·n, d]`.
    /// Source: Rodkin et al., arXiv 2407.04841.
    ///
    /// Backwards, with r what was read, s its divisor and g the gradient: `dn = g / s`, `ds = −(g · r) / s`, `dq = dn Aᵀ + ds z`,
    /// `dA = qᵀ dn`, `dz = Σ ds q`; the gradient of x is g itself.
    pub fn recall(&mut self, x: Var, queries: Var, memory: MemoryVar) -> Var {
        let sequences = memory.z.rows;
        let shape = MemoryShape { sequences, rows: x.rows / sequences, features: queries.width, width: x.width };
        let window = Window { sequences, length: shape.rows, from: 0, count: shape.rows };
        let out = self.var(x.rows, x.width);
        let divisors = self.buffer(x.rows);
        let (x_at, queries_at, out_at) = (x.at, queries.at, out.at);
        let held = memory.arrays();
        self.push(Instruction::Recall { window, shape, x: x_at, queries: queries_at, memory: held, out: out_at, divisors });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            recorder.share_gradient(x, gradient);
            let (into_queries, carried) = recorder.add_gradient(queries);
            assert!(carried.is_none(), "the memory is the only reader of its queries");
            let (into, carried) = recorder.memory_gradient(memory);
            let sides = recorder.buffer(x.rows);
            recorder.push(Instruction::RecallBackward {
                sides,
                shape,
                x: x_at,
                queries: queries_at,
                memory: held,
                out: out_at,
                divisors,
                gradient,
                into_queries,
                carried,
                into,
            });
        });
        out
    }

    /// The memory after the rows of each sequence have written their values under their keys, each overwriting what stood there:
    /// keys `[B·M, F]`, values `[B·M, d]`, strengths `[B·M, 1]` before their σ; `old` is none for a memory of zeros. Source: as [`Self::recall`].
    /// ```text
    /// b = σ(strength)    d = k · z + 1e-5    v̄ = (k A) / d    γ = clip(1 − d / ‖k‖², 0, 1)     (v̄ = 0, γ = 1 without an old one)
    /// A ← A + Σ b k (v − v̄)ᵀ                z ← z + Σ γ k
    /// ```
    /// Backwards γ counts as a constant, and with U = b (v − v̄): `dU = K dA`, `dk = U dAᵀ + γ dz + (dn Aᵀ + dd z)`,
    /// `dv = b dU`, `db = dU · (v − v̄)`, `dn = −b dU / d`, `dd = (b dU · v̄) / d`, and of the old memory `dA + Kᵀ dn`, `dz + Σ dd k`.
    pub fn memorize(&mut self, keys: Var, values: Var, strengths: Var, old: Option<MemoryVar>, sequences: usize) -> MemoryVar {
        let shape = MemoryShape { sequences, rows: keys.rows / sequences, features: keys.width, width: values.width };
        let out = MemoryVar { a: self.var(sequences * shape.features, shape.width), z: self.var(sequences, shape.features) };
        let novel = self.buffer(values.rows * values.width);
        let divisors = self.buffer(2 * keys.rows);
        let arrays = [keys.at, values.at, strengths.at];
        let [keys_at, values_at, strengths_at] = arrays;
        let held = old.map(MemoryVar::arrays);
        self.push(Instruction::Memorize {
            shape,
            keys: keys_at,
            values: values_at,
            strengths: strengths_at,
            old: held,
            novel,
            divisors,
            out: out.arrays(),
        });
        self.on_backward(move |recorder| {
            let (Some(a), Some(z)) = (recorder.gradient(out.a), recorder.gradient(out.z)) else { return };
            let [into_keys, into_values, into_strengths]: [At; 3] = [keys, values, strengths].map(|var| recorder.add_gradient(var).0);
            let into_old = old.map(|old| {
                let (into, carried) = recorder.memory_gradient(old);
                assert!(carried.is_none(), "whoever writes to a memory is its last reader");
                into
            });
            let sides = recorder.buffer(keys.rows);
            recorder.push(Instruction::MemorizeBackward {
                sides,
                shape,
                keys: keys_at,
                values: values_at,
                strengths: strengths_at,
                old: held,
                novel,
                divisors,
                gradient: Memory { a, z },
                into_keys,
                into_values,
                into_strengths,
                into_old,
            });
        });
        out
    }

    /// Where to write a memory's gradient anew, and what of it stands already.
    fn memory_gradient(&mut self, memory: MemoryVar) -> (Memory, Option<Memory>) {
        let ((a, carried_a), (z, carried_z)) = (self.add_gradient(memory.a), self.add_gradient(memory.z));
        (Memory { a, z }, carried_a.zip(carried_z).map(|(a, z)| Memory { a, z }))
    }
}
