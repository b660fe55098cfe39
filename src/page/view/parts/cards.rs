//! The card of each view.

use super::attribution::Attribution;
use super::controls::Controls;
use super::depth_figure::DepthFigure;
use super::depth_table::DepthTable;
use super::loss_figure::LossFigure;
use super::models::Models;
use super::picture::Picture;
use super::presets::Presets;
use super::progress_figure::ProgressFigure;
use super::reward::Reward;
use super::runs::Runs;
use super::settings::Settings;
use super::story::{Finding, ForYou};
use super::sweep::Sweeps;
use super::thinking::Thinking;
use crate::page::state::Page;
use crate::page::state::views::View;
use leptos::prelude::*;

/// The card of a view.
pub fn card(page: Page, view: View) -> AnyView {
    match view {
        View::You => view! { <ForYou page=page /> }.into_any(),
        View::Story => view! { <Finding page=page /> }.into_any(),
        View::Presets => view! { <Presets page=page /> }.into_any(),
        View::Models => view! { <Models page=page /> }.into_any(),
        View::Controls => view! { <Controls page=page /> }.into_any(),
        View::Picture => view! { <Picture page=page /> }.into_any(),
        View::Depth => view! {
            <section class="card-box" aria-label="Accuracy against depth">
                <DepthFigure page=page />
                <DepthTable page=page />
            </section>
        }
        .into_any(),
        View::Thinking => view! { <Thinking page=page /> }.into_any(),
        View::Reward => view! { <Reward page=page /> }.into_any(),
        View::Progress => {
            view! { <section class="card-box" aria-label="Accuracy over steps"><ProgressFigure page=page /></section> }.into_any()
        }
        View::Loss => view! { <section class="card-box" aria-label="Loss"><LossFigure page=page /></section> }.into_any(),
        View::Reads => view! { <Attribution page=page /> }.into_any(),
        View::Sweep => view! { <Sweeps page=page /> }.into_any(),
        View::Settings => view! { <Settings page=page /> }.into_any(),
        View::Runs => view! { <Runs page=page /> }.into_any(),
    }
}
