//! Sweeps: a list of values, the queue of runs that it makes, and the chart of what came out.

use super::figure::Figure;
use crate::page::charts;
use crate::page::state::Page;
use crate::page::sweep::{self, Axis, Queued};
use crate::page::words::{percent, thousands};
use crate::page::{browser, sweep_data};
use crate::task::{Estimate, Task};
use leptos::prelude::*;

/// The card.
#[component]
pub fn Sweeps(page: Page) -> impl IntoView {
    view! {
        <section class="card sweep" id="sweep" aria-label="Sweep" data-waiting=move || page.sweep.with(|sweep| sweep.waiting.len().to_string())>
            <div class="ordering">
                <h2>"Sweep"</h2>
                <p class="hint">"Train the same run again and again with one setting changed, and see what the change is worth. Everything else is as the settings say."</p>
                <Order page=page />
                <Methods page=page />
                <Waiting page=page />
            </div>
            <SweepFigure page=page />
        </section>
    }
}

/// What is varied, over which values.
#[component]
fn Order(page: Page) -> impl IntoView {
    let axis = Memo::new(move |_| page.sweep.with(|sweep| sweep.axis));
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.key() == chosen) {
            page.sweep.update(|sweep| {
                sweep.axis = axis;
                sweep.text = axis.values().into();
            });
        }
    };
    let text = Memo::new(move |_| page.sweep.with(|sweep| sweep.text.clone()));
    let asked = Memo::new(move |_| {
        let base = page.form.with(|form| form.config.clone());
        // Runs finish now and then: only those ends matter here.
        page.phase.track();
        page.runs.with_untracked(|runs| sweep::read(axis.get(), &text.get(), &base, runs))
    });
    let cost = move || {
        let (count, steps) = (asked.with(|asked| asked.runs.len()), page.form.with(|form| form.config.training.steps));
        format!("{count} {} of {} steps each.", if count == 1 { "run" } else { "runs" }, thousands(steps))
    };
    let off = move || asked.with(|asked| asked.runs.is_empty()) || page.form.with(|form| !form.reasons().is_empty());
    view! {
        <div class="order">
            <label for="sweep-axis">"Vary"</label>
            <select id="sweep-axis" on:change=choose>
                {Axis::ALL.into_iter().map(|choice| view! { <option value=choice.key() selected=move || axis.get() == choice>{choice.label()}</option> }).collect_view()}
            </select>
            <label for="sweep-values">"over"</label>
            <input id="sweep-values" type="text" autocomplete="off" prop:value=move || text.get() on:input=move |event| page.sweep.update(|sweep| sweep.text = event_target_value(&event)) />
            <button type="button" id="sweep-queue" disabled=off on:click=move |_| sweep::queue(page)>"Queue"</button>
            <p class="hint">{cost}</p>
            <ul class="notes">{move || asked.with(|asked| asked.left_out.iter().map(|sentence| view! { <li>{sentence.clone()}</li> }).collect_view())}</ul>
        </div>
    }
}

/// All methods of the paper on one small task.
#[component]
fn Methods(page: Page) -> impl IntoView {
    let left = Memo::new(move |_| {
        // Runs finish now and then: only those ends matter here.
        page.phase.track();
        untrack(|| sweep::small_paper(page).len())
    });
    let waiting = move || page.sweep.with(|sweep| !sweep.waiting.is_empty());
    let words = move || match left.get() {
        0 => "All of it is there: see in the chart of depths how far ahead each one looks.".to_string(),
        left => format!(
            "{left} runs on one task, some minutes in all: straight to the answer at k = 1 … 4, thinking aloud, with a memory, thinking longer, for a reward at k = 2, 3, 4."
        ),
    };
    view! {
        <div class="methods">
            <span>"Or compare all methods:"</span>
            <button type="button" id="small-paper" disabled=move || left.get() == 0 || waiting() on:click=move |_| sweep::queue_small_paper(page)>
                "The paper in small"
            </button>
            <p class="hint">{words}</p>
        </div>
    }
}

/// The queue.
#[component]
fn Waiting(page: Page) -> impl IntoView {
    let waiting = Memo::new(move |_| page.sweep.with(|sweep| sweep.waiting.clone()));
    let held = move || page.sweep.with(|sweep| sweep.held);
    let empty = move || waiting.with(Vec::is_empty);
    let item = move |(position, queued): (usize, &Queued)| {
        let name = queued.name.clone();
        let label = format!("Take {name} off the queue");
        view! {
            <li>
                <span>{name}</span>
                <button type="button" class="quiet" aria-label=label on:click=move |_| sweep::drop_one(page, position)>"✕"</button>
            </li>
        }
    };
    let failed = move || page.sweep.with(|sweep| sweep.failed.iter().map(|sentence| view! { <li>{sentence.clone()}</li> }).collect_view());
    view! {
        <div class="queue">
            <h3 hidden=empty>{move || if held() { "The queue is held" } else { "Waiting" }}</h3>
            <ol id="sweep-waiting">{move || waiting.with(|waiting| waiting.iter().enumerate().map(item).collect_view())}</ol>
            <div class="small" hidden=empty>
                <button type="button" id="sweep-go" hidden=move || !held() on:click=move |_| sweep::go_on(page)>"Go on"</button>
                <button type="button" id="sweep-clear" on:click=move |_| sweep::clear(page)>"Clear the queue"</button>
            </div>
            <p class="hint" hidden=empty>"Stop ends the run in progress and holds the queue until you press Go on. Clearing it lets that run finish. A run that fails is told here, and the next one begins."</p>
            <ul id="sweep-failed" class="notes" role="status">{failed}</ul>
        </div>
    }
}

/// Ceilings and floors, where those at hand are of the sweep's task.
fn references(page: Page, asked: Option<(Task, u64)>) -> Vec<Estimate> {
    let shown = page.subject();
    let alike = asked.is_some_and(|(task, seed)| (Task { depth: 1, ..shown.0 }, shown.1) == (task, seed));
    if alike { page.references.with(|references| references.of(&shown).to_vec()) } else { Vec::new() }
}

#[component]
fn SweepFigure(page: Page) -> impl IntoView {
    let axis = Memo::new(move |_| page.sweep.with(|sweep| sweep.axis));
    let table = Memo::new(move |_| page.runs.with(|runs| sweep_data::collect(runs, axis.get())));
    let points = Signal::derive(move || table.with(|table| table.lines.iter().map(|line| line.points.len()).sum()));
    let draw = move |size| table.with(|table| charts::sweep::draw(axis.get(), &table.lines, &references(page, table.asked), size));
    let csv = move |_| {
        let text = untrack(|| table.with(|table| sweep_data::csv(table, axis.get(), &references(page, table.asked))));
        browser::download_text(&format!("lookahead-sweep-{}.csv", axis.get_untracked().key()), "text/csv", &text);
    };
    let told = move || {
        table.with(|table| {
            if table.lines.is_empty() {
                return "Every run trained to its end appears here, with those that differ from it in this one setting alone.".into();
            }
            let known = references(page, table.asked);
            let depths = known.iter().filter(|estimate| table.lines.iter().any(|line| line.depth == estimate.depth));
            let levels: Vec<String> = depths
                .map(|estimate| {
                    format!("k = {}: {} and {}", estimate.depth, percent(estimate.ceiling), percent(estimate.copy.max(estimate.cycle)))
                })
                .collect();
            let levels = if levels.is_empty() {
                "Ceiling and floors show once the settings are of this task.".into()
            } else {
                format!("Ceiling and better floor, {}.", levels.join("; "))
            };
            let others = match table.left_out {
                0 => String::new(),
                1 => " One finished run differs in more and is not drawn.".into(),
                count => format!(" {count} finished runs differ in more and are not drawn."),
            };
            format!("{levels}{others}")
        })
    };
    view! {
        <Figure id="sweep-chart" name="sweep" height=300.0 draw=draw points=points>
            <span class="hint">{told}</span>
            <button type="button" class="quiet" id="sweep-csv" on:click=csv>"CSV"</button>
        </Figure>
    }
}
