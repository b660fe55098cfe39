//! What must not be missed: a broken link, a replayed one, a failure, a silent engine.

use super::opening::UnopenedBanner;
use super::start::{SequelBanner, UnfinishedBanner};
use crate::config::presets;
use crate::page::state::{Page, Phase};
use crate::page::{actions, words};
use crate::replay::Verdict;
use leptos::prelude::*;

/// All banners, in the order of their weight.
#[component]
pub fn Banners(page: Page) -> impl IntoView {
    view! {
        {move || page.failure.get().map(|failure| view! {
            <div id="failure" class="banner bad" role="alert">
                <p><strong>{failure.sentence}</strong> " " {failure.remedy}</p>
                <RecoverButton page=page />
            </div>
        })}
        <UnopenedBanner page=page />
        <UnfinishedBanner page=page />
        <SequelBanner page=page />
        <SilenceBanner page=page />
        <FaultsBanner page=page />
        <ReplayBanner page=page />
    }
}

/// Goes on from the newest snapshot, where there is one.
#[component]
fn RecoverButton(page: Page) -> impl IntoView {
    let label = move || page.snapshot_step.get().map(|step| format!("Resume from step {}", words::thousands(step)));
    view! { {move || label().map(|label| view! { <button type="button" id="recover" on:click=move |_| actions::recover(page)>{label}</button> })} }
}

#[component]
fn SilenceBanner(page: Page) -> impl IntoView {
    let silent = move || page.silent.get() && page.phase.get() == Phase::Running;
    view! {
        {move || silent().then(|| view! {
            <div id="silence" class="banner" role="status">
                <p>"The engine has not answered for a minute. A large model on a slow machine may need that long for a step; you can wait, or start it afresh from the last snapshot."</p>
                <RecoverButton page=page />
            </div>
        })}
    }
}

#[component]
fn FaultsBanner(page: Page) -> impl IntoView {
    let instead = move || {
        let quick = page.form.with(|form| form.config == presets::quick());
        if quick {
            "Showing the Quick preset instead; your link is unchanged in the box below."
        } else {
            "Your settings stay as they were; the link is unchanged in the box below."
        }
    };
    view! {
        {move || page.faults.get().map(|faults| view! {
            <div id="faults" class="banner bad" role="alert">
                <p><strong>"This link cannot be read."</strong> " " {instead}</p>
                <ul>{faults.sentences.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view()}</ul>
                <input id="faults-link" type="text" readonly aria-label="The link as it came" value=faults.link />
                <button type="button" class="quiet" on:click=move |_| page.faults.set(None)>"Close"</button>
            </div>
        })}
    }
}

#[component]
fn ReplayBanner(page: Page) -> impl IntoView {
    let carried = Memo::new(move |_| {
        page.replay.with(|link| {
            link.as_ref().and_then(|link| link.fingerprint.as_ref().map(|fingerprint| (fingerprint.steps, fingerprint.engine)))
        })
    });
    let verdict = Memo::new(move |_| page.verdict());
    let class = move || match verdict.get() {
        Some(Verdict::Identical | Verdict::Reproduced) => "banner good",
        Some(Verdict::Differs { .. } | Verdict::DiffersBetween) => "banner bad",
        Some(Verdict::Agreeing { .. } | Verdict::DrewOthers) | None => "banner",
    };
    let name = move || match verdict.get() {
        None => "waiting",
        Some(Verdict::Agreeing { .. }) => "agreeing",
        Some(Verdict::Identical) => "identical",
        Some(Verdict::Reproduced) => "reproduced",
        Some(Verdict::DrewOthers) => "drew-others",
        Some(Verdict::Differs { .. } | Verdict::DiffersBetween) => "differs",
    };
    view! {
        {move || carried.get().map(|(steps, engine)| view! {
            <div id="replay" class=class data-verdict=name role="status">
                <p>{move || verdict.with(|verdict| words::replay(verdict.as_ref(), steps, engine))}</p>
            </div>
        })}
    }
}
