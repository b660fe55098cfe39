//! Learning from a reward: its cost, its progress, and the answers that are compared with each other.

use super::figure::Figure;
use super::group::Groups;
use super::later::{SplitPart, later};
use super::steady::Steady;
use super::term::Term;
use crate::config::Objective;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::run::Run;
use crate::page::view::charts::reward;
use crate::page::view::words::{percent, thousands};
use crate::results::StepReward;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// Number of steps at the start and at the end of a run that the table compares.
const ENDS: usize = 10;

/// The card, shown if the current run learns from a reward. It is there from the run's start, so that nothing moves when the first answers come.
#[component]
pub fn Reward(page: Page) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let active = page.phase.get().active();
        page.with_current(|run| learns(run) && (active || !run.rewards.is_empty())).unwrap_or(false)
    });
    view! {
        <section class="card-box reward-card" id="reward" aria-label="Reward" hidden=move || !shown.get()>
            {move || shown.get().then(|| later(reward_part, move |inside| inside(page)))}
        </section>
    }
}

fn learns(run: &Run) -> bool {
    match run.config.training.objective {
        Objective::Grpo => true,
        Objective::Examples => false,
    }
}

#[wasm_split(methods, fallible)]
fn reward_part() -> Result<SplitPart, NotLoaded> {
    Ok(inside)
}

fn inside(page: Page) -> AnyView {
    let group = move || page.with_current(|run| run.config.training.grpo.group);
    let temperature = move || page.with_current(|run| run.config.training.grpo.temperature);
    view! {
        <h2>"Learning from a reward"</h2>
        <p class="card-lead">
            "For each question the network draws " {group} " answers at " <Term page=page key="temperature" text="temperature" /> " "
            {temperature} ". Each answer earns a " <Term page=page key="reward" text="reward" />
            ": the share of its tokens that are right. Answers above the mean of their group become more likely, the others less likely (by their "
            <Term page=page key="advantage" text="advantage" /> ")."
        </p>
        <div class="reward-summary">
            <Steady longest=Signal::derive(move || page.with_current(longest_cost).into_iter().collect())>
                <p id="reward-cost">{move || page.with_current(cost)}</p>
            </Steady>
            <Ends page=page />
        </div>
        <div class="page-pair">
            <RewardFigure page=page />
            <DistanceFigure page=page />
        </div>
        <Groups page=page />
    }
    .into_any()
}

/// The tokens and answers drawn so far, in words.
fn cost(run: &Run) -> String {
    let tokens: u64 = run.rewards.iter().map(|step| step.tokens).sum();
    let steps = run.rewards.len() as u64;
    if steps == 0 {
        return format!("No tokens have been drawn yet; a step draws {} answers.", thousands(answers_per_step(run)));
    }
    let rate = (run.seconds > 0.0).then(|| (tokens as f64 / run.seconds).round() as u64);
    cost_sentence(run, steps, tokens, rate)
}

fn answers_per_step(run: &Run) -> u64 {
    run.config.training.batch as u64 * run.config.training.grpo.group as u64
}

fn cost_sentence(run: &Run, steps: u64, tokens: u64, rate: Option<u64>) -> String {
    let longest = run.config.training.grpo.new_tokens;
    let rate = rate.map_or_else(String::new, |rate| format!(", {} per second of training", thousands(rate)));
    format!(
        "{} tokens drawn in {} {}: {} answers per step{rate}. An answer that ends early is still computed to its full {longest} tokens, {} in total. Learning from true answers draws no tokens.",
        thousands(tokens),
        thousands(steps),
        if steps == 1 { "step" } else { "steps" },
        thousands(answers_per_step(run)),
        thousands(steps * answers_per_step(run) * longest as u64),
    )
}

/// The sentence about the cost of the whole run, if every answer has full length.
fn longest_cost(run: &Run) -> String {
    let steps = run.config.training.steps;
    cost_sentence(run, steps, steps * answers_per_step(run) * run.config.training.grpo.new_tokens as u64, Some(100_000))
}

/// A table of the first steps and the last steps.
#[component]
fn Ends(page: Page) -> impl IntoView {
    let ends = Memo::new(move |_| page.with_current(|run| ends(&run.rewards)).unwrap_or_default());
    let head = move |which: usize| move || ends.with(|ends| ends[which].steps.clone());
    let cells = move |value: fn(&End) -> String| {
        [0, 1].map(
            |which| view! { <td>{move || ends.with(|ends| if ends[which].count == 0 { "–".into() } else { value(&ends[which]) })}</td> },
        )
    };
    view! {
        <table id="reward-ends">
            <thead>
                <tr><td></td><th scope="col">"first steps"<br />{head(0)}</th><th scope="col">"last steps"<br />{head(1)}</th></tr>
            </thead>
            <tbody>
                <tr><th scope="row"><Term page=page key="reward" text="Mean reward" /></th>{cells(|end| format!("{:.3}", end.reward))}</tr>
                <tr><th scope="row">"Right in every cell"</th>{cells(|end| percent(end.exact))}</tr>
                <tr><th scope="row"><Term page=page key="kl" text="KL from the start" />" in millinats"</th>{cells(|end| format!("{:.1}", 1e3 * end.kl))}</tr>
            </tbody>
        </table>
    }
}

/// Means over some steps.
#[derive(Clone, Debug, Default, PartialEq)]
struct End {
    /// “1–10”.
    steps: String,
    count: usize,
    reward: f64,
    exact: f64,
    kl: f64,
}

fn ends(steps: &[StepReward]) -> [End; 2] {
    let count = steps.len().min(ENDS);
    [0, steps.len() - count].map(|first| {
        let mean = |value: fn(&StepReward) -> f64| steps[first..first + count].iter().map(value).sum::<f64>() / count.max(1) as f64;
        let range =
            if count == 0 { "–".into() } else { format!("{}–{}", thousands(first as u64 + 1), thousands((first + count) as u64)) };
        End { steps: range, count, reward: mean(|step| step.reward), exact: mean(|step| step.exact), kl: mean(|step| step.kl) }
    })
}

/// Reward over steps, of the current run.
#[component]
fn RewardFigure(page: Page) -> impl IntoView {
    let points = Signal::derive(move || page.with_current(|run| run.rewards.len()).unwrap_or(0));
    let draw = move |size| {
        let subject = page.with_current(Run::subject).unwrap_or_else(|| page.subject());
        let asked = subject.0.max_depth();
        let ceiling = page.references.with(|references| {
            references.of(&subject).iter().find(|estimate| estimate.depth == asked).map(|estimate| (asked, estimate.ceiling))
        });
        page.with_current(|run| reward::draw(&run.rewards, ceiling, size)).unwrap_or_else(|| ().into_any())
    };
    view! {
        <Figure id="reward-chart" name="reward" height=230.0 draw=draw points=points>
            <span class="text-hint">"Faint: each step. Bold: smoothed."</span>
        </Figure>
    }
}

/// The KL divergence from the start over steps, of the current run.
#[component]
fn DistanceFigure(page: Page) -> impl IntoView {
    let draw = move |size| page.with_current(|run| reward::draw_distance(&run.rewards, size)).unwrap_or_else(|| ().into_any());
    view! {
        <Figure id="distance-chart" name="distance" height=230.0 draw=draw>
            <span class="text-hint"><Term page=page key="kl" text="KL divergence" />", on the tokens drawn"</span>
        </Figure>
    }
}
