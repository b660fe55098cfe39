//! Where the network looks when it predicts one cell of the question on show.

use super::panel::{Panel, Place};
use super::picture::question;
use super::term::Term;
use super::thinking::largest_cell;
use crate::config::Objective;
use crate::page::browser;
use crate::page::charts::cells;
use crate::page::look::{self, Ask};
use crate::page::reads::{About, NAMES, Shown, Target, View};
use crate::page::state::{Page, Phase};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

/// So far from the window, in CSS pixels, the card begins to ask: it is filled before it is scrolled to.
const NEAR: f64 = 300.0;
/// Its id.
const CARD: &str = "where";

/// The card. It has its place from the start, so that nothing moves when there is something to show. Completions that are drawn have no
/// cells of their own, so a run that learns from a reward has no such card; nor has a network without kernels, which the CPU engine cannot watch.
#[component]
pub fn Reads(page: Page) -> impl IntoView {
    let (pointed, head) = (RwSignal::new(None), RwSignal::new(0usize));
    // A cell stays chosen until another answered one is pointed at.
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
        <section class="card reads" id=CARD aria-label="What it reads" hidden=move || shown.with(Option::is_none)>
            <div class="heading">
                <h2>"Where does it look?"</h2>
                <div class="leaf" hidden=move || shown.with(|shown| shown.as_ref().is_none_or(|shown| shown.heads.0 == 0))>
                    <button type="button" class="quiet" aria-label="Previous head" on:click=move |_| turn_head(-1)>"◀"</button>
                    <span id="reads-head">{told(Shown::head)}</span>
                    <button type="button" class="quiet" aria-label="Next head" on:click=move |_| turn_head(1)>"▶"</button>
                </div>
            </div>
            {move || about.get().map(|about| view! { <About page=page about=about /> })}
            <p class="level-legend" id="reads-legend">
                <span>"share of what is read"</span>
                {cells::keys(&NAMES)}
                <span class="level-key"><i class="unread"></i>"out of its reach"</span>
                <span>"the rest: " <Term page=page key="signs" text="signs" /></span>
            </p>
            <div
                class="panels" id="reads" tabindex="0" role="group" on:keydown=key data-sums=told(Shown::sums_as_text)
                aria-label="What each layer reads; left and right arrow keys choose the cell that is predicted, up and down a head"
            >
                <Panels shown=shown pointed=pointed />
            </div>
            <p id="reads-words" class="hint" aria-live=live style=told(room)>{told(|shown| shown.words.clone())}</p>
        </section>
    }
}

/// What the card shows; nothing while the task makes no sense.
fn show(page: Page, pointed: Place, before: Option<Target>, head: usize) -> Option<Shown> {
    let config = page.about();
    match config.training.objective {
        Objective::Examples => {}
        Objective::Grpo => return None,
    }
    // Only networks of the CPU engine can be watched.
    if !config.model.kind.has_kernels() {
        return None;
    }
    let question = question(page)?;
    let target = Target::of(pointed, before, &config.task);
    let run =
        if page.current_is_subject() { page.with_current(|run| Some((run.id, run.latest()?.step, run.split))).flatten() } else { None };
    let ask = run.zip(question.answers.first()).map(|((run, step, split), answer)| {
        let depth = target.depth(&config.task);
        Ask { run, step, split, index: answer.index, depth }
    });
    page.looks.with(|looks| {
        let layers = ask.and_then(|ask| looks.of(&ask));
        Some(View { config: &config, sample: &question.sample, target, head, layers, ask }.show(largest_cell(20.0)))
    })
}

/// Room for the words to come, so that nothing moves.
fn room(shown: &Shown) -> String {
    let letters = if browser::window_size().0 < 1000.0 { 45 } else { 150 };
    format!("min-height:{}em", 1.5 * (130 + 36 * shown.map.parts.len()).div_ceil(letters) as f64)
}

/// Asks whenever something else is wanted and the card, which the result is for, is near the window.
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
        if let Some(ask) = shown.with(|shown| shown.as_ref().and_then(|shown| shown.ask)).filter(|_| near.get()) {
            look::ask(page, ask);
        }
    });
}

/// The panels, as many as the network has.
#[component]
fn Panels(shown: Memo<Option<Shown>>, pointed: RwSignal<Place>) -> impl IntoView {
    let map = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|shown| shown.map.clone())));
    let parts = Memo::new(move |_| map.with(|map| map.as_ref().map_or(0, |map| map.parts.len())));
    let framed = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(Shown::place)));
    move || (0..parts.get()).map(|part| view! { <Panel map=map part=part framed=framed pointed=pointed /> }).collect_view()
}

/// What is to be seen, of this kind of network.
#[component]
fn About(page: Page, about: About) -> impl IntoView {
    let About { before, key, after, loops } = about;
    view! {
        <p class="ask">
            "Coloured is what each layer " <Term page=page key="reads" text="reads" />
            " when it predicts the cell in the red frame; outlined are the cells that this one truly follows from. " {before}
            <Term page=page key=key text=key /> {after} {loops}
        </p>
    }
}
