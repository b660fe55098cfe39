//! A prediction: a share for each depth.

use super::place::Place;
use crate::page::commands::lesson;
use leptos::prelude::*;

/// The sliders of a prediction.
pub fn view(place: &Place, id: &str, depths: &[usize], words: String) -> AnyView {
    let Place { page, lesson, .. } = *place;
    let heading = format!("predict-{id}");
    let named = heading.clone();
    let rows = depths.iter().map(|depth| row(place, id, *depth)).collect_view();
    let (id, depths) = (id.to_string(), depths.to_vec());
    let done = Memo::new(move |_| page.work.with(|work| work.predicted(lesson, &id, &depths)));
    view! {
        <div class="live-box" data-live="predict" role="group" aria-labelledby=named>
            <div class="lesson-prose" id=heading inner_html=words></div>
            {rows}
            <p class="text-hint" role="status">{move || if done.get() { "Your prediction is kept." } else { "Move the slider, or type a number." }}</p>
        </div>
    }
    .into_any()
}

/// One depth: a slider, and the same number to type.
fn row(place: &Place, id: &str, depth: usize) -> AnyView {
    let Place { page, lesson, .. } = *place;
    let own = id.to_string();
    let set = Memo::new(move |_| {
        let set = page.work.with(|work| work.prediction(lesson, &own).iter().find(|(at, _)| *at == depth).map(|(_, share)| *share));
        set.map(|share| (share * 1000.0).round() / 10.0)
    });
    let own = id.to_string();
    let put = move |event: web_sys::Event| {
        let percent = event_target_value(&event).parse::<f64>().ok();
        lesson::predict(page, lesson, &own, depth, percent.map(|percent| percent / 100.0));
    };
    let put = Callback::new(put);
    let name = format!("predict-{id}-{depth}");
    view! {
        <div class="predict-row" class:predict-open=move || set.get().is_none()>
            <label for=name.clone()>{format!("k = {depth}")}</label>
            <input type="range" min="0" max="100" step="1" aria-label=format!("Your prediction for k = {depth}, in percent") prop:value=move || set.get().unwrap_or(50.0).to_string() on:input=move |event| put.run(event) />
            <input type="number" id=name min="0" max="100" step="any" inputmode="decimal" prop:value=move || set.get().map(|percent| percent.to_string()).unwrap_or_default() on:input=move |event| put.run(event) />
            <span>"%"</span>
        </div>
    }
    .into_any()
}
