//! An associative memory that is read by key and overwritten by key: the delta rule.

use crate::engine::operators::{FEATURES, MemoryVar};
use crate::engine::program::{
    Associative, At, Features, FeaturesBackward, Instruction, Memorize, MemorizeBackward, Memory, MemoryShape, Recall, RecallBackward,
    Window,
};
use crate::engine::recorder::{Recorder, Var};

fn addresses(memory: MemoryVar<Var>) -> Memory {
    Memory { a: memory.a.at, z: memory.z.at }
}

impl Recorder {
    /// Backward: `dφ̂ = (dφ − φ (φ · dφ)) / ‖φ̂‖`, then the product rule over x' and the derivative of relu.
    pub(super) fn features(&mut self, x: Var) -> Var {
        let (rows, width) = (x.rows, x.width);
        let out = self.var(rows, FEATURES * width);
        let norms = self.buffer(rows);
        self.push(Instruction::Associative(Associative::Features(Features { x: x.at, out: out.at, norms, rows, width, pitch: 1 })));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(x);
            assert!(carried.is_none(), "the features must be the last reader of their input");
            recorder.push(Instruction::Associative(Associative::FeaturesBackward(FeaturesBackward {
                x: x.at,
                out: out.at,
                norms,
                gradient,
                into,
                rows,
                width,
            })));
        });
        out
    }

    /// Backward, with r the value read, s its divisor and g the gradient: `dn = g / s`, `ds = −(g · r) / s`, `dq = dn Aᵀ + ds z`, `dA = qᵀ dn`,
    /// `dz = Σ ds q`; the gradient of x is g.
    pub(super) fn recall(&mut self, x: Var, queries: Var, memory: MemoryVar<Var>) -> Var {
        let sequences = memory.z.rows;
        let shape = MemoryShape { sequences, rows: x.rows / sequences, features: queries.width, width: x.width };
        let window = Window { sequences, length: shape.rows, from: 0, count: shape.rows };
        let out = self.var(x.rows, x.width);
        let divisors = self.buffer(x.rows);
        let (x_at, queries_at, out_at) = (x.at, queries.at, out.at);
        let held = addresses(memory);
        self.push(Instruction::Associative(Associative::Recall(Recall {
            window,
            shape,
            x: x_at,
            queries: queries_at,
            memory: held,
            out: out_at,
            divisors,
        })));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            recorder.share_gradient(x, gradient);
            let (into_queries, carried) = recorder.add_gradient(queries);
            assert!(carried.is_none(), "the memory must be the last reader of its queries");
            let (into, carried) = recorder.memory_gradient(memory);
            let divisor_gradients = recorder.buffer(x.rows);
            recorder.push(Instruction::Associative(Associative::RecallBackward(RecallBackward {
                divisor_gradients,
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
            })));
        });
        out
    }

    /// Backward, γ is a constant. With U = b (v − v̄): `dU = K dA`, `dk = U dAᵀ + γ dz + (dn Aᵀ + dd z)`, `dv = b dU`, `db = dU · (v − v̄)`,
    /// `dn = −b dU / d`, `dd = (b dU · v̄) / d`; the gradients of the old memory are `dA + Kᵀ dn` and `dz + Σ dd k`.
    pub(super) fn memorize(
        &mut self,
        keys: Var,
        values: Var,
        strengths: Var,
        old: Option<MemoryVar<Var>>,
        sequences: usize,
    ) -> MemoryVar<Var> {
        let shape = MemoryShape { sequences, rows: keys.rows / sequences, features: keys.width, width: values.width };
        let out = MemoryVar { a: self.var(sequences * shape.features, shape.width), z: self.var(sequences, shape.features) };
        let novel = self.buffer(values.rows * values.width);
        let divisors = self.buffer(2 * keys.rows);
        let arrays = [keys.at, values.at, strengths.at];
        let [keys_at, values_at, strengths_at] = arrays;
        let held = old.map(addresses);
        self.push(Instruction::Associative(Associative::Memorize(Memorize {
            shape,
            keys: keys_at,
            values: values_at,
            strengths: strengths_at,
            old: held,
            novel,
            divisors,
            out: addresses(out),
        })));
        self.on_backward(move |recorder| {
            let (Some(a), Some(z)) = (recorder.gradient(out.a), recorder.gradient(out.z)) else { return };
            let [into_keys, into_values, into_strengths]: [At; 3] = [keys, values, strengths].map(|var| recorder.add_gradient(var).0);
            let into_old = old.map(|old| {
                let (into, carried) = recorder.memory_gradient(old);
                assert!(carried.is_none(), "a write must be the last reader of the old memory");
                into
            });
            let divisor_gradients = recorder.buffer(keys.rows);
            recorder.push(Instruction::Associative(Associative::MemorizeBackward(MemorizeBackward {
                divisor_gradients,
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
            })));
        });
        out
    }

    /// New buffers for a memory's gradient, and the gradient so far, which must be added.
    fn memory_gradient(&mut self, memory: MemoryVar<Var>) -> (Memory, Option<Memory>) {
        let ((a, carried_a), (z, carried_z)) = (self.add_gradient(memory.a), self.add_gradient(memory.z));
        (Memory { a, z }, carried_a.zip(carried_z).map(|(a, z)| Memory { a, z }))
    }
}
