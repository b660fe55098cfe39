//! Group relative policy optimisation, GRPO (Shao et al., arXiv 2402.03300). For each prompt the model draws a group of completions. Each
//! completion gets a reward, and its advantage compares it with the others of its group.
//!
//! ```text
//! prompt       the shown orbit up to [gen]; a completion ends with its first <eos>, or after `new_tokens` tokens
//! answer       the tokens after the completion's last [gen]; the whole completion if it has no [gen]
//! reward       share of the W + 1 true tokens (the row, then <eos>) that the answer has at the same position
//! advantage    (reward − mean) / (deviation + 1e-4) within the group; the deviation divides by (group size − 1), as in TRL
//! loss         see `Operators::policy_loss`, over all tokens of all completions of the batch
//! ```
//! Each batch is used for one update. So the policy that learns is the policy that drew, and every ratio is 1.

use super::answer::NO_CELL;
use super::loss::{self, BatchTotals};
use super::plan::Plan;
use super::rollouts::{REFERENCE, Rollouts};
use crate::config::RunConfig;
use crate::engine::operators::{NO_LABEL, PolicyTerms, Sampling};
use crate::engine::{Missing, Operators, Pass, Program, Purpose, Target, record};
use crate::model::Shape;
use crate::results::Completion;
use crate::rng::{Purpose as Stream, stream};
use crate::task::{LossOn, Sample, Split, Task};
use std::ops::Range;

/// Added to a group's deviation, so that equal rewards do not divide by zero.
const STEADY: f64 = 1e-4;

/// Prompts with their true continuations.
pub struct Prompts {
    /// `[n][P]`.
    tokens: Vec<Vec<u32>>,
    /// `[n][W + 1]`: the true row, then `<eos>`.
    goals: Vec<Vec<u32>>,
    /// Completions drawn for each prompt, and most tokens of a completion.
    group: usize,
    new_tokens: usize,
    /// The number of the first completion in the run. It selects the random streams of the completions.
    first: u64,
    /// The index of the first prompt's sample.
    index: u64,
}

impl Prompts {
    /// The prompts at these positions of the batch of `step`.
    pub fn training(plan: &Plan, step: u64, positions: Range<usize>) -> Self {
        let RunConfig { task, training, seed, .. } = &plan.config;
        let first = positions.start;
        let samples: Vec<Sample> = positions.map(|position| task.sample(*seed, Split::Train, plan.index(step, position))).collect();
        let drawn = (step - 1) * training.batch as u64 + first as u64;
        Self {
            first: drawn * training.grpo.group as u64,
            index: plan.index(step, first),
            ..Self::of(&plan.config, &samples, plan.depth(step), training.grpo.group)
        }
    }

    /// Prompts for these questions, with one completion each.
    pub fn questions(config: &RunConfig, samples: &[Sample], depth: usize) -> Self {
        Self::of(config, samples, depth, 1)
    }

    fn of(config: &RunConfig, samples: &[Sample], depth: usize, group: usize) -> Self {
        let task = &config.task;
        let (mut tokens, mut goals) = (Vec::new(), Vec::new());
        for sample in samples {
            let example = task.encode(sample, depth, LossOn::Target);
            let start = example.targets.last().map_or(0, |target| target.start);
            goals.push(example.tokens[start..].iter().copied().chain([task.vocabulary.eos()]).collect());
            tokens.push(example.inputs[..start].to_vec());
        }
        Self { tokens, goals, group, new_tokens: config.training.grpo.new_tokens, first: 0, index: 0 }
    }

    /// The shape of a pass over every prompt with a completion of full length. Logits begin at the prompt's last token.
    pub fn shape(&self) -> Shape {
        let prompt = self.tokens[0].len();
        Shape { sequences: self.tokens.len() * self.group, length: prompt + self.new_tokens - 1, from: prompt - 1 }
    }

    /// The input tokens of each sequence: its prompt, then its completion without the last token, or zeros.
    pub fn inputs(&self, completions: Option<&[u32]>) -> Vec<u32> {
        let mut words = Vec::new();
        for sequence in 0..self.tokens.len() * self.group {
            words.extend(&self.tokens[sequence / self.group]);
            let read = self.new_tokens - 1;
            match completions {
                Some(tokens) => words.extend(&tokens[sequence * self.new_tokens..][..read]),
                None => words.resize(words.len() + read, 0),
            }
        }
        words
    }

    /// The input words of [`drawing`].
    pub fn drawing_words(&self, seed: u64) -> Vec<u32> {
        let mut words = self.inputs(None);
        let sequences = self.tokens.len() * self.group;
        words.resize(words.len() + sequences * self.new_tokens, NO_LABEL);
        for sequence in 0..sequences {
            let mut stream = stream(seed, Stream::Rollout, self.first + sequence as u64);
            words.extend((0..self.new_tokens).map(|_| (stream.uniform() as f32).to_bits()));
        }
        words
    }

    /// The answers in completions `[n · group][new tokens]`, as W cells each.
    pub fn cells(&self, task: &Task, completions: &[u32]) -> Vec<Vec<u8>> {
        let of = |tokens: &[u32]| {
            let cell = |token: Option<&u32>| token.map_or(NO_CELL, |&token| token.min(u32::from(NO_CELL)) as u8);
            let answer = answer(task, completion(task, tokens));
            (0..task.width).map(|place| cell(answer.get(place))).collect()
        };
        completions.chunks(self.new_tokens).map(of).collect()
    }

    /// What completions `[n · group][new tokens]` have before their answers: the rows between separators and `[gen]` signs, as cells.
    pub fn written(&self, task: &Task, completions: &[u32]) -> Vec<Vec<Vec<u8>>> {
        let sign = |token: &u32| *token == task.vocabulary.sep() || *token == task.vocabulary.generate();
        let of = |tokens: &[u32]| {
            let whole = completion(task, tokens);
            let before = &whole[..whole.len() - answer(task, whole).len()];
            let rows = before.split(sign).filter(|row| !row.is_empty());
            rows.map(|row| row.iter().map(|&token| token.min(u32::from(NO_CELL)) as u8).collect()).collect()
        };
        completions.chunks(self.new_tokens).map(of).collect()
    }

    /// Computes rewards and advantages of completions `[n · group][new tokens]`.
    pub fn judge(&self, task: &Task, drawn: Vec<u32>) -> Judged {
        let completions: Vec<&[u32]> = drawn.chunks(self.new_tokens).map(|tokens| completion(task, tokens)).collect();
        let goal = |sequence: usize| &self.goals[sequence / self.group];
        let rewards: Vec<f64> =
            completions.iter().enumerate().map(|(sequence, tokens)| reward(answer(task, tokens), goal(sequence))).collect();
        let advantages: Vec<f64> = rewards.chunks(self.group).flat_map(advantages).collect();
        let exact =
            completions.iter().enumerate().filter(|(sequence, tokens)| answer(task, tokens).starts_with(&goal(*sequence)[..task.width]));
        let sampled = |sequence: usize| Completion {
            index: self.index,
            tokens: completions[sequence].to_vec(),
            reward: rewards[sequence],
            advantage: advantages[sequence],
        };
        let rollouts = Rollouts {
            completions: completions.len() as u64,
            tokens: completions.iter().map(|tokens| tokens.len() as u64).sum(),
            reward: rewards.iter().sum(),
            exact: exact.count() as u64,
            distance: 0.0,
            group: (0..self.group.min(completions.len())).map(sampled).collect(),
        };
        let lengths = completions.iter().map(|tokens| tokens.len()).collect();
        Judged { drawn, lengths, advantages, rollouts }
    }
}

/// Completions with their lengths and advantages.
pub struct Judged {
    drawn: Vec<u32>,
    lengths: Vec<usize>,
    advantages: Vec<f64>,
    pub rollouts: Rollouts,
}

impl Judged {
    /// The input words of [`learning`]. The loss is the sum over the tokens times `scale`.
    pub fn words(&self, prompts: &Prompts, scale: f32) -> Vec<u32> {
        let mut words = prompts.inputs(Some(&self.drawn));
        let each = |value: &dyn Fn(usize, usize) -> u32| -> Vec<u32> {
            let of = |(sequence, &length): (usize, &usize)| (0..prompts.new_tokens).map(move |place| (sequence, place, place < length));
            let places = self.lengths.iter().enumerate().flat_map(of);
            places.map(|(sequence, place, counts)| if counts { value(sequence, place) } else { NO_LABEL }).collect()
        };
        words.extend(each(&|sequence, place| self.drawn[sequence * prompts.new_tokens + place]));
        words.extend(each(&|sequence, _| (self.advantages[sequence] as f32).to_bits()));
        // The policy that learns drew these tokens itself, so there are no older log-probabilities.
        words.extend(each(&|_, _| NO_LABEL));
        words.push(scale.to_bits());
        words
    }
}

/// The tokens up to the first `<eos>`, which is included.
fn completion<'a>(task: &Task, tokens: &'a [u32]) -> &'a [u32] {
    let end = tokens.iter().position(|&token| token == task.vocabulary.eos());
    &tokens[..end.map_or(tokens.len(), |end| end + 1)]
}

/// The tokens after a completion's last `[gen]`, or all of them.
fn answer<'a>(task: &Task, completion: &'a [u32]) -> &'a [u32] {
    let thought = completion.iter().rposition(|&token| token == task.vocabulary.generate());
    &completion[thought.map_or(0, |place| place + 1)..]
}

/// The share of the goal's tokens that the answer has at the same position.
pub fn reward(answer: &[u32], goal: &[u32]) -> f64 {
    answer.iter().zip(goal).filter(|(given, wanted)| given == wanted).count() as f64 / goal.len() as f64
}

/// For each reward, its distance from the group's mean in standard deviations.
pub fn advantages(rewards: &[f64]) -> Vec<f64> {
    let count = rewards.len() as f64;
    let mean = rewards.iter().sum::<f64>() / count;
    let variance = rewards.iter().map(|reward| (reward - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    rewards.iter().map(|reward| (reward - mean) / (variance.sqrt() + STEADY)).collect()
}

/// The pass that draws completions. Its input words are tokens, labels that are not used, and uniform random numbers in [0, 1).
pub fn drawing_pass(plan: &Plan, shape: Shape) -> Pass {
    let grpo = &plan.config.training.grpo;
    let Pass { words, .. } = loss::pass(shape, Purpose::Generate);
    let sampling = Sampling { temperature: grpo.temperature as f32, top_k: grpo.top_k };
    let asked = shape.sequences * (shape.length - shape.from);
    Pass { words: words + asked, drawing: Some((sampling, words)), ..loss::pass(shape, Purpose::Generate) }
}

/// The program that draws completions.
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn drawing(plan: &Plan, shape: Shape, target: Target) -> Result<Program, Missing> {
    record(&plan.shapes, &drawing_pass(plan, shape), target, |ops| loss::examples(ops, &plan.model, shape, BatchTotals::UNUSED))
}

/// Records the loss of completions. Returns the logits `[B·(S − from), V]`. The input words are tokens, labels, advantages, older
/// log-probabilities, and the factor of the sum.
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn policy_loss<O: Operators>(ops: &mut O, plan: &Plan, shape: Shape) -> Result<O::Var, Missing> {
    let grpo = &plan.config.training.grpo;
    let asked = shape.sequences * (shape.length - shape.from);
    let (tokens, labels) = (0, shape.sequences * shape.length);
    let [advantages, old, scale] = [1, 2, 3].map(|part| labels + part * asked);
    let temperature = grpo.temperature as f32;
    let reference = ops.frozen(REFERENCE, |ops| {
        let logits = plan.model.logits(ops, tokens, shape)?;
        Ok(ops.log_probability(logits, labels, temperature))
    })?;
    let logits = plan.model.logits(ops, tokens, shape)?;
    let terms = PolicyTerms { temperature, kl: grpo.kl as f32, clip: grpo.clip as f32, advantages, old, scale };
    ops.policy_loss(logits, labels, reference, terms);
    Ok(logits)
}

/// The pass of [`policy_loss`].
fn learning_pass(shape: Shape, purpose: Purpose) -> Pass {
    let asked = shape.sequences * (shape.length - shape.from);
    Pass { words: shape.sequences * shape.length + 3 * asked + 1, ..loss::pass(shape, purpose) }
}

/// The program that computes loss and gradient of completions.
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn learning(plan: &Plan, shape: Shape, purpose: Purpose, target: Target) -> Result<Program, Missing> {
    record(&plan.shapes, &learning_pass(shape, purpose), target, |ops| policy_loss(ops, plan, shape))
}
