//! The order of the page, which is also the order of the keyboard and of a narrow screen.

use super::banners::Banners;
use super::controls::Controls;
use super::depth_table::DepthTable;
use super::figures::{DepthFigure, LossFigure, ProgressFigure};
use super::foot::Foot;
use super::models::Models;
use super::opening::DropHint;
use super::picture::Picture;
use super::presets::Presets;
use super::reads::Reads;
use super::reward::Reward;
use super::runs::Runs;
use super::settings::Settings;
use super::sweep::Sweeps;
use super::term::TipBox;
use super::thinking::Thinking;
use super::top_bar::TopBar;
use crate::page::browser;
use crate::page::state::Page;
use leptos::prelude::*;

/// The whole page.
#[component]
pub fn App(page: Page) -> impl IntoView {
    Effect::new(move |_| browser::body_attribute("data-state", page.phase.get().name()));
    Effect::new(move |_| {
        let step = page.with_current(|run| run.step()).unwrap_or(0);
        browser::body_attribute("data-step", &step.to_string());
    });
    view! {
        <TopBar page=page />
        <main>
            <Banners page=page />
            <div class="layout">
                <Presets page=page />
                <Models page=page />
                <Controls page=page />
                <div class="content">
                    <div class="pair">
                        <Picture page=page />
                        <section class="card" aria-label="Accuracy against depth">
                            <DepthFigure page=page />
                            <DepthTable page=page />
                        </section>
                    </div>
                    <Thinking page=page />
                    <Reward page=page />
                    <div class="pair">
                        <section class="card" aria-label="Accuracy over steps"><ProgressFigure page=page /></section>
                        <section class="card" aria-label="Loss"><LossFigure page=page /></section>
                    </div>
                    <Reads page=page />
                    <Sweeps page=page />
                </div>
                <div class="aside">
                    <Settings page=page />
                    <Runs page=page />
                </div>
            </div>
        </main>
        <Foot />
        <TipBox page=page />
        <DropHint page=page />
    }
}
