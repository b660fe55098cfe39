//! The buttons Train, Pause, Step and Stop, the progress, and the link.

use super::in_turn::in_turn;
use super::share::Share;
use super::term::Term;
use crate::page::browser;
use crate::page::commands::{buttons, form};
use crate::page::state::{Page, Phase};
use crate::page::view::words;
use leptos::prelude::*;
use std::time::Duration;

/// The interval at which screen readers read the status of a running run.
const SPOKEN_EVERY: Duration = Duration::from_secs(20);

/// The card with the main buttons.
#[component]
pub fn Controls(page: Page) -> impl IntoView {
    let sharing = RwSignal::new(false);
    let fragment = Memo::new(move |_| form::form_fragment(page));
    view! {
        <section class="card-box page-controls" aria-label="Training">
            <div class="training-row">
                <Buttons page=page />
                <Progress page=page />
            </div>
            <Status page=page />
            <div class="training-row">
                <Reach page=page />
                {in_turn(move || view! { <LinkBox page=page fragment=fragment open=sharing /> }.into_any())}
            </div>
            {move || sharing.get().then(|| view! { <Share page=page fragment=fragment /> }.into_any())}
        </section>
    }
}

#[component]
fn Buttons(page: Page) -> impl IntoView {
    let stop = move || match page.phase.get() {
        Phase::Preparing => "Cancel",
        Phase::Running | Phase::Paused if page.stopping.get() => "End now",
        Phase::Idle | Phase::Running | Phase::Paused | Phase::Finished | Phase::Failed => "Stop",
    };
    view! {
        <div class="training-buttons">
            <MainButton page=page />
            <button type="button" id="step" title="Compute one training step" disabled=move || page.phase.get() != Phase::Paused || page.stopping.get() on:click=move |_| buttons::step(page)>"Step"</button>
            <button type="button" id="stop" title="End this run with a last measurement. Pressed again: at once, without it." disabled=move || !page.phase.get().active() on:click=move |_| buttons::stop(page)>{stop}</button>
        </div>
    }
}

/// One button is Train, Pause and Resume in turn, so that it keeps the keyboard focus.
#[component]
pub fn MainButton(page: Page) -> impl IntoView {
    let reasons = Memo::new(move |_| page.form.with(|form| form.reasons()));
    let id = move || match page.phase.get() {
        Phase::Idle | Phase::Finished | Phase::Failed | Phase::Preparing => "train",
        Phase::Running => "pause",
        Phase::Paused => "resume",
    };
    let label = move || match page.phase_of_form() {
        Phase::Idle => "Train",
        Phase::Finished | Phase::Failed => "Train again",
        Phase::Preparing => "Starting…",
        Phase::Running => "Pause",
        Phase::Paused => "Resume",
    };
    let refused = move || !page.phase.get().active() && !reasons.with(Vec::is_empty);
    // The disabled attribute would lose the keyboard focus between Train and Pause.
    let waiting = move || page.phase.get() == Phase::Preparing || page.stopping.get();
    view! { <button type="button" id=id class="button-main" disabled=refused aria-disabled=move || waiting().to_string() on:click=move |_| if !waiting() { buttons::main_button(page) }>{label}</button> }
}

/// How far the run is, and how long it takes.
#[component]
pub fn Progress(page: Page) -> impl IntoView {
    let made = move || {
        let run = page.with_current(|run| (run.step(), run.config.training.steps)).filter(|_| page.phase_of_form() != Phase::Idle);
        run.unwrap_or((0, page.form.with(|form| form.config.training.steps)))
    };
    let count = move || {
        let (step, steps) = made();
        format!("step {} of {}", words::thousands(step), words::thousands(steps))
    };
    let left = move || {
        let (step, steps) = made();
        match page.phase.get() {
            Phase::Running => page.pace.with_untracked(|pace| pace.sentence(step, steps)),
            Phase::Paused => "paused".into(),
            Phase::Idle | Phase::Preparing | Phase::Finished | Phase::Failed => String::new(),
        }
    };
    view! {
        <div class="training-progress">
            <progress aria-label="Steps completed" max=move || made().1.to_string() value=move || made().0.to_string()></progress>
            <div class="training-numbers"><span>{count}</span><span>{left}</span></div>
        </div>
    }
}

/// The status in a sentence. Below it: why Train is off, or what changed settings mean during a run.
#[component]
fn Status(page: Page) -> impl IntoView {
    let tick = RwSignal::new(0u32);
    set_interval(move || tick.update(|count| *count += 1), SPOKEN_EVERY);
    let sentence = move || {
        let (phase, preparing, stopping) = (page.phase_of_form(), page.preparing.get(), page.stopping.get());
        let id = page.current.get();
        page.runs.with(|runs| words::status(phase, &preparing, stopping, runs.iter().find(|run| Some(run.id) == id)))
    };
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    let spoken = move || {
        tick.track();
        (page.phase.get() == Phase::Running).then(|| untrack(sentence))
    };
    let loss = move || page.with_current(|run| run.last_loss().map(|loss| loss.to_string())).flatten();
    let advice = move || {
        let reasons = page.form.with(|form| form.reasons());
        if let Some(reason) = reasons.first() {
            return format!("Train is off: {reason}");
        }
        let changed =
            page.phase.get().active() && page.with_current(|run| page.form.with(|form| run.config != form.config)).unwrap_or(false);
        if page.queue.with(|queue| queue.began_run(page.current.get())) && page.phase.get().active() {
            return "This run belongs to the sweep. The settings apply to runs that you start or queue next.".into();
        }
        // The banner already says which run comes next.
        let expected =
            page.form.with(|form| page.queue.with(|queue| queue.dependents().next_back().is_some_and(|last| last.config == form.config)));
        if changed && !expected { "Your changes apply to the next run. To start it, stop this run first.".into() } else { String::new() }
    };
    view! {
        <div class="training-status">
            <p id="status" aria-live=live data-last-loss=loss>{sentence}</p>
            <p class="text-unseen" aria-live="polite">{spoken}</p>
            <p id="advice" class="text-hint" data-refused=move || (!page.form.with(|form| form.reasons().is_empty())).to_string() aria-live="polite">{advice}</p>
        </div>
    }
}

/// The step at which the run ends. The user can change it during the run.
#[component]
fn Reach(page: Page) -> impl IntoView {
    let problem = RwSignal::new(String::new());
    let target = move || {
        let running = if page.phase.get().active() { page.with_current(|run| run.config.training.steps) } else { None };
        running.unwrap_or_else(|| page.form.with(|form| form.config.training.steps))
    };
    let shown = Memo::new(move |_| target());
    let changed = move |event| {
        let made = untrack(|| page.with_current(|run| run.step())).unwrap_or(0);
        match event_target_value(&event).trim().parse::<u64>() {
            Ok(steps) if steps > made && steps <= 1_000_000 => {
                problem.set(String::new());
                buttons::reach(page, steps);
            }
            Ok(_) | Err(_) => {
                problem.set(format!("Choose a whole number from {} to 1000000, not “{}”.", made + 1, event_target_value(&event)))
            }
        }
    };
    let off = move || !page.phase.get().active() || page.phase.get() == Phase::Preparing;
    view! {
        <div class="training-target">
            <label for="reach"><Term page=page key="step" text="Run until step" /></label>
            <input id="reach" type="text" inputmode="numeric" autocomplete="off" prop:value=move || shown.get().to_string() disabled=off on:change=changed />
            <span class="text-error" role="alert">{problem}</span>
        </div>
    }
}

/// Copy link, and the link itself for browsers that do not let a page copy.
#[component]
fn LinkBox(page: Page, fragment: Memo<String>, open: RwSignal<bool>) -> impl IntoView {
    let fingerprint = move || {
        let part = |fragment: &String| fragment.split('&').find_map(|part| part.strip_prefix("fp=").map(str::to_string));
        fragment.with(part)
    };
    let press = move |_| {
        form::copy_link(page, &fragment.get_untracked());
        browser::select("link-text");
    };
    view! {
        <div class="training-link">
            <button type="button" id="copy-link" data-fingerprint=fingerprint title="Opening this link gives the same run" on:click=press>"Copy link"</button>
            <button type="button" id="copy-class-link" class="button-quiet" title="On every machine that opens this link the run gives the same numbers to the last bit. It is computed on the CPU and takes about a sixth longer." on:click=move |_| form::copy_class_link(page)>"For a class"</button>
            <button type="button" id="share" class="button-quiet" title="Choose what a link shows, as an address, a frame or a QR code" aria-expanded=move || open.get().to_string() aria-controls="share-panel" on:click=move |_| open.update(|open| *open = !*open)>"Share…"</button>
            <input id="link-text" type="text" readonly aria-label="The link of this run" prop:value=move || browser::page_url(&fragment.get()) on:focus=move |_| browser::select("link-text") />
            <span id="notice" class="text-hint" role="status">{move || page.notice.get()}</span>
        </div>
    }
}
