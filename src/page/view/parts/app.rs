//! The order of the cards. The keyboard and narrow screens follow the same order.

use super::attribution::Attribution;
use super::banners::Banners;
use super::controls::Controls;
use super::depth_figure::DepthFigure;
use super::depth_table::DepthTable;
use super::foot::Foot;
use super::lesson::Lessons;
use super::loss_figure::LossFigure;
use super::models::Models;
use super::opening::DropHint;
use super::picture::Picture;
use super::presets::Presets;
use super::progress_figure::ProgressFigure;
use super::reward::Reward;
use super::runs::Runs;
use super::settings::Settings;
use super::story::Story;
use super::sweep::Sweeps;
use super::term::TipBox;
use super::thinking::Thinking;
use super::top_bar::TopBar;
use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::door::Door;
use leptos::prelude::*;

/// The whole page.
#[component]
pub fn App(page: Page) -> impl IntoView {
    Effect::new(move |_| {
        browser::body_attribute("data-door", page.door.with(Door::name));
        // A chart measures its place when the window changes. Behind another door its place is another.
        request_animation_frame(browser::tell_resized);
    });
    Effect::new(move |_| browser::body_attribute("data-state", page.phase.get().name()));
    Effect::new(move |_| {
        let step = page.with_current(|run| run.step()).unwrap_or(0);
        browser::body_attribute("data-step", &step.to_string());
    });
    view! {
        <TopBar page=page />
        <main>
            <Banners page=page />
            <div hidden=move || page.door.get() != Door::Explore><Story page=page /></div>
            <div class="lesson-frame">
            <Lessons page=page />
            <div class="page-layout" hidden=move || !page.door.with(Door::trains)>
                <Presets page=page />
                <Models page=page />
                <Controls page=page />
                <div class="page-content">
                    <div class="page-pair">
                        <Picture page=page />
                        <section class="card-box" aria-label="Accuracy against depth">
                            <DepthFigure page=page />
                            <DepthTable page=page />
                        </section>
                    </div>
                    <Thinking page=page />
                    <Reward page=page />
                    <div class="page-pair">
                        <section class="card-box" aria-label="Accuracy over steps"><ProgressFigure page=page /></section>
                        <section class="card-box" aria-label="Loss"><LossFigure page=page /></section>
                    </div>
                    <Attribution page=page />
                    <Sweeps page=page />
                </div>
                <div class="page-aside">
                    <Settings page=page />
                    <Runs page=page />
                </div>
            </div>
            </div>
        </main>
        <Foot />
        <TipBox page=page />
        <DropHint page=page />
    }
}
