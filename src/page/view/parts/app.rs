//! The order of the cards. The keyboard and narrow screens follow the same order.

use super::banners::Banners;
use super::cards;
use super::class::{Room, Seat};
use super::comparison::Comparison;
use super::embed::embed;
use super::foot::Foot;
use super::in_turn::{Turns, in_turn};
use super::lesson::Lessons;
use super::opening::DropHint;
use super::term::TipBox;
use super::top_bar::TopBar;
use crate::page::browser;
use crate::page::commands::display;
use crate::page::state::Page;
use crate::page::state::door::Door;
use crate::page::state::views::{Set as ViewSet, View, Views};
use leptos::prelude::*;

/// Below this width of the window, in CSS pixels, all cards are in one column.
const NARROW: f64 = 600.0;

/// The whole page, or in a frame of another page one view of it.
#[component]
pub fn App(page: Page) -> impl IntoView {
    Effect::new(move |_| {
        browser::body_attribute("data-door", page.door.with(Door::name));
        // A chart measures its place when the window changes. Behind another door its place is another.
        browser::remeasure();
    });
    Effect::new(move |_| browser::body_attribute("data-state", page.phase.get().name()));
    Effect::new(move |_| {
        let step = page.with_current(|run| run.step()).unwrap_or(0);
        browser::body_attribute("data-step", &step.to_string());
    });
    let views = page.views.get_untracked();
    browser::body_attribute("data-views", &views.shown.text());
    let content = match views.embed {
        Some(view) => embed(page, view),
        None => whole(page, &views),
    };
    view! {
        {content}
        <TipBox page=page />
    }
}

/// Whether the address asks for views that are further down.
fn further(shown: ViewSet) -> bool {
    [View::Progress, View::Loss, View::Reads, View::Sweep].into_iter().any(|view| shown.has(view))
}

/// The views further down. On a telephone they are three screens long, so there they come when they are asked for.
fn more(inside: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    let open = RwSignal::new(browser::window_size().0 >= NARROW);
    let show = move |_| {
        open.set(true);
        // Charts measure their width, which they have from now on.
        request_animation_frame(browser::remeasure);
    };
    view! {
        <button type="button" id="more-views" hidden=move || open.get() on:click=show>"More: how it learns, where it looks, sweeps"</button>
        <div class="page-more" hidden=move || !open.get()>{move || open.get().then(|| untrack(&inside))}</div>
    }
    .into_any()
}

/// The page with the views that the address asks for. The address names them only when it is opened, so the others are not computed at all.
fn whole(page: Page, views: &Views) -> AnyView {
    let shown = views.shown;
    let turns = Turns::new();
    let part = move |view: View| shown.has(view).then(|| cards::in_turn(page, view, turns));
    let pair = move |first: View, second: View| {
        let any = shown.has(first) || shown.has(second);
        any.then(|| view! { <div class="page-pair">{part(first)}{part(second)}</div> }.into_any())
    };
    let aside = shown.has(View::Settings) || shown.has(View::Runs);
    let story = (shown.has(View::You) || shown.has(View::Story)).then(|| {
        view! {
            <div hidden=move || page.door.get() != Door::Explore || !page.story_open.get()>
                <div class="story-pair" id="story">{part(View::You)}{part(View::Story)}</div>
            </div>
            <p class="story-closed" hidden=move || page.door.get() != Door::Explore || page.story_open.get()>
                <button type="button" id="open-story" class="button-quiet" on:click=move |_| display::open_story(page, true)>"What is this about? Show the question and what the study found"</button>
            </p>
        }
        .into_any()
    });
    let room = in_turn(move || view! { <Seat page=page /> <Room page=page /> }.into_any());
    let lessons = in_turn(move || view! { <Lessons page=page /> }.into_any());
    turns.hold();
    let layout = view! {
        <div class="page-layout" class:no-presets=!shown.has(View::Presets) class:no-aside=!aside hidden=move || !page.door.with(Door::trains)>
            {part(View::Presets)}
            {part(View::Models)}
            {part(View::Controls)}
            <div class="page-content">
                {in_turn(move || view! { <Comparison page=page /> }.into_any())}
                {pair(View::Picture, View::Depth)}
                {part(View::Thinking)}
                {part(View::Reward)}
                {further(shown).then(|| more(move || view! { {pair(View::Progress, View::Loss)} {part(View::Reads)} {part(View::Sweep)} }.into_any()))}
            </div>
            {aside.then(|| view! { <div class="page-aside">{part(View::Settings)}{part(View::Runs)}</div> }.into_any())}
        </div>
    };
    let foot = (!views.chosen).then(|| in_turn(move || view! { <Foot page=page /> }.into_any()));
    turns.release(".page-layout");
    view! {
        <TopBar page=page />
        <main>
            <Banners page=page />
            {room}
            {story}
            <div class="lesson-frame">
                {lessons}
                {layout}
            </div>
        </main>
        {foot}
        <DropHint page=page />
    }
    .into_any()
}
