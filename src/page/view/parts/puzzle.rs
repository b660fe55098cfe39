//! A question for the visitor: she sets the cells of the asked row.

use crate::page::browser;
use crate::page::commands::puzzle;
use crate::page::state::Page;
use crate::page::state::puzzle::{Answer, Puzzle as Question, task};
use crate::page::view::charts::rule::{self, RulePicture};
use crate::page::view::words::percent;
use crate::task::MULTI_DEPTHS;
use leptos::prelude::*;

/// The question with its buttons.
#[component]
pub fn Puzzle(page: Page) -> impl IntoView {
    let read = move |read: fn(&Question) -> String| page.puzzle.with(read);
    let checked = Memo::new(move |_| page.puzzle.with(|puzzle| puzzle.checked));
    let depth = Memo::new(move |_| page.puzzle.with(|puzzle| puzzle.depth));
    let rule_shown = Memo::new(move |_| page.puzzle.with(|puzzle| puzzle.rule_shown));
    let depths = (1..=MULTI_DEPTHS).map(|k| {
        view! {
            <button type="button" id=format!("steps-{k}") aria-pressed=move || (depth.get() == k).to_string() on:click=move |_| puzzle::next(page, k)>{k}</button>
        }
    });
    let press = move |_| if checked.get().is_some() { puzzle::next(page, depth.get_untracked()) } else { puzzle::check(page) };
    view! {
        <div class="puzzle-box" id="puzzle" data-checked=move || checked.get().map(|answer| answer.right.to_string())>
            <p class="puzzle-asking">{move || read(asking)}</p>
            <Rows page=page />
            <div class="puzzle-steps" role="group" aria-label="Steps ahead">
                <span>"steps ahead"</span>
                {depths.collect_view()}
            </div>
            <div class="button-row puzzle-buttons">
                <button type="button" id="puzzle-check" class="button-main" on:click=press>{move || if checked.get().is_some() { "Next question" } else { "Check" }}</button>
                <button type="button" id="puzzle-rule" aria-pressed=move || rule_shown.get().to_string() on:click=move |_| puzzle::toggle_rule(page)>{move || if rule_shown.get() { "Hide the rule" } else { "Show the rule" }}</button>
            </div>
            <div class="puzzle-said" aria-live="polite"><p id="puzzle-said">{move || read(said)}</p></div>
            {move || {
                // Drawn anew where the page becomes large.
                page.projector.track();
                rule_shown.get().then(|| page.puzzle.with(rule_view))
            }}
        </div>
    }
}

/// The rows shown, and the row to set: a button for each cell.
#[component]
fn Rows(page: Page) -> impl IntoView {
    let shown = move || {
        page.puzzle.with(|puzzle| {
            let rows = puzzle.shown().iter().enumerate().map(|(index, row)| {
                let cells = row.iter().map(|cell| view! { <i class:cell-on=*cell == 1></i> }).collect_view();
                view! { <span class="puzzle-label">{format!("row {}", index + 1)}</span> <span class="puzzle-row" role="img" aria-label=spoken(row)>{cells}</span> }
            });
            rows.collect_view()
        })
    };
    let gap = move || {
        let hidden = page.puzzle.with(|puzzle| puzzle.depth - 1);
        (hidden > 0).then(|| view! { <span class="puzzle-label">"⋮"</span> <span class="text-hint">{format!("{hidden} {} not shown", if hidden == 1 { "row" } else { "rows" })}</span> })
    };
    let width = task(1).width;
    let label = move || page.puzzle.with(|puzzle| format!("row {}", puzzle.shown().len() + puzzle.depth));
    let truth = move || {
        page.puzzle.with(|puzzle| {
            puzzle.checked.map(|_| {
                let cells = puzzle.truth().iter().map(|cell| view! { <i class:cell-on=*cell == 1></i> }).collect_view();
                view! { <span class="puzzle-label">"true row"</span> <span class="puzzle-row" role="img" aria-label=format!("The true row: {}", spoken(puzzle.truth()))>{cells}</span> }
            })
        })
    };
    view! {
        <div class="puzzle-rows" style=format!("--cells:{width}")>
            {shown}
            {gap}
            <span class="puzzle-label puzzle-asked">{label}</span>
            <span class="puzzle-row" role="group" aria-label="The asked row. Arrow keys move, space turns a cell, 1 and 0 set it">
                {(0..width).map(|cell| view! { <Cell page=page cell=cell /> }).collect_view()}
            </span>
            {truth}
        </div>
    }
}

/// One cell of the asked row.
#[component]
fn Cell(page: Page, cell: usize) -> impl IntoView {
    // (value, wrong) once it is checked.
    let state = Memo::new(move |_| {
        page.puzzle.with(|puzzle| {
            let value = puzzle.cells.get(cell).copied().flatten();
            (value, puzzle.checked.is_some().then(|| value.unwrap_or(0) != puzzle.truth()[cell]))
        })
    });
    let label = move || {
        let (value, wrong) = state.get();
        let value = match value {
            Some(1) => "filled",
            Some(_) => "empty",
            None => "not set",
        };
        let told = match wrong {
            Some(true) => ", wrong",
            Some(false) => ", right",
            None => "",
        };
        format!("cell {}: {value}{told}", cell + 1)
    };
    let id = |cell: usize| format!("cell-{cell}");
    let key = move |event: web_sys::KeyboardEvent| {
        let width = task(1).width;
        match event.key().as_str() {
            "ArrowRight" => browser::focus(&id((cell + 1) % width)),
            "ArrowLeft" => browser::focus(&id((cell + width - 1) % width)),
            "1" => puzzle::set(page, cell, 1),
            "0" => puzzle::set(page, cell, 0),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <button
            type="button"
            id=id(cell)
            class="puzzle-cell"
            class:cell-on=move || state.get().0 == Some(1)
            class:cell-set=move || state.get().0.is_some()
            class:cell-wrong=move || state.get().1 == Some(true)
            aria-label=label
            aria-pressed=move || (state.get().0 == Some(1)).to_string()
            // One stop of the keyboard for the whole row.
            tabindex=if cell == 0 { "0" } else { "-1" }
            on:click=move |_| puzzle::turn(page, cell)
            on:keydown=key
        >
            {move || match state.get() {
                (_, Some(true)) => "×",
                (None, None) => "?",
                (Some(_) | None, _) => "",
            }}
        </button>
    }
}

fn spoken(row: &[u8]) -> String {
    row.iter().map(|cell| if *cell == 1 { "filled" } else { "empty" }).collect::<Vec<_>>().join(", ")
}

fn asking(puzzle: &Question) -> String {
    let last = puzzle.shown().len();
    format!(
        "A hidden rule turns each row into the next: three neighbours above decide each cell. Set the cells of row {}.",
        last + puzzle.depth
    )
}

/// What the answer was, and what to try next.
fn said(puzzle: &Question) -> String {
    let scores = puzzle.scores(puzzle.rule_seen);
    let Some(Answer { right, cells, seconds, .. }) = puzzle.checked else {
        return match scores.iter().find(|score| score.depth == puzzle.depth) {
            Some(score) => format!("You: {} of {} rows right at k = {}.", score.exact, score.asked, score.depth),
            None => "Press a cell to fill it.".into(),
        };
    };
    let whole = if right == cells { "All cells right!".into() } else { format!("{right} of {cells} cells right.") };
    let so_far = scores.iter().find(|score| score.depth == puzzle.depth).map(|score| {
        let with = if puzzle.rule_seen { ", with the rule" } else { "" };
        format!(" You: {} of {} rows right at k = {}{with}, {} in all.", score.exact, score.asked, score.depth, percent(score.share()))
    });
    let row = puzzle.shown().len() + 1;
    let next = if puzzle.depth == 1 && scores.iter().any(|score| score.depth == 1 && score.asked >= 2) {
        format!(" Now try two steps: row {row} is not shown, and you are asked for row {}.", row + 1)
    } else {
        String::new()
    };
    format!("{whole} It took {seconds:.0} s.{}{next}", so_far.unwrap_or_default())
}

fn rule_view(puzzle: &Question) -> AnyView {
    let radius = task(puzzle.depth).radius;
    let used = rule::used(radius, puzzle.shown());
    view! {
        <div class="puzzle-rule-box">
            {rule::draw(&RulePicture { radius, rule: puzzle.sample.rule.clone(), used, scale: browser::magnification() })}
            <p class="text-hint">"Neighbours above, next colour below. The row is a ring: its ends are neighbours. Faded entries never occur in the rows shown."</p>
        </div>
    }
    .into_any()
}
