//! Loads the curves that ship with the site, and acts on the one that the visitor touches.

use super::{form, queue};
use crate::config::{Method, RunConfig};
use crate::page::browser;
use crate::page::slices::Slices;
use crate::page::state::story::{Scale, floors, read, references};
use crate::page::state::{Page, Phase};
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Loads the curves of a task size and shows them.
pub fn show(page: Page, scale: Scale) {
    page.story.update(|story| (story.scale, story.chosen) = (scale, None));
    spawn_local(async move {
        let (results, levels) = scale.files();
        let (results, levels) = (text(results).await, text(levels).await);
        let mut runs = Vec::new();
        let mut slices = Slices::new();
        for line in results.iter().flat_map(|results| results.lines()) {
            runs.extend(read(line));
            slices.pause_if_due().await;
        }
        page.story.update(|story| {
            // The visitor may have asked for the other size meanwhile.
            if story.scale == scale {
                story.missing = results.is_none();
                story.references = references(&runs);
                story.floors = floors(&levels.unwrap_or_default());
            }
        });
    });
}

/// The text of a file of the site.
pub async fn text(address: &str) -> Option<String> {
    JsFuture::from(browser::file(address).await?.text().ok()?).await.ok()?.as_string()
}

/// Touches a curve, or lets go of it.
pub fn choose(page: Page, method: Method) {
    page.story.update(|story| story.chosen = Some(method).filter(|_| story.chosen != Some(method)));
}

/// Fills the form from a run of the story and trains it.
pub fn run(page: Page, config: RunConfig) {
    if page.phase.get_untracked().active() {
        page.tell("A run is in progress: stop it first.");
        return;
    }
    form::fill(page, config.clone());
    page.phase.set(Phase::Idle);
    queue::begin(page, config);
}
