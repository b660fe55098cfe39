//! One view alone, for a frame of another page.

use super::banners::Banners;
use super::cards::card;
use super::controls::{MainButton, Progress};
use crate::page::browser;
use crate::page::commands::form;
use crate::page::state::Page;
use crate::page::state::views::View;
use leptos::prelude::*;

/// The view, a button if it shows a run, and a link to the whole page with the same run.
pub fn embed(page: Page, view: View) -> AnyView {
    let about = view.about();
    let run = about.needs_run.then(|| {
        view! {
            <MainButton page=page />
            <Progress page=page />
        }
        .into_any()
    });
    view! {
        <main class="embed-main" aria-label="Lookahead" data-embed=about.name>
            <Banners page=page />
            {card(page, view)}
            <div class="embed-foot">
                {run}
                <a id="embed-open" href=move || browser::page_url(&form::form_fragment(page)) target="_blank" rel="noopener">"Open in Lookahead"</a>
            </div>
        </main>
    }
    .into_any()
}
