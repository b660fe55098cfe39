//! One page of a lesson.

use super::live;
use super::place::{Place, to};
use crate::lesson::{Block, NAMES, TEACHER};
use crate::page::browser;
use crate::page::commands::lesson;
use leptos::prelude::*;

/// The page `name` of a lesson: the student's, or the teacher's.
pub fn view(place: Place, name: &str) -> AnyView {
    let at = NAMES.iter().position(|known| *known == place.lesson).unwrap_or(0);
    let teacher = name.ends_with(TEACHER);
    let head = place.read.head.clone();
    // The question that is open: a lesson has several, and the puzzle is one.
    let open = RwSignal::new(None::<usize>);
    let mut number = 0;
    let mut sections = Vec::new();
    for (part, section) in place.read.sections.iter().enumerate() {
        if !section.title.is_empty() {
            sections.push(view! { <h3 id=format!("part-{part}") tabindex="-1">{section.title.clone()}</h3> }.into_any());
        }
        for block in &section.blocks {
            number += 1;
            sections.push(match block {
                Block::Prose(html) => view! { <div class="lesson-prose" inner_html=html.clone()></div> }.into_any(),
                Block::Live { live, words } => live::view(&place, live, words, number, open),
            });
        }
    }
    let other = if teacher {
        to(place.lesson, "Student’s page".into())
    } else {
        to(&format!("{}{TEACHER}", place.lesson), "Teacher’s page".into())
    };
    view! {
        <article class="card-box lesson-card" class:lesson-teacher=teacher id="lesson" aria-labelledby="lesson-title">
            <div class="lesson-nav">{to("", "All lessons".into())} {other} <button type="button" class="button-quiet" on:click=|_| browser::print()>"Print"</button></div>
            <p class="text-hint">{format!("Lesson {} of {} · {} minutes", at + 1, NAMES.len(), head.minutes)}</p>
            <h2 class="story-title" id="lesson-title">{head.title}</h2>
            <p class="lesson-question">{head.question}</p>
            {(!teacher).then(|| steps(&place))}
            {sections}
            {foot(&place, at, teacher)}
        </article>
    }
    .into_any()
}

/// The parts of the lesson, with what is done in each.
fn steps(place: &Place) -> AnyView {
    let Place { page, lesson, read } = place.clone();
    let all = move || page.work.with(|work| work.done(lesson, read.live()));
    let counted = Memo::new(move |_| all());
    let step = |part: usize| {
        let read = place.read.clone();
        let title = read.sections[part].title.clone();
        let told = move || match page.work.with(|work| work.done(lesson, read.sections[part].live())) {
            (_, 0) => String::new(),
            (done, all) if done == all => " ✓ done".into(),
            (done, all) => format!(" {done} of {all}"),
        };
        view! { <li><button type="button" class="button-quiet" on:click=move |_| browser::focus(&format!("part-{part}"))>{title} <span class="lesson-count">{told}</span></button></li> }
    };
    let parts = (0..place.read.sections.len()).filter(|part| !place.read.sections[*part].title.is_empty());
    view! {
        <nav class="lesson-steps" aria-label="Steps of this lesson">
            <progress aria-label="Predictions, runs and answers done" max=move || counted.get().1.to_string() value=move || counted.get().0.to_string()></progress>
            <p class="text-hint" id="lesson-done">{move || format!("{} of {} done", counted.get().0, counted.get().1)}</p>
            <ol>{parts.map(step).collect_view()}</ol>
        </nav>
    }
    .into_any()
}

/// The ways on from here.
fn foot(place: &Place, at: usize, teacher: bool) -> AnyView {
    let (page, name) = (place.page, place.lesson);
    let ending = if teacher { TEACHER } else { "" };
    let near = |at: Option<usize>, words: &str| Some(to(&format!("{}{ending}", NAMES.get(at?)?), words.into()));
    let clear = move |_| {
        if browser::confirm("Clear all your predictions, results and answers of this lesson? They cannot be brought back.") {
            lesson::clear(page, name);
        }
    };
    view! {
        <div class="lesson-nav">
            {near(at.checked_sub(1), "← Previous lesson")}
            {near(Some(at + 1), "Next lesson →")}
            {(!teacher).then(|| view! { <button type="button" id="lesson-clear" class="button-quiet" on:click=clear>"Clear my answers"</button> })}
        </div>
    }
    .into_any()
}
