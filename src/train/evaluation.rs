//! Accuracy on held-out rules.

use super::batch::Batch;
use super::job::{Job, Outcome, Plan};
use crate::protocol::{DepthScore, Prediction};
use crate::task::{Example, LossOn, Split};
use serde::{Deserialize, Serialize};
use std::ops::Range;

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

/// The jobs of a measurement over `samples` questions a depth, the first `free` of them also free-running.
pub fn jobs(plan: &Plan, split: Split, samples: usize, free: usize) -> Vec<Job> {
    let questions = plan.questions();
    let starts = || (0..samples).step_by(questions);
    let job = |depth: usize, first: usize| Job::Answers { split, depth, first: first as u64, count: questions.min(samples - first), free };
    plan.config.task.depths().into_iter().flat_map(|depth| starts().map(move |first| job(depth, first))).collect()
}

/// Questions as a measurement asks them, as many at once as its jobs do, and the position from which they are asked.
pub fn questions(plan: &Plan) -> (Batch, usize) {
    let task = &plan.config.task;
    let count = plan.questions().min(plan.config.training.eval_samples) as u64;
    let encode = |index| task.encode(&task.sample(plan.config.seed, Split::Validation, index), task.depths()[0], LossOn::Target);
    let examples: Vec<Example> = (0..count).map(encode).collect();
    (Batch::new(&examples), examples[0].target_start - 1)
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
    let depths = depths.into_iter().map(|depth| depth_score(depth, &of_depth(depth).collect::<Vec<_>>())).collect();
    let prediction = |answer: &Answer| {
        answer.free_running.as_ref().map(|cells| Prediction { index: answer.index, depth: answer.depth, cells: cells.clone() })
    };
    Measurement { split, depths, predictions: answers.iter().filter_map(prediction).collect() }
}

fn depth_score(depth: usize, answers: &[&Answer]) -> DepthScore {
    let free: Vec<(&[u8], &[u8])> =
        answers.iter().filter_map(|answer| answer.free_running.as_ref().map(|cells| (&cells[..], &answer.truth[..]))).collect();
    let forced: Vec<(&[u8], &[u8])> = answers.iter().map(|answer| (&answer.teacher_forced[..], &answer.truth[..])).collect();
    DepthScore {
        depth,
        samples: answers.len(),
        exact: exact(&forced),
        bits_teacher_forced: bits(&forced),
        bits_free_running: bits(&free),
        exact_free_running: exact(&free),
        free_samples: free.len(),
    }
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
    let examples: Vec<Example> = samples.iter().map(|sample| task.encode(sample, depth, LossOn::Target)).collect();
    let start = examples[0].target_start;
    let asked_free = (free as u64).saturating_sub(range.start).min(examples.len() as u64) as usize;
    let (mut forced, mut free_running) = (Vec::new(), Vec::new());
    for (part, generate) in [(&examples[..asked_free], true), (&examples[asked_free..], false)] {
        if part.is_empty() {
            continue;
        }
        let batch = Batch::new(part);
        let tokens = respondent.tokens(&batch, start - 1, generate).await?;
        forced.extend(cells(&tokens.forced, &batch, start, task.width));
        free_running.extend(tokens.generated.iter().flat_map(|tokens| cells(tokens, &batch, start, task.width)));
    }
    let mut free_running = free_running.into_iter();
    let answer = |((index, sample), forced): ((u64, &crate::task::Sample), Vec<u8>)| Answer {
        index,
        depth,
        truth: sample.states[task.shown - 1 + depth].clone(),
        teacher_forced: forced,
        free_running: free_running.next(),
    };
    Ok(range.zip(&samples).zip(forced).map(answer).collect())
}

/// Of the tokens that follow positions `start − 1` … of each sequence the first W as cells, `[questions][W]`.
fn cells(tokens: &[u32], batch: &Batch, start: usize, width: usize) -> Vec<Vec<u8>> {
    let cell = |&token: &u32| token.min(u32::from(NO_CELL)) as u8;
    tokens.chunks(batch.length + 1 - start).map(|row| row[..width].iter().map(cell).collect()).collect()
}
