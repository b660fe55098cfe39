//! The chart of losses.

use super::figure::{Figure, visible};
use crate::config::Objective;
use crate::page::commands::display;
use crate::page::state::Page;
use crate::page::state::run::Run;
use crate::page::view::charts::loss;
use crate::replay::marks;
use leptos::prelude::*;

/// Loss over steps, of all visible runs.
#[component]
pub fn LossFigure(page: Page) -> impl IntoView {
    let points = Signal::derive(move || page.with_current(|run| run.losses.len()).unwrap_or(0));
    let draw = move |size| {
        let lines: Vec<loss::LossLine> = page.runs.with(|runs| {
            visible(runs)
                .filter(|run| !run.losses.is_empty() && in_nats(run))
                .map(|run| loss::LossLine::of(&run.name, run.series, &run.losses))
                .collect()
        });
        let sent = page.replay.with(|link| {
            let link = link.as_ref().filter(|link| link.config.training.objective == Objective::Examples);
            let recorded = link.and_then(|link| link.fingerprint.as_ref());
            recorded.map_or_else(Vec::new, |print| {
                marks(print.steps).into_iter().map(|step| step as f64).zip(print.losses.iter().map(|loss| f64::from(*loss))).collect()
            })
        });
        loss::draw(&lines, &sent, page.log_loss.get(), size)
    };
    view! {
        <Figure id="loss-chart" name="loss" height=270.0 draw=draw points=points>
            <span class="text-hint">{move || page.with_current(in_nats).is_some_and(|nats| !nats).then_some("The loss of a run with rewards does not show how well the model answers, so it is not drawn. ")}</span>
            <label class="box-label">
                <input id="loss-log" type="checkbox" prop:checked=move || page.log_loss.get() on:change=move |event| display::set_log_loss(page, event_target_checked(&event)) />
                "logarithmic"
            </label>
        </Figure>
    }
}

/// Whether the run's loss is a cross-entropy.
fn in_nats(run: &Run) -> bool {
    match run.config.training.objective {
        Objective::Examples => true,
        Objective::Grpo => false,
    }
}
