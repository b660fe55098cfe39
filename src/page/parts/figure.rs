//! A chart in its place: it knows its width, and can be saved.

use crate::page::charts::Size;
use crate::page::{browser, downloads};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::SvgElement;

/// A chart drawn anew whenever what `draw` reads changes. `points` is how many values it stands for, told to tests.
#[component]
pub fn Figure(
    id: &'static str,
    name: &'static str,
    height: f64,
    draw: impl Fn(Size) -> AnyView + Send + Sync + 'static,
    #[prop(optional, into)] points: Option<Signal<usize>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let plot = NodeRef::<leptos::html::Div>::new();
    let width = RwSignal::new(0.0);
    let measure = move || {
        if let Some(plot) = plot.get_untracked() {
            // Drawn into a smaller box and stretched over the place, letters and lines grow with the window.
            let now = f64::from(plot.client_width()) / browser::magnification();
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
            <div class="plot" node_ref=plot style=move || format!("min-height:{}px", height * browser::magnification())>
                {move || (width.get() > 0.0).then(|| draw(Size { width: width.get(), height }))}
            </div>
            <figcaption>
                {children.map(|children| children())}
                <button type="button" class="quiet save" on:click=save>"Save SVG"</button>
            </figcaption>
        </figure>
    }
}
