//! Every line with its verdict, and the runs that are made again.

use crate::class::{Again, Line, run_key};
use crate::page::commands::{buttons, class, queue};
use crate::page::state::Page;
use crate::page::state::class::LISTED;
use crate::page::state::run::Run;
use crate::page::view::words::{self, percent};
use leptos::prelude::*;

/// What is known about a line.
#[derive(Clone, PartialEq)]
enum Known {
    Faulty(String),
    /// Its form is right; nobody has made its run again here.
    Right,
    Waiting,
    Running,
    Made(Again),
}

impl Known {
    /// Its name in `data-verdict`.
    fn name(&self) -> &'static str {
        match self {
            Known::Faulty(_) => "faulty",
            Known::Right => "right",
            Known::Waiting => "waiting",
            Known::Running => "running",
            Known::Made(again) => again.name(),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Known::Faulty(fault) => format!("Not counted: {fault}"),
            Known::Right => "The form is right.".into(),
            Known::Waiting => "Waits to be made again.".into(),
            Known::Running => "Is being made again.".into(),
            Known::Made(again) => again.sentence(),
        }
    }
}

/// A listed line: its index, its place, its name and scores, and what is known.
type Row = (usize, String, String, Known);

/// The list.
#[component]
pub fn Listed(page: Page) -> impl IntoView {
    let complete =
        Memo::new(move |_| page.runs.with(|runs| runs.iter().filter(|run| run.complete()).map(|run| run.id).collect::<Vec<_>>()));
    let made = Memo::new(move |_| {
        // Read, and not only tracked: a memo that nobody reads is never computed and notices nothing.
        complete.with(|_| ());
        page.class.with(|class| page.runs.with_untracked(|runs| class.verdicts(runs)))
    });
    // The keys of the runs that wait, and of the one in progress.
    let waiting = Memo::new(move |_| page.queue.with(|queue| queue.list().map(|queued| run_key(&queued.config)).collect::<Vec<_>>()));
    let running = Memo::new(move |_| {
        let (phase, current) = (page.phase.get(), page.current.get());
        let key = |run: &Run| run_key(&run.config);
        page.runs.with_untracked(|runs| runs.iter().find(|run| phase.active() && Some(run.id) == current).map(key))
    });
    let rows = Memo::new(move |_| {
        page.class.with(|class| {
            let known = |index: usize, line: &Line| match &line.read {
                Err(fault) => Known::Faulty(fault.to_string()),
                Ok(handed) if running.get() == Some(handed.run) => Known::Running,
                Ok(handed) if waiting.with(|waiting| waiting.contains(&handed.run)) => Known::Waiting,
                Ok(_) => made.with(|made| made.iter().find(|(at, _)| *at == index).map_or(Known::Right, |(_, again)| Known::Made(*again))),
            };
            let row = |index: usize| {
                let line = class.lines.get(index)?;
                Some((index, line.place.clone(), told(line), known(index, line)))
            };
            class.listed().into_iter().filter_map(row).collect::<Vec<Row>>()
        })
    });
    let indices = Memo::new(move |_| rows.with(|rows| rows.iter().map(|row| row.0).collect::<Vec<_>>()));
    // A row stays while its verdict changes, so that its button keeps the keyboard focus.
    let row = move |index: usize| item(page, index, Memo::new(move |_| rows.with(|rows| rows.iter().find(|row| row.0 == index).cloned())));
    let more = move || page.class.with(|class| class.lines.len().saturating_sub(LISTED));
    let beyond = move || {
        if more() == 0 { String::new() } else { format!("{} more lines count in the chart and the table, but are not listed.", more()) }
    };
    let none = move || page.class.with(|class| class.right().next().is_none());
    view! {
        <h2>"Lines"</h2>
        <p class="text-hint">"A right form says only that a line can be true. Run it again: this machine trains the same run and compares every loss and the score."</p>
        <Progress page=page none=Signal::derive(none) />
        <ol id="class-lines"><For each=move || indices.get() key=|index| *index children=row /></ol>
        <p class="text-hint">{beyond}</p>
    }
}

/// The buttons of all runs, and the run in progress.
#[component]
fn Progress(page: Page, none: Signal<bool>) -> impl IntoView {
    let active = move || page.phase.get().active();
    let held = move || page.queue.with(|queue| queue.held);
    let failed = move || page.queue.with(|queue| queue.failed.iter().map(|sentence| view! { <li>{sentence.clone()}</li> }).collect_view());
    let status = move || {
        let id = page.current.get();
        let now = page.runs.with(|runs| {
            words::status(page.phase.get(), &page.preparing.get(), page.stopping.get(), runs.iter().find(|run| Some(run.id) == id))
        });
        match page.queue.with(|queue| queue.list().count()) {
            0 if !active() => String::new(),
            0 => now,
            wait => format!("{now}. {wait} more wait."),
        }
    };
    view! {
        <div class="button-row">
            <button type="button" id="class-again" disabled=none on:click=move |_| class::run_again(page, None)>"Run all again"</button>
            <button type="button" id="class-stop" disabled=move || !active() on:click=move |_| buttons::stop(page)>"Stop"</button>
            <button type="button" id="class-go" hidden=move || !held() on:click=move |_| queue::go_on(page)>"Go on"</button>
            <button type="button" id="class-drop" hidden=move || !held() on:click=move |_| queue::clear(page)>"Clear the queue"</button>
        </div>
        <p class="training-status">{status}</p>
        <ul class="sweep-notes" role="status">{failed}</ul>
    }
}

/// The name and the scores of a line.
fn told(line: &Line) -> String {
    let Ok(handed) = &line.read else { return String::new() };
    let scores = handed.scores.iter().map(|score| format!("k={} {}", score.depth, percent(score.share())));
    format!("{}: {}", class::name_of(handed), scores.collect::<Vec<_>>().join(", "))
}

fn item(page: Page, index: usize, row: Memo<Option<Row>>) -> AnyView {
    let read = move |read: fn(&Row) -> String| row.with(|row| row.as_ref().map(read).unwrap_or_default());
    let off = move || {
        row.with(|row| match row.as_ref().map(|row| &row.3) {
            None | Some(Known::Faulty(_) | Known::Waiting | Known::Running) => true,
            Some(Known::Right | Known::Made(_)) => false,
        })
    };
    view! {
        <li data-verdict=move || row.with(|row| row.as_ref().map(|row| row.3.name()))>
            <span><strong>{move || read(|row| row.2.clone())}</strong> " " <span class="text-hint">{move || read(|row| row.1.clone())}</span></span>
            <span class="class-verdict">{move || read(|row| row.3.sentence())}</span>
            <button type="button" class="button-quiet" aria-label=move || read(|row| format!("Run {} again", row.1)) aria-disabled=move || off().to_string() on:click=move |_| if !off() { class::run_again(page, Some(index)) }>"Run it again"</button>
        </li>
    }
    .into_any()
}
