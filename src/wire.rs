//! Sends and reads messages between the page, its worker and the worker's helpers. No other module depends on their format.
//!
//! A message is an array `[value]` or `[value, bytes]`. The value is a plain structure of objects, arrays, numbers and
//! strings, as serde writes it, and the browser copies it. Large arrays of numbers (weights, gradients, files) are sent
//! as the bytes.

use crate::results::Unread;
use js_sys::{Array, Float32Array, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, Worker};

/// Missing values are null, maps are plain objects, and integers are numbers, so that tests and debuggers can read them easily.
const NUMBERS: Serializer = Serializer::json_compatible();
/// The same, with every 64-bit integer as a BigInt. A number can hold only integers below 2^53, and a file's hash can be larger.
const BIG_INTEGERS: Serializer = NUMBERS.serialize_large_number_types_as_bigints(true);

/// Why a message cannot travel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The message has another shape than expected: the sender is of another build.
    #[error("A message cannot be read ({0}): reload the page, its parts are of different versions.")]
    Unreadable(String),
    #[error("A message to a worker could not be sent ({0}).")]
    Unsent(String),
    #[error("This browser could not start the training engine (a module worker).")]
    NoWorker,
}

/// A received message.
pub struct Incoming<T> {
    pub message: T,
    pub bytes: Option<Uint8Array>,
}

/// Reads a message.
///
/// # Errors
/// The message does not have the shape of `T`: the sender is of another build.
pub fn read<T: DeserializeOwned>(event: &MessageEvent) -> Result<Incoming<T>, WireError> {
    let strange = |why: &str| WireError::Unreadable(why.into());
    let parts: Array = event.data().dyn_into().map_err(|_| strange("it is not an array"))?;
    let message = serde_wasm_bindgen::from_value(parts.get(0)).map_err(|error| strange(&error.to_string()))?;
    Ok(Incoming { message, bytes: parts.get(1).dyn_into().ok() })
}

/// Reads a text of JSON by the browser's own parser. The program then holds one reader of each structure, that of messages.
///
/// # Errors
/// The text is not JSON, or does not have the shape of `T`.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Unread> {
    let value = js_sys::JSON::parse(text).map_err(|_| Unread::NotJson)?;
    serde_wasm_bindgen::from_value(value).map_err(|error| Unread::Shape(error.to_string()))
}

/// Writes a text of JSON by the browser's own writer. Integers above 2^53 cannot be written.
///
/// # Errors
/// The reason that serde or the browser gives.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, WireError> {
    let value = value.serialize(&NUMBERS).map_err(|error| WireError::Unsent(error.to_string()))?;
    js_sys::JSON::stringify(&value).map(String::from).map_err(reason)
}

/// The value of a message. Its integers are numbers. If one of them is too large for a number, all 64-bit integers are BigInts.
///
/// # Errors
/// The reason that serde gives.
pub fn value<T: Serialize>(message: &T) -> Result<JsValue, WireError> {
    message.serialize(&NUMBERS).or_else(|_| message.serialize(&BIG_INTEGERS)).map_err(|error| WireError::Unsent(error.to_string()))
}

/// Posts a message from this worker to the program that started it. The bytes are copied once, out of this program's memory, and then moved.
pub fn post<T: Serialize>(message: &T, bytes: Option<&[u8]>) {
    post_parts(message, bytes.map(Uint8Array::from));
}

/// As [`post`], with the numbers of the arrays as the bytes, one array after the other.
pub fn post_numbers<T: Serialize>(message: &T, arrays: &[&[f32]]) {
    post_parts(message, Some(gather(arrays)));
}

/// Posts a message to a worker that this program started. The browser copies the bytes, so the sender keeps its own.
///
/// # Errors
/// Why the message could not be serialised or posted.
pub fn send<T: Serialize>(worker: &Worker, message: &T, bytes: Option<&Uint8Array>) -> Result<(), WireError> {
    let parts = value(message).map(|value| parts(&value, bytes));
    parts.and_then(|parts| worker.post_message(&parts).map_err(reason))
}

/// As [`send`], with numbers as the bytes. They are copied once, out of this program's memory, and then moved.
///
/// # Errors
/// Why the message could not be serialised or posted.
pub fn send_numbers<T: Serialize>(worker: &Worker, message: &T, numbers: &[f32]) -> Result<(), WireError> {
    let bytes = gather(&[numbers]);
    let parts = value(message).map(|value| parts(&value, Some(&bytes)));
    parts.and_then(|parts| worker.post_message_with_transfer(&parts, &moved(Some(&bytes))).map_err(reason))
}

/// Reads the numbers in a message's bytes into `into`, which the caller reuses for every message.
pub fn read_numbers(bytes: &Uint8Array, into: &mut Vec<f32>) {
    let numbers = Float32Array::new_with_byte_offset_and_length(&bytes.buffer(), bytes.byte_offset(), bytes.byte_length() / 4);
    into.resize(numbers.length() as usize, 0.0);
    numbers.copy_to(into);
}

fn post_parts<T: Serialize>(message: &T, bytes: Option<Uint8Array>) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let parts = value(message).map(|value| parts(&value, bytes.as_ref()));
    let posted = parts.and_then(|parts| scope.post_message_with_transfer(&parts, &moved(bytes.as_ref())).map_err(reason));
    // The starter cannot be reached, so the console is the only place to report the failure.
    if let Err(why) = posted {
        web_sys::console::error_1(&why.to_string().into());
    }
}

fn parts(value: &JsValue, bytes: Option<&Uint8Array>) -> Array {
    let parts = Array::of1(value);
    if let Some(bytes) = bytes {
        parts.push(bytes);
    }
    parts
}

/// The buffers that postMessage moves away from the sender.
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

fn reason(error: JsValue) -> WireError {
    WireError::Unsent(format!("{error:?}"))
}
