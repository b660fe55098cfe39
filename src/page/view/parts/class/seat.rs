//! The student's card: one sentence at a time, from the number to handing in.

use super::hand_in;
use crate::class::{SEATS, seat};
use crate::config::RunConfig;
use crate::page::browser;
use crate::page::commands::{class, story};
use crate::page::state::run::Run;
use crate::page::state::{Page, Phase, class::Seat as State};
use crate::page::view::words;
use leptos::prelude::*;

/// Where the student is.
#[derive(Clone, PartialEq)]
enum Step {
    Number,
    Train(u64, Box<RunConfig>),
    Wait(u64),
    HandIn(u64, usize),
}

impl Step {
    /// Its name in `data-step`.
    fn name(&self) -> &'static str {
        match self {
            Step::Number => "number",
            Step::Train(..) => "train",
            Step::Wait(_) => "wait",
            Step::HandIn(..) => "hand-in",
        }
    }
}

fn step(page: Page) -> Option<Step> {
    let (number, config) = match page.seat.get() {
        State::None => return None,
        State::Asked => return Some(Step::Number),
        State::Taken { number, config } => (number, config),
    };
    let made = |run: &&Run| run.config == *config && run.complete();
    let made = page.runs.with(|runs| runs.iter().rev().find(made).map(|run| run.id));
    Some(match made {
        Some(id) => Step::HandIn(number, id),
        None if page.phase.get().active() => Step::Wait(number),
        None => Step::Train(number, config),
    })
}

/// The card.
pub fn card(page: Page) -> AnyView {
    let step = Memo::new(move |_| step(page));
    let inside = move |step: Step| match step {
        Step::Number => number(page),
        Step::Train(number, config) => train(page, number, *config),
        Step::Wait(number) => wait(page, number),
        Step::HandIn(number, id) => hand_in(page, number, id),
    };
    let name = move || step.with(|step| step.as_ref().map(Step::name));
    // The card stays while its step changes, so that screen readers read the next sentence.
    view! {
        <section class="card-box seat-card" id="seat" aria-label="Your part in the class" aria-live="polite" data-step=name>
            {move || step.get().map(inside)}
        </section>
    }
    .into_any()
}

fn number(page: Page) -> AnyView {
    let (typed, refused) = (RwSignal::new(String::new()), RwSignal::new(false));
    let take = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        match typed.with_untracked(|typed| seat(typed)) {
            Some(number) => {
                class::take_seat(page, number);
                // The form that had the keyboard focus is gone.
                request_animation_frame(|| browser::focus("seat-train"));
            }
            None => refused.set(true),
        }
    };
    let said =
        move || if refused.get() { format!("Type a whole number from {} to {}.", SEATS.start(), SEATS.end()) } else { String::new() };
    view! {
        <form on:submit=take>
            <label class="seat-sentence" for="seat-number">"Your number in the class (1 … 99)"</label>
            <div class="button-row">
                <input id="seat-number" type="text" inputmode="numeric" autocomplete="off" aria-describedby="seat-refused" aria-invalid=move || refused.get().to_string() on:input=move |event| typed.set(event_target_value(&event)) />
                <button type="submit" id="seat-take" class="button-main">"This is my number"</button>
            </div>
            <p id="seat-refused" class="text-error" role="alert">{said}</p>
        </form>
    }
    .into_any()
}

fn change(page: Page) -> AnyView {
    view! { <button type="button" id="seat-change" class="button-quiet" on:click=move |_| class::leave_seat(page)>"Another number"</button> }
        .into_any()
}

fn train(page: Page, number: u64, config: RunConfig) -> AnyView {
    view! {
        <p class="seat-sentence">"You are number " <strong>{number}</strong> ". How many rows of 100 will your network get right? Say it, then train it."</p>
        <div class="button-row">
            <button type="button" id="seat-train" class="button-main" on:click=move |_| story::run(page, config.clone())>"Train"</button>
            {change(page)}
        </div>
    }
    .into_any()
}

fn wait(page: Page, number: u64) -> AnyView {
    let made = move || page.with_current(|run| (run.step(), run.config.training.steps)).unwrap_or_default();
    let left = move || {
        let (step, steps) = made();
        match page.phase.get() {
            Phase::Running => page.pace.with_untracked(|pace| pace.sentence(step, steps)),
            Phase::Preparing => page.preparing.get(),
            Phase::Paused => "Paused: press Resume below.".into(),
            Phase::Idle | Phase::Finished | Phase::Failed => String::new(),
        }
    };
    let count = move || {
        let (step, steps) = made();
        format!("step {} of {}", words::thousands(step), words::thousands(steps))
    };
    view! {
        <p class="seat-sentence">"Wait: the network of number " <strong>{number}</strong> " is training."</p>
        <progress aria-label="Steps completed" max=move || made().1.to_string() value=move || made().0.to_string()></progress>
        <div class="training-numbers" aria-live="off"><span>{count}</span><span>{left}</span></div>
    }
    .into_any()
}

fn hand_in(page: Page, number: u64, id: usize) -> AnyView {
    view! {
        <p class="seat-sentence">"Number " <strong>{number}</strong> " is finished. Hand in this line: copy it, and send it where your teacher says."</p>
        {hand_in::line(page, id)}
        {change(page)}
    }
    .into_any()
}
