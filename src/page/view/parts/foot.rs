//! The foot: the source paper, what happens to data, and the glossary.

use super::work::Work;
use crate::page::state::Page;
use crate::page::view::glossary::TERMS;
use leptos::prelude::*;

/// The foot of the page.
#[component]
pub fn Foot(page: Page) -> impl IntoView {
    let terms = TERMS.iter().map(|entry| view! { <div><dt>{entry.title}</dt><dd>{entry.text}</dd></div> });
    view! {
        <footer>
            <Work page=page />
            <details id="glossary">
                <summary>"What the words mean"</summary>
                <dl>{terms.collect_view()}</dl>
            </details>
            <p>
                "The task is from " <a href="https://arxiv.org/abs/2508.16745" rel="noreferrer">"arXiv 2508.16745"</a>
                ". Your browser computes everything, and nothing leaves your machine."
            </p>
        </footer>
    }
}
