//! Accuracy on held-out rules.

use super::answer::{Answer, NO_CELL};
use super::batch::Batch;
use super::error::TrainError;
use super::grpo::Prompts;
use super::hops::Hops;
use super::job::{Job, Outcome};
use super::plan::Plan;
use crate::config::Objective;
use crate::results::{DepthScore, Prediction};
use crate::task::{Example, LossOn, Sample, Split, Target, Task};
use std::ops::Range;

/// Number of questions of a split whose free-running answers carry the hops at every position.
const SHOWN: u64 = 8;

/// The result of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub split: Split,
    pub depths: Vec<DepthScore>,
    pub predictions: Vec<Prediction>,
}

impl Measurement {
    /// Exact matches over all depths. The best weights are those with the most.
    pub fn exact(&self) -> usize {
        self.depths.iter().map(|score| score.exact).sum()
    }
}

/// The jobs of a measurement over `samples` questions a depth. The first `free` questions are also answered free-running, or all of them
/// if the layout is scored free-running.
pub fn jobs(plan: &Plan, split: Split, samples: usize, free: usize) -> Vec<Job> {
    let (task, questions) = (&plan.config.task, plan.questions());
    let free = if scored_free_running(plan) { samples } else { free };
    let starts = || (0..samples).step_by(questions);
    let job = |depth: usize, first: usize| Job::Answers { split, depth, first: first as u64, count: questions.min(samples - first), free };
    // In some layouts one answer covers all depths, so one question is enough.
    let asked = if task.layout.answers_all() { vec![task.depth] } else { task.depths() };
    asked.into_iter().flat_map(|depth| starts().map(move |first| job(depth, first))).collect()
}

/// Whether free-running answers are scored, in which the model reads its own earlier tokens.
fn scored_free_running(plan: &Plan) -> bool {
    plan.config.task.layout.scored_free_running() || plan.config.training.objective == Objective::Grpo
}

/// A batch of questions as large as a measurement's jobs. Its shape is what a device compiles ahead.
pub fn questions(plan: &Plan) -> Questions {
    let count = plan.questions().min(plan.config.training.eval_samples) as u64;
    let samples: Vec<Sample> = (0..count).map(|index| plan.config.task.sample(plan.config.seed, Split::Validation, index)).collect();
    Questions::of(&plan.config.task, &samples, plan.config.task.depths()[0])
}

/// A batch of questions, and the positions that answer them.
pub struct Questions {
    pub batch: Batch,
    /// The first position whose next token is asked.
    pub from: usize,
    /// The position after which a free-running model reads its own tokens. `None` if the model never reads its answers.
    pub free_after: Option<usize>,
    targets: Vec<Target>,
    rule: Option<Range<usize>>,
}

impl Questions {
    /// The questions about these samples at `depth`.
    pub fn of(task: &Task, samples: &[Sample], depth: usize) -> Self {
        let examples: Vec<Example> = samples.iter().map(|sample| task.encode(sample, depth, LossOn::Target)).collect();
        let batch = Batch::new(&examples);
        let from = batch.first_labelled();
        let first = examples.into_iter().next();
        let free_after = first.as_ref().and_then(|example| example.free_from).map(|start| start - 1);
        let (targets, rule) = first.map(|example| (example.targets, example.rule)).unwrap_or_default();
        Self { batch, from, free_after, targets, rule }
    }

    /// The position that predicts the first cell of the state at this depth, if it is asked for. The next positions predict the other cells.
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
        let of = |cells: &Vec<u8>| Prediction {
            index: answer.index,
            depth: answer.depth,
            cells: cells.clone(),
            written: answer.written.clone(),
            hops: answer.hop_map.clone(),
        };
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

/// The most probable token after each of the positions `from` … S − 1 of each sequence, `[B, S − from]`. Of equal ones, the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// Given the true tokens before it.
    pub forced: Vec<u32>,
    /// Given the network's own tokens before it; only if they were requested.
    pub generated: Option<Vec<u32>>,
    /// Hops of each token, only with adaptive computation time. In a free-running pass, those of the network's own tokens.
    pub hops: Option<Hops>,
}

/// A network with its weights on some engine, which can answer questions.
pub trait Respondent {
    /// The tokens after the positions `from` …. With `generate`, also the network's own continuation from there.
    ///
    /// # Errors
    /// When the engine failed.
    fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> impl Future<Output = Result<Tokens, TrainError>>;
}

/// Answers the questions `range` of a split at one depth. Those below `free` are also answered free-running.
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
) -> Result<Vec<Answer>, TrainError> {
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
        let completed = if written { complete(respondent, plan, part, depth).await? } else { Vec::new() };
        let mut completed = completed.into_iter();
        for (row, sample) in part.iter().enumerate() {
            let read = |tokens: &Tail, places: Range<usize>| tokens.cells(row, &questions, places);
            let rule = questions.rule.clone().map(|entries| {
                let right = read(&forced, entries.clone()).iter().zip(&sample.rule.table).filter(|(answer, truth)| answer == truth).count();
                (right, entries.len())
            });
            answers.extend(questions.targets.iter().map(|&Target { depth, start }| {
                let places = start..start + task.width;
                let (written, cells) = completed.next().map_or((Vec::new(), None), |(written, cells)| (written, Some(cells)));
                Answer {
                    index,
                    depth,
                    truth: sample.states[task.shown - 1 + depth].clone(),
                    teacher_forced: read(&forced, places.clone()),
                    free_running: cells.or_else(|| free.as_ref().map(|free| read(free, places))),
                    written,
                    rule,
                    hops: hops.as_ref().map(|hops| hops.mean(row, start - 1..start - 1 + task.width)),
                    hop_map: hops.as_ref().filter(|_| run_free && index < SHOWN).map(|hops| hops.of(row)),
                }
            }));
            index += 1;
        }
    }
    Ok(answers)
}

/// Rows of cells that a model wrote before its answer, and the answer's W cells.
type Completed = (Vec<Vec<u8>>, Vec<u8>);

/// The completions that take the most probable token each time, one for each sample.
async fn complete(respondent: &mut impl Respondent, plan: &Plan, samples: &[Sample], depth: usize) -> Result<Vec<Completed>, TrainError> {
    let prompts = Prompts::questions(&plan.config, samples, depth);
    let shape = prompts.shape();
    let (inputs, labels) = (prompts.inputs(None), vec![None; shape.sequences * shape.length]);
    let batch = Batch { sequences: shape.sequences, length: shape.length, inputs, labels };
    let (task, tokens) = (&plan.config.task, respondent.tokens(&batch, shape.from, true).await?.generated.unwrap_or_default());
    Ok(prompts.written(task, &tokens).into_iter().zip(prompts.cells(task, &tokens)).collect())
}

/// The predicted tokens after the positions from `from` on, for each sequence of a batch.
struct Tail {
    tokens: Vec<u32>,
    from: usize,
}

impl Tail {
    /// The predictions for the tokens at `places` in sequence `row`, as cells.
    fn cells(&self, row: usize, questions: &Questions, places: Range<usize>) -> Vec<u8> {
        let start = row * (questions.batch.length - self.from);
        let places = places.start - 1 - self.from..places.end - 1 - self.from;
        self.tokens[start..][places].iter().map(|&token| token.min(u32::from(NO_CELL)) as u8).collect()
    }
}

/// The teacher-forced answers, the free-running ones if `run_free`, and the hops of the teacher-forced pass. If the model never reads its
/// own answers, both kinds are equal.
async fn ask(
    respondent: &mut impl Respondent,
    questions: &Questions,
    run_free: bool,
) -> Result<(Tail, Option<Tail>, Option<Hops>), TrainError> {
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
