//! Parts whose program is fetched when they are shown for the first time ([`crate::page::split`]): nobody waits for what she does not open.

use crate::page::split::NotLoaded;
use crate::page::state::Page;
use leptos::prelude::*;
use std::future::Future;
use wasm_bindgen_futures::spawn_local;

/// Draws a part.
pub type SplitPart = fn(Page) -> AnyView;
/// Draws a part about a thing.
pub type SplitPartOf<T> = fn(Page, T) -> AnyView;

/// Shows what `show` makes of a part once `load` has fetched it.
pub fn later<P, F>(load: fn() -> F, show: impl Fn(P) -> AnyView + Send + 'static) -> AnyView
where
    P: Copy + Send + Sync + 'static,
    F: Future<Output = Result<P, NotLoaded>> + 'static,
{
    let part = RwSignal::new(None::<Result<P, NotLoaded>>);
    let fetch = move || {
        part.set(None);
        spawn_local(async move {
            let loaded = load().await;
            // The part may be gone again by now.
            let _ = part.try_set(Some(loaded));
        });
    };
    fetch();
    let view = move || match part.get() {
        Some(Ok(part)) => show(part),
        Some(Err(NotLoaded)) => refused(Callback::new(move |()| fetch())),
        None => waiting(),
    };
    view.into_any()
}

fn waiting() -> AnyView {
    view! { <p class="text-hint part-waiting" role="status">"Loading…"</p> }.into_any()
}

fn refused(again: Callback<()>) -> AnyView {
    view! {
        <p class="banner-box banner-bad" role="alert">
            "This part of the page could not be loaded. Check your connection, then try again. "
            <button type="button" class="button-quiet part-again" on:click=move |_| again.run(())>"Try again"</button>
        </p>
    }
    .into_any()
}
