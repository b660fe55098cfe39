//! The form, drawn from the table of fields.

use super::in_turn::in_turn;
use super::start::StartField;
use super::term::{self, Side};
use crate::config::fields::{FIELDS, Field, FieldGroup, FieldKind};
use crate::page::commands::display::{self, MOST_WORKERS};
use crate::page::commands::form;
use crate::page::state::Page;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

const GROUPS: [(FieldGroup, &str); 5] = [
    (FieldGroup::Task, "Task"),
    (FieldGroup::Model, "Model"),
    (FieldGroup::Training, "Training"),
    (FieldGroup::Measuring, "Measuring"),
    (FieldGroup::Machine, "Machine"),
];

/// The folded groups of settings.
#[component]
pub fn Settings(page: Page) -> impl IntoView {
    let during = move || page.phase.get().active().then_some("A run is in progress. Changes here apply to the next run.");
    view! {
        <section class="card-box" id="settings" tabindex="-1" aria-label="Settings">
            <h2>"Settings"</h2>
            <p class="text-hint">{move || during().unwrap_or("All settings that a run depends on. The link contains all of them.")}</p>
            {GROUPS.into_iter().map(|(group, title)| view! { <GroupView page=page group=group title=title /> }).collect_view()}
        </section>
    }
}

#[component]
fn GroupView(page: Page, group: FieldGroup, title: &'static str) -> impl IntoView {
    let fields = move || FIELDS.iter().filter(move |field| field.group == group);
    let faults = Memo::new(move |_| {
        page.form.with(|form| {
            let start = usize::from(group == FieldGroup::Training && form.error("from").is_some());
            start + form.faulty_keys().iter().filter(|key| fields().any(|field| field.key == **key)).count()
        })
    });
    let summary = move || {
        page.form.with(|form| {
            let said = fields().filter(|field| field.applies(&form.config)).take(4);
            said.map(|field| format!("{} {}", field.key, (field.get)(&form.config))).collect::<Vec<_>>().join(" · ")
        })
    };
    view! {
        <details class:settings-faulty=move || { faults.get() > 0 }>
            <summary>
                <span class="settings-title">{title}</span>
                <span class="settings-values">{move || if faults.get() > 0 { "has an error".to_string() } else { summary() }}</span>
            </summary>
            {(group == FieldGroup::Training).then(|| in_turn(move || view! { <StartField page=page /> }.into_any()))}
            {fields().map(|field| in_turn(move || view! { <FieldView page=page field=field /> }.into_any())).collect_view()}
            {(group == FieldGroup::Model).then(|| view! { <LeftOut page=page /> })}
            {(group == FieldGroup::Machine).then(|| view! { <WorkersView page=page /> })}
        </details>
    }
}

/// Why a field has no effect at the moment; `None` if it has, or if it has an error to show.
fn idle_reason(page: Page, field: &Field) -> Option<&'static str> {
    page.form.with(|form| field.disabled(&form.config).filter(|_| form.error(field.key).is_none()))
}

/// The buttons next to a field that has an error.
#[component]
fn WaysOut(page: Page, field: &'static Field) -> impl IntoView {
    let wrong = Memo::new(move |_| page.form.with(|form| form.config.problems().iter().any(|problem| problem.key == field.key)));
    let buttons = move || {
        let ways = field.ways_out.iter().filter(|_| wrong.get());
        ways.map(|way| view! { <button type="button" on:click=move |_| form::put(page, way.sets)>{way.label}</button> }).collect_view()
    };
    view! { <div class="button-row" hidden=move || !wrong.get()>{buttons}</div> }
}

/// Says which settings are hidden because the chosen network does not have them.
#[component]
fn LeftOut(page: Page) -> impl IntoView {
    let sentence = move || {
        page.form.with(|form| {
            let kind = form.config.model.kind;
            let missing = match (kind.attends(), kind.segmented(), kind.has_heads()) {
                (true, true, _) => return String::new(),
                (true, false, _) => "no memory between segments",
                (false, _, true) => "no attention and no memory between segments: no rotary positions",
                (false, _, false) => "no attention and no memory between segments: no heads, MLP or rotary positions",
            };
            format!("{} has {missing}. Those settings are hidden.", kind.name())
        })
    };
    view! { <p id="left-out" class="text-hint">{sentence}</p> }
}

#[component]
fn FieldView(page: Page, field: &'static Field) -> impl IntoView {
    let id = format!("field-{}", field.key);
    let error_id = format!("error-{}", field.key);
    let error = Memo::new(move |_| page.form.with(|form| form.error(field.key)));
    let reason = move || idle_reason(page, field);
    let left_out = move || page.form.with(|form| field.hidden(&form.config));
    view! {
        <div
            class="field-row"
            hidden=left_out
            on:focusin=move |event| term::show(page, &event, field.help, Side::Beside)
            on:focusout=move |_| term::hide(page)
            on:mouseenter=move |event| term::show(page, &event, field.help, Side::Beside)
            on:mouseleave=move |_| term::hide(page)
        >
            <label for=id.clone()>{field.label} <span class="field-unit">{field.unit}</span></label>
            {input(page, field, id, format!("{error_id} tip"), error)}
            <p class="text-error" id=error_id role="alert">{move || error.get()}</p>
            {(!field.ways_out.is_empty()).then(|| view! { <WaysOut page=page field=field /> })}
            <p class="text-hint field-reason">{reason}</p>
        </div>
    }
}

fn input(page: Page, field: &'static Field, id: String, described: String, error: Memo<Option<String>>) -> AnyView {
    // Rewritten only when something other than typing fills the form: see Page::filled.
    let value = move || {
        page.filled.track();
        page.form.with_untracked(|form| (field.get)(&form.config))
    };
    let off = move || idle_reason(page, field).is_some();
    let invalid = move || error.with(Option::is_some).to_string();
    // A number input would drop the comma of “0,001” or the point of “0.001”, as its language has it, and tell nobody.
    let number = move |keyboard: &'static str| {
        view! {
            <input
                id=id.clone() name=field.key type="text" inputmode=keyboard autocomplete="off" prop:value=value disabled=off
                aria-invalid=invalid aria-describedby=described on:input=move |event| form::edit(page, field, &event_target_value(&event))
                on:keydown=move |event| step_by_key(page, field, &event)
            />
        }
        .into_any()
    };
    match field.kind {
        FieldKind::Integer { .. } => number("numeric"),
        FieldKind::Real { .. } => number("decimal"),
        FieldKind::Choice(choices) => {
            let options =
                choices.iter().map(|(choice, label)| view! { <option value=*choice selected=move || value() == *choice>{*label}</option> });
            view! {
                <select id=format!("field-{}", field.key) name=field.key aria-invalid=invalid aria-describedby=format!("error-{} tip", field.key) disabled=off prop:value=value on:change=move |event| form::edit(page, field, &event_target_value(&event))>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
    }
}

/// The arrow keys up and down change a whole number by one, as in a number input.
fn step_by_key(page: Page, field: &'static Field, event: &KeyboardEvent) {
    let (FieldKind::Integer { .. }, by) = (field.kind, event.key()) else { return };
    let Ok(value) = event_target_value(event).trim().parse::<u64>() else { return };
    let next = match by.as_str() {
        "ArrowUp" => value.saturating_add(1),
        "ArrowDown" => value.saturating_sub(1),
        _ => return,
    };
    event.prevent_default();
    form::put_text(page, field, &next.to_string());
}

/// The number of CPU workers changes the speed of a run but not its numbers, so it is not in the link.
#[component]
fn WorkersView(page: Page) -> impl IntoView {
    const HELP: &str = "How many processor cores share each step. This changes only the speed, so it is not in the link. 0 uses all cores.";
    let problem = RwSignal::new(String::new());
    let changed = move |event| match event_target_value(&event).trim().parse::<usize>() {
        Ok(workers) if workers <= MOST_WORKERS => {
            problem.set(String::new());
            display::set_workers(page, workers);
        }
        Ok(_) | Err(_) => problem.set(format!("Choose a whole number from 0 to {MOST_WORKERS}, not “{}”.", event_target_value(&event))),
    };
    view! {
        <div class="field-row" on:focusin=move |event| term::show(page, &event, HELP, Side::Beside) on:focusout=move |_| term::hide(page) on:mouseenter=move |event| term::show(page, &event, HELP, Side::Beside) on:mouseleave=move |_| term::hide(page)>
            <label for="field-workers">"CPU workers " <span class="field-unit">"0 = automatic"</span></label>
            <input id="field-workers" type="text" inputmode="numeric" autocomplete="off" prop:value=move || page.workers.get().to_string() on:change=changed />
            <p class="text-error" role="alert">{problem}</p>
        </div>
    }
}
