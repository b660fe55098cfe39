//! A chart that fills the width of its card and can be saved.

use crate::page::browser;
use crate::page::commands::downloads;
use crate::page::state::run::Run;
use crate::page::view::charts::Size;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::SvgElement;

/// A chart that is redrawn when the data that `draw` reads changes. `points` is the number of values drawn; tests read it.
#[component]
pub fn Figure(
    #[prop(into)] id: String,
    name: &'static str,
    height: f64,
    draw: impl Fn(Size) -> AnyView + Send + Sync + 'static,
    #[prop(optional, into)] points: Option<Signal<usize>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    figure(id, name, height, Callback::new(draw), points, children)
}

/// One function for all charts, so that the program has it once.
fn figure(
    id: String,
    name: &'static str,
    height: f64,
    draw: Callback<Size, AnyView>,
    points: Option<Signal<usize>>,
    children: Option<Children>,
) -> AnyView {
    let plot = NodeRef::<leptos::html::Div>::new();
    let width = RwSignal::new(0.0);
    let scale = RwSignal::new(browser::magnification());
    // A lesson's chart may be gone by the time of the frame that it has asked for.
    let measure = move || {
        if let Some(plot) = plot.try_get_untracked().flatten() {
            // The chart is drawn into a smaller box and stretched, so that letters and lines grow with the window.
            scale.set(browser::magnification());
            let now = f64::from(plot.client_width()) / scale.get_untracked();
            if now != width.get_untracked() {
                width.set(now);
            }
        }
    };
    Effect::new(move |_| {
        if plot.get().is_some() {
            request_animation_frame(measure);
        }
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    let save = move |_| {
        let drawn = plot.get_untracked().and_then(|plot| plot.query_selector("svg").ok().flatten());
        if let Some(drawn) = drawn.and_then(|drawn| drawn.dyn_into::<SvgElement>().ok()) {
            downloads::svg(name, &drawn);
        }
    };
    view! {
        <figure id=id data-points=move || points.map(|points| points.get().to_string())>
            <div class="figure-plot" node_ref=plot style=move || format!("min-height:{}px", height * scale.get())>
                {move || (width.get() > 0.0).then(|| draw.run(Size { width: width.get(), height }))}
            </div>
            <figcaption>
                {children.map(|children| children())}
                <button type="button" class="button-quiet button-save" on:click=save>"Save SVG"</button>
            </figcaption>
        </figure>
    }
    .into_any()
}

/// The runs that the charts show.
pub fn visible(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|run| run.visible)
}
