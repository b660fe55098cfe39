//! How long the site's messages take to write and to read, as structured values and as the JSON text that they once were.
//! `tests/bench/messages.mjs` builds this program for the browser twice, as the page and as the worker are built, and drives it.

#[cfg(not(feature = "browser"))]
fn main() {}

#[cfg(feature = "browser")]
fn main() {
    browser::install();
}

#[cfg(feature = "browser")]
mod browser {
    use js_sys::{Array, Object, Reflect};
    use lookahead::config::presets;
    use lookahead::protocol::{Bytes, Command, Report};
    use lookahead::results::{AttributionSource, DepthScore, LayerAttribution, Prediction};
    use lookahead::task::Split;
    use lookahead::wire;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use std::hint::black_box;
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::MessageEvent;

    /// Sets `globalThis.messages = { write, read }`.
    pub fn install() {
        let write = Closure::<dyn FnMut(String, bool, u32) -> Result<JsValue, JsValue>>::new(|name: String, text: bool, count: u32| {
            write(&name, text, count).map_err(JsValue::from)
        });
        let read = Closure::<dyn FnMut(MessageEvent, bool, bool, u32) -> Result<JsValue, JsValue>>::new(
            |event: MessageEvent, command: bool, text, count| {
                let read = if command { read::<Command>(&event, text, count) } else { read::<Report>(&event, text, count) };
                read.map(|()| JsValue::UNDEFINED).map_err(JsValue::from)
            },
        );
        let both = Object::new();
        for (name, function) in [("write", write.into_js_value()), ("read", read.into_js_value())] {
            let _ = Reflect::set(&both, &name.into(), &function);
        }
        let _ = Reflect::set(&js_sys::global(), &"messages".into(), &both);
    }

    /// Writes a message `count` times; returns the last one as it would be posted.
    fn write(name: &str, text: bool, count: u32) -> Result<JsValue, String> {
        match name {
            "Start" => repeat(&start(), text, count),
            "Losses" => repeat(&losses(), text, count),
            "Measured" => repeat(&measured(), text, count),
            "Attributed" => repeat(&attributed(), text, count),
            other => Err(format!("There is no message called {other}.")),
        }
    }

    fn repeat<T: Serialize>(message: &T, text: bool, count: u32) -> Result<JsValue, String> {
        let mut parts = Array::new();
        for _ in 0..count {
            let value = if text {
                JsValue::from_str(&serde_json::to_string(black_box(message)).map_err(|error| error.to_string())?)
            } else {
                wire::value(black_box(message)).map_err(|error| error.to_string())?
            };
            parts = Array::of1(&value);
        }
        Ok(parts.into())
    }

    fn read<T: DeserializeOwned>(event: &MessageEvent, text: bool, count: u32) -> Result<(), String> {
        for _ in 0..count {
            if text {
                let parts: Array = event.data().dyn_into().map_err(|_| "not an array")?;
                let json = parts.get(0).as_string().ok_or("not a text")?;
                black_box(serde_json::from_str::<T>(&json).map_err(|error| error.to_string())?);
            } else {
                black_box(wire::read::<T>(event).map_err(|error| error.to_string())?.message);
            }
        }
        Ok(())
    }

    fn start() -> Command {
        Command::Start { config: presets::quick(), workers: 0, bytes: Bytes::None }
    }

    /// What a tenth of a second of the preset Quick reports.
    fn losses() -> Report {
        Report::Losses { first: 301, losses: (0..5).map(|step| 0.3 - 0.01 * (step as f32).sin()).collect(), seconds: 7.8125 }
    }

    /// Four depths, 512 predictions of 8 cells.
    fn measured() -> Report {
        let score = |depth: usize| DepthScore {
            depth,
            samples: 128,
            exact: 128 / depth,
            bits_teacher_forced: 0.98 / depth as f64,
            bits_free_running: 0.96 / depth as f64,
            exact_free_running: 32 / depth,
            free_samples: 32,
            hops: None,
            rule_bits: None,
        };
        let prediction = |index: u64| Prediction {
            index: index % 128,
            depth: 1 + index as usize / 128,
            cells: (0..8).map(|cell| (index >> cell & 1) as u8).collect(),
            written: Vec::new(),
            hops: None,
        };
        Report::Measured {
            step: 350,
            seconds: 9.0625,
            split: Split::Validation,
            depths: (1..=4).map(score).collect(),
            predictions: (0..512).map(prediction).collect(),
            best: true,
        }
    }

    /// Three layers of four heads, the 8 cells of an answer, 55 to 62 positions before each: the preset Quick.
    fn attributed() -> Report {
        let shares =
            |cell: usize| (0..4).map(|head| (0..55 + cell).map(|place| ((place * 37 + head * 11) % 400) as u16).collect()).collect();
        let layer =
            |layer| LayerAttribution { layer, source: AttributionSource::Attention, first: 0, shares: (0..8).map(shares).collect() };
        Report::Attributed { step: 350, split: Split::Validation, index: 3, depth: 1, layers: (0..3).map(layer).collect() }
    }
}
