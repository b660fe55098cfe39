//! Answers to one question, compared with each other: the first group of a run next to the newest. Arrow keys go from answer to answer.

use super::figure::Figure;
use super::steady::Steady;
use crate::page::browser;
use crate::page::state::run::Run;
use crate::page::state::{Page, Phase};
use crate::page::view::charts::group::{self, Answer, Group, Symbol};
use crate::results::Completion;
use crate::task::Split;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, MouseEvent};

/// A group (0 or 1) and one of its answers, the best first.
type Place = (usize, usize);
/// Ids, file names and titles of the two groups.
const GROUPS: [(&str, &str, &str); 2] = [("first-group", "answers-before", "The first"), ("newest-group", "answers-after", "The newest")];

/// Both groups, the sentence about the marked answer, and that answer in full.
#[component]
pub fn Groups(page: Page) -> impl IntoView {
    let groups = [0, 1].map(|which| Memo::new(move |_| page.with_current(|run| of(run, which)).flatten()));
    // The size of a group, so that nothing moves when the answers arrive.
    let count = Memo::new(move |_| page.with_current(|run| run.config.training.grpo.group).unwrap_or(2));
    let marked = RwSignal::new((1, 0));
    let key = move |event: KeyboardEvent| {
        if let Some(next) = beside(marked.get_untracked(), &event.key(), count.get_untracked()) {
            event.prevent_default();
            marked.set(next);
        }
    };
    let words = Memo::new(move |_| {
        let (which, place) = marked.get();
        groups[which].with(|group| group.as_ref().map_or_else(|| "No answers have been drawn yet.".into(), |group| told(group, place)))
    });
    // During a run the newest answers change all the time, so screen readers do not read them aloud.
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    let marked_as_text = move || {
        let (which, place) = marked.get();
        groups[which].with(|group| group.as_ref().map(|group| format!("{} {} {}", GROUPS[which].0, group.step, place + 1)))
    };
    view! {
        <p class="text-hint">"Two questions and the answers drawn to each: one from the beginning, one from now. A cross marks a cell that differs from the true row. Arrow keys go from answer to answer."</p>
        <div
            class="page-pair group-pair" id="groups" tabindex="0" role="group" data-marked=marked_as_text
            aria-label="Answers. Up and down arrow keys go through a group, left and right go to the other group" on:keydown=key
        >
            {[0, 1].map(|which| view! { <Answers group=groups[which] which=which count=count marked=marked /> })}
        </div>
        <Steady longest=Signal::derive(move || page.with_current(longest_words).into_iter().collect())>
            <p id="group-words" aria-live=live>{words}</p>
        </Steady>
        <Whole page=page groups=groups marked=marked />
    }
}

#[component]
fn Answers(group: Memo<Option<Group>>, which: usize, count: Memo<usize>, marked: RwSignal<Place>) -> impl IntoView {
    let (id, name, title) = GROUPS[which];
    let point = move |event: MouseEvent| {
        let Some(figure) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
        let y = (f64::from(event.client_y()) - browser::place(&figure).1) / browser::magnification();
        if let Some(place) = group::at(y, count.get_untracked()) {
            marked.set((which, place));
        }
    };
    let row = Memo::new(move |_| Some(marked.get()).filter(|place| place.0 == which).map(|place| place.1));
    let figure = move || {
        let draw = move |size: crate::page::view::charts::Size| {
            group.with(|group| match group {
                Some(group) => group::draw(group, row.get(), size.width),
                None => view! { <p class="text-hint">{format!("{title} group: not drawn yet.")}</p> }.into_any(),
            })
        };
        view! { <Figure id=id name=name height=group::height(count.get()) draw=draw /> }
    };
    view! { <div on:click=point>{figure}</div> }
}

/// The marked answer token by token, for runs whose answers may be too long for a line. A hidden answer of full length keeps the space free.
#[component]
fn Whole(page: Page, groups: [Memo<Option<Group>>; 2], marked: RwSignal<Place>) -> impl IntoView {
    let roomy = Memo::new(move |_| page.with_current(roomy).filter(|roomy| *roomy).is_some());
    let longest = Memo::new(move |_| page.with_current(|run| run.config.training.grpo.new_tokens).unwrap_or(0));
    let answer = Memo::new(move |_| {
        let (which, place) = marked.get();
        groups[which].with(|group| group.as_ref().and_then(|group| group.answers.get(place).cloned()))
    });
    view! {
        <div class="answer-whole" id="whole-answer" hidden=move || !roomy.get()>
            <p aria-hidden="true" class="answer-ghost">
                <span>"thinking "</span>
                <span>"▸ answer:"</span>
                {move || vec![Symbol::Cell(0); longest.get()].into_iter().map(symbol).collect_view()}
                <span>"end"</span>
            </p>
            <p>{move || answer.get().map(whole)}</p>
        </div>
    }
}

fn whole(answer: Answer) -> AnyView {
    let thinking = answer.thinking.map(|symbols| {
        view! {
            <span>"thinking "</span>
            {symbols.into_iter().map(symbol).collect_view()}
        }
    });
    view! {
        {thinking}
        <span>"▸ answer:"</span>
        {answer.answer.into_iter().map(symbol).collect_view()}
    }
    .into_any()
}

fn symbol(symbol: Symbol) -> AnyView {
    match symbol {
        Symbol::Cell(0) => view! { <i class="cell-off"><b>"0"</b></i> }.into_any(),
        Symbol::Cell(_) => view! { <i class="cell-on"><b>"1"</b></i> }.into_any(),
        Symbol::Gap => view! { <i class="cell-gap"></i> }.into_any(),
        Symbol::Other => view! { <i class="cell-other"><b>"?"</b></i> }.into_any(),
        Symbol::Ask => view! { <span>"▸"</span> }.into_any(),
        Symbol::End => view! { <span>"end"</span> }.into_any(),
    }
}

/// Whether a completion of this run may be longer than a bare answer.
fn roomy(run: &Run) -> bool {
    run.config.training.grpo.new_tokens > run.config.task.width + 2
}

/// The first group of a run (0) or its newest (1).
fn of(run: &Run, which: usize) -> Option<Group> {
    let (sampled, step) = if which == 0 { (&run.first_group, run.first_group_step) } else { (&run.group, run.group_step) };
    let task = &run.config.task;
    let depth = run.config.stage(step.max(1)).depth.unwrap_or(task.depth);
    let sample = task.sample(run.config.seed, Split::Train, sampled.first()?.index);
    let truth = sample.states.get(task.shown - 1 + depth)?;
    let goal: Vec<Symbol> = truth.iter().map(|&cell| Symbol::Cell(cell)).chain([Symbol::End]).collect();
    let mut answers: Vec<&Completion> = sampled.iter().collect();
    answers.sort_by(|a, b| b.reward.total_cmp(&a.reward));
    let answers = answers.into_iter().map(|sampled| {
        let symbols: Vec<Symbol> = sampled.tokens.iter().map(|&token| Symbol::of(task.vocabulary, token)).collect();
        let asked = symbols.iter().rposition(|symbol| *symbol == Symbol::Ask);
        let answer = symbols[asked.map_or(0, |place| place + 1)..].to_vec();
        Answer {
            thinking: asked.map(|place| symbols[..place].to_vec()),
            // The end of the answer counts for the reward too.
            right: ((sampled.reward * goal.len() as f64).round() as usize)
                .saturating_sub(usize::from(answer.get(truth.len()) == Some(&Symbol::End))),
            answer,
            reward: sampled.reward,
            advantage: sampled.advantage,
        }
    });
    Some(Group { name: GROUPS[which].2, step, answers: answers.collect(), goal, roomy: roomy(run) })
}

/// The answer next to this one in the direction of a key.
fn beside((which, place): Place, key: &str, count: usize) -> Option<Place> {
    let last = count.saturating_sub(1);
    match key {
        "ArrowUp" => Some((which, place.saturating_sub(1))),
        "ArrowDown" => Some((which, (place + 1).min(last))),
        "ArrowLeft" => Some((0, place)),
        "ArrowRight" => Some((1, place)),
        _ => None,
    }
}

/// A sentence about an answer that is as long as it can be.
fn longest_words(run: &Run) -> String {
    let (count, cells) = (run.config.training.grpo.group, run.config.task.width);
    let verdict = "worse than its group by 1.0 deviations: it becomes less likely";
    format!(
        "The newest group, step {}. Answer {count} of {count}: {cells} of {cells} cells right, and it does not end there, {verdict}.",
        run.config.training.steps
    )
}

/// The sentence about the marked answer.
fn told(group: &Group, place: usize) -> String {
    let count = group.answers.len();
    let Some(answer) = group.answers.get(place) else { return "This group has fewer answers.".into() };
    let same = group.answers.iter().all(|other| other.reward == answer.reward);
    let by = format!("{:.1} deviations", answer.advantage.abs());
    let verdict = match answer.advantage {
        _ if same => "as good as every other: equal rewards show no direction, so this step learns from its other groups".into(),
        advantage if advantage >= 0.05 => format!("better than its group by {by}: it becomes more likely"),
        advantage if advantage <= -0.05 => format!("worse than its group by {by}: it becomes less likely"),
        _ => "as good as its group on average: it hardly changes".into(),
    };
    let (name, step) = (group.name, group.step);
    let cells = group.goal.len() - 1;
    // The end of an answer counts for its reward too.
    let ending = if answer.right == cells && answer.reward < 1.0 { ", and it does not end there" } else { "" };
    format!("{name} group, step {step}. Answer {} of {count}: {} of {cells} cells right{ending}, {verdict}.", place + 1, answer.right)
}
