//! The form of sweeps: a setting and its values, or all methods of the paper.

use super::later::{SplitPart, later};
use super::queue::Waiting;
use super::sweep_figure::SweepFigure;
use crate::page::commands::queue;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::sweep::{Axis, read};
use crate::page::view::words::thousands;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// The card of sweeps.
#[component]
pub fn Sweeps(page: Page) -> impl IntoView {
    later(sweeps_part, move |sweeps| sweeps(page))
}

#[wasm_split(sweep, fallible)]
fn sweeps_part() -> Result<SplitPart, NotLoaded> {
    Ok(sweeps)
}

fn sweeps(page: Page) -> AnyView {
    view! {
        <section class="card-box sweep-card" id="sweep" aria-label="Sweep" data-waiting=move || page.queue.with(|queue| queue.list().count().to_string())>
            <div class="sweep-form">
                <h2>"Sweep"</h2>
                <p class="text-hint">"A sweep trains the same run with several values of one setting and plots the accuracy against that setting. All other settings stay the same."</p>
                <Order page=page />
                <Methods page=page />
                <Waiting page=page />
            </div>
            <SweepFigure page=page />
        </section>
    }
    .into_any()
}

/// The setting to vary, and its values.
#[component]
fn Order(page: Page) -> impl IntoView {
    let axis = Memo::new(move |_| page.sweep.with(|sweep| sweep.axis));
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.key() == chosen) {
            queue::choose_axis(page, axis);
        }
    };
    let text = Memo::new(move |_| page.sweep.with(|sweep| sweep.text.clone()));
    let asked = Memo::new(move |_| {
        let base = page.form.with(|form| form.config.clone());
        // The result depends only on finished runs, so it follows the phase instead of every report.
        page.phase.track();
        page.runs.with_untracked(|runs| read(axis.get(), &text.get(), &base, runs))
    });
    let cost = move || {
        let (count, steps) = (asked.with(|asked| asked.runs.len()), page.form.with(|form| form.config.training.steps));
        format!("{count} {} of {} steps each.", if count == 1 { "run" } else { "runs" }, thousands(steps))
    };
    let off = move || asked.with(|asked| asked.runs.is_empty()) || page.form.with(|form| !form.reasons().is_empty());
    view! {
        <div class="sweep-order">
            <label for="sweep-axis">"Vary"</label>
            <select id="sweep-axis" on:change=choose>
                {Axis::ALL.into_iter().map(|choice| view! { <option value=choice.key() selected=move || axis.get() == choice>{choice.label()}</option> }).collect_view()}
            </select>
            <label for="sweep-values">"over"</label>
            <input id="sweep-values" type="text" autocomplete="off" prop:value=move || text.get() on:input=move |event| queue::type_values(page, event_target_value(&event)) />
            <button type="button" id="sweep-queue" disabled=off on:click=move |_| queue::queue_sweep(page)>"Queue"</button>
            <p class="text-hint">{cost}</p>
            <ul class="sweep-notes">{move || asked.with(|asked| asked.left_out.iter().map(|sentence| view! { <li>{sentence.clone()}</li> }).collect_view())}</ul>
        </div>
    }
}

/// All methods of the paper on one small task.
#[component]
fn Methods(page: Page) -> impl IntoView {
    let left = Memo::new(move |_| {
        // The result depends only on finished runs, so it follows the phase instead of every report.
        page.phase.track();
        untrack(|| queue::small_paper(page).len())
    });
    let waiting = move || page.queue.with(|queue| queue.list().next().is_some());
    // A disabled button would lose the keyboard focus when it is pressed.
    let off = move || left.get() == 0 || waiting();
    let begin = move |_| {
        if !untrack(off) {
            queue::queue_small_paper(page);
        }
    };
    let words = move || match left.get() {
        0 => "All its runs are trained. The depth chart shows how far ahead each method looks.".to_string(),
        left => format!(
            "{left} runs on one task, some minutes in all: the answer alone at k = 1 … 4, thinking aloud, with a memory, thinking longer, and for a reward at k = 2, 3, 4."
        ),
    };
    view! {
        <div class="sweep-methods">
            <span>"Or compare all methods:"</span>
            <button type="button" id="small-paper" aria-disabled=move || off().to_string() on:click=begin>
                "The paper in small"
            </button>
            <p class="text-hint">{words}</p>
        </div>
    }
}
