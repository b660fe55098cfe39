//! How large a run's network is, and how much memory it takes. Formulas, so that the page can say it without the engine; a test holds
//! them against the models' own lists of parameters.

use super::{ModelConfig, ModelKind, Objective, RunConfig};

/// Mamba: numbers of state a channel, taps of the convolution, channels for each number of the stream.
const STATE: usize = 16;
const TAPS: usize = 4;
const EXPAND: usize = 2;
/// Mamba: rows between two states that are kept.
const CHUNK: usize = 16;
/// ARMT: features for each number of a key.
const FEATURES: usize = 6;

impl RunConfig {
    /// How many numbers the network learns.
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

    /// Tokens computed for one position of a batch: a sequence, or a prompt with all its completions.
    pub fn tokens_a_position(&self) -> usize {
        match self.training.objective {
            Objective::Examples => self.task.sequence_length(),
            Objective::Grpo => {
                let grpo = &self.training.grpo;
                grpo.group * (self.task.sequence_length() - self.task.width + grpo.new_tokens)
            }
        }
    }

    /// Bytes that a worker needs at least, about: the gradient of one sequence, and the weights with all that is as long as they are.
    pub fn least_bytes(&self) -> usize {
        self.bytes_with(1)
    }

    /// Bytes that one worker of a run needs, about, where `workers` share a batch; for a graphics card, `workers` is 1.
    pub fn bytes(&self, workers: usize) -> usize {
        self.bytes_with(self.training.batch.div_ceil(8.max(workers)))
    }

    /// With so many sequences at once.
    fn bytes_with(&self, sequences: usize) -> usize {
        // Weights, gradient, two moments, and copies on their way to and from other workers.
        4 * (2 * sequences * self.kept_numbers() + 6 * self.parameter_count())
    }

    /// Numbers that the forward pass of one position of a batch keeps for its gradient, about.
    fn kept_numbers(&self) -> usize {
        let ModelConfig { kind, layers, width: d, heads, ff, memory_tokens, memory_width, .. } = self.model;
        let tokens = self.tokens_a_position();
        // Stream, two norms, qkv, attention's result, and the MLP before and after GELU.
        let block = 7 * d + 2 * ff;
        let layer = match kind {
            ModelKind::GptNeox => tokens * block,
            // Gates, cells and hidden states.
            ModelKind::Lstm => tokens * 6 * d,
            // Stream and norm; both halves of in_proj, convolution, Δ and result; a state every so many rows.
            ModelKind::Mamba => tokens * (2 * d + (5 + STATE / CHUNK) * EXPAND * d),
            // Burn keeps every intermediate: of the maps and convolutions, of the MLP, and of a chunk's products.
            ModelKind::DeltaNet => tokens * (40 * d + 4 * ff + 20 * CHUNK * heads),
            ModelKind::Armt => {
                let (segments, features) = (self.task.shown, FEATURES * memory_width);
                (tokens + segments * memory_tokens) * (block + d + features) + segments * features * (d + 1)
            }
        };
        // Each hop keeps its own, and what it gives to the mean.
        let hops = self.model.applications();
        layers * (hops * layer + if self.model.halting_units() > 0 { tokens * (2 * hops + d) } else { 0 })
    }
}
