//! What is wrong between the settings of a run, each with the field to mend and a sentence that says how.

use super::{ModelConfig, Objective, Problem, RunConfig, Start};
use crate::task::{Horizon, Layout};

impl RunConfig {
    /// What is wrong across fields; each field's own range is checked where it is set. Empty when the run can start.
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
                "{} runs on Burn alone, as the engines CPU and WebGPU have no kernels for it yet: choose the engine “automatic” or Burn.",
                model.kind.name()
            );
            tell("engine", sentence);
        }
        // WebAssembly has 4 GB in all.
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

    /// What is wrong with learning from a reward: the field's key and a sentence.
    fn reward_problem(&self) -> Option<(&'static str, String)> {
        match self.training.objective {
            Objective::Examples => return None,
            Objective::Grpo => {}
        }
        if self.start == Start::Scratch {
            return Some(("from", "GRPO rewards what a network already does now and then, so it must start from a trained one: choose a checkpoint, or open a model.".into()));
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
                "An answer has {answer} tokens, its end included, and a sample may have {} at most: raise “Tokens a sample”.",
                self.training.grpo.new_tokens
            );
            ("new", sentence)
        })
    }

    /// What is wrong with a curriculum: the field's key and a sentence.
    fn curriculum_problem(&self) -> Option<(&'static str, String)> {
        let training = &self.training;
        if training.stage == 0 {
            return None;
        }
        if self.task.horizon == Horizon::Multi {
            return Some(("stage", "A curriculum goes from depth to depth, and this run asks all of 1 … 4 from the start: choose “one depth”, or set the stage to 0.".into()));
        }
        if training.stop_at > 0.0 {
            return Some((
                "stop",
                "A curriculum's first stages would end an early stop's run before its last one begins: set “stop early” or the stage to 0."
                    .into(),
            ));
        }
        let least = training.stage.saturating_mul(self.stages() - 1);
        (training.steps <= least).then(|| {
            let sentence = format!(
                "{} stages of {} steps need more than {least} steps, and the run ends after {}: raise the steps or shorten the stages.",
                self.stages(),
                training.stage,
                training.steps
            );
            ("steps", sentence)
        })
    }
}

/// What is wrong with a network's heads: the field's key and a sentence.
fn heads_problem(model: &ModelConfig) -> Option<(&'static str, String)> {
    if !model.kind.has_heads() {
        return None;
    }
    if !model.width.is_multiple_of(model.heads) {
        let sentence = format!(
            "The model width {} cannot be shared evenly by {} heads: choose a width that is a multiple of the heads.",
            model.width, model.heads
        );
        return Some(("heads", sentence));
    }
    if !model.kind.attends() {
        return None;
    }
    let (head, dims) = (model.width / model.heads, model.rotary_dims());
    // transformers gives an odd number of dimensions a meaning of its own; nobody wants it.
    (dims < 2 || !dims.is_multiple_of(2)).then(|| {
        let sentence = format!(
            "Rotary positions turn dimensions in pairs, and this share of a head's {head} dimensions is {dims}: choose a share that gives an even number, such as 1."
        );
        ("rope", sentence)
    })
}
