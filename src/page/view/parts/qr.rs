//! The QR code of a link, and the same as large as the window.

use crate::page::view::charts::qr::{self, Drawn};
use leptos::prelude::*;

/// The QR code of a link. Pressed, it fills the window, so that phones read it from the last row of a room.
#[component]
pub fn Qr(#[prop(into)] link: Signal<String>) -> impl IntoView {
    let drawn = Memo::new(move |_| link.with(|link| qr::draw(link)));
    let large = RwSignal::new(false);
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let enlarge = move |_| {
        large.set(true);
        if let Some(dialog) = dialog.get_untracked() {
            // It fails only for a dialog that is open already.
            let _ = dialog.show_modal();
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let small = move || {
        match drawn.get() {
        Some(drawn) => view! {
            <button type="button" class="qr-small" aria-label="QR code of the link. Press to enlarge it." title="Enlarge" on:click=enlarge>{picture(&drawn)}</button>
        }
        .into_any(),
        None => view! { <p>"This link is too long for a QR code: it has more than 2953 letters. Copy it instead."</p> }.into_any(),
    }
    };
    view! {
        <div class="qr-box" data-modules=move || drawn.with(|drawn| drawn.as_ref().map(|drawn| drawn.side.to_string()))>
            {small}
            <dialog class="qr-large" aria-label="QR code of the link" node_ref=dialog on:close=move |_| large.set(false)>
                {move || drawn.get().filter(|_| large.get()).map(|drawn| picture(&drawn))}
                <button type="button" on:click=close>"Close"</button>
            </dialog>
        </div>
    }
}

/// Black on white in every colour scheme, because a scanner needs that.
fn picture(drawn: &Drawn) -> AnyView {
    let side = drawn.side;
    view! {
        <svg viewBox=format!("0 0 {side} {side}") shape-rendering="crispEdges" aria-hidden="true">
            <rect width=side height=side fill="#fff" />
            <path d=drawn.path.clone() fill="#000" />
        </svg>
    }
    .into_any()
}
