//! The card “Where does it look?”: attribution for one predicted cell of the displayed question.

use super::later::{SplitPart, later};
use super::panel::{Panel, Place};
use super::picture::question;
use super::steady::Steady;
use super::term::Term;
use super::thinking::largest_cell;
use crate::config::Objective;
use crate::page::browser;
use crate::page::commands::attribution;
use crate::page::split::NotLoaded;
use crate::page::state::attribution::Query;
use crate::page::state::{Page, Phase};
use crate::page::view::attribution::{About, NAMES, PredictedCell, Shown, View};
use crate::page::view::charts::cells;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_split_helpers::wasm_split;
use web_sys::{HtmlElement, KeyboardEvent};

/// The card asks the worker when it is this close to the window, in CSS pixels, so that it is filled before the user scrolls to it.
const NEAR: f64 = 300.0;
/// The id of the card.
const CARD: &str = "where";

/// The card. It has its place from the start, so that nothing moves when the answer arrives. There is no card for a run that learns from a
/// reward, because sampled completions have no fixed cells. There is none for a network without kernels either, because attribution needs the CPU engine.
#[component]
pub fn Attribution(page: Page) -> impl IntoView {
    later(reads_part, move |reads| reads(page))
}

#[wasm_split(reads, fallible)]
fn reads_part() -> Result<SplitPart, NotLoaded> {
    Ok(reads)
}

fn reads(page: Page) -> AnyView {
    let (pointed, head) = (RwSignal::new(None), RwSignal::new(0usize));
    // A cell stays chosen until the user points at another predicted cell.
    let shown = Memo::new(move |before: Option<&Option<Shown>>| {
        let before = before.and_then(Option::as_ref).map(|shown| shown.target);
        show(page, pointed.get(), before, head.get())
    });
    let about = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|shown| shown.about)));
    let turn_head = move |by: isize| {
        if let Some((heads, now)) = shown.with_untracked(|shown| shown.as_ref().map(|shown| shown.heads)) {
            head.set(now.saturating_add_signed(by).min(heads));
        }
    };
    let key = move |event: KeyboardEvent| {
        let turn_cell = |by: isize| pointed.set(shown.with_untracked(|shown| shown.as_ref().map(|shown| shown.beside(by))));
        match event.key().as_str() {
            "ArrowLeft" => turn_cell(-1),
            "ArrowRight" => turn_cell(1),
            "ArrowUp" => turn_head(-1),
            "ArrowDown" => turn_head(1),
            _ => return,
        }
        event.prevent_default();
    };
    ask_when_near(page, shown);
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    let told = move |read: fn(&Shown) -> String| move || shown.with(|shown| shown.as_ref().map(read));
    view! {
        <section class="card-box reads-card" id=CARD aria-label="What it reads" hidden=move || shown.with(Option::is_none)>
            <div class="card-heading">
                <h2>"Where does it look?"</h2>
                <div class="card-pager" hidden=move || shown.with(|shown| shown.as_ref().is_none_or(|shown| shown.heads.0 == 0))>
                    <button type="button" class="button-quiet" aria-label="Previous head" on:click=move |_| turn_head(-1)>"◀"</button>
                    <span id="reads-head" data-head=told(|shown| shown.heads.1.to_string())>{told(Shown::head)}</span>
                    <button type="button" class="button-quiet" aria-label="Next head" on:click=move |_| turn_head(1)>"▶"</button>
                </div>
            </div>
            {move || about.get().map(|about| view! { <About page=page about=about /> })}
            <p class="level-legend" id="reads-legend">
                <span>"share of its reading"</span>
                {cells::keys(&NAMES)}
                <span class="level-key"><i class="level-unread"></i>"out of reach"</span>
                <span>"the rest: " <Term page=page key="signs" text="signs" /></span>
            </p>
            <div
                class="panel-row" id="reads" tabindex="0" role="group" on:keydown=key data-sums=told(Shown::sums_as_text) data-target=told(Shown::target_as_text)
                aria-label="What each layer reads. Left and right arrow keys choose the predicted cell, up and down choose a head"
            >
                <Panels page=page shown=shown pointed=pointed />
            </div>
            <div class="text-hint">
                <Steady longest=Signal::derive(move || shown.with(|shown| shown.iter().map(|shown| shown.longest.clone()).collect()))>
                    <p id="reads-words" aria-live=live>{told(|shown| shown.words.clone())}</p>
                </Steady>
            </div>
        </section>
    }
    .into_any()
}

/// The content of the card; `None` while the task is invalid.
fn show(page: Page, pointed: Place, before: Option<PredictedCell>, head: usize) -> Option<Shown> {
    let config = page.about();
    match config.training.objective {
        Objective::Examples => {}
        Objective::Grpo => return None,
    }
    // Attribution needs the CPU engine.
    if !config.model.kind.has_kernels() {
        return None;
    }
    let question = question(page)?;
    let target = PredictedCell::of(pointed, before, &config.task);
    let run = if page.current_is_subject() { page.with_current(|run| Some((run.id, run.latest()?.step))).flatten() } else { None };
    let split = question.split;
    let query = run.zip(question.answers.first()).map(|((run, step), answer)| {
        let depth = target.depth(&config.task);
        Query { run, step, split, index: answer.index, depth }
    });
    page.attributions.with(|attributions| {
        let layers = query.and_then(|query| attributions.of(&query));
        Some(View { config: &config, sample: &question.sample, target, head, layers, query }.show(largest_cell(20.0)))
    })
}

/// Asks the worker when the query changes while the card is near the window.
fn ask_when_near(page: Page, shown: Memo<Option<Shown>>) {
    let near = RwSignal::new(false);
    let look_up = move || {
        let Some(card) = document().get_element_by_id(CARD).and_then(|card| card.dyn_into::<HtmlElement>().ok()) else { return };
        let (_, top, _, bottom) = browser::place(&card);
        let now = top < browser::window_size().1 + NEAR && bottom > -NEAR;
        if now != near.get_untracked() {
            near.set(now);
        }
    };
    let scrolled = window_event_listener(leptos::ev::scroll, move |_| look_up());
    on_cleanup(move || scrolled.remove());
    Effect::new(move |_| {
        shown.track();
        request_animation_frame(look_up);
    });
    Effect::new(move |_| {
        if let Some(query) = shown.with(|shown| shown.as_ref().and_then(|shown| shown.query)).filter(|_| near.get()) {
            attribution::ask(page, query);
        }
    });
}

/// One panel for each layer and source.
#[component]
fn Panels(page: Page, shown: Memo<Option<Shown>>, pointed: RwSignal<Place>) -> impl IntoView {
    let map = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|shown| shown.map.clone())));
    let parts = Memo::new(move |_| map.with(|map| map.as_ref().map_or(0, |map| map.parts.len())));
    let framed = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(Shown::place)));
    move || (0..parts.get()).map(|part| view! { <Panel page=page map=map part=part framed=framed pointed=pointed /> }).collect_view()
}

/// Explains the card for this kind of network.
#[component]
fn About(page: Page, about: About) -> impl IntoView {
    let About { before, key, after, loops } = about;
    view! {
        <p class="card-lead">
            "The colours show what each layer " <Term page=page key="reads" text="reads" />
            " when it predicts the cell in the red frame. The outlined cells are the ones that determine this cell by the rule. " {before}
            <Term page=page key=key text=key /> {after} {loops}
        </p>
    }
}
