//! A finished run as one line, for the teacher.

use crate::page::commands::{class, display};
use crate::page::state::Page;
use crate::results::Record;
use crate::wire;
use leptos::prelude::*;

/// The line of a run, and what can be done with it. The line has a name only if the student types one.
pub fn line(page: Page, id: usize) -> AnyView {
    let name = RwSignal::new(String::new());
    let line = Memo::new(move |_| {
        let you = page.puzzle.with(|puzzle| puzzle.scores(false));
        let record = name.with(|name| page.with_run(id, |run| run.record(name))).map(|record| Record { you, ..record });
        record.and_then(|record| wire::to_json(&record).ok()).unwrap_or_default()
    });
    let seed = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == id).map_or(0, |run| run.config.seed));
    view! {
        <div class="hand-in" data-run=id.to_string()>
            <label>"Your run as one line: the settings, the fingerprint and the scores"
                <textarea class="hand-in-line" readonly rows="3" spellcheck="false" prop:value=move || line.get()></textarea>
            </label>
            <label class="hand-in-name">"Your name, if your teacher asks for it"
                <input type="text" autocomplete="off" maxlength="40" on:input=move |event| name.set(event_target_value(&event)) />
            </label>
            <div class="button-row">
                <button type="button" class="hand-in-copy" on:click=move |_| display::copy(page, &line.get_untracked())>"Copy"</button>
                <button type="button" class="hand-in-save" on:click=move |_| class::save_line(&line.get_untracked(), seed)>"Save as file"</button>
                <span class="text-hint" role="status">{move || page.notice.get()}</span>
            </div>
        </div>
    }
    .into_any()
}
