//! Banners: an unreadable link, a replay, an error, an engine that does not answer.

use super::dependent::DependentBanner;
use super::opening::UnopenedBanner;
use super::unfinished::UnfinishedBanner;
use crate::config::presets;
use crate::page::commands::{display, runs, views};
use crate::page::state::{Page, Phase};
use crate::page::view::words;
use crate::replay::Verdict;
use leptos::prelude::*;

/// All banners, the most important first.
#[component]
pub fn Banners(page: Page) -> impl IntoView {
    view! {
        {move || page.failure.get().map(|failure| view! {
            <div id="failure" class="banner-box banner-bad" role="alert">
                <p><strong>{failure.sentence}</strong> " " {failure.remedy}</p>
                <RecoverButton page=page />
            </div>
        })}
        <UnopenedBanner page=page />
        <UnfinishedBanner page=page />
        <DependentBanner page=page />
        <SilenceBanner page=page />
        <FaultsBanner page=page />
        <ViewsBanner page=page />
        <NoteBanner page=page />
        <ReplayBanner page=page />
    }
}

/// Continues the run from the newest snapshot, if there is one.
#[component]
fn RecoverButton(page: Page) -> impl IntoView {
    let label = move || page.snapshot_step.get().map(|step| format!("Resume from step {}", words::thousands(step)));
    view! { {move || label().map(|label| view! { <button type="button" id="recover" on:click=move |_| runs::recover(page)>{label}</button> })} }
}

#[component]
fn SilenceBanner(page: Page) -> impl IntoView {
    let silent = move || page.silent.get() && page.phase.get() == Phase::Running;
    view! {
        {move || silent().then(|| view! {
            <div id="silence" class="banner-box" role="status">
                <p>"The engine has not answered for a minute. On a slow machine, a step of a large model can take that long. You can wait, or restart the engine from the last snapshot."</p>
                <RecoverButton page=page />
            </div>
        })}
    }
}

#[component]
fn FaultsBanner(page: Page) -> impl IntoView {
    let instead = move || {
        let default = page.form.with(|form| form.config == presets::one());
        if default {
            "The page shows the preset One ahead instead. Your link is unchanged in the box below."
        } else {
            "Your settings stay as they were. The link is unchanged in the box below."
        }
    };
    view! {
        {move || page.faults.get().map(|faults| view! {
            <div id="faults" class="banner-box banner-bad" role="alert">
                <p><strong>"This link cannot be read."</strong> " " {instead}</p>
                <ul>{faults.sentences.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view()}</ul>
                <input id="faults-link" type="text" readonly aria-label="The link as you opened it" value=faults.link />
                <button type="button" class="button-quiet" on:click=move |_| display::close_faults(page)>"Close"</button>
            </div>
        })}
    }
}

/// What is wrong with the views that the address asks for.
#[component]
fn ViewsBanner(page: Page) -> impl IntoView {
    view! {
        {move || page.views.with(|views| views.fault.clone()).map(|sentence| view! {
            <div id="views-fault" class="banner-box banner-bad" role="alert">
                <p>{sentence} " The page shows everything."</p>
                <button type="button" class="button-quiet" on:click=move |_| views::close_fault(page)>"Close"</button>
            </div>
        })}
    }
}

/// What the opened link left open, or what was undone in it.
#[component]
fn NoteBanner(page: Page) -> impl IntoView {
    view! {
        {move || page.link_note.get().map(|sentence| view! {
            <div id="link-note" class="banner-box" role="status">
                <p>{sentence}</p>
                <button type="button" class="button-quiet" on:click=move |_| display::close_link_note(page)>"Close"</button>
            </div>
        })}
    }
}

#[component]
fn ReplayBanner(page: Page) -> impl IntoView {
    let carried = Memo::new(move |_| {
        page.replay.with(|link| {
            link.as_ref().and_then(|link| {
                link.fingerprint.as_ref().map(|print| (print.steps, print.losses.last().copied().unwrap_or(f32::NAN), print.engine))
            })
        })
    });
    let verdict = Memo::new(move |_| page.verdict());
    let class = move || match verdict.get() {
        Some(Verdict::Identical | Verdict::Reproduced) => "banner-box banner-good",
        Some(Verdict::Differs { .. } | Verdict::DiffersBetween) => "banner-box banner-bad",
        Some(Verdict::Agreeing { .. } | Verdict::Parted { .. } | Verdict::DrewOthers) | None => "banner-box",
    };
    let name = move || match verdict.get() {
        None => "waiting",
        Some(Verdict::Agreeing { .. }) => "agreeing",
        Some(Verdict::Identical) => "identical",
        Some(Verdict::Reproduced) => "reproduced",
        Some(Verdict::Parted { .. }) => "parted",
        Some(Verdict::DrewOthers) => "drew-others",
        Some(Verdict::Differs { .. } | Verdict::DiffersBetween) => "differs",
    };
    view! {
        {move || carried.get().map(|(steps, last, engine)| view! {
            <div id="replay" class=class data-verdict=name role="status">
                <p>{move || verdict.with(|verdict| words::replay(verdict.as_ref(), steps, last, engine))}</p>
            </div>
        })}
    }
}
