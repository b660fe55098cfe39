//! The form, drawn from the table of fields.

use super::start::StartField;
use super::term::{self, Side};
use crate::config::fields::{FIELDS, Field, Group, Kind};
use crate::page::actions;
use crate::page::state::Page;
use leptos::prelude::*;

/// More CPU workers than this nobody can ask for.
pub const MOST_WORKERS: usize = 64;

const GROUPS: [(Group, &str); 5] = [
    (Group::Task, "Task"),
    (Group::Model, "Model"),
    (Group::Training, "Training"),
    (Group::Measuring, "Measuring"),
    (Group::Machine, "Machine"),
];

/// The folded groups of settings.
#[component]
pub fn Settings(page: Page) -> impl IntoView {
    let during = move || page.phase.get().active().then_some("A run is in progress: changes here are for the next one.");
    view! {
        <section class="card" id="settings" aria-label="Settings">
            <h2>"Settings"</h2>
            <p class="hint">{move || during().unwrap_or("Everything a run depends on. The link carries it all.")}</p>
            {GROUPS.into_iter().map(|(group, title)| view! { <GroupView page=page group=group title=title /> }).collect_view()}
        </section>
    }
}

#[component]
fn GroupView(page: Page, group: Group, title: &'static str) -> impl IntoView {
    let fields = move || FIELDS.iter().filter(move |field| field.group == group);
    let faults = Memo::new(move |_| {
        page.form.with(|form| {
            let start = usize::from(group == Group::Training && form.error("from").is_some());
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
        <details class:faulty=move || { faults.get() > 0 }>
            <summary>
                <span class="group">{title}</span>
                <span class="values">{move || if faults.get() > 0 { "needs a look".to_string() } else { summary() }}</span>
            </summary>
            {(group == Group::Training).then(|| view! { <StartField page=page /> })}
            {fields().map(|field| view! { <FieldView page=page field=field /> }).collect_view()}
            {(group == Group::Model).then(|| view! { <LeftOut page=page /> })}
            {(group == Group::Machine).then(|| view! { <WorkersView page=page /> })}
        </details>
    }
}

/// Why a field has no say at the moment, if it has none. Those of a network are left out instead.
fn idle_reason(page: Page, field: &Field) -> Option<&'static str> {
    let idle = page.form.with(|form| !field.applies(&form.config) && form.error(field.key).is_none());
    let reason = match field.key {
        "k" => "All of 1 … 4 are asked: choose “one depth” above to set k.",
        "stage" => "All of 1 … 4 are asked from the start: choose “one depth” under Task for a curriculum.",
        "loss" => "GRPO learns from rewards for its own answers: see “Learns by” under Training.",
        "tau" => "Only where tokens decide how long they are thought about: see “Thinking time” under Model.",
        _ => return None,
    };
    idle.then_some(reason)
}

/// Ways out of what is wrong between fields: beside the field of this key, a button, and what it sets.
struct WayOut {
    beside: &'static str,
    label: &'static str,
    sets: (&'static str, &'static str),
}

const WAYS_OUT: [WayOut; 5] = [
    WayOut { beside: "horizon", label: "Ask one depth", sets: ("horizon", "one") },
    WayOut { beside: "horizon", label: "Answer with one row", sets: ("layout", "os") },
    WayOut { beside: "stage", label: "Ask one depth", sets: ("horizon", "one") },
    WayOut { beside: "stage", label: "No curriculum", sets: ("stage", "0") },
    WayOut { beside: "stop", label: "Never stop early", sets: ("stop", "0") },
];

/// The buttons beside a field that is in error.
#[component]
fn WaysOut(page: Page, key: &'static str) -> impl IntoView {
    let wrong = Memo::new(move |_| page.form.with(|form| form.config.problems().iter().any(|problem| problem.key == key)));
    let buttons = move || {
        let ways = WAYS_OUT.iter().filter(|way| way.beside == key && wrong.get());
        ways.map(|way| view! { <button type="button" on:click=move |_| actions::put(page, way.sets)>{way.label}</button> }).collect_view()
    };
    view! { <div class="small" hidden=move || !wrong.get()>{buttons}</div> }
}

/// Which settings of a network are not shown, because this one has no such thing.
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
            format!("{} has {missing}; those settings are left out here.", kind.name())
        })
    };
    view! { <p id="left-out" class="hint">{sentence}</p> }
}

#[component]
fn FieldView(page: Page, field: &'static Field) -> impl IntoView {
    let id = format!("field-{}", field.key);
    let error_id = format!("error-{}", field.key);
    let error = Memo::new(move |_| page.form.with(|form| form.error(field.key)));
    let reason = move || idle_reason(page, field);
    let left_out = move || (field.group == Group::Model || field.about_rewards()) && !page.form.with(|form| field.applies(&form.config));
    view! {
        <div
            class="field"
            hidden=left_out
            on:focusin=move |event| term::show(page, &event, field.help, Side::Beside)
            on:focusout=move |_| term::hide(page)
            on:mouseenter=move |event| term::show(page, &event, field.help, Side::Beside)
            on:mouseleave=move |_| term::hide(page)
        >
            <label for=id.clone()>{field.label} <span class="unit">{field.unit}</span></label>
            {input(page, field, id, format!("{error_id} tip"), error)}
            <p class="error" id=error_id role="alert">{move || error.get()}</p>
            {WAYS_OUT.iter().any(|way| way.beside == field.key).then(|| view! { <WaysOut page=page key=field.key /> })}
            <p class="hint reason">{reason}</p>
        </div>
    }
}

fn input(page: Page, field: &'static Field, id: String, described: String, error: Memo<Option<String>>) -> AnyView {
    // Rewritten only when the form is filled from elsewhere: see Page::filled.
    let value = move || {
        page.filled.track();
        page.form.with_untracked(|form| (field.get)(&form.config))
    };
    let off = move || idle_reason(page, field).is_some();
    let invalid = move || error.with(Option::is_some).to_string();
    let number = move |low: String, high: String, step: &'static str| {
        view! {
            <input
                id=id.clone() name=field.key type="number" min=low max=high step=step prop:value=value disabled=off
                aria-invalid=invalid aria-describedby=described on:input=move |event| actions::edit(page, field, &event_target_value(&event))
            />
        }
        .into_any()
    };
    match field.kind {
        Kind::Integer { min, max } => number(min.to_string(), max.to_string(), "1"),
        Kind::Real { min, max } => number(min.to_string(), max.to_string(), "any"),
        Kind::Choice(choices) => {
            let options =
                choices.iter().map(|(choice, label)| view! { <option value=*choice selected=move || value() == *choice>{*label}</option> });
            view! {
                <select id=format!("field-{}", field.key) name=field.key aria-invalid=invalid aria-describedby=format!("error-{} tip", field.key) disabled=off prop:value=value on:change=move |event| actions::edit(page, field, &event_target_value(&event))>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
    }
}

/// CPU workers are no part of a run: they change its speed and none of its numbers, so they are not in the link.
#[component]
fn WorkersView(page: Page) -> impl IntoView {
    const HELP: &str =
        "How many processor cores share each step. It changes the speed and none of the numbers, so it is not in the link. 0 uses all.";
    let changed = move |event| {
        if let Ok(workers) = event_target_value(&event).trim().parse::<usize>() {
            page.workers.set(workers.min(MOST_WORKERS));
        }
    };
    view! {
        <div class="field" on:focusin=move |event| term::show(page, &event, HELP, Side::Beside) on:focusout=move |_| term::hide(page) on:mouseenter=move |event| term::show(page, &event, HELP, Side::Beside) on:mouseleave=move |_| term::hide(page)>
            <label for="field-workers">"CPU workers " <span class="unit">"0 = automatic"</span></label>
            <input id="field-workers" type="number" min="0" max=MOST_WORKERS.to_string() step="1" prop:value=move || page.workers.get().to_string() on:change=changed />
        </div>
    }
}
