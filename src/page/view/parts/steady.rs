//! Words that change while the page is used, in a place that is always large enough for them.

use leptos::prelude::*;

/// The children, on top of invisible sentences that are as long as theirs may become. Nothing below moves when the words change.
#[component]
pub fn Steady(
    /// The longest sentences.
    #[prop(into)]
    longest: Signal<Vec<String>>,
    children: Children,
) -> impl IntoView {
    let ghosts = move || longest.get().into_iter().map(|sentence| view! { <p class="steady-ghost" aria-hidden="true">{sentence}</p> });
    view! {
        <div class="steady-words">
            {move || ghosts().collect_view()}
            {children()}
        </div>
    }
}
