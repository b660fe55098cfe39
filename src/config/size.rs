//! The size of a run's network and its memory, as formulas, so that the page can show them without the engine. A test compares the
//! formulas with the models' own lists of parameters.

use super::{ModelConfig, ModelKind, Objective, RunConfig};

/// Mamba: state values per channel, taps of the convolution, channels per value of the residual stream.
const STATE: usize = 16;
const TAPS: usize = 4;
const EXPAND: usize = 2;
/// Mamba: positions between two stored states.
const CHUNK: usize = 16;
/// Most tokens of one pass with a gradient on Burn, which stores every intermediate tensor of the pass.
pub const BURN_TOKENS: usize = 8_192;
/// ARMT: features per number of a key.
const FEATURES: usize = 6;

impl RunConfig {
    /// Number of parameters of the network.
    pub fn parameter_count(&self) -> usize {
        let ModelConfig { kind, layers, width: d, heads, ff, memory_tokens, memory_width, .. } = self.model;
        let vocabulary = self.task.vocabulary.size();
        let block = 4 * d * d + 2 * d * ff + 9 * d + ff;
        let transformer = |block: usize| 2 * vocabulary * d + layers * block + 2 * d;
        let halting = self.model.halting_units() * (d + 1);
        halting
            + match kind {
                ModelKind::GptNeox => transformer(block),
                ModelKind::Lstm => vocabulary * d + layers * (8 * d * d + 8 * d) + vocabulary * (d + 1),
                ModelKind::Mamba => {
                    let (channels, rank) = (EXPAND * d, d.div_ceil(16));
                    let maps = 2 * channels * d + (rank + 2 * STATE) * channels + channels * rank + d * channels;
                    vocabulary * d + layers * (maps + channels * (STATE + TAPS + 3) + d) + d
                }
                ModelKind::DeltaNet => {
                    let decay = if self.model.decay { heads * (d + 2) } else { 0 };
                    let rule = 3 * (d * d + (TAPS + 1) * d) + heads * d + decay + d / heads + d * d;
                    2 * vocabulary * d + layers * (rule + 2 * d * ff + 2 * d) + d
                }
                ModelKind::Armt => transformer(block + 2 * memory_width * d + d * d + d + 1) + memory_tokens * d,
            }
    }

    /// Tokens computed for one entry of a batch: a sequence, or a prompt with all its completions.
    pub fn tokens_a_position(&self) -> usize {
        match self.training.objective {
            Objective::Examples => self.task.sequence_length(),
            Objective::Grpo => {
                let grpo = &self.training.grpo;
                grpo.group * (self.task.sequence_length() - self.task.width + grpo.new_tokens)
            }
        }
    }

    /// About how many seconds the run takes on `cores` processor cores: forward and backward, each parameter costs 6 operations per token, and a
    /// core computes about 10¹⁰ a second (`lookahead bench quick` in WebAssembly and natively: 1 to 2.5 · 10¹⁰).
    pub fn rough_seconds(&self, cores: usize) -> f64 {
        let tokens = self.training.steps as f64 * (self.training.batch * self.tokens_a_position()) as f64;
        6.0 * self.parameter_count() as f64 * tokens / (1e10 * cores.max(1) as f64)
    }

    /// About the least number of bytes that a worker needs: for the gradient of one sequence, the weights, and all arrays of their size.
    pub fn least_bytes(&self) -> usize {
        if self.on_burn() { self.burn_bytes() } else { self.bytes_with(1) }
    }

    /// About the number of bytes that one worker of a run needs, if `workers` share a batch. For a graphics card, `workers` is 1.
    pub fn bytes(&self, workers: usize) -> usize {
        if self.on_burn() { self.burn_bytes() } else { self.bytes_with(self.training.batch.div_ceil(8.max(workers))) }
    }

    /// About the number of bytes that a pass on Burn takes: fitted to the memory of burn-flex (tests/laws/memory.rs).
    fn burn_bytes(&self) -> usize {
        let ModelConfig { kind, width: d, heads, ff, memory_width, .. } = self.model;
        let tokens = self.tokens_a_position();
        let (block, scores) = (2 * (7 * d + 2 * ff), 3 * heads * self.task.sequence_length());
        let a_token = match kind {
            ModelKind::GptNeox => block + scores,
            // Burn copies the whole sequence again and again while it walks along it.
            ModelKind::Lstm => 14 * d * (1 + tokens / 200),
            ModelKind::Mamba => 5 * EXPAND * d * STATE,
            ModelKind::Armt => block + scores + 2 * (d + FEATURES * memory_width),
            ModelKind::DeltaNet => 40 * d + 4 * ff + 320 * heads,
        };
        let at_once = (BURN_TOKENS / tokens).clamp(1, self.training.batch);
        4 * (at_once * tokens * self.model.layers * self.model.applications() * a_token + 6 * self.parameter_count())
    }

    /// The same, for `sequences` sequences at once.
    fn bytes_with(&self, sequences: usize) -> usize {
        // Weights, gradient, two moments, and copies that are sent to and from other workers.
        4 * (2 * sequences * self.kept_numbers() + 6 * self.parameter_count())
    }

    /// About the number of values that the forward pass of one entry of a batch stores for its gradient.
    fn kept_numbers(&self) -> usize {
        let ModelConfig { kind, layers, width: d, ff, memory_tokens, memory_width, .. } = self.model;
        let tokens = self.tokens_a_position();
        // Stream, two norms, qkv, attention's result, and the MLP before and after GELU.
        let block = 7 * d + 2 * ff;
        let layer = match kind {
            ModelKind::GptNeox => tokens * block,
            // Gates, cells and hidden states.
            ModelKind::Lstm => tokens * 6 * d,
            // Stream and norm; both halves of in_proj, convolution, Δ and result; a state every CHUNK positions.
            ModelKind::Mamba => tokens * (2 * d + (5 + STATE / CHUNK) * EXPAND * d),
            // Only Burn computes it: see `burn_bytes`.
            ModelKind::DeltaNet => 0,
            ModelKind::Armt => {
                let (segments, features) = (self.task.shown, FEATURES * memory_width);
                (tokens + segments * memory_tokens) * (block + d + features) + segments * features * (d + 1)
            }
        };
        // Each hop stores its own values and its part of the mean.
        let hops = self.model.applications();
        layers * (hops * layer + if self.model.halting_units() > 0 { tokens * (2 * hops + d) } else { 0 })
    }
}
