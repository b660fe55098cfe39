//! How long each token was thought about: the hops of adaptive computation time at the question on show.

use super::panel::Panel;
use super::picture::{Question, question};
use super::term::Term;
use crate::config::{Looped, RunConfig};
use crate::page::browser;
use crate::page::charts::cells::{self, Line, Map, Part};
use crate::page::state::{Page, Phase};
use crate::protocol::Prediction;
use crate::task::StatePlaces;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// The heat maps, where the run on show is looped adaptively.
#[component]
pub fn Thinking(page: Page) -> impl IntoView {
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
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    let panels =
        move || (0..parts.get()).map(|part| view! { <Panel map=map part=part framed=pointed_at pointed=pointed /> }).collect_view();
    let keys = move || cells::keys(&(1..=most.get()).collect::<Vec<_>>());
    view! {
        <section class="card thinking" id="thinking" aria-label="Thinking time" hidden=move || parts.get() == 0>
            <div class="heading">
                <h2>"How long does it think?"</h2>
                <p class="level-legend" id="hops-legend"><span>"hops"</span>{keys}</p>
            </div>
            <p class="ask">
                {move || average(page)} " A " <Term page=page key="hops" text="hop" /> " is one application of a layer, and "
                <Term page=page key="act" text="each token decides" /> " how many it gets. A shown row's cells are coloured as they are read, an answer's as they are predicted."
            </p>
            <div
                class="panels" id="hops" tabindex="0" role="group" aria-label="Hops, token by token; arrow keys go from cell to cell"
                on:keydown=key on:mouseleave=move |_| pointed.set(None) on:blur=move |_| pointed.set(None)
            >
                {panels}
            </div>
            <p id="hops-words" class="hint" aria-live=live>{words}</p>
        </section>
    }
}

/// The hops of a question, each at its cell.
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
        Line { row: state + 1, asked: state >= task.shown, levels: hops }
    };
    let lines = |depth: usize| {
        let answer = measured.iter().find(|answer| answer.depth == depth);
        task.places(&question.sample, depth).into_iter().map(move |places| line(places, answer))
    };
    // No answer reaches back: the rows shown are read alike whatever is asked.
    let shown = lines(task.max_depth()).filter(|line| !line.asked);
    let asked = task.depths().into_iter().filter_map(|depth| lines(depth).find(|line| line.row == task.shown + depth));
    let lines: Vec<Line> = shown.chain(asked).collect();
    let part = |(part, name): (usize, String)| {
        let mean = mean(&lines, part).map_or("–".into(), |mean| format!("{mean:.2}"));
        Part { caption: format!("{name} · mean {mean}"), name, bands: None }
    };
    let parts = names.into_iter().enumerate().map(part).collect();
    Map { lines, cells: task.width, parts, most: model.hops, outlined: Vec::new(), largest: largest_cell(16.0) }
}

/// Mean hops of a part over all lines.
fn mean(lines: &[Line], part: usize) -> Option<f64> {
    let hops: Vec<f64> = lines.iter().filter_map(|line| line.levels.as_ref()?.get(part)).flatten().map(|&hops| f64::from(hops)).collect();
    (!hops.is_empty()).then(|| hops.iter().sum::<f64>() / hops.len() as f64)
}

/// The largest side of a cell: on a telephone two small panels then stand side by side.
pub fn largest_cell(elsewhere: f64) -> f64 {
    if browser::window_size().0 < 600.0 { 12.0 } else { elsewhere }
}

/// The mean hops of the newest measurement, over all its questions; dashes before it, so that nothing moves.
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
        [depth] => format!("When it answers, it takes {} hops a token on average, of at most {most}.", mean(*depth)),
        depths => {
            let list = depths.iter().map(|&depth| format!("{} at k = {depth}", mean(depth))).collect::<Vec<_>>().join(", ");
            format!("When it answers, it takes these hops a token on average, of at most {most}: {list}.")
        }
    }
}

/// The cell next to this one in the direction of a key; the last row's first cell to begin with.
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

/// What to say of one cell.
fn told(map: &Map, (line, cell): (usize, usize)) -> String {
    let what = &map.lines[line];
    let verb = if what.asked { "Predicting" } else { "Reading" };
    let place = format!("{verb} row {}, cell {}", what.row, cell + 1);
    let Some(hops) = &what.levels else { return format!("{place}: not measured.") };
    let counts = map.parts.iter().zip(hops).map(|(part, hops)| format!("{}: {}", part.name, hops.get(cell).copied().unwrap_or(0)));
    format!("{place}, hops: {}.", counts.collect::<Vec<_>>().join(", "))
}

/// What to say while no cell is pointed at.
fn hint(map: &Map) -> String {
    if map.lines.iter().any(|line| line.levels.is_some()) {
        "Point at a cell, or go to the picture by Tab and from cell to cell by arrow keys, to read its hops.".into()
    } else {
        "Nothing is known of this question: hops are kept at every measurement, of its first questions alone.".into()
    }
}
