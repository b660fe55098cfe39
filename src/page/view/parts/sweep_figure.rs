//! The chart of a sweep: the accuracy of finished runs against the setting that varies.

use super::figure::Figure;
use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::sweep_table;
use crate::page::view::charts;
use crate::page::view::words::percent;
use crate::task::{Estimate, Task};
use leptos::prelude::*;

/// Ceilings and floors, if the page has those of the sweep's task; else empty.
fn references(page: Page, asked: Option<(Task, u64)>) -> Vec<Estimate> {
    let shown = page.subject();
    let alike = asked.is_some_and(|(task, seed)| (Task { depth: 1, ..shown.0 }, shown.1) == (task, seed));
    if alike { page.references.with(|references| references.of(&shown).to_vec()) } else { Vec::new() }
}

/// The chart and its table as CSV.
#[component]
pub fn SweepFigure(page: Page) -> impl IntoView {
    let axis = Memo::new(move |_| page.sweep.with(|sweep| sweep.axis));
    let table = Memo::new(move |_| page.runs.with(|runs| sweep_table::collect(runs, axis.get())));
    let points = Signal::derive(move || table.with(|table| table.lines.iter().map(|line| line.points.len()).sum()));
    let draw = move |size| table.with(|table| charts::sweep::draw(axis.get(), &table.lines, &references(page, table.asked), size));
    let csv = move |_| {
        let text = untrack(|| table.with(|table| sweep_table::csv(table, axis.get(), &references(page, table.asked))));
        browser::download_text(&format!("lookahead-sweep-{}.csv", axis.get_untracked().key()), "text/csv", &text);
    };
    let told = move || {
        table.with(|table| {
            if table.lines.is_empty() {
                return "Runs trained to their end appear here. The chart joins runs that differ only in this setting.".into();
            }
            let known = references(page, table.asked);
            let depths = known.iter().filter(|estimate| table.lines.iter().any(|line| line.depth == estimate.depth));
            let levels: Vec<String> = depths
                .map(|estimate| {
                    format!("k = {}: {} and {}", estimate.depth, percent(estimate.ceiling), percent(estimate.copy.max(estimate.cycle)))
                })
                .collect();
            let levels = if levels.is_empty() {
                "To see the ceiling and floors, set the settings to this task.".into()
            } else {
                format!("Ceiling and higher floor: {}.", levels.join("; "))
            };
            let others = match table.left_out {
                0 => String::new(),
                1 => " One finished run is not drawn, because it differs in more settings.".into(),
                count => format!(" {count} finished runs are not drawn, because they differ in more settings."),
            };
            format!("{levels}{others}")
        })
    };
    view! {
        <Figure id="sweep-chart" name="sweep" height=300.0 draw=draw points=points>
            <span class="text-hint">{told}</span>
            <button type="button" class="button-quiet" id="sweep-csv" on:click=csv>"CSV"</button>
        </Figure>
    }
}
