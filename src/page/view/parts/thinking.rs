//! The card “How long does it think?”: the hops of adaptive computation time at the displayed question.

use super::later::{SplitPart, later};
use super::panel::Panel;
use super::picture::{Question, question};
use super::steady::Steady;
use super::term::Term;
use crate::config::{Looped, RunConfig};
use crate::page::browser;
use crate::page::split::NotLoaded;
use crate::page::state::{Page, Phase};
use crate::page::view::charts::cells::{self, Map, MapLine, Part};
use crate::results::Prediction;
use crate::task::StatePlaces;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;
use web_sys::KeyboardEvent;

/// The heat maps, shown if the run uses adaptive computation time.
#[component]
pub fn Thinking(page: Page) -> impl IntoView {
    let shown = Memo::new(move |_| page.about().model.halting_units() > 0);
    view! {
        <section class="card-box thinking-card" id="thinking" aria-label="Thinking time" hidden=move || !shown.get()>
            {move || shown.get().then(|| later(thinking_part, move |thinking| thinking(page)))}
        </section>
    }
}

#[wasm_split(methods, fallible)]
fn thinking_part() -> Result<SplitPart, NotLoaded> {
    Ok(thinking)
}

fn thinking(page: Page) -> AnyView {
    let map = Memo::new(move |_| {
        let config = page.about();
        let looped = config.model.halting_units() > 0;
        question(page).filter(|_| looped).map(|question| map(&config, &question))
    });
    let pointed = RwSignal::new(None);
    let parts = Memo::new(move |_| map.with(|map| map.as_ref().map_or(0, |map| map.parts.len())));
    let most = Memo::new(move |_| map.with(|map| map.as_ref().map_or(0, |map| map.most)));
    let inside =
        move |place: &(usize, usize)| map.with(|map| map.as_ref().is_some_and(|map| place.0 < map.lines.len() && place.1 < map.cells));
    let pointed_at = Memo::new(move |_| pointed.get().filter(inside));
    let key = move |event: KeyboardEvent| {
        let next = map.with_untracked(|map| map.as_ref().and_then(|map| beside(map, pointed.get_untracked(), &event.key())));
        if next.is_some() {
            event.prevent_default();
            pointed.set(next);
        }
    };
    let words = move || map.with(|map| map.as_ref().map(|map| pointed_at.get().map_or_else(|| hint(map), |place| told(map, place))));
    let cell = move || {
        let row = |(line, cell): (usize, usize)| map.with(|map| map.as_ref().map(|map| format!("{} {}", map.lines[line].row, cell + 1)));
        pointed_at.get().and_then(row)
    };
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    let panels = move || {
        (0..parts.get()).map(|part| view! { <Panel page=page map=map part=part framed=pointed_at pointed=pointed /> }).collect_view()
    };
    let keys = move || cells::keys(&(1..=most.get()).collect::<Vec<_>>());
    view! {
        <div class="card-heading">
            <h2>"How long does it think?"</h2>
            <p class="level-legend" id="hops-legend"><span>"hops"</span>{keys}</p>
        </div>
        <p class="card-lead">
            {move || average(page)} " A " <Term page=page key="hops" text="hop" /> " is one application of a layer, and "
            <Term page=page key="act" text="each token decides" /> " how many it gets. In a shown row, the colour of a cell is the hops to read it. In an answer, it is the hops to predict it."
        </p>
        <div
            class="panel-row" id="hops" tabindex="0" role="group" aria-label="Hops, token by token. Arrow keys go from cell to cell"
            data-cell=cell on:keydown=key on:mouseleave=move |_| pointed.set(None) on:blur=move |_| pointed.set(None)
        >
            {panels}
        </div>
        <div class="text-hint">
            <Steady longest=Signal::derive(move || map.with(|map| map.iter().flat_map(longest).collect()))>
                <p id="hops-words" aria-live=live>{words}</p>
            </Steady>
        </div>
    }
    .into_any()
}

/// The map of a question's hops, cell by cell.
fn map(config: &RunConfig, question: &Question) -> Map {
    let model = &config.model;
    let names: Vec<String> = match model.looped {
        Looped::Layer => (1..=model.layers).map(|layer| format!("layer {layer}")).collect(),
        Looped::Stack => vec!["all layers".into()],
        Looped::None | Looped::Fixed => Vec::new(),
    };
    let task = &config.task;
    let measured: Vec<&Prediction> = question.answers.iter().filter(|answer| answer.hops.is_some()).collect();
    let line = |StatePlaces { state, positions }: StatePlaces, answer: Option<&&Prediction>| {
        let hops = answer.and_then(|answer| answer.hops.as_ref());
        let hops = hops.map(|hops| hops.iter().map(|counts| counts.get(positions.clone()).unwrap_or_default().to_vec()).collect());
        MapLine { row: state + 1, asked: state >= task.shown, levels: hops }
    };
    let lines = |depth: usize| {
        let answer = measured.iter().find(|answer| answer.depth == depth);
        task.places(&question.sample, depth).into_iter().map(move |places| line(places, answer))
    };
    // The rows shown come first, so their hops do not depend on the answer.
    let shown = lines(task.max_depth()).filter(|line| !line.asked);
    let asked = task.depths().into_iter().filter_map(|depth| lines(depth).find(|line| line.row == task.shown + depth));
    let lines: Vec<MapLine> = shown.chain(asked).collect();
    let part = |(part, name): (usize, String)| {
        let mean = mean(&lines, part).map_or("–".into(), |mean| format!("{mean:.2}"));
        Part { caption: format!("{name} · mean {mean}"), name, bands: None }
    };
    let parts = names.into_iter().enumerate().map(part).collect();
    Map { lines, cells: task.width, parts, most: model.hops, outlined: Vec::new(), largest: largest_cell(16.0) }
}

/// Mean hops of a part over all lines.
fn mean(lines: &[MapLine], part: usize) -> Option<f64> {
    let hops: Vec<f64> = lines.iter().filter_map(|line| line.levels.as_ref()?.get(part)).flatten().map(|&hops| f64::from(hops)).collect();
    (!hops.is_empty()).then(|| hops.iter().sum::<f64>() / hops.len() as f64)
}

/// The largest side of a cell, in CSS pixels. On a phone it is small enough for two panels side by side.
pub fn largest_cell(elsewhere: f64) -> f64 {
    if browser::window_size().0 < 600.0 { 12.0 } else { elsewhere }
}

/// The mean hops of the newest measurement over all its questions. Before the first one it has dashes, so that nothing moves.
fn average(page: Page) -> String {
    let config = page.about();
    let most = config.model.hops;
    let scores =
        if page.current_is_subject() { page.with_current(|run| run.latest().map(|measurement| measurement.depths.clone())) } else { None };
    let scores = scores.flatten().unwrap_or_default();
    let mean = |depth: usize| {
        let score = scores.iter().find(|score| score.depth == depth);
        score.and_then(|score| score.hops).map_or("–".into(), |hops| format!("{hops:.2}"))
    };
    match &config.task.depths()[..] {
        [depth] => format!("When it answers, it takes {} hops per token on average, of at most {most}.", mean(*depth)),
        depths => {
            let list = depths.iter().map(|&depth| format!("{} at k = {depth}", mean(depth))).collect::<Vec<_>>().join(", ");
            format!("When it answers, it takes these hops per token on average, of at most {most}: {list}.")
        }
    }
}

/// The cell next to this one in the direction of a key; the first cell of the last row if no cell is chosen yet.
fn beside(map: &Map, place: Option<(usize, usize)>, key: &str) -> Option<(usize, usize)> {
    let (last_line, last_cell) = (map.lines.len().checked_sub(1)?, map.cells.checked_sub(1)?);
    let step = match key {
        "ArrowLeft" => (0, -1),
        "ArrowRight" => (0, 1),
        "ArrowUp" => (-1, 0),
        "ArrowDown" => (1, 0),
        _ => return None,
    };
    let Some((line, cell)) = place else { return Some((last_line, 0)) };
    let (line, cell) = (line.min(last_line), cell.min(last_cell));
    Some((line.saturating_add_signed(step.0).min(last_line), cell.saturating_add_signed(step.1).min(last_cell)))
}

/// The sentence about one cell.
fn told(map: &Map, (line, cell): (usize, usize)) -> String {
    let what = &map.lines[line];
    let verb = if what.asked { "Predicting" } else { "Reading" };
    let place = format!("{verb} row {}, cell {}", what.row, cell + 1);
    let Some(hops) = &what.levels else { return format!("{place}: not measured.") };
    let counts = map.parts.iter().zip(hops).map(|(part, hops)| format!("{}: {}", part.name, hops.get(cell).copied().unwrap_or(0)));
    format!("{place}, hops: {}.", counts.collect::<Vec<_>>().join(", "))
}

/// The longest sentences about a map.
fn longest(map: &Map) -> [String; 2] {
    let counts: Vec<String> = map.parts.iter().map(|part| format!("{}: {}", part.name, map.most)).collect();
    let row = map.lines.last().map_or(0, |line| line.row);
    let told = format!("Predicting row {row}, cell {}, hops: {}.", map.cells, counts.join(", "));
    [told, "Point at a cell to read its hops, or reach the picture with Tab and move with the arrow keys.".into()]
}

/// The sentence while no cell is chosen.
fn hint(map: &Map) -> String {
    if map.lines.iter().any(|line| line.levels.is_some()) {
        "Point at a cell to read its hops, or reach the picture with Tab and move with the arrow keys.".into()
    } else {
        "Nothing is known of this question yet: each measurement keeps hops only for its first questions.".into()
    }
}
