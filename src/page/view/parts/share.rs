//! Puts together a link that shows some views, or a frame for another page.

use super::later::{SplitPartOf, later};
use super::qr::Qr;
use crate::page::browser;
use crate::page::commands::display;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::views::{Set, Sharing, VIEWS};
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// The panel below Copy link. It begins with what the page shows now.
#[component]
pub fn Share(page: Page, fragment: Memo<String>) -> impl IntoView {
    later(share_part, move |share| share(page, fragment))
}

#[wasm_split(extras, fallible)]
fn share_part() -> Result<SplitPartOf<Memo<String>>, NotLoaded> {
    Ok(share)
}

fn share(page: Page, fragment: Memo<String>) -> AnyView {
    let shown = page.views.with_untracked(|views| views.shown);
    let sharing = RwSignal::new(Sharing { shown, frame: false, projector: page.projector.get_untracked() });
    let address = Memo::new(move |_| fragment.with(|fragment| browser::address(&sharing.get().query(), fragment)));
    let text = Memo::new(move |_| address.with(|address| sharing.get().text(address)));
    let copy = move |_| {
        display::copy(page, &text.get_untracked());
        browser::select("share-text");
    };
    view! {
        <div class="share-panel" id="share-panel">
            {views("share", "The link shows", sharing)}
            <div class="share-result">
                {tick("share-projector".into(), "Large, for a projector", move || sharing.get().projector, move |wanted| sharing.update(|sharing| sharing.projector = wanted))}
                {tick("share-frame".into(), "As a frame for another page", move || sharing.get().frame, move |wanted| sharing.update(|sharing| sharing.frame = wanted))}
                <p id="share-seen" aria-live="polite">{move || sharing.get().sentence()}</p>
                <div class="share-text">
                    <input id="share-text" type="text" readonly aria-label=move || if sharing.get().frame { "The frame" } else { "The link" } prop:value=move || text.get() on:focus=move |_| browser::select("share-text") />
                    <button type="button" id="share-copy" on:click=copy>"Copy"</button>
                </div>
            </div>
            <Qr link=address />
        </div>
    }
    .into_any()
}

/// A box for each view that a link may show. The ids of the boxes begin with `prefix`.
pub fn views(prefix: &'static str, legend: &'static str, sharing: RwSignal<Sharing>) -> AnyView {
    let boxes = VIEWS.iter().map(|about| {
        let ticked = move || sharing.get().shown.has(about.view);
        let set = move |wanted| sharing.update(|sharing| sharing.shown = sharing.shown.with(about.view, wanted));
        tick(format!("{prefix}-{}", about.name), about.sentence, ticked, set)
    });
    let all = move |set: Set| move |_| sharing.update(|sharing| sharing.shown = set);
    view! {
        <fieldset class="share-views">
            <legend>{legend}</legend>
            {boxes.collect_view()}
            <button type="button" class="button-quiet" id=format!("{prefix}-all") on:click=all(Set::ALL)>"All"</button>
            <button type="button" class="button-quiet" id=format!("{prefix}-none") on:click=all(Set::NONE)>"None"</button>
        </fieldset>
    }
    .into_any()
}

/// A box with its words.
fn tick(id: String, words: &'static str, ticked: impl Fn() -> bool + Send + Sync + 'static, set: impl Fn(bool) + 'static) -> AnyView {
    let ticked: Signal<bool> = Signal::derive(ticked);
    let set: Box<dyn Fn(bool)> = Box::new(set);
    view! {
        <label class="box-label">
            <input type="checkbox" id=id prop:checked=move || ticked.get() on:change=move |event| set(event_target_checked(&event)) />
            {words}
        </label>
    }
    .into_any()
}
