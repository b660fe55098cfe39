//! Accuracy on held-out rules.

use super::batch::Batch;
use super::grpo::Prompts;
use super::hops::Hops;
use super::job::{Job, Outcome, Plan};
use crate::config::Objective;
use crate::protocol::{DepthScore, Prediction};
use crate::task::{Example, LossOn, Sample, Split, Target, Task};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Questions whose hops are sent whole.
const SHOWN: u64 = 8;

/// Stands for an answered token that is no cell.
pub const NO_CELL: u8 = 2;

/// One question's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub index: u64,
    pub depth: usize,
    /// The true W cells.
    pub truth: Vec<u8>,
    /// Each cell's most probable token given the true cells before it.
    pub teacher_forced: Vec<u8>,
    /// Each cell's most probable token given the model's own cells before it.
    pub free_running: Option<Vec<u8>>,
    /// Of the rule's entries, how many are right, and how many there are; only where the rule is asked for.
    pub rule: Option<(usize, usize)>,
    /// Mean hops of the positions that answer, where layers are looped adaptively.
    pub hops: Option<f64>,
    /// Hops of every looped part at every position, of the questions that are shown.
    pub hop_map: Option<Vec<Vec<u8>>>,
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub split: Split,
    pub depths: Vec<DepthScore>,
    pub predictions: Vec<Prediction>,
}

impl Measurement {
    /// Exact matches over all depths: what the best checkpoint is chosen by.
    pub fn exact(&self) -> usize {
        self.depths.iter().map(|score| score.exact).sum()
    }
}

/// The jobs of a measurement over `samples` questions a depth, the first `free` of them also free-running; all of them where that
/// is how the layout is scored.
pub fn jobs(plan: &Plan, split: Split, samples: usize, free: usize) -> Vec<Job> {
    let (task, questions) = (&plan.config.task, plan.questions());
    let free = if scored_free_running(plan) { samples } else { free };
    let starts = || (0..samples).step_by(questions);
    let job = |depth: usize, first: usize| Job::Answers { split, depth, first: first as u64, count: questions.min(samples - first), free };
    // One question is about all depths where one answer is.
    let asked = if task.layout.answers_all() { vec![task.depth] } else { task.depths() };
    asked.into_iter().flat_map(|depth| starts().map(move |first| job(depth, first))).collect()
}

/// Whether an answer counts as the model writes it, its own earlier tokens before it.
fn scored_free_running(plan: &Plan) -> bool {
    plan.config.task.layout.scored_free_running() || plan.config.training.objective == Objective::Grpo
}

/// Questions as a measurement asks them, as many at once as its jobs do.
pub fn questions(plan: &Plan) -> Questions {
    let count = plan.questions().min(plan.config.training.eval_samples) as u64;
    let samples: Vec<Sample> = (0..count).map(|index| plan.config.task.sample(plan.config.seed, Split::Validation, index)).collect();
    Questions::of(&plan.config.task, &samples, plan.config.task.depths()[0])
}

/// A batch of questions, and where it is asked.
pub struct Questions {
    pub batch: Batch,
    /// The first position whose next token is asked.
    pub from: usize,
    /// The position after which a model that runs free reads its own tokens; none where it never does.
    pub free_after: Option<usize>,
    targets: Vec<Target>,
    rule: Option<Range<usize>>,
}

impl Questions {
    /// What is asked of these samples at `depth`.
    pub fn of(task: &Task, samples: &[Sample], depth: usize) -> Self {
        let examples: Vec<Example> = samples.iter().map(|sample| task.encode(sample, depth, LossOn::Target)).collect();
        let batch = Batch::new(&examples);
        let from = batch.first_asked();
        let first = examples.into_iter().next();
        let free_after = first.as_ref().and_then(|example| example.free_from).map(|start| start - 1);
        let (targets, rule) = first.map(|example| (example.targets, example.rule)).unwrap_or_default();
        Self { batch, from, free_after, targets, rule }
    }

    /// The position from which the first cell of the state at this depth is predicted, if it is asked for; those of the others follow.
    pub fn predicting(&self, depth: usize) -> Option<usize> {
        self.targets.iter().find(|target| target.depth == depth).map(|target| target.start - 1)
    }
}

/// Scores the outcomes of [`jobs`].
pub fn score(plan: &Plan, split: Split, outcomes: Vec<Outcome>) -> Measurement {
    let answers: Vec<Answer> = outcomes
        .into_iter()
        .flat_map(|outcome| match outcome {
            Outcome::Answers(answers) => answers,
            Outcome::Gradient { .. } => Vec::new(),
        })
        .collect();
    let depths = plan.config.task.depths();
    let of_depth = |depth: usize| answers.iter().filter(move |answer| answer.depth == depth);
    let free = scored_free_running(plan);
    let depths = depths.into_iter().map(|depth| depth_score(depth, &of_depth(depth).collect::<Vec<_>>(), free)).collect();
    let prediction = |answer: &Answer| {
        let of =
            |cells: &Vec<u8>| Prediction { index: answer.index, depth: answer.depth, cells: cells.clone(), hops: answer.hop_map.clone() };
        answer.free_running.as_ref().map(of)
    };
    Measurement { split, depths, predictions: answers.iter().filter_map(prediction).collect() }
}

fn depth_score(depth: usize, answers: &[&Answer], scored_free: bool) -> DepthScore {
    let free: Vec<(&[u8], &[u8])> =
        answers.iter().filter_map(|answer| answer.free_running.as_ref().map(|cells| (&cells[..], &answer.truth[..]))).collect();
    let forced: Vec<(&[u8], &[u8])> = answers.iter().map(|answer| (&answer.teacher_forced[..], &answer.truth[..])).collect();
    let (right, entries) = answers.iter().filter_map(|answer| answer.rule).fold((0, 0), |sum, rule| (sum.0 + rule.0, sum.1 + rule.1));
    DepthScore {
        depth,
        samples: answers.len(),
        exact: exact(if scored_free { &free } else { &forced }),
        bits_teacher_forced: bits(&forced),
        bits_free_running: bits(&free),
        exact_free_running: exact(&free),
        free_samples: free.len(),
        hops: mean(answers.iter().filter_map(|answer| answer.hops)),
        rule_bits: (entries > 0).then(|| right as f64 / entries as f64),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn exact(pairs: &[(&[u8], &[u8])]) -> usize {
    pairs.iter().filter(|(answer, truth)| answer == truth).count()
}

fn bits(pairs: &[(&[u8], &[u8])]) -> f64 {
    let right: usize = pairs.iter().map(|(answer, truth)| answer.iter().zip(*truth).filter(|(a, b)| a == b).count()).sum();
    let asked: usize = pairs.iter().map(|(_, truth)| truth.len()).sum();
    if asked == 0 { 0.0 } else { right as f64 / asked as f64 }
}

/// The most probable tokens (the first of equals) after each of the positions `from` … of each sequence, `[B, S − from]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// Given the true tokens before.
    pub forced: Vec<u32>,
    /// Given the network's own; only where they were asked for.
    pub generated: Option<Vec<u32>>,
    /// How long each token was thought about, where layers are looped adaptively; where the network went on by itself, about its own.
    pub hops: Option<Hops>,
}

/// Something that can be asked: a network with its weights, on some engine.
pub trait Respondent {
    /// What follows each of the positions `from` …, and if `generate` how the network goes on by itself from there.
    ///
    /// # Errors
    /// A sentence when the engine failed.
    fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> impl Future<Output = Result<Tokens, String>>;
}

/// Answers the questions `range` of a split at one depth; those below `free` also free-running.
///
/// # Errors
/// As [`Respondent::tokens`].
pub async fn answers(
    plan: &Plan,
    respondent: &mut impl Respondent,
    split: Split,
    depth: usize,
    range: Range<u64>,
    free: usize,
) -> Result<Vec<Answer>, String> {
    let task = &plan.config.task;
    let samples: Vec<_> = range.clone().map(|index| task.sample(plan.config.seed, split, index)).collect();
    let asked_free = (free as u64).saturating_sub(range.start).min(samples.len() as u64) as usize;
    let mut answers = Vec::new();
    let mut index = range.start;
    for (part, run_free) in [(&samples[..asked_free], true), (&samples[asked_free..], false)] {
        if part.is_empty() {
            continue;
        }
        let questions = Questions::of(task, part, depth);
        let written = run_free && plan.config.training.objective == Objective::Grpo;
        let (forced, free, hops) = ask(respondent, &questions, run_free && !written).await?;
        let mut written = if written { complete(respondent, plan, part, depth).await?.into_iter() } else { Vec::new().into_iter() };
        for (row, sample) in part.iter().enumerate() {
            let read = |tokens: &Tail, places: Range<usize>| tokens.cells(row, &questions, places);
            let rule = questions.rule.clone().map(|entries| {
                let right = read(&forced, entries.clone()).iter().zip(&sample.rule.table).filter(|(answer, truth)| answer == truth).count();
                (right, entries.len())
            });
            answers.extend(questions.targets.iter().map(|&Target { depth, start }| Answer {
                index,
                depth,
                truth: sample.states[task.shown - 1 + depth].clone(),
                teacher_forced: read(&forced, start..start + task.width),
                free_running: written.next().or_else(|| free.as_ref().map(|free| read(free, start..start + task.width))),
                rule,
                hops: hops.as_ref().map(|hops| hops.mean(row, start - 1..start - 1 + task.width)),
                hop_map: hops.as_ref().filter(|_| run_free && index < SHOWN).map(|hops| hops.of(row)),
            }));
            index += 1;
        }
    }
    Ok(answers)
}

/// The answers in what a policy writes after each prompt, taking the most probable tokens: W cells each.
async fn complete(respondent: &mut impl Respondent, plan: &Plan, samples: &[Sample], depth: usize) -> Result<Vec<Vec<u8>>, String> {
    let prompts = Prompts::questions(&plan.config, samples, depth);
    let shape = prompts.shape();
    let (inputs, labels) = (prompts.inputs(None), vec![None; shape.sequences * shape.length]);
    let batch = Batch { sequences: shape.sequences, length: shape.length, inputs, labels };
    let written = respondent.tokens(&batch, shape.from, true).await?.generated.unwrap_or_default();
    Ok(prompts.cells(&plan.config.task, &written))
}

/// The tokens that follow the positions from `from` on, of each of a batch's sequences.
struct Tail {
    tokens: Vec<u32>,
    from: usize,
}

impl Tail {
    /// What was answered for the tokens at `places`, as cells.
    fn cells(&self, row: usize, questions: &Questions, places: Range<usize>) -> Vec<u8> {
        let start = row * (questions.batch.length - self.from);
        let places = places.start - 1 - self.from..places.end - 1 - self.from;
        self.tokens[start..][places].iter().map(|&token| token.min(u32::from(NO_CELL)) as u8).collect()
    }
}

/// The forced answers, and if `run_free` the free ones: the same where a model never reads what it answers. And the hops of the forced pass.
async fn ask(
    respondent: &mut impl Respondent,
    questions: &Questions,
    run_free: bool,
) -> Result<(Tail, Option<Tail>, Option<Hops>), String> {
    let Questions { batch, from, free_after, .. } = questions;
    let together = run_free && *free_after == Some(*from);
    let Tokens { forced, generated, hops } = respondent.tokens(batch, *from, together).await?;
    let generated = match free_after {
        Some(after) if run_free && !together => respondent.tokens(batch, *after, true).await?.generated,
        Some(_) => generated,
        None => run_free.then(|| forced.clone()),
    };
    let from = *from;
    let free = generated.map(|tokens| Tail { tokens, from: free_after.unwrap_or(from) });
    Ok((Tail { tokens: forced, from }, free, hops))
}
