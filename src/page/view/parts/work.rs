//! The visitor's work: save it as one file, take it back, give the machine to the next student.

use super::later::{SplitPart, later};
use crate::page::browser;
use crate::page::commands::work;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_split_helpers::wasm_split;
use web_sys::HtmlInputElement;

/// The buttons, and what came of them.
#[component]
pub fn Work(page: Page) -> impl IntoView {
    later(work_part, move |work| work(page))
}

#[wasm_split(extras, fallible)]
fn work_part() -> Result<SplitPart, NotLoaded> {
    Ok(inside)
}

fn inside(page: Page) -> AnyView {
    let asking = RwSignal::new(false);
    let changed = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            work::open(page, file);
        }
        // Without this, choosing the same file again would send no event.
        input.set_value("");
    };
    view! {
        <section class="work-box" id="work" aria-label="Your work">
            <p>"Your runs, predictions and answers stay in this browser, also after you close the page."</p>
            <div class="button-row">
                <button type="button" id="save-work" on:click=move |_| work::save(page)>"Save my work"</button>
                <button type="button" id="open-work" on:click=move |_| browser::click("open-work-file")>"Open my work…"</button>
                <input id="open-work-file" type="file" accept=".json" class="text-unseen" tabindex="-1" aria-label="A file of saved work" on:change=changed />
                <button type="button" id="next-student" aria-expanded=move || asking.get().to_string() on:click=move |_| asking.update(|asking| *asking = !*asking)>"Next student…"</button>
                <span id="next-student-sure" hidden=move || !asking.get()>
                    "This removes everything that was made here on this machine, in all tabs. "
                    <button type="button" id="next-student-yes" on:click=move |_| work::next_student(page)>"Remove it"</button>
                </span>
            </div>
            <p id="work-said" role="status">{move || page.work_said.get()}</p>
        </section>
    }
    .into_any()
}
