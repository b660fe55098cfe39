//! Problems between the settings of a run, each with the field to change and a sentence that says how.

use super::{ModelConfig, Objective, Problem, RunConfig, Start};
use crate::task::{Horizon, Layout};

impl RunConfig {
    /// Problems between fields; empty if the run can start. Setting a field checks its own range.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut tell = |key: &str, sentence: String| problems.push(Problem { key: key.into(), sentence });
        if let Some((key, sentence)) = self.task.fault() {
            tell(key, sentence);
        }
        let model = &self.model;
        if let Some((key, sentence)) = heads_problem(model) {
            tell(key, sentence);
        }
        if !model.kind.has_kernels() && !self.on_burn() {
            let sentence = format!(
                "{} runs on Burn alone, because the engines CPU and WebGPU have no kernels for it yet: choose the engine “automatic” or Burn.",
                model.kind.name()
            );
            tell("engine", sentence);
        }
        // WebAssembly can use 4 GB in total.
        if self.least_bytes() > 3_000_000_000 {
            tell(
                "T",
                format!(
                    "A sequence of {} tokens is too long for {} layers of width {} in a browser's memory: show fewer rows or cells, or use a smaller network.",
                    self.task.sequence_length(),
                    model.layers,
                    model.width
                ),
            );
        }
        let training = &self.training;
        if training.decay > 0 && training.decay <= training.warmup {
            tell(
                "decay",
                format!(
                    "The decay would end (step {}) before the warm-up does (step {}): raise one or set decay to 0.",
                    training.decay, training.warmup
                ),
            );
        }
        for (key, sentence) in [self.curriculum_problem(), self.reward_problem(), self.start_problem()].into_iter().flatten() {
            tell(key, sentence);
        }
        problems
    }

    /// A problem with learning from a reward: the field's key and a sentence.
    fn reward_problem(&self) -> Option<(&'static str, String)> {
        match self.training.objective {
            Objective::Examples => return None,
            Objective::Grpo => {}
        }
        if self.start == Start::Scratch {
            return Some(("from", "GRPO can only reward answers that a network already gives sometimes, so it must start from a trained one: choose a checkpoint, or open a model.".into()));
        }
        if self.task.layout != Layout::OrbitState || self.task.horizon == Horizon::Multi {
            return Some((
                "layout",
                "GRPO asks for one row and rewards it: choose the answer “the row k steps ahead” and one depth.".into(),
            ));
        }
        let answer = self.task.width + 1;
        (self.training.grpo.new_tokens < answer).then(|| {
            let sentence = format!(
                "An answer has {answer} tokens with its end, but a sample can have only {}: raise “Tokens per sample”.",
                self.training.grpo.new_tokens
            );
            ("new", sentence)
        })
    }

    /// A problem with a curriculum: the field's key and a sentence.
    fn curriculum_problem(&self) -> Option<(&'static str, String)> {
        let training = &self.training;
        if training.stage == 0 {
            return None;
        }
        if self.task.horizon == Horizon::Multi {
            return Some(("stage", "A curriculum goes from depth to depth, but this run asks all of 1 … 4 from the start: choose “one depth”, or set the stage to 0.".into()));
        }
        if training.stop_at > 0.0 {
            return Some((
                "stop",
                "With an early stop, the run would end in the curriculum's first stages: set “Stop early at” or the stage to 0.".into(),
            ));
        }
        let least = training.stage.saturating_mul(self.stages() - 1);
        (training.steps <= least).then(|| {
            let sentence = format!(
                "{} stages of {} steps need more than {least} steps, but the run ends after {}: raise the steps or shorten the stages.",
                self.stages(),
                training.stage,
                training.steps
            );
            ("steps", sentence)
        })
    }
}

/// A problem with a network's heads: the field's key and a sentence.
fn heads_problem(model: &ModelConfig) -> Option<(&'static str, String)> {
    if !model.kind.has_heads() {
        return None;
    }
    if !model.width.is_multiple_of(model.heads) {
        let sentence = format!(
            "The model width {} is not a multiple of the {} heads: choose a width that is a multiple of the heads.",
            model.width, model.heads
        );
        return Some(("heads", sentence));
    }
    if !model.kind.attends() {
        return None;
    }
    let (head, dims) = (model.width / model.heads, model.rotary_dims());
    // transformers treats an odd number of dimensions in its own way, which no setting needs.
    (dims < 2 || !dims.is_multiple_of(2)).then(|| {
        let sentence = format!(
            "Rotary positions turn dimensions in pairs, but this share of a head's {head} dimensions gives {dims}: choose a share that gives an even number, such as 1."
        );
        ("rope", sentence)
    })
}
