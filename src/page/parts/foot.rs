//! Where it comes from, what happens to data, and the words.

use crate::page::glossary::TERMS;
use leptos::prelude::*;

/// The foot of the page.
#[component]
pub fn Foot() -> impl IntoView {
    let terms = TERMS.iter().map(|entry| view! { <div><dt>{entry.title}</dt><dd>{entry.text}</dd></div> });
    view! {
        <footer>
            <details id="glossary">
                <summary>"What the words mean"</summary>
                <dl>{terms.collect_view()}</dl>
            </details>
            <p>
                "After " <a href="https://arxiv.org/abs/2508.16745" rel="noreferrer">"arXiv 2508.16745"</a>
                ". Everything is computed in this browser: nothing leaves your machine."
            </p>
        </footer>
    }
}
