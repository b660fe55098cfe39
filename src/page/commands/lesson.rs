//! Loads lessons, and keeps what the visitor gives to them in this browser.

use super::{puzzle, story, tab};
use crate::config::{RunConfig, link};
use crate::lesson::{self, Head, Lesson, LessonError, Live, NAMES};
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::door::Door;
use crate::page::state::lesson::{Entry, Given, Saved, Shown, Work};
use crate::page::state::story::Scale;
use crate::page::{browser, storage};
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;
use wasm_split_helpers::wasm_split;

const PREFIX: &str = "lesson ";
const UNLOADED: &str = "The lesson could not be loaded from the site: check your connection, then load this page again.";
/// How long a change waits until it is stored.
const SOON: Duration = Duration::from_millis(200);

/// Shows the lesson of the address, now and whenever the visitor goes through a door, and keeps the results of lessons' runs.
pub fn follow(page: Page) {
    Effect::new(move |_| match page.door.get() {
        Door::Lessons(Some(name)) if lesson::base(&name).is_some() => show(page, name),
        Door::Lessons(_) => list(page),
        Door::Explore | Door::Class => {}
    });
    Effect::new(move |before: Option<bool>| {
        let active = page.phase.get().active();
        if before == Some(true) && !active {
            keep_result(page);
        }
        active
    });
}

async fn text(name: &str) -> Option<String> {
    story::text(&format!("lessons/{name}.md")).await
}

#[wasm_split(lessons, fallible)]
fn read(text: String) -> Result<Result<Lesson, LessonError>, NotLoaded> {
    Ok(lesson::read(&text))
}

/// An error of the lesson is told when it is opened.
#[wasm_split(lessons, fallible)]
fn head(text: String) -> Result<Head, NotLoaded> {
    Ok(lesson::head(&text).unwrap_or_default())
}

fn show(page: Page, name: String) {
    if page.lessons.with_untracked(|lessons| lessons.shown.as_ref().is_some_and(|shown| shown.name == name && shown.read.is_ok())) {
        return;
    }
    page.lessons.update(|lessons| lessons.shown = None);
    // Lessons compare with the curves of their own size.
    if page.story.with_untracked(|story| story.scale != Scale::Small) {
        story::show(page, Scale::Small);
    }
    spawn_local(async move {
        let read = match text(&name).await {
            Some(text) => match read(text).await {
                Ok(read) => read.map(Arc::new).map_err(|error| format!("The lesson has an error. {error}")),
                Err(NotLoaded) => Err(UNLOADED.into()),
            },
            None => Err(UNLOADED.into()),
        };
        // The visitor may have gone on meanwhile.
        if page.door.with_untracked(|door| *door == Door::Lessons(Some(name.clone()))) {
            page.lessons.update(|lessons| lessons.shown = Some(Shown { name, read }));
        }
    });
}

fn list(page: Page) {
    if page.lessons.with_untracked(|lessons| lessons.heads.iter().any(|head| !head.title.is_empty())) {
        return;
    }
    spawn_local(async move {
        let mut heads: Vec<Head> = Vec::new();
        for name in NAMES {
            let head = match text(name).await {
                Some(text) => head(text).await.ok(),
                None => None,
            };
            heads.push(head.unwrap_or_default());
        }
        page.lessons.update(|lessons| lessons.heads = heads);
    });
}

/// Takes up what was given in earlier visits and in other tabs.
pub async fn restore(page: Page) {
    let stored = storage::descriptions::<Work>(PREFIX).await;
    page.work.update(|work| stored.into_iter().flat_map(|(_, work)| work.entries).for_each(|entry| work.put(entry)));
    // What was given while the tab had no name yet.
    NAMES.into_iter().for_each(|name| keep(page, name));
}

/// Stores what was given to a lesson soon: once for several letters.
fn keep_soon(page: Page, lesson: &'static str) {
    let due = page.held.try_update_value(|held| held.lesson_due.replace(lesson) != Some(lesson));
    if due == Some(true) {
        let write = move || {
            page.held.update_value(|held| held.lesson_due = None);
            keep(page, lesson);
        };
        set_timeout(write, SOON);
    }
}

/// Stores what was given to a lesson, in this tab's record of it, so that two tabs do not overwrite each other.
fn keep(page: Page, lesson: &str) {
    let tab = page.held.with_value(|held| held.tab.clone());
    let mine = page.work.with_untracked(|work| work.of(lesson));
    if tab.is_empty() || mine.entries.is_empty() {
        return;
    }
    let name = record(lesson, &tab);
    spawn_local(async move {
        if let Err(error) = storage::write(&name, &mine, None).await {
            tab::tell_refusal(page, error);
        }
    });
}

fn record(lesson: &str, tab: &str) -> String {
    format!("{PREFIX}{lesson} {tab}")
}

fn give(page: Page, lesson: &'static str, id: &str, given: Given) {
    let entry = Entry { lesson: lesson.into(), id: id.into(), written: browser::today(), given };
    page.work.update(|work| work.put(entry));
    keep_soon(page, lesson);
}

/// Sets the predicted share at one depth, or takes it away.
pub fn predict(page: Page, lesson: &'static str, id: &str, depth: usize, share: Option<f64>) {
    let mut points = page.work.with_untracked(|work| work.prediction(lesson, id).to_vec());
    points.retain(|(own, _)| *own != depth);
    points.extend(share.map(|share| (depth, share.clamp(0.0, 1.0))));
    points.sort_by_key(|(depth, _)| *depth);
    give(page, lesson, id, Given::Prediction(points));
}

/// Sets an answer in words.
pub fn explain(page: Page, lesson: &'static str, id: &str, words: String) {
    give(page, lesson, id, Given::Words(words));
}

/// Fills the form from a run of a lesson and trains it.
pub fn run(page: Page, lesson: &'static str, id: &str, config: RunConfig) {
    if !page.phase.get_untracked().active() {
        page.held.update_value(|held| held.lesson_runs.push((lesson, id.into(), config.clone())));
    }
    story::run(page, config);
}

/// Keeps the result of the run that has just ended, for the lessons that asked for it. A run that was continued after a reload is the shown
/// lesson's.
fn keep_result(page: Page) {
    let ended = untrack(|| {
        page.with_current(|run| (run.config.clone(), run.latest().filter(|_| run.complete()).map(|measured| measured.depths.clone())))
    });
    let Some((ended, Some(scores))) = ended else { return };
    // The others may wait for the run that has just ended.
    let begun = page.held.try_update_value(|held| held.lesson_runs.extract_if(.., |(_, _, config)| *config == ended).collect::<Vec<_>>());
    let mut wanted = begun.unwrap_or_default();
    if let Some(Shown { name, read: Ok(read) }) = page.lessons.with_untracked(|lessons| lessons.shown.clone())
        && let Some(lesson) = lesson::base(&name)
    {
        for live in read.live() {
            if let Live::Run { id, config } = live {
                wanted.push((lesson, id.clone(), (**config).clone()));
            }
        }
    }
    for (lesson, id, _) in wanted.into_iter().filter(|(_, _, config)| *config == ended) {
        give(page, lesson, &id, Given::Result { link: link::write(&ended, None), scores: scores.clone() });
    }
}

/// Forgets what the visitor has given to a lesson, in every tab's record.
pub fn clear(page: Page, lesson: &'static str) {
    page.work.update(|work| work.entries.retain(|entry| entry.lesson != lesson));
    spawn_local(async move {
        for (name, _) in storage::descriptions::<Work>(&record(lesson, "")).await {
            storage::remove(&name).await;
        }
    });
}

/// Everything that this visitor has given to the page.
pub fn save(page: Page) -> Saved {
    Saved { lessons: page.work.get_untracked(), answers: page.puzzle.with_untracked(|puzzle| puzzle.answers.clone()) }
}

/// Takes back what [`save`] gave. What is newer here stays.
pub fn take_back(page: Page, saved: Saved) {
    page.work.update(|work| saved.lessons.entries.into_iter().for_each(|entry| work.put(entry)));
    NAMES.into_iter().for_each(|name| keep(page, name));
    puzzle::take_back(page, saved.answers);
}
