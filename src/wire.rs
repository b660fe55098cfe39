//! How messages travel between the page, its worker and the worker's helpers. The only module that knows it.
//!
//! A message is an array `[value]` or `[value, bytes]`. The value is a plain structure of objects, arrays, numbers and
//! strings, in the shape that serde gives it; the browser copies it. Arrays of numbers that are large (weights, gradients,
//! files) go beside it as bytes.

use js_sys::{Array, Float32Array, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, Worker};

/// Missing values are null, maps are plain objects, and integers are numbers: what a test or a debugger reads most easily.
const NUMBERS: Serializer = Serializer::json_compatible();
/// The same, with every 64-bit integer as a BigInt. A number holds only integers below 2^53, and a file's hash is larger.
const BIG_INTEGERS: Serializer = NUMBERS.serialize_large_number_types_as_bigints(true);

/// A message as it arrives.
pub struct Incoming<T> {
    pub message: T,
    pub bytes: Option<Uint8Array>,
}

/// Reads a message.
///
/// # Errors
/// A sentence when the message has another shape than `T`: the sender is of another build.
pub fn read<T: DeserializeOwned>(event: &MessageEvent) -> Result<Incoming<T>, String> {
    let strange = |why: &str| format!("A message cannot be read ({why}): reload the page, its parts are of different versions.");
    let parts: Array = event.data().dyn_into().map_err(|_| strange("it is not an array"))?;
    let message = serde_wasm_bindgen::from_value(parts.get(0)).map_err(|error| strange(&error.to_string()))?;
    Ok(Incoming { message, bytes: parts.get(1).dyn_into().ok() })
}

/// The value of a message. Its integers are numbers, or BigInts, all of them, where one is too large for a number.
///
/// # Errors
/// serde's reason.
pub fn value<T: Serialize>(message: &T) -> Result<JsValue, String> {
    message.serialize(&NUMBERS).or_else(|_| message.serialize(&BIG_INTEGERS)).map_err(|error| error.to_string())
}

/// Posts from this worker to its starter. The bytes are copied once, out of this program's memory, and then moved.
pub fn post<T: Serialize>(message: &T, bytes: Option<&[u8]>) {
    post_parts(message, bytes.map(Uint8Array::from));
}

/// As [`post`], with the arrays' numbers as the bytes, one array after the other.
pub fn post_numbers<T: Serialize>(message: &T, arrays: &[&[f32]]) {
    post_parts(message, Some(gather(arrays)));
}

/// Posts to a worker that this program started. The browser copies the bytes: the sender keeps its own.
///
/// # Errors
/// Why the message could not be written or posted.
pub fn send<T: Serialize>(worker: &Worker, message: &T, bytes: Option<&Uint8Array>) -> Result<(), String> {
    let parts = value(message).map(|value| parts(&value, bytes));
    parts.and_then(|parts| worker.post_message(&parts).map_err(reason)).map_err(undelivered)
}

/// As [`send`], with numbers as the bytes. They are copied once, out of this program's memory, and then moved.
///
/// # Errors
/// Why the message could not be written or posted.
pub fn send_numbers<T: Serialize>(worker: &Worker, message: &T, numbers: &[f32]) -> Result<(), String> {
    let bytes = gather(&[numbers]);
    let parts = value(message).map(|value| parts(&value, Some(&bytes)));
    parts.and_then(|parts| worker.post_message_with_transfer(&parts, &moved(Some(&bytes))).map_err(reason)).map_err(undelivered)
}

/// The numbers in a message's bytes, into an array that is kept from message to message.
pub fn read_numbers(bytes: &Uint8Array, into: &mut Vec<f32>) {
    let numbers = Float32Array::new_with_byte_offset_and_length(&bytes.buffer(), bytes.byte_offset(), bytes.byte_length() / 4);
    into.resize(numbers.length() as usize, 0.0);
    numbers.copy_to(into);
}

fn post_parts<T: Serialize>(message: &T, bytes: Option<Uint8Array>) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let parts = value(message).map(|value| parts(&value, bytes.as_ref()));
    let posted = parts.and_then(|parts| scope.post_message_with_transfer(&parts, &moved(bytes.as_ref())).map_err(reason));
    // The starter is the one that a failure would be told, and it cannot be reached.
    if let Err(why) = posted {
        web_sys::console::error_1(&undelivered(why).into());
    }
}

fn parts(value: &JsValue, bytes: Option<&Uint8Array>) -> Array {
    let parts = Array::of1(value);
    if let Some(bytes) = bytes {
        parts.push(bytes);
    }
    parts
}

/// What postMessage takes away from the sender.
fn moved(bytes: Option<&Uint8Array>) -> Array {
    bytes.map(Uint8Array::buffer).iter().collect()
}

/// Copies arrays out of this program's memory into one buffer.
fn gather(arrays: &[&[f32]]) -> Uint8Array {
    let count: usize = arrays.iter().map(|array| array.len()).sum();
    let numbers = Float32Array::new_with_length(count as u32);
    let mut start = 0;
    for array in arrays {
        let end = start + array.len() as u32;
        numbers.subarray(start, end).copy_from(array);
        start = end;
    }
    Uint8Array::new(&numbers.buffer())
}

fn reason(error: JsValue) -> String {
    format!("{error:?}")
}

fn undelivered(why: String) -> String {
    format!("A message to a worker could not be sent ({why}).")
}
