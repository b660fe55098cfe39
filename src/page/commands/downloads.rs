//! Downloads: weights, a run as CSV or JSON, a chart as SVG.

use crate::config::RunConfig;
use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::run::{Measurement, Run};
use crate::protocol::Engine;
use crate::results::{Ending, StepReward};
use crate::task::Estimate;
use crate::wire;
use js_sys::Uint8Array;
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::JsCast;
use web_sys::{SvgElement, XmlSerializer};

/// Saves weights under the file name that `transformers` expects. The file also holds their description.
pub fn weights(page: Page, step: u64, bytes: &Uint8Array) {
    browser::download_bytes("model.safetensors", bytes);
    let which = if step == 0 { "opened weights".into() } else { format!("weights of step {step}") };
    page.tell(&format!("Handed to the browser: the {which}, as model.safetensors."));
}

/// Saves the description of the network, for `transformers`.
pub fn description(page: Page, config_json: &str) {
    browser::download_text("config.json", "application/json", config_json);
    page.tell("Handed to the browser: config.json.");
}

/// A file name from a run's name.
fn file_name(run: &Run, ending: &str) -> String {
    let plain: String =
        run.name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect();
    format!("lookahead-{}.{ending}", plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"))
}

/// Saves a run as CSV: one row for each loss, for each measured depth, and for each step of rewards.
pub fn csv(run: &Run) {
    browser::download_text(&file_name(run, "csv"), "text/csv", &csv_of(run));
}

/// The text of [`csv`].
pub fn csv_of(run: &Run) -> String {
    let mut text = String::from(
        "kind,step,loss,depth,samples,exact,bits_teacher_forced,bits_free_running,exact_free_running,free_samples,tokens,reward,right,kl\n",
    );
    for (index, loss) in run.losses.iter().enumerate() {
        text.push_str(&format!("loss,{},{loss},,,,,,,,,,,\n", index + 1));
    }
    for measurement in &run.measured {
        for score in &measurement.depths {
            let shares = format!("{},{}", score.bits_teacher_forced, score.bits_free_running);
            let free = format!("{},{}", score.exact_free_running, score.free_samples);
            text.push_str(&format!(
                "measured,{},,{},{},{},{shares},{free},,,,\n",
                measurement.step, score.depth, score.samples, score.exact
            ));
        }
    }
    for (index, step) in run.rewards.iter().enumerate() {
        text.push_str(&format!("rewarded,{},,,,,,,,,{},{},{},{}\n", index + 1, step.tokens, step.reward, step.exact, step.kl));
    }
    text
}

/// The ceiling and the floors at one depth.
#[derive(Serialize)]
struct Reference {
    depth: usize,
    ceiling: f64,
    bit_ceiling: f64,
    copy: f64,
    cycle: f64,
    samples: usize,
}

/// All data of a run.
#[derive(Serialize)]
struct Export<'a> {
    name: &'a str,
    link: String,
    config: &'a RunConfig,
    engine: &'a Option<Engine>,
    parameters: usize,
    seconds: f64,
    ending: Option<&'static str>,
    fingerprint: Option<String>,
    losses: &'a [f32],
    rewards: &'a [StepReward],
    measured: &'a [Measurement],
    best_step: Option<u64>,
    references: Vec<Reference>,
}

/// Saves all data of a run as JSON.
pub fn json(page: Page, run: &Run) {
    let ending = run.ending.map(|ending| match ending {
        Ending::Reached => "reached",
        Ending::Target => "target",
        Ending::Stopped => "stopped",
        Ending::Opened => "opened",
    });
    let subject = run.subject();
    let reference = |estimate: &Estimate| {
        let Estimate { depth, ceiling, bit_ceiling, copy, cycle, samples, .. } = *estimate;
        Reference { depth, ceiling, bit_ceiling, copy, cycle, samples }
    };
    let references = page.references.with_untracked(|references| references.of(&subject).iter().map(reference).collect());
    let export = Export {
        name: &run.name,
        link: browser::page_url(&run.fragment()),
        config: &run.config,
        engine: &run.engine,
        parameters: run.parameters,
        seconds: run.seconds,
        ending,
        fingerprint: run.fingerprint().map(|fingerprint| fingerprint.to_string()),
        losses: &run.losses,
        rewards: &run.rewards,
        measured: &run.measured,
        best_step: run.best_step,
        references,
    };
    match wire::to_json(&export) {
        Ok(text) => browser::download_text(&file_name(run, "json"), "application/json", &text),
        Err(error) => page.tell(&error.to_string()),
    }
}

/// Saves a chart as a file that looks the same everywhere: every `var(--name)` is replaced by its light colour, for paper.
pub fn svg(name: &str, svg: &SvgElement) {
    let drawn = XmlSerializer::new().and_then(|serializer| serializer.serialize_to_string(svg.unchecked_ref()));
    let Ok(mut text) = drawn else { return };
    // A colour of the style sheet is a `light-dark()` of two. It becomes one colour only as the `color` of an element.
    let (Ok(probe), Some(body)) = (document().create_element("i"), document().body()) else { return };
    let _ = body.append_child(&probe);
    let style = window().get_computed_style(&probe).ok().flatten();
    while let Some((before, rest)) = text.split_once("var(") {
        let Some((variable, after)) = rest.split_once(')') else { break };
        let _ = probe.set_attribute("style", &format!("color-scheme:only light;color:var({variable})"));
        let colour = style.as_ref().and_then(|style| style.get_property_value("color").ok()).filter(|colour| !colour.is_empty());
        text = format!("{before}{}{after}", colour.as_deref().map_or("currentColor", str::trim));
    }
    probe.remove();
    browser::download_text(&format!("lookahead-{name}.svg"), "image/svg+xml", &text);
}
