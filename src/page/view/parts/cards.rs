//! The card of each view.

use super::attribution::Attribution;
use super::controls::Controls;
use super::depth_figure::DepthFigure;
use super::depth_table::DepthTable;
use super::in_turn::Turns;
use super::loss_figure::LossFigure;
use super::models::Models;
use super::picture::Picture;
use super::presets::Presets;
use super::progress_figure::ProgressFigure;
use super::reward::Reward;
use super::runs::Runs;
use super::settings::Settings;
use super::story::{self, Finding, ForYou};
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

/// The card of a view, in its turn; before that its place.
pub fn in_turn(page: Page, view: View, turns: Turns) -> AnyView {
    turns.part(move || card(page, view), move || place(view))
}

/// An empty card about as high as this view's, so that little moves when the card comes.
fn place(view: View) -> AnyView {
    let title = match view {
        View::You => Some(("story-you", story::YOUR_TITLE)),
        View::Story => Some(("story-finding", story::TITLE)),
        View::Presets
        | View::Models
        | View::Controls
        | View::Picture
        | View::Depth
        | View::Thinking
        | View::Reward
        | View::Progress
        | View::Loss
        | View::Reads
        | View::Sweep
        | View::Settings
        | View::Runs => None,
    };
    if let Some((class, title)) = title {
        return view! { <section class=format!("card-box part-waiting {class}")><h2 class="story-title">{title}</h2></section> }.into_any();
    }
    // These two are shown for certain runs only.
    let hidden = matches!(view, View::Thinking | View::Reward);
    let class = format!("card-box part-waiting page-{}", view.about().name);
    view! { <div class=class hidden=hidden aria-hidden="true"></div> }.into_any()
}
